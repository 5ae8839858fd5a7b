"""Defining jobs, and putting them into the queue in the transaction of the change that needs them."""

from collections.abc import Awaitable, Callable

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

# For jobs that no tick would find again: a database or keystore that restarts is outlasted.
TRY_AGAIN = RetryStrategy(max_attempts=60, wait=1, linear_wait=2)


def job(
    name: str, *, try_again: bool = False
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Make an async function a job under `name`, by which anything may enqueue it.

    `try_again` when it fails: only for jobs that no tick finds again, and never with `once_for`.
    """

    def register(function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        app.task(name=name, retry=TRY_AGAIN if try_again else False)(function)
        return function

    return register


def enqueue(name: str, *, once_for: object = None, **arguments: str) -> bool:
    """The job is in the queue when the running transaction commits.

    With `once_for`, bursts fold: while one such job waits, no second is added (False), and two never run at
    the same time. Arguments are ids only; the queue's table is no place for content.
    """
    key = None if once_for is None else f"{name}:{once_for}"
    task = app.configure_task(name, queueing_lock=key, lock=key)
    try:
        # The unique violation behind AlreadyEnqueued would abort the caller's whole transaction.
        with transaction.atomic():
            task.defer(**{key: str(value) for key, value in arguments.items()})
    except AlreadyEnqueued:
        return False
    return True
