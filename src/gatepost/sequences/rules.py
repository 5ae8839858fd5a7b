"""When a step is due, whether it goes out, and which wording. Pure: facts and `now` in, a reason out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

Window = dict[str, list[list[str]]]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_STEPS = 50
LONGEST_DELAY_MINUTES = 366 * 24 * 60


@dataclass(frozen=True, slots=True)
class Send:
    """The step at this position goes out."""

    position: int


@dataclass(frozen=True, slots=True)
class Ask:
    """The step at this position becomes a task: its mailbox may not send it by itself."""

    position: int


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The enrolment ends. `cause` is one of Enrolment.Cause."""

    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """All steps went out."""


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    next_position: int
    last_position: int
    sequence_active: bool
    suppressed: bool
    internal: bool
    company_hold_until: datetime | None
    window: Window
    time_zone: str
    sends: bool = True  # its mailbox may send
    follows_up: bool = True  # its mailbox may write drafts and notice replies


def decide_next(facts: EnrolmentFacts, *, now: datetime) -> Send | Ask | Wait | Stop | Finish:
    """What is to be done with an enrolment that is due."""
    if facts.suppressed:
        return Stop("suppressed", "on the do-not-contact list")
    if facts.internal:
        return Stop("suppressed", "an address of your own organisation")
    if facts.next_position > facts.last_position:
        return Finish()
    if not facts.sequence_active:
        return Wait(now + timedelta(hours=1), "the sequence is paused")
    if facts.company_hold_until is not None and facts.company_hold_until > now:
        return Wait(facts.company_hold_until, "somebody at this company asked to wait")
    opens = next_open(facts.window, facts.time_zone, now)
    if opens > now:
        return Wait(opens, "outside the sending window")
    if facts.next_position > 1 and not facts.follows_up:
        return Ask(facts.next_position)
    if not facts.sends:
        return Wait(now + timedelta(hours=1), "Microsoft has not granted this mailbox to send")
    return Send(facts.next_position)


def next_open(window: Window, time_zone: str, moment: datetime) -> datetime:
    """The first moment from `moment` on at which the window is open, in the zone of who receives the mail.

    Local wall times are turned into moments day by day, so that a day of 23 or 25 hours is neither skipped nor
    sent twice. A window that is never open is refused when it is saved.
    """
    zone = ZoneInfo(time_zone)
    local = moment.astimezone(zone)
    for day in range(15):
        for opens, closes in spans(window, local.date() + timedelta(days=day), zone):
            if moment < closes:
                return max(moment, opens)
    raise ValueError("the sending window is never open")


def spans(window: Window, local_date: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The open spans of one day, as moments."""
    day = window.get(DAYS[local_date.weekday()], [])
    found = []
    for opens, closes in sorted(day):
        # In UTC, since Python compares two moments of one zone by their wall times, also across a change of the clock.
        start, end = (datetime.combine(local_date, _wall(t), zone).astimezone(UTC) for t in (opens, closes))
        if start < end:
            found.append((start, end))
    return found


def _wall(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def check_time_zone(name: str) -> str:
    """What is wrong with a time zone, or ""."""
    known = name in available_timezones()
    return "" if known else f"The time zone “{name[:40]}” is not known. Use a name such as Europe/Berlin."


def check_window(window: Window) -> str:
    """What is wrong with a sending window, or ""."""
    for day, opening in window.items():
        if day not in DAYS:
            return f"“{day}” is no weekday."
        for span in opening:
            try:
                start, end = (_wall(text) for text in span)
            except ValueError:
                return f"The times of {day} must look like 08:00 and 18:00."
            if start >= end:
                return f"On {day} the window closes before it opens."
    return "" if any(window.values()) else "The sending window is never open: choose at least one day."


def due_after(left_at: datetime, delay_minutes: int, window: Window, time_zone: str) -> datetime:
    """When the following step is due: its delay after the last one left, moved to when the window is open."""
    return next_open(window, time_zone, left_at + timedelta(minutes=delay_minutes))


# What waited during a gap goes out over a working day's worth of the mailbox's limit, not in one burst.
WORKING_DAY = timedelta(hours=8)


def pace(daily_limit: int, gap: timedelta) -> timedelta:
    """The pause between two steps that waited."""
    return max(gap, WORKING_DAY / max(daily_limit, 1))


def spread(waiting: Sequence[tuple[Window, str]], *, start: datetime, pace: timedelta) -> list[datetime]:
    """When each step that waited goes out, the oldest first: one for each pace, when its own window is open.

    A window that is closed for days holds up its own contact and nobody else.
    """
    taken: dict[int, int] = {}  # a slot in use, and one behind it from which to look on

    def free(slot: int) -> int:
        way = []
        while slot in taken:
            way.append(slot)
            slot = taken[slot]
        for each in way:  # the next one need not go this way again
            taken[each] = slot
        return slot

    due = []
    for window, time_zone in waiting:
        opens = next_open(window, time_zone, start)
        while True:
            slot = free(-((start - opens) // pace))
            moment = max(opens, start + slot * pace)
            opens = next_open(window, time_zone, moment)
            if opens == moment:
                break
        taken[slot] = slot + 1
        due.append(moment)
    return due


def resume_after(return_local_date: date, window: Window, time_zone: str) -> datetime:
    """When to go on after an absence: the day after the return, since nobody reads mail of strangers on the first."""
    zone = ZoneInfo(time_zone)
    return next_open(
        window, time_zone, datetime.combine(return_local_date + timedelta(days=1), time.min, zone)
    )


def choose_variant(enrolment_id: UUID, step_id: UUID, weights: list[int]) -> int:
    """Which wording a contact gets, by weight; the same whenever it is asked."""
    total = sum(weights)
    if total <= 0:
        return 0
    digest = hashlib.sha256(enrolment_id.bytes + step_id.bytes).digest()
    point = int.from_bytes(digest[:8], "big") % total
    for number, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return number
    return len(weights) - 1
