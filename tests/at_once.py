"""Running a job's code in the test's own thread and transaction.

A job awaits two things: threads with database work, and Microsoft. Where the first run where they are called and
the second is a stand-in in memory, nothing is ever waited for, and no event loop is needed.
"""

from collections.abc import Callable, Coroutine, Sequence
from types import ModuleType
from typing import Any, TypeVar

import pytest

from gatepost.isolation import inside
from gatepost.jobs import rounds

A = TypeVar("A")
T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result. It must not wait for anything."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise AssertionError("the coroutine waits for something")


def without_threads(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Database work of these modules' jobs runs where it is called."""

    async def in_thread(function: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    async def start(workspace_id: Any, script: rounds.Script[Any], answer: Any = None) -> Any:
        (reached,) = rounds.run(workspace_id, [(script, answer or rounds.Done(None))])
        if isinstance(reached, rounds.Failed):
            raise reached.error
        return reached.value if isinstance(reached, rounds.Done) else reached

    monkeypatch.setattr(rounds, "start", start)
    for module in modules:
        monkeypatch.setattr(module, "in_thread", in_thread)


def for_one(of_many: Callable[[list[A]], Sequence[T]], one: A) -> T:
    """What a function that answers for many answers for this one."""
    with inside(one.workspace_id):  # type: ignore[attr-defined]
        return of_many([one])[0]
