"""Database work of jobs that run side by side, done in rounds: all that waits is one transaction and one commit.

A *script* is the part of a job between two requests to Microsoft: a generator that yields what it wants of the database
and is sent what came of it. The scripts of a round go on together, step by step. What several of them ask for in the same
step is asked once, of a function that answers for many; so a hundred mailboxes cost a round hardly more statements than
one. A script's result comes after the commit, and nothing of the outside can be awaited inside one.

    message = await in_round(workspace_id, each(queries.open_messages, mailbox))

Why: docs/decisions/0016-sends-in-rounds.md.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connections, transaction

from gatepost.isolation import inside
from gatepost.jobs.threads import in_thread

A = TypeVar("A")
R = TypeVar("R")

# What comes within so short a time goes into one round: next to a request to Microsoft it does not count.
GATHER_SECONDS = 0.002
# A round holds its locks until its commit, so that it must not become long.
MOST = 100


@dataclass(frozen=True, slots=True)
class Ask:
    """A function that answers for many, and for whom it is asked here."""

    of_many: Callable[[list[Any]], Sequence[Any]]
    one: Any


Script = Generator[Ask, Any, R]


def each(of_many: Callable[[list[A]], Sequence[R]], one: A) -> Script[R]:
    """What `of_many` answers for this one. It is called once for all that ask it in the same step.

    It must change nothing that it was given before its last statement: where it fails for many, it is called again for
    each alone, so that one does not take the others with it.
    """
    answer: R = yield Ask(of_many, one)
    return answer


def alone(function: Callable[..., R], *values: object) -> Script[R]:
    """What the function returns for these values; it is called for each script by itself."""
    answer: R = yield Ask(_alone, (function, values))
    return answer


def _alone(calls: list[tuple[Callable[..., Any], tuple[object, ...]]]) -> list[Any]:
    return [function(*values) for function, values in calls]


async def in_round(workspace_id: UUID, script: Script[R]) -> R:
    """The script's result, once it is committed. Its error, where it failed: then nothing of its failed step is stored."""
    return await start(workspace_id, script)


def start(workspace_id: UUID, script: Script[R]) -> "asyncio.Future[R]":
    """The script is part of the next round of its workspace: of no later one than whatever is started afterwards."""
    loop = asyncio.get_running_loop()
    lanes = _lanes.setdefault(loop, {})
    lane = lanes.setdefault(workspace_id, _Lane(workspace_id))
    future: asyncio.Future[R] = loop.create_future()
    lane.waiting.append((script, future))
    if lane.task is None or lane.task.done():
        lane.task = loop.create_task(lane.run())
    return future


@dataclass
class _Lane:
    """The rounds of one workspace: one after another, each with all that came during the one before."""

    workspace_id: UUID
    waiting: list[tuple[Script[Any], "asyncio.Future[Any]"]] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    async def run(self) -> None:
        while self.waiting:
            await asyncio.sleep(GATHER_SECONDS)
            now, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
            try:
                ends = await in_thread(run, self.workspace_id, [script for script, _ in now])
            except Exception as error:
                # Nothing was committed, or nobody knows: whoever goes on reads what is stored.
                ends = [Failed(error)] * len(now)
            for (_, future), end in zip(now, ends, strict=True):
                if future.done():
                    continue  # whoever asked was cancelled meanwhile
                if isinstance(end, Failed):
                    future.set_exception(end.error)
                else:
                    future.set_result(end.value)


_lanes: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, _Lane]]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    value: R


@dataclass(frozen=True, slots=True)
class Failed:
    error: Exception


End = Done[Any] | Failed


def run(workspace_id: UUID, scripts: Sequence[Script[Any]]) -> list[End]:
    """Every script to its end, in one transaction of the workspace. Raises where the transaction itself failed."""
    ends: dict[int, End] = {}
    with inside(workspace_id):
        answers: dict[int, End] = {number: Done(None) for number in range(len(scripts))}
        while answers:
            asked: dict[Callable[[list[Any]], Sequence[Any]], list[tuple[int, Any]]] = {}
            for number, answer in answers.items():
                try:
                    ask = _go_on(scripts[number], answer)
                except StopIteration as done:
                    ends[number] = Done(done.value)
                except Exception as error:
                    ends[number] = Failed(error)
                else:
                    asked.setdefault(ask.of_many, []).append((number, ask.one))
            answers = {}
            for of_many, those in asked.items():
                numbers, ones = [number for number, _ in those], [one for _, one in those]
                answers |= dict(zip(numbers, _answered(of_many, ones), strict=True))
    return [ends[number] for number in range(len(scripts))]


def _go_on(script: Script[Any], answer: End) -> Ask:
    return script.throw(answer.error) if isinstance(answer, Failed) else script.send(answer.value)


def _answered(of_many: Callable[[list[Any]], Sequence[Any]], ones: list[Any]) -> list[End]:
    """What the function answers for each; where it fails for all together, for each alone."""
    connection = connections["default"]
    try:
        with transaction.atomic():
            return [Done(answer) for answer in of_many(ones)]
    except Exception as error:
        if connection.connection is None or connection.connection.closed:
            raise  # with the connection the whole round is lost
        if len(ones) == 1:
            return [Failed(error)]
    return [end for one in ones for end in _answered(of_many, [one])]
