"""When a former generation of a key has no more work to do."""

from dataclasses import dataclass
from datetime import timedelta

# Every process has asked the keystore again by then (vault.keys.REMEMBERED_SECONDS), and whoever sealed with a former
# generation just before has stored it: work in a transaction takes moments, and those that last longer are waited for.
EVERYBODY_KNOWS_AFTER = timedelta(minutes=2)
# What cannot be undone gives a machine that stood still in the middle of something more time than that.
DESTROYED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look through all that a key seals came to, by a key that `age` ago got its newest generation."""

    age: timedelta
    found: bool  # something that a former generation made
    oldest_transaction: timedelta  # how long the longest of ours has been running


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left that a former generation made, and nothing can come."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    reason: str


def after_a_look(looked: Looked, *, settled_after: timedelta = EVERYBODY_KNOWS_AFTER) -> Done | LookAgain:
    """Whether this look was the last one that is needed."""
    if looked.found:
        return LookAgain("something was found, so there may be more")
    if looked.age < settled_after:
        return LookAgain("a process may not know the newer generation yet")
    if looked.oldest_transaction > looked.age - settled_after:
        return LookAgain("a transaction still runs that began before everybody knew the newer generation")
    return Done()


@dataclass(frozen=True, slots=True)
class Move:
    """Every transaction knows which key takes over, and keeps its hands off while somebody has the workspace alone."""


def before_moving(age: timedelta, oldest_transaction: timedelta) -> Move | LookAgain:
    """Whether hashes may be put under a key that began to take over `age` ago."""
    if oldest_transaction >= age:
        return LookAgain("a transaction still runs that began before it could know")
    return Move()
