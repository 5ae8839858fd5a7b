"""`gatepost keys`: how old keys are, and changing them. It does what it begins, with or without a worker."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gatepost.accounts.actions import INSTALLER
from gatepost.erasure.queries import find_mailbox, find_workspace
from gatepost.errors import BadInput
from gatepost.rotation import actions, factors, jobs, queries
from gatepost.rotation.queries import Owner
from gatepost.vault import generations
from gatepost.vault.generations import Generation

WORDS = {
    "mailbox": "mailboxes",
    "workspace": "workspaces",
    "index": "blind indexes",
    "factors": "second factors",
    "marks": "the installation's marks and signatures, which stay",
}


@dataclass(frozen=True, slots=True)
class Level:
    """All keys that belong to things of one kind."""

    word: str
    keys: int
    oldest: datetime | None  # when the newest generation of the oldest key was made
    generation: int  # the highest of all
    changing: int
    rows_left: int
    keeping_former: int
    former_until: datetime | None  # the last day of all, as far as it is known


def levels() -> list[Level]:
    """How old keys are, and how far a change of them has come."""
    state = generations.all_generations()
    covered = {each.owner for each in state if each.is_cover}
    # A cover stands for the keys that lie below it.
    state = [each for each in state if each.level != "index" or each.is_cover or each.owner not in covered]
    owners = {owner.key: owner for owner in queries.all_owners()}
    return [
        _level(word, [each for each in state if each.level == level], owners) for level, word in WORDS.items()
    ]


def _level(word: str, these: list[Generation], owners: dict[str, Owner]) -> Level:
    changing = [each for each in these if each.is_changing]
    ends = [each.former_until for each in these if each.former_until is not None]
    return Level(
        word=word,
        keys=len(these),
        oldest=min((each.since for each in these), default=None),
        generation=max((each.generation for each in these), default=1),
        changing=len(changing),
        rows_left=sum(_left(each.name, owners) for each in changing),
        keeping_former=sum(each.keeps_former for each in these),
        former_until=max(ends, default=None),
    )


def _left(name: str, owners: dict[str, Owner]) -> int:
    if name == factors.KEY:
        known = generations.sealer(name)
        return factors.left(known[1]) if known is not None else 0
    return queries.left(owners[name]) if name in owners else 0


def chosen(workspace: str | None, mailbox: str | None) -> list[Owner]:
    """Whose keys are meant, by id, name or address: one mailbox's, those of one workspace, or all. Raises BadInput."""
    if mailbox is not None:
        one = _the_one("mailbox", mailbox, find_mailbox(mailbox))
        return [Owner("mailbox", one.pk, one.workspace_id)]
    if workspace is not None:
        return queries.owners_in(_the_one("workspace", workspace, find_workspace(workspace)).pk)
    return list(queries.all_owners())


def _the_one(kind: str, text: str, found: list[Any]) -> Any:
    if len(found) != 1:
        ids = f" Say which by its id: {', '.join(str(each.pk) for each in found)}." if found else ""
        raise BadInput(f"There are {len(found)} of the {kind} {text!r} here. No key was changed.{ids}")
    return found[0]


def rotate(owners: Iterable[Owner], *, keep_former: timedelta) -> int:
    """A newer generation of each of these keys seals from now on. How many were not being changed already."""
    return sum(actions.change(owner, keep_former=keep_former, actor=INSTALLER) for owner in owners)


def rotate_factors(*, keep_former: timedelta) -> bool:
    """The same for second factors. False where nobody has one, or their key is being changed already."""
    return factors.change(keep_former=keep_former)


def carry_on(told: Callable[[str], None]) -> bool:
    """One look through everything that keys in change seal; `told` hears how far it is. True when no other look is needed."""
    unfinished = {each.name for each in generations.unfinished()}
    owners = [owner for owner in queries.all_owners() if owner.key in unfinished]
    return asyncio.run(_carry_on(owners, told, with_factors=factors.KEY in unfinished))


async def _carry_on(owners: list[Owner], told: Callable[[str], None], *, with_factors: bool) -> bool:
    rows, waiting = 0, 0

    def count(resealed: int) -> None:
        nonlocal rows
        rows += resealed
        if resealed:
            told(f"{rows} rows sealed anew …")

    for owner in owners:
        waiting += not await jobs.carry_on(owner, told=count)
    if with_factors:
        waiting += not await jobs.carry_on_with_factors(told=count)
    told(f"Keys looked after: {len(owners) + with_factors}. Rows sealed anew: {rows}.")
    return not waiting
