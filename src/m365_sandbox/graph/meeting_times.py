"""When people could meet: https://learn.microsoft.com/graph/api/user-findmeetingtimes"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from m365_sandbox import calendars
from m365_sandbox.entities import User
from m365_sandbox.errors import malformed
from m365_sandbox.graph.calendar import moment, shown_moment
from m365_sandbox.graph.calendars import working_hours
from m365_sandbox.graph.routes import Answer, Request, operation

STEP = 1800
MOST_DAYS = 62
_LIKELY = {"free": 1.0, "workingElsewhere": 1.0, "unknown": 0.5, "tentative": 0.5, "busy": 0.0, "oof": 0.0}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


@dataclass(frozen=True, slots=True)
class Guest:
    """`busy`: (from, to, how); both None where nobody here knows."""

    shown: dict[str, Any]
    hours: dict[str, Any] | None
    busy: list[tuple[float, float, str]] | None

    def at(self, start: float, end: float) -> str:
        if self.busy is None:
            return "unknown"
        here = [how for begins, ends, how in self.busy if begins < end and ends > start]
        return min(here, key=lambda how: _LIKELY.get(how, 0.0), default="free")


@operation("POST", "/me/findmeetingtimes", needs="GET /me/calendarview/delta")
def find_meeting_times(request: Request) -> Answer:
    given = {name.lower(): value for name, value in request.json().items()}
    length = _length(request, given.get("meetingduration") or "PT30M")
    constraint = given.get("timeconstraint") or {}
    slots = _slots(request, constraint)
    if sum(end - start for start, end in slots) > MOST_DAYS * 86400:
        raise malformed(f"The time slots are longer than {MOST_DAYS} days.", request.sandbox.switches)
    at_work = str(constraint.get("activityDomain") or "work").lower() == "work"
    organizer = _guest(request, {"emailAddress": {"address": request.user.address}}, slots)
    guests = [_guest(request, row, slots) for row in given.get("attendees") or []]
    least = float(given.get("minimumattendeepercentage") or 50)
    optional = bool(given.get("isorganizeroptional"))
    found, organizer_was_free, unknown = [], False, any(guest.busy is None for guest in guests)
    for start in _starts(slots, length):
        end = start + length
        if at_work and not all(_works(guest.hours, start, end) for guest in (organizer, *guests)):
            continue
        own = organizer.at(start, end)
        organizer_was_free = organizer_was_free or _LIKELY[own] > 0
        sure = _confidence(guests, start, end)
        if (optional or _LIKELY[own] > 0) and sure >= least:
            found.append((sure, start, own))
    best = sorted(found, key=lambda row: (-row[0], row[1]))[: int(given.get("maxcandidates") or 20)]
    reasons, zone = (
        bool(given.get("returnsuggestionreasons")),
        request.preference("outlook.timezone") or "UTC",
    )
    body: dict[str, Any] = {
        "@odata.context": request.context("meetingTimeSuggestionsResult"),
        "emptySuggestionsReason": ""
        if best
        else _why_none(optional or organizer_was_free, unknown),
        "meetingTimeSuggestions": [
            {
                "confidence": sure, "order": place, "organizerAvailability": own, "locations": [],
                "suggestionReason": _reason(guests, start, start + length) if reasons else None,
                "meetingTimeSlot": {"start": shown_moment(start, zone), "end": shown_moment(start + length, zone)},
                "attendeeAvailability": [
                    {"availability": guest.at(start, start + length), "attendee": guest.shown} for guest in guests
                ],
            }
            for place, (sure, start, own) in enumerate(best, 1)
        ],
    }  # fmt: skip
    return Answer(body=body)


def _length(request: Request, text: str) -> float:
    parts = _DURATION.fullmatch(str(text).upper())
    if parts is None or not any(parts.groups()):
        raise malformed(f"MeetingDuration {text!r} is no duration.", request.sandbox.switches)
    days, hours, minutes = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes).total_seconds()


def _slots(request: Request, constraint: dict[str, Any]) -> list[tuple[float, float]]:
    """As given; without any, the days to come until a week has passed."""
    given = constraint.get("timeSlots") or []
    slots = [(moment(slot.get("start"))[0], moment(slot.get("end"))[0]) for slot in given]
    now = request.sandbox.now()
    return [slot for slot in slots if slot[1] > slot[0]] or [(now, now + 7 * 86400)]


def _starts(slots: list[tuple[float, float]], length: float) -> list[float]:
    """Every half hour of the slots at which the meeting still fits."""
    found = set()
    for start, end in slots:
        at = start + (-start) % STEP
        while at + length <= end:
            found.add(at)
            at += STEP
    return sorted(found)


def _guest(request: Request, row: dict[str, Any], slots: list[tuple[float, float]]) -> Guest:
    email = row.get("emailAddress") or {}
    address = str(email.get("address") or "")
    user: User | None = request.sandbox.user(address)
    kind = row.get("type") or "required"
    shown = {"type": kind, "emailAddress": {"name": email.get("name") or address, "address": address}}
    if user is None or user.tenant != request.user.tenant or not user.licensed:
        return Guest(shown, None, None)
    first, last = min(start for start, _ in slots), max(end for _, end in slots)
    events = calendars.expanded(request.sandbox.store.events_of(user.id), first, last)
    busy = [(event.start, event.end, event.show_as) for event in events if not event.cancelled]
    return Guest(shown, working_hours(request.sandbox, user), busy)


def _works(hours: dict[str, Any] | None, start: float, end: float) -> bool:
    """Whether it lies within one working day of that person."""
    if hours is None:
        return True
    here = calendars.zone(hours["timeZone"]["name"]) or UTC
    first, last = datetime.fromtimestamp(start, here), datetime.fromtimestamp(end, here)
    begins, ends = (time.fromisoformat(hours[name][:8]) for name in ("startTime", "endTime"))
    return (
        f"{first:%A}".lower() in hours["daysOfWeek"]
        and first.date() == last.date()
        and begins <= first.time()
        and last.time() <= ends
    )


def _confidence(guests: list[Guest], start: float, end: float) -> float:
    if not guests:
        return 100.0
    return 100 * sum(_LIKELY.get(guest.at(start, end), 0.0) for guest in guests) / len(guests)


def _reason(guests: list[Guest], start: float, end: float) -> str:
    free = [_LIKELY.get(guest.at(start, end), 0.0) == 1.0 for guest in guests]
    if all(free):
        return "Suggested because it is one of the nearest times when all attendees are available."
    return (
        f"Suggested because it is one of the times when {sum(free)} of {len(free)} attendees are available."
    )


def _why_none(organizer_was_free: bool, unknown: bool) -> str:
    if not organizer_was_free:
        return "organizerUnavailable"
    return "attendeesUnavailableOrUnknown" if unknown else "attendeesUnavailable"
