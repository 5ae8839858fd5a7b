"""A job that the queue believes to run and nobody runs does not stay so: what waits behind it would wait for ever."""

import asyncio

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from gatepost.jobs.queue import enqueue
from gatepost.jobs.worker import Running, rescue


def looks(*, running: bool) -> list[str]:
    """How the one job stands after it was taken and after each of two looks."""

    async def look() -> list[str]:
        worker_app = app.with_connector(app.connector.get_worker_connector())
        async with worker_app.open_async():
            manager, stood = worker_app.job_manager, []
            worker_id = await manager.register_worker()
            job = await manager.fetch_job(queues=None, worker_id=worker_id)
            ours = Running(worker_id, {job.id} if running else set())
            for _ in range(3):
                stood += [each.status for each in await manager.list_jobs_async(id=job.id)]
                await rescue(manager, ours)
            return stood

    enqueue("intake.sync", once_for="m1", mailbox="m1")
    return asyncio.run(look())


def test_a_job_whose_fetching_or_end_was_lost_with_the_database_waits_again(committed_db):
    assert looks(running=False) == ["doing", "doing", "todo"]
    assert enqueue("intake.sync", once_for="m1", mailbox="m1") is False, "it waits"


def test_a_job_that_runs_is_left_alone_however_long_it_takes(committed_db):
    assert looks(running=True) == ["doing", "doing", "doing"]
    assert ProcrastinateJob.objects.get().status == "doing"


def test_a_job_that_the_queue_has_just_given_is_not_taken_for_lost():
    ours = Running(1, set())
    assert ours.lost([7]) == frozenset()
    ours.jobs.add(7)
    assert ours.lost([7]) == frozenset()
    ours.jobs.discard(7)
    assert ours.lost([]) == frozenset() and ours.lost([7]) == frozenset()
