"""Database work of async jobs, in a bounded pool of threads, so that I/O and transactions cannot mix by accident."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
R = TypeVar("R")

# Of jobs that run at once most wait for Microsoft, and those that send share one thread of their workspace (jobs.rounds).
THREADS = 12

_pool: ThreadPoolExecutor | None = None


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of `function`, run in a thread whose database connection then returns to the pool."""
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(THREADS, thread_name_prefix="database")

    def run() -> R:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(_pool, run)
