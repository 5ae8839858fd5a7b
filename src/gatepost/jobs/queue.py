"""Defining jobs, and putting them into the queue in the transaction of the change that needs them."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from django.db import connections, transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from gatepost.errors import GatepostError

# For jobs that no tick would find again: a database or keystore that restarts is outlasted.
TRY_AGAIN = RetryStrategy(max_attempts=60, wait=1, linear_wait=2)

# An id, a kind or a code of ours: no address has this form, and no sentence.
_ID = re.compile(r"[\w.:,-]{0,80}", re.ASCII)


class NotAnId(GatepostError):
    "A job was given something else than ids and codes. The queue's table lies in clear: it is no place for content."


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
    the same time. Arguments are ids only; the queue's table is no place for content. Raises NotAnId.
    """
    _require_ids(name, arguments.values())
    key = None if once_for is None else f"{name}:{once_for}"
    task = app.configure_task(name, queueing_lock=key, lock=key)
    try:
        # The unique violation behind AlreadyEnqueued would abort the caller's whole transaction.
        with transaction.atomic():
            task.defer(**{key: str(value) for key, value in arguments.items()})
    except AlreadyEnqueued:
        return False
    return True


def enqueue_each(name: str, *, once_for: str, each: Sequence[dict[str, str]]) -> int:
    """One job for each of these arguments, as `enqueue` puts them one by one, in a single statement.

    `once_for` names the argument for which bursts fold. How many were added.
    """
    if not each:
        return 0
    _require_ids(name, (value for arguments in each for value in arguments.values()))
    queue = app.tasks[name].queue if name in app.tasks else "default"
    keys = [f"{name}:{arguments[once_for]}" for arguments in each]
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args) "
            "SELECT %s, %s, key, key, args::jsonb FROM unnest(%s::text[], %s::text[]) AS job (key, args) "
            "ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING",
            [queue, name, keys, [json.dumps(arguments) for arguments in each]],
        )
        return int(cursor.rowcount)


def waiting_jobs(name: str) -> int:
    """How many jobs of this name wait for a worker."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'", [name]
        )
        return int(cursor.fetchone()[0])


def _require_ids(name: str, values: Iterable[object]) -> None:
    if not all(_ID.fullmatch(str(value)) for value in values):
        raise NotAnId(f"The job {name} was given an argument that is no id.")
