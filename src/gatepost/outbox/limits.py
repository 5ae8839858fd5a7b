"""When may the next mail leave? Pure: limits, and what counts against each, in; the one that binds comes out."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Microsoft's own, of each mailbox (Exchange Online limits, "Sending limits").
A_MINUTE_BY_MICROSOFT = 30
A_DAY_BY_MICROSOFT = 10_000
# Every reason of a limit begins so: whoever raises one wakes what waited by it.
BEGINS = "the limit of "
GAP = "the pause between two mails"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many mails in any `span`, or, where there is none, in a day of `time_zone`."""

    name: str
    most: int
    of: str  # "mails a day from this mailbox"
    span: timedelta | None = None
    time_zone: str = "UTC"
    whole_mailbox: bool = True  # no other mail of the mailbox may leave either

    @property
    def reason(self) -> str:
        return f"{BEGINS}{self.most:,} {self.of} is reached"

    def counts_from(self, now: datetime) -> datetime:
        """What left at this moment or later counts."""
        return now - self.span if self.span else _midnight(now, self.time_zone)

    def has_room_at(self, nth: datetime | None, now: datetime) -> datetime:
        """From when on the next mail fits in. `nth`: when the mail left that is as many back as the limit allows."""
        if nth is None or nth < self.counts_from(now):
            return now
        if self.span:
            # One moment more: at exactly the span's end the old mail still counts.
            return nth + self.span + timedelta(microseconds=1)
        return _midnight(nth, self.time_zone, days=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """A limit, and when the mail left that must have left its span before the next one fits in; None: there is room."""

    limit: Limit
    nth: datetime | None


@dataclass(frozen=True, slots=True)
class Pause:
    """Between two mails of a mailbox lies at least `least`, at most `most`; `seed` says how much this time."""

    last_left_at: datetime | None
    least: timedelta
    most: timedelta
    seed: str

    @property
    def over_at(self) -> datetime | None:
        return self.last_left_at + self.length if self.last_left_at else None

    @property
    def length(self) -> timedelta:
        """The same whenever it is asked, so that looking again does not shorten the pause."""
        if self.most <= self.least:
            return self.least
        digest = hashlib.sha256(f"{self.seed}|{self.last_left_at}".encode()).digest()
        return self.least + (self.most - self.least) * (int.from_bytes(digest[:8], "big") / 2**64)


@dataclass(frozen=True, slots=True)
class Full:
    """Not before then, by this limit."""

    until: datetime
    limit: str  # its name, as the API says it
    reason: str
    whole_mailbox: bool


def next_leaves(counted: Sequence[Counted], pause: Pause | None, *, now: datetime) -> Full | None:
    """What keeps the next mail longest; None while nothing does."""
    found = [
        Full(until, each.limit.name, each.limit.reason, each.limit.whole_mailbox)
        for each in counted
        if (until := each.limit.has_room_at(each.nth, now)) > now
    ]
    if pause is not None and (over := pause.over_at) is not None and over > now:
        found.append(Full(over, "gap", GAP, whole_mailbox=True))
    return max(found, key=lambda each: each.until, default=None)


def of_day(
    daily_limit: int, slow_start_days: int, began_at: datetime | None, now: datetime, zone: str
) -> int:
    """How many mails a mailbox may send today: during a slow start each day an equal step more, at least one."""
    if began_at is None or slow_start_days <= 0:
        return daily_limit
    local = ZoneInfo(zone)
    day = max(0, (now.astimezone(local).date() - began_at.astimezone(local).date()).days)
    if day >= slow_start_days:
        return daily_limit
    return max(1, math.floor(daily_limit * (day + 1) / (slow_start_days + 1)))


def _midnight(moment: datetime, time_zone: str, *, days: int = 0) -> datetime:
    """The beginning of the moment's local day, or of one after it. Dates are counted, not hours: a day may have 23."""
    zone = ZoneInfo(time_zone)
    date = moment.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(date, time.min, zone).astimezone(UTC)
