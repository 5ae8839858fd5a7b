"""Database work of jobs that run side by side, done in rounds: all that waits is one transaction and one commit.

A *script* is such a job written down as a generator. It yields what it wants of the database (`read`, `each`, `alone`) or of the
outside (`outside`) and is sent what came of it. All scripts that want something of the database go through a round
together, step by step; what several of them want in the same step is asked once, of a function that answers for many. So
a hundred mailboxes cost hardly more statements than one. A script leaves the round with its end or with a request to the
outside, which is made only after the round's commit: what a script did before a request is on disk when that leaves.

    message = yield from read(queries.open_messages, mailbox)

Why: docs/decisions/0016-sends-in-rounds.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connections, transaction
from psycopg.errors import DeadlockDetected
from psycopg.pq import TransactionStatus

from gatepost.isolation import inside
from gatepost.jobs.threads import in_thread

A = TypeVar("A")
R = TypeVar("R")

# What comes within so short a time goes into one round: next to a request to Microsoft it does not count.
GATHER_SECONDS = 0.005
# A round holds its locks until its commit, so that it must not become long: what all jobs of a worker bring, which is a row
# of the ledger and what follows from it.
MOST = 250


@dataclass(frozen=True, slots=True)
class Ask:
    """A function that answers for many, and for whom it is asked here."""

    of_many: "OfMany"
    one: Any
    changes: bool


@dataclass(frozen=True, slots=True)
class Outside:
    """What is awaited after the commit, and before the script goes on in a later round."""

    wait: Callable[[], Awaitable[Any]]


Script = Generator[Ask | Outside, Any, R]
OfMany = Callable[[list[Any]], Sequence[Any]]


def read(of_many: Callable[[list[A]], Sequence[R]], one: A) -> Script[R]:
    """What `of_many` finds for this one. It is called once for all that ask it in the same step of a round."""
    answer: R = yield Ask(of_many, one, changes=False)
    return answer


def each(of_many: Callable[[list[A]], Sequence[R]], one: A) -> Script[R]:
    """`of_many` was done to this one, and what it answers. It is called once for all that ask it in the same step.

    It must not change the objects that it is given before its last statement: where it fails for many, all that it did is
    taken back and it is called again for each alone, so that one does not take the others with it.
    """
    answer: R = yield Ask(of_many, one, changes=True)
    return answer


def alone(function: Callable[..., R], *values: object) -> Script[R]:
    """What the function returns for these values; it is called for each script by itself."""
    answer: R = yield Ask(_alone, (function, values), changes=True)
    return answer


def _alone(calls: list[tuple[Callable[..., Any], tuple[object, ...]]]) -> list[Any]:
    return [function(*values) for function, values in calls]


def outside(function: Callable[..., Awaitable[R]], *values: object) -> Script[R]:
    """What the function's awaitable gives, with nothing held in the database meanwhile. What it raises is raised here."""
    answer: R = yield Outside(partial(function, *values))
    return answer


async def in_rounds(workspace_id: UUID, script: Script[R]) -> R:
    """The script's result, once all that it did is committed. Raises what the script raises."""
    answer: End = Done(None)
    while True:
        reached = await start(workspace_id, script, answer)
        if not isinstance(reached, Outside):
            return reached
        try:
            answer = Done(await reached.wait())
        except Exception as error:
            answer = Failed(error)


def start(workspace_id: UUID, script: Script[Any], answer: "End | None" = None) -> Awaitable[Any]:
    """The script goes on in the next round of its workspace, and in no later one than whatever is started afterwards.
    What it reaches there, after the commit: its result, or Outside."""
    loop = asyncio.get_running_loop()
    lane = _lanes.setdefault(loop, {}).setdefault(workspace_id, _Lane(workspace_id))
    future: asyncio.Future[Any] = loop.create_future()
    lane.waiting.append((script, answer or Done(None), future))
    if lane.task is None or lane.task.done():
        lane.task = loop.create_task(lane.run())
    return future


@dataclass
class _Lane:
    """The rounds of one workspace: one after another, each with all that came during the one before."""

    workspace_id: UUID
    waiting: "list[tuple[Script[Any], End, asyncio.Future[Any]]]" = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    async def run(self) -> None:
        while self.waiting:
            await asyncio.sleep(GATHER_SECONDS)
            now, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
            reached: Sequence[Reached]
            try:
                reached = await in_thread(run, self.workspace_id, [(each[0], each[1]) for each in now])
            except Exception as error:
                # Nothing was committed, or nobody knows: whoever goes on reads what is stored.
                reached = [Failed(error)] * len(now)
            for (_, _, future), end in zip(now, reached, strict=True):
                if future.done():
                    continue  # whoever asked was cancelled meanwhile
                if isinstance(end, Failed):
                    future.set_exception(end.error)
                else:
                    future.set_result(end.value if isinstance(end, Done) else end)


_lanes: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, _Lane]]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Done:
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    error: Exception


End = Done | Failed
Reached = Done | Failed | Outside


def run(workspace_id: UUID, parts: Sequence[tuple[Script[Any], End]]) -> list[Reached]:
    """Every script as far as the database alone takes it, each going on from its answer, in one transaction of the
    workspace. Raises where the transaction itself failed."""
    reached: dict[int, Reached] = {}
    with inside(workspace_id):
        answers = {number: answer for number, (_, answer) in enumerate(parts)}
        while answers:
            asked: dict[tuple[OfMany, bool], list[tuple[int, Any]]] = {}
            for number, answer in answers.items():
                wants = _go_on(parts[number][0], answer)
                if isinstance(wants, Ask):
                    asked.setdefault((wants.of_many, wants.changes), []).append((number, wants.one))
                else:
                    reached[number] = wants
            answers = {}
            for (of_many, changes), those in asked.items():
                numbers, ones = [number for number, _ in those], [one for _, one in those]
                answers |= dict(zip(numbers, _answered(of_many, ones, changes=changes), strict=True))
    return [reached[number] for number in range(len(parts))]


def _go_on(script: Script[Any], answer: End) -> Ask | Reached:
    try:
        if isinstance(answer, Failed):
            return script.throw(answer.error)
        return script.send(answer.value)
    except StopIteration as done:
        return Done(done.value)
    except Exception as error:
        return Failed(error)


def _answered(of_many: OfMany, ones: list[Any], *, changes: bool, again: bool = True) -> list[End]:
    """What the function answers for each; where it fails for all together, for each alone.

    Where this one and somebody else waited for each other, Postgres lets the other go on and takes back what was done
    here: it is done once more.
    """
    try:
        with transaction.atomic() if changes else nullcontext():
            return [Done(answer) for answer in of_many(ones)]
    except Exception as error:
        if _is_lost():
            raise
        if len(ones) == 1:
            if again and isinstance(error.__cause__, DeadlockDetected):
                return _answered(of_many, ones, changes=changes, again=False)
            return [Failed(error)]
    return [end for one in ones for end in _answered(of_many, [one], changes=changes)]


def _is_lost() -> bool:
    """Nothing more can be done in this transaction, of which nothing is stored."""
    ours = connections["default"]
    if ours.connection is None or ours.needs_rollback:
        return True
    return bool(ours.connection.info.transaction_status != TransactionStatus.INTRANS)
