"""What looks every second or so for work that has become due, and enqueues it.

Each tick is one cheap indexed query. With several workers one of them ticks: an advisory lock decides, and
passes on when that worker dies.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections

from gatepost.jobs.threads import in_thread

log = logging.getLogger(__name__)

TICK_LOCK = 7_405_001  # any number that nothing else locks


@dataclass(frozen=True, slots=True)
class Tick:
    name: str
    every_seconds: float  # real time
    run: Callable[[], int]  # returns how many jobs it enqueued


_ticks: list[Tick] = []


def tick(name: str, *, every_seconds: float) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Run a function every so many real seconds in one of the workers."""

    def register(function: Callable[[], int]) -> Callable[[], int]:
        _ticks.append(Tick(name, every_seconds, function))
        return function

    return register


_starts: list[Callable[[], None]] = []


def at_start(function: Callable[[], None]) -> Callable[[], None]:
    """Run a function once in each worker that starts, before its first job."""
    _starts.append(function)
    return function


async def start() -> None:
    for each in _starts:
        await in_thread(each)


def run_all() -> int:
    """Every tick once, now. For tests and for `gatepost demo --check`."""
    return sum(each.run() for each in _ticks)


async def keep_ticking() -> None:
    """Until cancelled: run each tick when its time has come, if this worker holds the lock."""
    await asyncio.gather(*(_repeat(each) for each in _ticks))


async def _repeat(each: Tick) -> None:
    while True:
        try:
            await in_thread(_run_if_chosen, each)
        except Exception as error:
            # A database that restarts must not end the ticking: say so, and try again.
            log.warning(
                "tick failed", extra={"job": each.name, "error": f"{type(error).__name__}: {error}"[:300]}
            )
            await asyncio.sleep(1)
        await asyncio.sleep(each.every_seconds)


def _run_if_chosen(each: Tick) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [TICK_LOCK, each.name])
        if not cursor.fetchone()[0]:
            return
        try:
            each.run()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [TICK_LOCK, each.name])
