"""The worker: runs the queue's jobs and the ticks until told to stop."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import OperationalError
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

from gatepost.jobs import ticks

log = logging.getLogger(__name__)

# A killed worker's jobs run again after about 14 s, and not after Procrastinate's own 66 s.
HEARTBEAT_SECONDS = 3
STALLED_SECONDS = 10
RESCUE_EVERY_SECONDS = 10


# A job of many rows makes thousands of objects that end with it, and hardly any that point at each other.
OBJECTS_BEFORE_COLLECTING = 20_000


def be_ready() -> None:
    """What runs at a start, ticks and jobs are all known from here on, and what the worker then holds is never looked
    through for garbage again. In `gatepost bench send` collecting took 11 % of its processor time, and 5 % with what it
    holds left out alone; less often, too, it takes 0.3 %."""
    app.perform_import_paths()
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING, 20, 50)


async def work(*, stop: asyncio.Event | None = None) -> None:
    """Run jobs until `stop` is set or the process is told to end; a lost database is waited for."""
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, NotImplementedError):
            loop.add_signal_handler(sign, stop.set)
    be_ready()
    started = False
    while not stop.is_set():
        try:
            if not started:
                await ticks.start()
                started = True
            await _work_until(stop)
        except (ConnectorException, OSError, OperationalError) as error:
            log.warning("the database does not answer, trying again", extra={"error": type(error).__name__})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)


@dataclass
class Running:
    """The jobs that this worker is just running, and the number by which the queue knows it."""

    worker_id: int | None = None
    jobs: set[int] = field(default_factory=set)
    missing: frozenset[int] = frozenset()  # what the queue says that it runs, and it did not at the last look

    async def around(self, run_job: Callable[[], Awaitable[Any]], context: Any, worker: Any) -> Any:
        self.worker_id = worker.worker_id
        self.jobs.add(context.job.id)
        try:
            return await run_job()
        finally:
            self.jobs.discard(context.job.id)

    def lost(self, said: Iterable[int]) -> frozenset[int]:
        """Which of the jobs that the queue says this worker runs it does not, now and at the look before."""
        now = frozenset(said) - self.jobs
        twice, self.missing = now & self.missing, now
        return twice


async def _work_until(stop: asyncio.Event) -> None:
    # The worker listens with an async connector of its own. The jobs enqueue through Django's connection,
    # inside their transactions, so the app that they see keeps its own connector.
    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    ours = Running()
    async with worker_app.open_async():
        running = [
            asyncio.create_task(_run_jobs(worker_app, ours)),
            asyncio.create_task(ticks.keep_ticking()),
            asyncio.create_task(_rescue_stalled(worker_app, ours)),
        ]
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in [*running, stopping]:
            task.cancel()
        await asyncio.gather(*running, stopping, return_exceptions=True)
        for task in done - {stopping}:
            task.result()


async def _run_jobs(worker_app: Any, ours: Running) -> None:
    await worker_app.run_worker_async(
        concurrency=settings.GATEPOST_WORKER_JOBS,
        fetch_job_polling_interval=1,
        delete_jobs="successful",
        worker_middleware=[ours.around],
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_SECONDS,
        shutdown_graceful_timeout=10,
    )


async def _rescue_stalled(worker_app: Any, ours: Running) -> None:
    while True:
        await rescue(worker_app.job_manager, ours)
        await asyncio.sleep(RESCUE_EVERY_SECONDS)


async def rescue(manager: Any, ours: Running) -> None:
    """What workers left that are lost waits again, and what this one lost: where the database went away just when it was
    asked for a job or told of one's end, nobody runs that job, and the worker that the queue has for it lives on."""
    for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        log.warning("running again what a lost worker left", extra={"job": stalled.task_name})
        await _rescue(manager, stalled)
    if ours.worker_id is not None:
        said = await manager.list_jobs_async(status="doing", worker_id=ours.worker_id)
        lost = ours.lost(each.id for each in said)
        for each in said:
            if each.id in lost:
                log.warning("running again what this worker lost", extra={"job": each.task_name})
                await _rescue(manager, each)


async def _rescue(manager: Any, stalled: Any) -> None:
    """The job runs again, or the one that waits behind it runs; either way its lock is free."""
    try:
        await manager.retry_job(stalled)
    except UniqueViolation:
        # One more of `once_for` waits in the queue already, and two cannot: it does the same work.
        await manager.finish_job(stalled, Status.FAILED, delete_job=True)
    except ConnectorException as error:
        # Its worker lived after all and has just finished it. A lost database shows at the next look.
        log.warning("nothing to run again", extra={"job": stalled.task_name, "error": str(error)[:200]})
