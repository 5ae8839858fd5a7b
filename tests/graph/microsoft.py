"""A Microsoft of one function: a request comes, the function says what is answered. All requests are kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from gatepost.graph.gateway import Asked, Gateway, http_session

Answering = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]
EVERYTHING = frozenset({"User.Read", "Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite"})


@dataclass
class Rep:
    """A mailbox's permission to ask; keeps what the ledger would."""

    scopes: frozenset[str] = EVERYTHING
    ledger: list[Asked] = field(default_factory=list)
    renewals: int = 0
    claims: list[str] = field(default_factory=list)  # with which each token was asked for

    async def token(self, *, renew: bool = False, claims: str = "") -> str:
        self.renewals += renew
        self.claims.append(claims)
        return f"token-{self.renewals}"

    async def record(self, asked: Asked) -> None:
        self.ledger.append(asked)


@dataclass
class Asking:
    """A gateway to the stub, and what went through it."""

    gateway: Gateway
    rep: Rep
    requests: list[web.Request]
    bodies: list[bytes]


@asynccontextmanager
async def microsoft(answer: Answering, rep: Rep | None = None) -> AsyncIterator[Asking]:
    requests: list[web.Request] = []
    bodies: list[bytes] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        bodies.append(await request.read())
        result = answer(request)
        return await result if isinstance(result, Awaitable) else result

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    rep = rep or Rep()
    try:
        async with http_session() as http:
            gateway = Gateway(http, rep, sandbox_url=f"http://127.0.0.1:{port}")
            yield Asking(gateway, rep, requests, bodies)
    finally:
        await runner.cleanup()


def ask(answer: Answering, name: str, *, rep: Rep | None = None, **values: Any) -> tuple[Any, Asking]:
    """One request of this shape: what came of it (a body or an error), and what was seen on the way."""

    async def once() -> tuple[Any, Asking]:
        async with microsoft(answer, rep) as asking:
            try:
                return await asking.gateway.ask(name, **values), asking
            except Exception as error:
                return error, asking

    return asyncio.run(once())


def error_body(code: str, message: str = "No.") -> dict[str, Any]:
    """An error as Graph writes it: https://learn.microsoft.com/graph/errors"""
    return {"error": {"code": code, "message": message, "innerError": {"date": "2027-01-11T09:00:00"}}}


def reset(request: web.Request) -> web.Response:
    """The connection ends without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
