"""The ASGI app: Microsoft's paths for sign-in and Graph, and /_sandbox/ to steer it all."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount, Route, Router

from m365_sandbox import control, world
from m365_sandbox.clock import Clock, Reading
from m365_sandbox.contract import Watch
from m365_sandbox.courier import Courier
from m365_sandbox.entra.routes import routes as entra_routes
from m365_sandbox.entra.steering import routes as entra_steering
from m365_sandbox.faults import FaultyLine
from m365_sandbox.graph import operations  # noqa: F401  (fills the table of operations)
from m365_sandbox.graph.door import GraphDoor
from m365_sandbox.graph.parts import UploadDoor
from m365_sandbox.sandbox import Sandbox
from m365_sandbox.store import Store
from m365_sandbox.switches import Switches


def create_app(
    *,
    seed: int = 1,
    switches: Switches | None = None,
    world: dict[str, Any] | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
    prospects: int = 20,
    unrelated: int = 200,
    watch: Watch | None = None,
) -> Starlette:
    """A sandbox as an ASGI app.

    An empty store is filled with `world`, or with the people built from `seed`; a store that holds something
    goes on where it stopped. People act only while the app's lifespan runs. Its parts: `app.state.sandbox`.
    A `watch` finds what is said outside the contract of Graph.
    """
    sandbox = assemble(seed=seed, switches=switches, store=store, clock=clock)
    sandbox.watch = watch
    describe = _Describe(seed, world, prospects, unrelated)
    if not sandbox.store.users:
        describe.fill(sandbox)
    courier = Courier(sandbox)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await courier.start()
        yield
        await courier.stop()
        sandbox.store.commit()
        if watch is not None:
            watch.tell()

    app = Starlette(
        routes=[
            *control.routes(sandbox, courier, describe.fill),
            Mount("/v1.0", app=GraphDoor(sandbox)),
            Mount("/beta", app=GraphDoor(sandbox)),
            Mount("/api/v2.0", app=UploadDoor(sandbox)),
            *entra_steering(sandbox),
            Route("/", control.to_start),
            Mount("/", app=FaultyLine(Router(entra_routes(sandbox)), sandbox)),
        ],
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    app.state.courier = courier
    return app


def assemble(*, seed: int, switches: Switches | None, store: Store | None, clock: Clock | None) -> Sandbox:
    """The parts without any people; what the store remembers of clock and switches counts."""
    store = store or Store()
    clock = clock or Clock()
    kept = store.meta.get("clock")
    if kept is not None:
        clock.remember(Reading(**kept))
    sandbox = Sandbox(seed, store, clock, switches or Switches(), chance=random.Random(seed))
    if switches is None:
        sandbox.take_up_settings()
    return sandbox


class _Describe:
    """Fills an empty store: with the world that was given, or with the seed's people."""

    def __init__(self, seed: int, given: dict[str, Any] | None, prospects: int, unrelated: int) -> None:
        self._seed, self._given, self._prospects, self._unrelated = seed, given, prospects, unrelated

    def fill(self, sandbox: Sandbox) -> None:
        start = sandbox.now()
        world.populate(sandbox, self._given or self._build(start), start=start)
        sandbox.store.set_meta("start", start)
        sandbox.schedule.reload()
        sandbox.store.commit()

    def _build(self, start: float) -> dict[str, Any]:
        from datetime import UTC, datetime

        from m365_sandbox.people import cast

        moment = datetime.fromtimestamp(start, UTC)
        return cast.build(self._seed, prospects=self._prospects, unrelated=self._unrelated, start=moment)
