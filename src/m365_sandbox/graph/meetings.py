"""The calendar as it is written: events, series, invitations and the answers to them."""

from datetime import UTC, datetime
from typing import Any

from m365_sandbox import calendars, ids, notifications, recurrence
from m365_sandbox.clock import iso
from m365_sandbox.entities import Address, Event
from m365_sandbox.errors import GraphError, malformed
from m365_sandbox.graph.calendar import moment, show, the_calendar, the_event
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.markup import to_html

MOST_ATTENDEES = 500
_SMALL_CHANGES = {
    "categories", "isreminderon", "reminderminutesbeforestart", "showas", "sensitivity",
    "singlevalueextendedproperties",
}  # fmt: skip
_PLAIN = (
    ("subject", "subject"), ("isallday", "all_day"), ("isreminderon", "reminder_on"),
    ("reminderminutesbeforestart", "reminder_minutes"), ("categories", "categories"),
    ("responserequested", "response_requested"),
)  # fmt: skip
_WORDS = {
    "showas": ("show_as", ("free", "tentative", "busy", "oof", "workingElsewhere", "unknown")),
    "sensitivity": ("sensitivity", ("normal", "personal", "private", "confidential")),
}
_KEPT = {
    "importance": "importance", "allownewtimeproposals": "allowNewTimeProposals",
    "hideattendees": "hideAttendees", "locations": "locations",
}  # fmt: skip


def word(request: Request, value: Any, known: tuple[str, ...]) -> str:
    """One of the known words. Whether another case will do is a switch: Graph's pages do not say."""
    for one in known:
        other = one.lower() == str(value).lower() and request.sandbox.switches.enum_case == "accepted"
        if value == one or other:
            return one
    raise malformed(f"Requested value '{value}' was not found.", request.sandbox.switches)


def _changes(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """Event fields (ours) from JSON (theirs)."""
    given = {name.lower(): value for name, value in given.items()}
    fields: dict[str, Any] = {ours: given[theirs] for theirs, ours in _PLAIN if theirs in given}
    for theirs, (ours, known) in _WORDS.items():
        if theirs in given:
            fields[ours] = word(request, given[theirs], known)
    if "body" in given:
        body = {name.lower(): value for name, value in (given["body"] or {}).items()}
        fields["body_type"] = word(request, body.get("contenttype", "text"), ("text", "html"))
        fields["body"] = body.get("content") or ""
    if "location" in given:
        fields["location"] = (given["location"] or {}).get("displayName", "")
    if "start" in given:
        fields["start"], fields["time_zone"] = moment(given["start"])
    if "end" in given:
        fields["end"], _ = moment(given["end"])
    if "attendees" in given:
        fields["attendees"] = [_guest(request, guest) for guest in given["attendees"] or []]
        if len(fields["attendees"]) > MOST_ATTENDEES:
            raise GraphError(400, "ErrorInvalidRequest", f"An event has at most {MOST_ATTENDEES} attendees.")
    if "recurrence" in given:
        fields["recurrence"] = _recurrence(given["recurrence"])
    if "singlevalueextendedproperties" in given:
        fields["properties"] = {
            row["id"]: str(row["value"]) for row in given["singlevalueextendedproperties"]
        }
    return fields


def _recurrence(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    try:
        return recurrence.checked(given)
    except recurrence.NotARecurrence as error:
        raise GraphError(
            400,
            "ErrorPropertyValidationFailure",
            f"At least one property failed validation: recurrence ({error}).",
        ) from None


def _guest(request: Request, value: Any) -> dict[str, Any]:
    try:
        address = value["emailAddress"]["address"]
        name = value["emailAddress"].get("name") or address
    except (TypeError, KeyError):
        raise malformed("An attendee needs emailAddress.address.", request.sandbox.switches) from None
    kind = word(request, value.get("type") or "required", ("required", "optional", "resource"))
    return calendars.attendee([name, address], kind=kind)


def _with_blob(fields: dict[str, Any]) -> dict[str, Any]:
    """A Teams meeting: its address, and the blob in the body that carries it."""
    url = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{ids.key()}%40thread.v2/0"
    body, is_html = fields.get("body", ""), fields.get("body_type") == "html"
    html = body if is_html else to_html(body)
    blob = (
        f'<br><div class="me-email-text">Microsoft Teams meeting <a href="{url}">Join the meeting</a></div>'
    )
    end = html.rfind("</body>")
    html = f"{html[:end]}{blob}{html[end:]}" if end >= 0 else html + blob
    return {**fields, "online_url": url, "body_type": "html", "body": html}


def _shown(request: Request, event: Event, status: int) -> Answer:
    return Answer(status, {"@odata.context": request.context("events/$entity"), **show(request, event)})


@operation("POST", "/me/events")
def create_event(request: Request) -> Answer:
    """A single event or a series, with invitations to its attendees."""
    return _create(request, "")


@operation("POST", "/me/calendars/{id}/events", needs="POST /me/calendar/events")
def create_event_in_a_calendar(request: Request) -> Answer:
    return _create(request, the_calendar(request))


def _create(request: Request, calendar: str) -> Answer:
    sandbox, user, given = request.sandbox, request.user, request.json()
    transaction = str(given.get("transactionId") or "")
    if transaction:
        for event in sandbox.store.events_of(user.id):
            if event.transaction == transaction:
                return _shown(request, event, 201)
    fields = _changes(request, given)
    if "start" not in fields or "end" not in fields or fields["end"] < fields["start"]:
        raise GraphError(
            400, "ErrorPropertyValidationFailure", "At least one property failed validation: start, end."
        )
    if given.get("isOnlineMeeting"):
        fields = _with_blob(fields)
    now = sandbox.now()
    event = Event(
        **{
            "id": ids.item_id(), "mailbox": user.id,
            "uid": calendars.new_uid(),
            "organizer": [user.name, user.address], "response": "organizer", "transaction": transaction,
            "created": now, "modified": now, "calendar": calendar, "more": _more(request, given), **fields,
        }
    )  # fmt: skip
    _begin_with_its_first_date(event)
    sandbox.store.save(event)
    sandbox.store.record(
        "event_created", user.address,
        {
            "iCalUId": event.uid, "id": event.id, "subject": event.subject, "sensitivity": event.sensitivity,
            "attendees": [guest["address"] for guest in event.attendees], "start": iso(event.start),
            "transactionId": transaction, "at": iso(now),
        },
    )  # fmt: skip
    notifications.event_changed(sandbox, event, "created")
    if event.attendees:
        calendars.invite(sandbox, user, event, at=now)
    return _shown(request, event, 201)


def _begin_with_its_first_date(event: Event) -> None:
    """A series begins on the first date that its pattern gives, whatever `start` says."""
    if event.recurrence is not None:
        first = calendars.occurrence(event, next(iter(recurrence.dates(event.recurrence))).isoformat())
        event.start, event.end = first.start, first.end


def _more(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    lowered = {name.lower(): value for name, value in given.items()}
    kept = {name: lowered[theirs] for theirs, name in _KEPT.items() if theirs in lowered}
    if "importance" in kept:
        kept["importance"] = word(request, kept["importance"], ("low", "normal", "high"))
    return kept


@operation("PATCH", "/me/events/{id}")
def change_event(request: Request) -> Answer:
    """An organizer's change travels to the attendees, with mail; Graph offers no way to keep it quiet."""
    sandbox, event, given = request.sandbox, the_event(request), request.json()
    is_organizer = event.organizer[1].lower() == request.user.address
    fields = _changes(request, given)
    if event.date:
        _check_place(request, event, fields)
        fields.pop("recurrence", None)
    event = calendars.kept(sandbox, event)
    before = [dict(guest) for guest in event.attendees]
    if "properties" in fields:
        fields["properties"] = {**event.properties, **fields["properties"]}
    if "attendees" in fields:
        fields["attendees"] = _with_their_answers(fields["attendees"], before)
    if given.get("isOnlineMeeting") and not event.online_url:
        fields = _with_blob({"body": event.body, "body_type": event.body_type, **fields})
    elif event.online_url and event.online_url not in fields.get("body", event.online_url):
        # https://learn.microsoft.com/graph/api/event-update: without its blob it is no online meeting any more.
        fields["online_url"] = ""
    for name, value in fields.items():
        setattr(event, name, value)
    event.more = {**event.more, **_more(request, given)}
    if not is_organizer:
        event.more["edited"] = sorted({*event.more.get("edited", ()), *fields})
    event.modified, event.version = sandbox.now(), event.version + 1
    sandbox.store.save(event)
    sandbox.store.record(
        "event_changed", request.user.address, {"iCalUId": event.uid, "fields": sorted(given)}
    )
    notifications.event_changed(sandbox, event, "updated")
    if is_organizer and (event.attendees or before):
        _tell_attendees(request, event, {name.lower() for name in given}, before)
    return _shown(request, event, 200)


def _check_place(request: Request, event: Event, fields: dict[str, Any]) -> None:
    """A date of a series may not be moved past its neighbours: 400 ErrorOccurrenceCrossingBoundary."""
    master = request.sandbox.store.events.get(event.master)
    if "start" not in fields or master is None or master.recurrence is None:
        return
    day = datetime.fromtimestamp(fields["start"], UTC).date().isoformat()
    others = [d.isoformat() for d in _near(master, max(day, event.date))]
    low, high = min(day, event.date), max(day, event.date)
    if any(low <= other <= high and other != event.date for other in others):
        raise GraphError(
            400, "ErrorOccurrenceCrossingBoundary",
            "Modified occurrence is crossing or overlapping adjacent occurrence.",
        )  # fmt: skip


def _near(master: Event, until: str) -> list[Any]:
    assert master.recurrence is not None
    found = []
    for day in recurrence.dates(master.recurrence):
        if day.isoformat() > until:
            break
        found.append(day)
    return found


def _with_their_answers(now: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who was invited already keeps the answer that was given."""
    answers = {guest["address"].lower(): guest for guest in before}
    return [{**answers.get(guest["address"].lower(), guest), "type": guest["type"]} for guest in now]


def _tell_attendees(request: Request, event: Event, given: set[str], before: list[dict[str, Any]]) -> None:
    """Graph documentation, "Update event": where only `attendees` was given, only those that changed get mail."""
    sandbox = request.sandbox
    if given <= _SMALL_CHANGES and sandbox.switches.organizer_small_patch == "silent":
        return
    was = {guest["address"].lower(): guest for guest in before}
    now = {guest["address"].lower() for guest in event.attendees}
    gone = [guest for address, guest in was.items() if address not in now]
    if gone:
        calendars.uninvite(sandbox, request.user, event, gone, at=sandbox.now())
    only = now - set(was) if given == {"attendees"} else None
    calendars.invite(sandbox, request.user, event, at=sandbox.now(), only=only, update=True)
    # A series whose dates were changed one by one: a mail for each of them, too.
    for exception in sandbox.store.events_of(event.mailbox):
        if exception.master == event.id and only is None:
            calendars.invite(sandbox, request.user, exception, at=sandbox.now(), update=True)


@operation("DELETE", "/me/events/{id}")
def delete_event(request: Request) -> Answer:
    """The organizer's sends cancellations; of one date of a series, for that date alone."""
    sandbox, event = request.sandbox, the_event(request)
    is_organizer = event.organizer[1].lower() == request.user.address
    if is_organizer and event.attendees and sandbox.switches.organizer_delete == "sends_cancellation":
        calendars.cancel(sandbox, request.user, event, comment="", at=sandbox.now())
    calendars.remove(sandbox, event)
    sandbox.store.record("event_deleted", request.user.address, {"iCalUId": event.uid, "id": event.id})
    return Answer(204)


@operation("POST", "/me/events/{id}/permanentdelete")
def delete_event_for_good(request: Request) -> Answer:
    return delete_event(request)  # type: ignore[return-value]


@operation("POST", "/me/events/{id}/cancel")
def cancel_event(request: Request) -> Answer:
    event = the_event(request)
    if event.organizer[1].lower() != request.user.address:
        raise GraphError(
            400,
            "ErrorInvalidRequest",
            "Your request can't be completed. You need to be an organizer to cancel a meeting.",
        )
    given = {name.lower(): value for name, value in request.json().items()}
    comment = str(given.get("comment") or "")
    calendars.cancel(request.sandbox, request.user, event, comment=comment, at=request.sandbox.now())
    calendars.remove(request.sandbox, event)
    return Answer(202)


def _respond(request: Request, response: str) -> Answer:
    event, given = the_event(request), {k.lower(): v for k, v in request.json().items()}
    if event.organizer[1].lower() == request.user.address:
        raise GraphError(
            400,
            "ErrorInvalidRequest",
            "Your request can't be completed. You can't respond to this meeting because you're the meeting "
            "organizer.",
        )
    proposed, send = given.get("proposednewtime"), bool(given.get("sendresponse", True))
    if proposed and (not send or not event.more.get("allowNewTimeProposals", True)):
        why = "the organizer allows none" if send else "SendResponse must be true"
        raise GraphError(400, "ErrorInvalidRequest", f"A new time cannot be proposed: {why}.")
    calendars.respond(
        request.sandbox, request.user, event, response, comment=str(given.get("comment") or ""),
        send=send, at=request.sandbox.now(), proposed=proposed,
    )  # fmt: skip
    return Answer(202)


@operation("POST", "/me/events/{id}/accept")
def accept(request: Request) -> Answer:
    return _respond(request, "accepted")


@operation("POST", "/me/events/{id}/tentativelyaccept")
def accept_tentatively(request: Request) -> Answer:
    return _respond(request, "tentativelyAccepted")


@operation("POST", "/me/events/{id}/decline")
def decline(request: Request) -> Answer:
    return _respond(request, "declined")


@operation("POST", "/me/events/{id}/forward")
def forward_event(request: Request) -> Answer:
    given = {name.lower(): value for name, value in request.json().items()}
    to: list[Address] = []
    for guest in given.get("torecipients") or []:
        made = _guest(request, guest)
        to.append([made["name"], made["address"]])
    if not to:
        raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
    event, comment = the_event(request), str(given.get("comment") or "")
    calendars.forward(request.sandbox, request.user, event, to, comment=comment, at=request.sandbox.now())
    return Answer(202)


@operation("POST", "/me/events/{id}/snoozereminder")
def snooze_reminder(request: Request) -> Answer:
    given = {name.lower(): value for name, value in request.json().items()}
    event = calendars.kept(request.sandbox, the_event(request))
    event.more["snoozed"] = moment(given.get("newremindertime"))[0]
    request.sandbox.store.save(event)
    return Answer(200)


@operation("POST", "/me/events/{id}/dismissreminder")
def dismiss_reminder(request: Request) -> Answer:
    event = calendars.kept(request.sandbox, the_event(request))
    event.more["dismissed"] = request.sandbox.now()
    request.sandbox.store.save(event)
    return Answer(200)
