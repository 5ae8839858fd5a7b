"""The replies that prospects write: read from `replies/*.jsonl`, and put into the mouth of a given person.

Each reply is written as a named author would write it to Alice Berger. Said by somebody else, or to another rep,
only names and addresses change. Dates stand as `{date:+9d:%d %B}` (nine days on, moved to a working day), so that
an absence is always in the future.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from m365_sandbox.people.companies import BY_DOMAIN
from m365_sandbox.people.names import mailbox_name
from m365_sandbox.people.wording import spell

LABELS = (
    "interested", "question", "circle_back_later", "not_interested", "hard_no", "unsubscribe",
    "not_the_right_person", "referral", "out_of_office", "left_company", "auto_reply", "bounce", "other",
)  # fmt: skip

ADDRESSEE_NAME, ADDRESSEE_ADDRESS = "Alice Berger", "alice@northwind.example"


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    title: str
    domain: str

    @property
    def address(self) -> str:
        return f"{mailbox_name(self.name)}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as written, before any name or date is filled in."""

    id: str
    language: str
    label: str
    labels: tuple[str, ...]  # further labels
    text: str
    client: str
    author: Author
    occasion: str = "answer"  # or: meeting, just booked; forwarded, by a colleague of the contact
    placement: str = "top"  # where it stands relative to the quote: top, bottom, inline, none
    subject: str | None = None  # of machine mail; "…" stands for the subject answered
    headers: Mapping[str, str] | None = None  # of machine mail
    return_date: Mapping[str, object] | None = None  # see `day_meant`
    third_party: Mapping[str, str] | None = None  # name, address, kind: named, introduced or forwarded
    bounce: Mapping[str, str] | None = None  # kind, status

    @property
    def automatic(self) -> bool:
        return self.headers is not None


@cache
def replies() -> tuple[Reply, ...]:
    """Every reply, in the order of the files."""
    folder = files("m365_sandbox.people") / "replies"
    lines = (
        line
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.name.endswith(".jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    return tuple(_read(json.loads(line)) for line in lines)


@cache
def reply(reply_id: str) -> Reply:
    for candidate in replies():
        if candidate.id == reply_id:
            return candidate
    raise KeyError(
        f"There is no reply {reply_id!r} in people/replies; ids are in the field 'id' of each line."
    )


def _read(row: dict) -> Reply:
    return Reply(**{**row, "labels": tuple(row["labels"]), "author": Author(**row["author"])})


def renamed(text: str, author: Author, name: str, address: str, company: str) -> str:
    """`text` with the author's name, address and company replaced by another person's."""
    was, is_ = author.name.split(), name.split()
    return _replaced(
        text,
        {
            author.address: address,
            author.domain: address.partition("@")[2],
            BY_DOMAIN[author.domain].name: company,
            author.name: name,
            was[0]: is_[0],
            " ".join(was[1:]): " ".join(is_[1:]),
        },
    )


def addressed(text: str, name: str, address: str) -> str:
    """`text`, which is written to Alice Berger, as it would be written to somebody else."""
    was, is_ = ADDRESSEE_NAME.split(), (name or address).split()
    return _replaced(
        text, {ADDRESSEE_ADDRESS: address, ADDRESSEE_NAME: name, was[0]: is_[0], was[-1]: is_[-1]}
    )


def _replaced(text: str, words: Mapping[str, str]) -> str:
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    pattern = rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(?!\w)"
    return re.sub(pattern, lambda match: words[match.group()], text)


_DATE = re.compile(r"\{date:\+(\d+)d:([^}]*)\}")


def dated(text: str, today: date, language: str) -> str:
    """`text` with its dates written out as seen from `today`."""
    return _DATE.sub(lambda m: spell(working_day(today, int(m.group(1))), m.group(2), language), text)


def working_day(today: date, days: int) -> date:
    """The day `days` from `today`, or the Monday after if that is a weekend."""
    day = today + timedelta(days=days)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def day_meant(meant: Mapping[str, object] | None, today: date) -> date | None:
    """The day that a reply's words mean when written `today`.

    {"in_days": 9} a macro of that distance, with "inclusive" the day after · {"in_weeks": 2} · {"in_months": 1} the
    first of that month · {"next": "03-15"} the next such day · {"weekday": 0} the next Monday.
    """
    match dict(meant or {}):
        case {"in_days": int(days), **more}:
            return working_day(today, days) + timedelta(days=1 if more.get("inclusive") else 0)
        case {"in_weeks": int(weeks)}:
            return today + timedelta(weeks=weeks)
        case {"in_months": int(months)}:
            years, month = divmod(today.month - 1 + months, 12)
            return date(today.year + years, month + 1, 1)
        case {"next": str(month_day)}:
            day = date.fromisoformat(f"{today.year}-{month_day}")
            return day if day > today else day.replace(year=today.year + 1)
        case {"weekday": int(weekday)}:
            return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
        case _:
            return None
