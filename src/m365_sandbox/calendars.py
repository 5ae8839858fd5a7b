"""Meetings between mailboxes: one event, a copy in each calendar, and the mail that travels with it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from m365_sandbox import ids, notifications, recurrence
from m365_sandbox.clock import iso
from m365_sandbox.entities import Address, Event, User
from m365_sandbox.mail import Letter
from m365_sandbox.sandbox import Sandbox

SHARED_FIELDS = (
    "subject",
    "body_type",
    "body",
    "start",
    "end",
    "time_zone",
    "all_day",
    "location",
    "online_url",
    "recurrence",
    "cancelled_dates",
    "response_requested",
)
PUBLIC_STRINGS = "00020329-0000-0000-c000-000000000046"
"""Extended properties of this set travel with the meeting request (issue msgraph-sdk-dotnet 519)."""
_ANSWER_WORD = {"accepted": "Accepted", "declined": "Declined", "tentativelyAccepted": "Tentative"}
_ANSWER_MEETING = {
    "accepted": "meetingAccepted", "declined": "meetingDeclined",
    # Microsoft's own spelling.
    "tentativelyAccepted": "meetingTenativelyAccepted",
}  # fmt: skip


# Outlook names zones as Windows does; these are the ones that our people live in.
WINDOWS_ZONES = {
    "UTC": "UTC", "GMT Standard Time": "Europe/London", "W. Europe Standard Time": "Europe/Berlin",
    "Romance Standard Time": "Europe/Paris", "Central Europe Standard Time": "Europe/Budapest",
    "Eastern Standard Time": "America/New_York", "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver", "Pacific Standard Time": "America/Los_Angeles",
    "India Standard Time": "Asia/Kolkata", "Tokyo Standard Time": "Asia/Tokyo",
    "AUS Eastern Standard Time": "Australia/Sydney", "Singapore Standard Time": "Asia/Singapore",
}  # fmt: skip


def zone(name: str) -> ZoneInfo | None:
    """By Windows' name or by that of the tz database; None when there is no such zone."""
    try:
        return ZoneInfo(WINDOWS_ZONES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError):
        return None


# Series


def occurrence_id(master: str, day: str) -> str:
    return f"{master.rstrip('=')}-{day.replace('-', '')}="


def new_uid() -> str:
    """As Exchange makes them: a fixed beginning, four bytes for the date of an occurrence, and what is its own.

    MS-OXOCAL 2.2.1.27, PidLidGlobalObjectId.
    """
    return f"040000008200E00074C5B7101A82E00800000000{ids.key().upper()}"


def uid_of_date(uid: str, day: str) -> str:
    """The iCalUId of one date of a series, which has that date in it; "" is no date."""
    if not day:
        return uid
    if not uid.startswith("040000008200E00074C5B7101A82E00800000000"):
        return uid + day.replace("-", "")
    year, month, number = map(int, day.split("-"))
    return f"{uid[:32]}{year:04X}{month:02X}{number:02X}{uid[40:]}"


def find(sandbox: Sandbox, mailbox: str, name: str) -> Event | None:
    """The mailbox's event of that id, be it a single date of a series of which nothing is kept."""
    event = sandbox.store.events.get(name)
    if event is None and len(name) > 10 and name[-10] == "-" and name[-9:-1].isdigit():
        master = sandbox.store.events.get(f"{name[:-10]}=")
        day = f"{name[-9:-5]}-{name[-5:-3]}-{name[-3:-1]}"
        if (
            master is not None
            and master.recurrence is not None
            and day not in master.cancelled_dates
            and any(found.isoformat() == day for found in _until(master, day))
        ):
            event = occurrence(master, day)
    return event if event is not None and event.mailbox == mailbox else None


def _until(master: Event, day: str) -> Iterator[date]:
    assert master.recurrence is not None
    for found in recurrence.dates(master.recurrence):
        if found.isoformat() > day:
            return
        yield found


def occurrence(master: Event, day: str) -> Event:
    """One date of the series, at the series' time of day in its own zone."""
    here = zone(master.time_zone) or UTC
    began = datetime.fromtimestamp(master.start, UTC).astimezone(here)
    start = datetime.combine(date.fromisoformat(day), began.time(), here).timestamp()
    return replace(
        master, id=occurrence_id(master.id, day), master=master.id, date=day, recurrence=None,
        cancelled_dates=[], start=start, end=start + master.end - master.start, transaction="",
        attendees=[dict(guest) for guest in master.attendees], more=dict(master.more),
        properties=dict(master.properties), categories=list(master.categories),
    )  # fmt: skip


def expanded(events: list[Event], start: float, end: float) -> list[Event]:
    """What takes place in the window, by time: single events, and the dates of every series."""
    changed = {(event.master, event.date) for event in events if event.master}
    found = []
    for event in events:
        if event.recurrence is None:
            found.append(event)
            continue
        length = event.end - event.start
        first = datetime.fromtimestamp(start - length - 86400 * 2, UTC).date()
        last = datetime.fromtimestamp(end + 86400 * 2, UTC).date()
        for day in recurrence.dates(event.recurrence):
            if day > last:
                break
            name = day.isoformat()
            if day >= first and name not in event.cancelled_dates and (event.id, name) not in changed:
                found.append(occurrence(event, name))
    return sorted((e for e in found if e.start < end and e.end > start), key=lambda e: (e.start, e.id))


def kept(sandbox: Sandbox, event: Event) -> Event:
    """The event as something to change: a date of a series becomes an exception of its own."""
    if event.date and event.id not in sandbox.store.events:
        sandbox.store.save(event)
    return event


def _copy(sandbox: Sandbox, mailbox: str, event: Event) -> Event | None:
    """The same event (or the same date of the series) in another mailbox."""
    copies = [copy for copy in sandbox.store.copies(event.uid) if copy.mailbox == mailbox]
    same = next((copy for copy in copies if copy.date == event.date), None)
    if same is None and event.date:
        master = next((copy for copy in copies if copy.recurrence is not None), None)
        same = None if master is None else kept(sandbox, occurrence(master, event.date))
    return same


def _copies(sandbox: Sandbox, event: Event, but: str) -> list[Event]:
    """The copies of everybody else; of a series, its exceptions too."""
    others = dict.fromkeys(copy.mailbox for copy in sandbox.store.copies(event.uid) if copy.mailbox != but)
    if event.date:
        found = [_copy(sandbox, mailbox, event) for mailbox in others]
        return [copy for copy in found if copy is not None]
    return [copy for copy in sandbox.store.copies(event.uid) if copy.mailbox != but]


def remove(sandbox: Sandbox, event: Event) -> None:
    """It goes: a date is left out of its series; a series takes its exceptions along."""
    store = sandbox.store
    if event.date:
        master = store.events.get(event.master)
        if master is not None:
            master.cancelled_dates = [*master.cancelled_dates, event.date]
            master.version += 1
            store.save(master)
            notifications.event_changed(sandbox, master, "updated")
    for exception in [e for e in store.events_of(event.mailbox) if e.master == event.id]:
        store.remove(exception)
    if event.id in store.events:
        store.remove(event)
    notifications.event_changed(sandbox, event, "deleted")


# Meetings


def attendee(
    pair: Address, *, kind: str = "required", response: str = "none", at: float = 0.0
) -> dict[str, Any]:
    return {"name": pair[0], "address": pair[1], "type": kind, "response": response, "time": at}


def book(
    sandbox: Sandbox,
    organizer: User,
    attendees: list[Address],
    *,
    subject: str,
    body: str,
    start: float,
    end: float,
    at: float,
    booked_by_person: bool = False,
) -> Event:
    """An event in the organizer's calendar, invitations to the others."""
    event = Event(
        id=ids.item_id(), mailbox=organizer.id, uid=new_uid(),
        subject=subject, body=body, start=start, end=end, organizer=[organizer.name, organizer.address],
        attendees=[attendee(pair) for pair in attendees], response="organizer", created=at, modified=at,
    )  # fmt: skip
    sandbox.store.save(event)
    notifications.event_changed(sandbox, event, "created")
    if booked_by_person:
        fact = {
            "organizer": organizer.address, "attendees": [pair[1] for pair in attendees],
            "iCalUId": event.uid,
            "start": iso(start), "subject": subject, "at": iso(at),
        }  # fmt: skip
        for pair in attendees:
            sandbox.store.record("meeting", pair[1].lower(), fact)
    invite(sandbox, organizer, event, at=at)
    return event


def invite(
    sandbox: Sandbox,
    organizer: User,
    event: Event,
    *,
    at: float,
    only: set[str] | None = None,
    update: bool = False,
) -> None:
    """Bring the attendees' copies in line with the organizer's event, and mail them the request."""
    for guest in event.attendees:
        address = guest["address"].lower()
        if only is not None and address not in only:
            continue
        user = sandbox.user(address)
        if user is not None and user.id != organizer.id:
            _bring_in_line(sandbox, user, event, at)
    _mail(sandbox, organizer, event, "meetingRequest", "eventMessageRequest", event.subject, at=at, only=only)


def _bring_in_line(sandbox: Sandbox, user: User, event: Event, at: float) -> None:
    copy = _copy(sandbox, user.id, event)
    change = "updated"
    if copy is None:
        change = "created"
        copy = Event(
            id=ids.item_id(), mailbox=user.id, uid=event.uid, created=at, response="notResponded",
            organizer=list(event.organizer), show_as="tentative", master=event.master and "elsewhere",
            date=event.date,
        )  # fmt: skip
    moved = (copy.start, copy.end) != (event.start, event.end)
    if change == "updated" and moved and copy.response != "organizer":
        copy.response = "notResponded"  # another time asks for another answer
    for name in SHARED_FIELDS:
        if sandbox.switches.attendee_edits == "kept" and name in copy.more.get("edited", ()):
            continue
        setattr(copy, name, getattr(event, name))
    public = {name: v for name, v in event.properties.items() if PUBLIC_STRINGS in name.lower()}
    copy.properties = {**copy.properties, **public}
    copy.attendees = [dict(guest) for guest in event.attendees]
    copy.modified = at
    copy.version += 1
    sandbox.store.save(copy)
    notifications.event_changed(sandbox, copy, change)


def cancel(sandbox: Sandbox, organizer: User, event: Event, *, comment: str, at: float) -> None:
    """The organizer calls it off: the attendees' copies say so, and a cancellation is mailed."""
    for copy in _copies(sandbox, event, organizer.id):
        copy.cancelled, copy.modified, copy.show_as = True, at, "free"
        copy.version += 1
        sandbox.store.save(copy)
        notifications.event_changed(sandbox, copy, "updated")
    subject = f"Canceled: {event.subject}"
    _mail(sandbox, organizer, event, "meetingCancelled", "eventMessage", subject, at=at, body=comment)


def uninvite(
    sandbox: Sandbox, organizer: User, event: Event, guests: list[dict[str, Any]], *, at: float
) -> None:
    """Who is not asked any more gets a cancellation."""
    addresses = {guest["address"].lower() for guest in guests}
    for address in addresses:
        user = sandbox.user(address)
        copy = None if user is None else _copy(sandbox, user.id, event)
        if copy is not None and copy.mailbox != organizer.id:
            copy.cancelled, copy.modified, copy.show_as = True, at, "free"
            copy.version += 1
            sandbox.store.save(copy)
            notifications.event_changed(sandbox, copy, "updated")
    _mail(
        sandbox, organizer, replace(event, attendees=guests), "meetingCancelled", "eventMessage",
        f"Canceled: {event.subject}", at=at, body="",
    )  # fmt: skip


def respond(
    sandbox: Sandbox,
    user: User,
    event: Event,
    response: str,
    *,
    comment: str,
    send: bool,
    at: float,
    proposed: dict[str, Any] | None = None,
) -> None:
    """Accept, decline or hold; the organizer's copy learns of it only when the answer is sent."""
    kept(sandbox, event)
    _note_response(event, user.address, response, at)
    event.response, event.modified = response, at
    event.show_as = {"accepted": "busy", "tentativelyAccepted": "tentative"}.get(response, "free")
    event.version += 1
    sandbox.store.save(event)
    notifications.event_changed(sandbox, event, "updated")
    if not send:
        return
    organizer = sandbox.user(event.organizer[1])
    if organizer is not None:
        copy = _copy(sandbox, organizer.id, event)
        if copy is not None:
            _note_response(copy, user.address, response, at, proposed)
            copy.modified = at
            copy.version += 1
            sandbox.store.save(copy)
            notifications.event_changed(sandbox, copy, "updated")
    subject = f"{_ANSWER_WORD[response]}: {event.subject}"
    letter = Letter(
        sender=[user.name, user.address], to=[list(event.organizer)], subject=subject, body=comment,
        kind="eventMessageResponse", meeting=_ANSWER_MEETING[response], event=event.uid,
        internet_id=ids.internet_message_id(user.address.rpartition("@")[2]),
    )  # fmt: skip
    _post(sandbox, user, letter, at=at)


def _note_response(
    event: Event, address: str, response: str, at: float, proposed: dict[str, Any] | None = None
) -> None:
    said = {"response": response, "time": at, **({"proposed": proposed} if proposed else {})}
    event.attendees = [
        {**guest, **said} if guest["address"].lower() == address else guest for guest in event.attendees
    ]


def forward(
    sandbox: Sandbox, user: User, event: Event, to: list[Address], *, comment: str, at: float
) -> None:
    """Whoever it is forwarded to is invited by the organizer; the organizer is told, if another forwards.

    https://learn.microsoft.com/graph/api/event-forward
    """
    organizer = sandbox.user(event.organizer[1])
    own = event if organizer is None or organizer.id == user.id else _copy(sandbox, organizer.id, event)
    if own is not None:
        kept(sandbox, own)
        there = {guest["address"].lower() for guest in own.attendees}
        own.attendees = [*own.attendees, *(attendee(pair) for pair in to if pair[1].lower() not in there)]
        own.modified, own.version = at, own.version + 1
        sandbox.store.save(own)
        notifications.event_changed(sandbox, own, "updated")
    invited = replace(own or event, attendees=[attendee(pair) for pair in to])
    for address, guest in ((pair[1].lower(), sandbox.user(pair[1])) for pair in to):
        if guest is not None and address != event.organizer[1].lower():
            _bring_in_line(sandbox, guest, own or event, at)
    _mail(
        sandbox, user, invited, "meetingRequest", "eventMessageRequest", f"FW: {event.subject}", at=at,
        body=comment or None,
    )  # fmt: skip
    if organizer is not None and organizer.id != user.id:
        names = ", ".join(pair[1] for pair in to)
        notice = Letter(
            sender=[user.name, user.address], to=[list(event.organizer)],
            subject=f"Meeting Forward Notification: {event.subject}",
            body=f"{user.name} has forwarded your meeting request to {names}.",
            internet_id=ids.internet_message_id(user.address.rpartition("@")[2]),
        )  # fmt: skip
        _post(sandbox, user, notice, at=at)


def _mail(
    sandbox: Sandbox,
    organizer: User,
    event: Event,
    meeting: str,
    kind: str,
    subject: str,
    *,
    at: float,
    only: set[str] | None = None,
    body: str | None = None,
) -> None:
    to = [
        [guest["name"], guest["address"]]
        for guest in event.attendees
        if guest["address"].lower() != organizer.address
        and (only is None or guest["address"].lower() in only)
    ]
    if not to:
        return
    letter = Letter(
        sender=[organizer.name, organizer.address], to=to, subject=subject,
        body=event.body if body is None else body, body_type=event.body_type if body is None else "text",
        kind=kind, meeting=meeting, event=event.uid,
        internet_id=ids.internet_message_id(organizer.address.rpartition("@")[2]),
    )  # fmt: skip
    _post(sandbox, organizer, letter, at=at)


def _post(sandbox: Sandbox, user: User, letter: Letter, *, at: float) -> None:
    from m365_sandbox.delivery import post  # delivery books meetings, and meetings send mail

    post(sandbox, user, letter, at=at)
