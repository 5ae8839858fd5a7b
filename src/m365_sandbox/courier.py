"""The loop that makes due things happen."""

import asyncio
import contextlib
import logging

from m365_sandbox import delivery, notifications
from m365_sandbox.entities import Action
from m365_sandbox.notifications import Poster
from m365_sandbox.sandbox import Sandbox

LOOK_EVERY_SECONDS = 0.05
MOST_AT_A_TIME = 200
"""So that a long jump of the clock does not keep requests waiting."""

_DO = {
    "transport": delivery.transport,
    "person": delivery.act,
    "ndr": delivery.ndr,
    "arrival": delivery.arrival,
    "reauthorization": notifications.ask_to_reauthorize,
}


class Courier:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._poster = Poster(sandbox)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._poster.close()

    async def _run(self) -> None:
        woken = self._sandbox.schedule.woken
        while True:
            if self.do_what_is_due():
                await asyncio.sleep(0)
                continue
            woken.clear()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it can swallow the cancellation that is to stop us.
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await woken.wait()

    def do_what_is_due(self) -> int:
        """Do it in the order of its times; each thing is committed whole. How many things were done."""
        sandbox = self._sandbox
        done, notify = 0, []
        while done < MOST_AT_A_TIME and (action := sandbox.schedule.take_due(sandbox.now())) is not None:
            done += 1
            if action.kind == "notify":
                notify.append(action)
            else:
                self._do(action)
        if notify:
            self._poster.post(notify)
        sandbox.store.commit()
        return done

    def _do(self, action: Action) -> None:
        """One thing that fails must not stop the others; it is kept as a fact, and health tells of it."""
        self._sandbox.schedule.done(action)
        try:
            _DO[action.kind](self._sandbox, action)
        except Exception as error:
            logging.getLogger(__name__).exception("The sandbox could not do %s.", action.kind)
            self._sandbox.store.record("failure", "", {"kind": action.kind, "error": repr(error)})
        self._sandbox.store.commit()
