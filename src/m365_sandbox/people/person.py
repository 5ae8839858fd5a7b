"""A prospect as data: who it is, what it will do, and when it is at its desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo


class Behaviour(StrEnum):
    REPLY = "reply"
    OPTS_OUT = "opts_out"
    OUT_OF_OFFICE = "out_of_office"  # and answers after the return where `later_reply_id` is set
    AUTO_REPLY = "auto_reply"  # a ticket system, an unmonitored box, a mailbox whose owner has left
    BOUNCE_HARD = "bounce_hard"
    BOUNCE_SOFT = "bounce_soft"
    BOOKS_MEETING = "books_meeting"  # and says so where `reply_id` is set
    FORWARDS = "forwards"  # to `colleague`, who answers
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    address: str
    name: str
    company: str
    title: str
    time_zone: str
    country: str
    language: str
    behaviour: Behaviour
    reply_id: str | None = None
    later_reply_id: str | None = None
    answers_message: int = 1  # which of the sender's messages in the thread brings it to act
    delay_hours: float = 4.0
    client: str = "outlook-desktop"
    office_hours: tuple[int, int] = (8, 18)
    colleague: Mapping[str, str] | None = None  # name and address

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Person:
        """The person that `to_json` wrote; what it does not know is ignored."""
        known = {f.name: row[f.name] for f in fields(cls) if f.name in row}
        known["behaviour"] = Behaviour(known["behaviour"])
        if "office_hours" in known:
            known["office_hours"] = tuple(known["office_hours"])
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        row = asdict(self)
        return {**row, "behaviour": str(self.behaviour), "office_hours": list(self.office_hours)}

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2]

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.time_zone))

    def at_desk(self, moment: datetime) -> datetime:
        """`moment`, or the next beginning of office hours with the same minute if nobody is in then."""
        local = self.local(moment)
        opens, closes = self.office_hours
        if local.hour >= closes:
            local = (local + timedelta(days=1)).replace(hour=opens)
        elif local.hour < opens:
            local = local.replace(hour=opens)
        while local.weekday() >= 5:
            local = (local + timedelta(days=1)).replace(hour=opens)
        return local


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A mail that has reached a person's mailbox."""

    from_address: str
    to_address: str
    subject: str
    text: str
    internet_message_id: str
    received: datetime
    html: str | None = None
    from_name: str = ""
    references: tuple[str, ...] = ()
    auto_submitted: bool = False
    count_from_sender: int = 1  # 1 for the first mail from that sender in this thread
