"""Meetings between mailboxes: one event, a copy in each calendar, and the mail that travels with it."""

from typing import Any

from m365_sandbox import ids, notifications
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
)
_ANSWER_WORD = {"accepted": "Accepted", "declined": "Declined", "tentativelyAccepted": "Tentative"}
_ANSWER_MEETING = {
    "accepted": "meetingAccepted", "declined": "meetingDeclined",
    # Microsoft's own spelling.
    "tentativelyAccepted": "meetingTenativelyAccepted",
}  # fmt: skip


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
        id=ids.item_id(), mailbox=organizer.id, uid=f"040000008200E00074C5B7101A82E008{ids.key().upper()}",
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
    copy = next((copy for copy in sandbox.store.copies(event.uid) if copy.mailbox == user.id), None)
    change = "updated"
    if copy is None:
        change = "created"
        copy = Event(
            id=ids.item_id(), mailbox=user.id, uid=event.uid, created=at, response="notResponded",
            organizer=list(event.organizer), show_as="tentative",
        )  # fmt: skip
    for name in SHARED_FIELDS:
        setattr(copy, name, getattr(event, name))
    copy.attendees = [dict(guest) for guest in event.attendees]
    copy.modified = at
    copy.version += 1
    sandbox.store.save(copy)
    notifications.event_changed(sandbox, copy, change)


def cancel(sandbox: Sandbox, organizer: User, event: Event, *, comment: str, at: float) -> None:
    """The organizer calls it off: the attendees' copies say so, and a cancellation is mailed."""
    for copy in sandbox.store.copies(event.uid):
        if copy.mailbox != organizer.id:
            copy.cancelled, copy.modified, copy.show_as = True, at, "free"
            copy.version += 1
            sandbox.store.save(copy)
            notifications.event_changed(sandbox, copy, "updated")
    subject = f"Canceled: {event.subject}"
    _mail(sandbox, organizer, event, "meetingCancelled", "eventMessage", subject, at=at, body=comment)


def respond(
    sandbox: Sandbox, user: User, event: Event, response: str, *, comment: str, send: bool, at: float
) -> None:
    """Accept, decline or hold; the organizer's copy learns of it only when the answer is sent."""
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
        for copy in sandbox.store.copies(event.uid):
            if copy.mailbox == organizer.id:
                _note_response(copy, user.address, response, at)
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


def _note_response(event: Event, address: str, response: str, at: float) -> None:
    event.attendees = [
        {**guest, "response": response, "time": at} if guest["address"].lower() == address else guest
        for guest in event.attendees
    ]


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
