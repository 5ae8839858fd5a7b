"""The calendar: views of a window, events, answers to invitations."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from m365_sandbox import calendars, ids, notifications
from m365_sandbox.clock import from_iso, iso
from m365_sandbox.entities import Event
from m365_sandbox.errors import GraphError, malformed, not_found, unsupported
from m365_sandbox.graph.delta import expired, pack, unpack
from m365_sandbox.graph.odata import (
    holds,
    parse_expand,
    parse_filter,
    parse_orderby,
    parse_select,
    whole_number,
)
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.graph.shape import recipient
from m365_sandbox.markup import preview, to_text

# Outlook names zones as Windows does; these are the ones that our people live in.
_WINDOWS_ZONES = {
    "UTC": "UTC", "GMT Standard Time": "Europe/London", "W. Europe Standard Time": "Europe/Berlin",
    "Romance Standard Time": "Europe/Paris", "Central Europe Standard Time": "Europe/Budapest",
    "Eastern Standard Time": "America/New_York", "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver", "Pacific Standard Time": "America/Los_Angeles",
    "India Standard Time": "Asia/Kolkata", "Tokyo Standard Time": "Asia/Tokyo",
    "AUS Eastern Standard Time": "Australia/Sydney", "Singapore Standard Time": "Asia/Singapore",
}  # fmt: skip
_SMALL_CHANGES = {
    "categories", "isreminderon", "reminderminutesbeforestart", "showas", "sensitivity",
    "singlevalueextendedproperties",
}  # fmt: skip
_RESPONSE_TIME_NEVER = "0001-01-01T00:00:00Z"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(_WINDOWS_ZONES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError):
        raise GraphError(
            400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: '{name}'."
        ) from None


def _moment(value: Any) -> tuple[float, str]:
    """(Unix seconds, zone) of {dateTime, timeZone}."""
    try:
        text, zone = value["dateTime"], value.get("timeZone") or "UTC"
        naive = datetime.fromisoformat(text)
    except (TypeError, KeyError, ValueError, AttributeError):
        raise GraphError(
            400, "ErrorPropertyValidationFailure", "start and end need dateTime and timeZone."
        ) from None
    aware = naive if naive.tzinfo else naive.replace(tzinfo=_zone(zone))
    return aware.timestamp(), zone


def _shown_moment(seconds: float, zone: str) -> dict[str, str]:
    local = datetime.fromtimestamp(seconds, UTC).astimezone(_zone(zone))
    return {"dateTime": local.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": zone}


def _status(response: str, at: float) -> dict[str, str]:
    return {"response": response, "time": iso(at) if at else _RESPONSE_TIME_NEVER}


def _fields(request: Request, event: Event) -> dict[str, Any]:
    zone = request.preference("outlook.timezone") or "UTC"
    if zone != "UTC" and f'outlook.timezone="{zone}"' not in request.applied:
        request.applied.append(f'outlook.timezone="{zone}"')
    is_organizer = event.organizer[1].lower() == request.user.address
    text = event.body_type == "html" and request.wants_text
    return {
        "id": event.id, "createdDateTime": iso(event.created), "lastModifiedDateTime": iso(event.modified),
        "changeKey": f"CQAAABYAAA{event.version}", "categories": event.categories,
        "transactionId": event.transaction or None, "originalStartTimeZone": event.time_zone,
        "originalEndTimeZone": event.time_zone, "iCalUId": event.uid, "uid": event.uid,
        "reminderMinutesBeforeStart": event.reminder_minutes, "isReminderOn": event.reminder_on,
        "hasAttachments": False, "subject": event.subject, "bodyPreview": preview(event.body_type,
        event.body),
        "importance": "normal", "sensitivity": event.sensitivity, "isAllDay": event.all_day,
        "isCancelled": event.cancelled, "isOrganizer": is_organizer,
        "responseRequested": event.response_requested,
        "seriesMasterId": None, "showAs": event.show_as, "type": "singleInstance",
        "webLink": f"https://outlook.office365.com/owa/?itemid={event.id}&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": None, "isOnlineMeeting": bool(event.online_url),
        "onlineMeetingProvider": "teamsForBusiness" if event.online_url else "unknown",
        "allowNewTimeProposals": True, "isDraft": False, "hideAttendees": False, "recurrence": None,
        "responseStatus": _status(event.response, event.modified if event.response != "none" else 0),
        "body": {
            "contentType": "text" if text else event.body_type,
            "content": to_text(event.body) if text else event.body,
        },
        "start": _shown_moment(event.start, zone), "end": _shown_moment(event.end, zone),
        "location": {"displayName": event.location, "locationType": "default"}, "locations": [],
        "attendees": [
            {
                "type": guest["type"], "status": _status(guest["response"], guest["time"]),
                **recipient([guest["name"], guest["address"]]),
            }
            for guest in event.attendees
        ],
        "organizer": recipient(event.organizer),
        "onlineMeeting": {"joinUrl": event.online_url} if event.online_url else None,
    }  # fmt: skip


def _show(
    request: Request, event: Event, select: list[str] | None = None, expand: list[str] | None = None
) -> dict[str, Any]:
    fields = _fields(request, event)
    if select is not None:
        by_lower = {name.lower(): name for name in fields}
        unknown = [name for name in select if name.lower() not in by_lower]
        if unknown:
            raise malformed(
                f"Could not find a property named '{unknown[0]}' on type 'Microsoft.OutlookServices.Event'."
            )
        names = ["id", *(by_lower[name.lower()] for name in select if name.lower() != "id")]
        fields = {name: fields[name] for name in names}
    basic = not any(s in ("Calendars.Read", "Calendars.ReadWrite") for s in request.token.scopes)
    if basic:
        fields = {name: value for name, value in fields.items() if name not in ("body", "bodyPreview")}
    if request.sandbox.switches.log_items:
        request.served.append({"kind": "event", "id": event.id, "iCalUId": event.uid, "fields": list(fields)})
    shown = {"@odata.etag": f'W/"CQAAABYAAA{event.version}"', **fields}
    if expand and not basic:
        values = [
            {"id": name, "value": event.properties[name]} for name in expand if name in event.properties
        ]
        if values:
            shown["singleValueExtendedProperties"] = values
    return shown


def the_event(request: Request) -> Event:
    event = request.sandbox.store.events.get(request.params[0])
    if event is None or event.mailbox != request.user.id:
        raise not_found()
    return event


def _window(query: dict[str, str]) -> tuple[float, float]:
    lowered = {name.lower(): value for name, value in query.items()}
    try:
        start, end = from_iso(lowered["startdatetime"]), from_iso(lowered["enddatetime"])
    except (KeyError, ValueError):
        raise GraphError(
            400, "ErrorInvalidParameter",
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime.",
        ) from None  # fmt: skip
    if end < start:
        raise GraphError(400, "ErrorInvalidParameter", "EndDateTime lies before StartDateTime.")
    if end - start > timedelta(days=1825).total_seconds():
        raise GraphError(400, "ErrorCalendarViewRangeTooBig", "The window is longer than 1825 days.")
    return start, end


def _value_of(event: Event, field: str) -> Any:
    if field.startswith("property:"):
        return event.properties.get(field.removeprefix("property:"))
    values = {
        "subject": event.subject, "start/datetime": event.start, "end/datetime": event.end,
        "icaluid": event.uid, "uid": event.uid, "iscancelled": event.cancelled, "showas": event.show_as,
        "lastmodifieddatetime": event.modified, "createddatetime": event.created,
        "transactionid": event.transaction, "sensitivity": event.sensitivity,
    }  # fmt: skip
    if field not in values:
        raise unsupported()
    return values[field]


def _page(request: Request, events: list[Event]) -> Answer:
    query = request.query
    if query.get("$filter"):
        condition = parse_filter(_times_unquoted(query["$filter"]))
        events = [event for event in events if holds(condition, partial(_value_of, event))]
    for field, descending in reversed(parse_orderby(query.get("$orderby"))):
        events.sort(key=lambda event: _value_of(event, field), reverse=descending)
    top = whole_number(query.get("$top"), "$top", 10, most=1000)
    skip = whole_number(query.get("$skip"), "$skip", 0, most=10**9)
    select, expand = parse_select(query.get("$select")), parse_expand(query.get("$expand"))
    body: dict[str, Any] = {
        "@odata.context": request.context("calendarView"),
        "value": [_show(request, event, select, expand) for event in events[skip : skip + top]],
    }
    if skip + top < len(events):
        body["@odata.nextLink"] = request.link(**{**query, "$skip": str(skip + top)})
    return Answer(body=body)


def _times_unquoted(text: str) -> str:
    """Times of events are text in Graph (`start/dateTime ge '2026-…'`); compared here as times."""
    import re

    return re.sub(r"((?:start|end)/dateTime\s+\w\w\s+)'([\dT:.Z+-]+)'", r"\1\2", text)


def _in_window(request: Request, start: float, end: float) -> list[Event]:
    mine = request.sandbox.store.events_of(request.user.id)
    return sorted((e for e in mine if e.start < end and e.end > start), key=lambda e: (e.start, e.id))


@operation("GET", "/me/calendarview")
def calendar_view(request: Request) -> Answer:
    return _page(request, _in_window(request, *_window(request.query)))


@operation("GET", "/me/calendar/calendarview")
def own_calendar_view(request: Request) -> Answer:
    return calendar_view(request)  # type: ignore[return-value]


@operation("GET", "/me/calendarview/delta")
def calendar_view_delta(request: Request) -> Answer:
    """The whole event each time: Graph documentation, event-delta, allows no $select here."""
    for name in ("$select", "$filter", "$expand", "$orderby", "$search"):
        if name in request.query:
            raise unsupported(f"The query parameter {name} is not supported for calendarView delta.")
    token = request.query.get("$deltatoken") or request.query.get("$skiptoken")
    if token:
        state = unpack(token)
        if state is None or "start" not in state:
            raise expired(request)
    else:
        start, end = _window(request.query)
        state = {"start": start, "end": end, "after": 0, "known": []}
    size = whole_number(request.preference("odata.maxpagesize"), "odata.maxpagesize", 10, most=1000)
    inside = _in_window(request, state["start"], state["end"])
    known = set(state["known"])
    changed = sorted((e for e in inside if e.seq > state["after"]), key=lambda e: e.seq)
    gone = [name for name in state["known"] if name not in {e.id for e in inside}]
    value = [_show(request, event) for event in changed[:size]]
    known |= {event.id for event in changed[:size]}
    place = changed[:size][-1].seq if value else state["after"]
    body: dict[str, Any] = {"@odata.context": request.context("calendarView/$delta")}
    if len(changed) > size:
        state = {**state, "after": place, "known": sorted(known)}
        body |= {"value": value, "@odata.nextLink": request.link(**{"$skiptoken": pack(state)})}
        return Answer(body=body)
    value += [
        {"@odata.type": "#microsoft.graph.event", "id": name, "@removed": {"reason": "deleted"}}
        for name in gone
    ]
    state = {**state, "after": place, "known": sorted(known - set(gone))}
    body |= {"value": value, "@odata.deltaLink": request.link(**{"$deltatoken": pack(state)})}
    return Answer(body=body)


@operation("GET", "/me/events")
def list_events(request: Request) -> Answer:
    events = sorted(request.sandbox.store.events_of(request.user.id), key=lambda e: (-e.start, e.id))
    return _page(request, events)


@operation("GET", "/me/calendar/events")
def list_own_events(request: Request) -> Answer:
    return list_events(request)  # type: ignore[return-value]


@operation("GET", "/me/events/{id}")
def get_event(request: Request) -> Answer:
    query = request.query
    shown = _show(
        request, the_event(request), parse_select(query.get("$select")), parse_expand(query.get("$expand"))
    )
    return Answer(body={"@odata.context": request.context("events/$entity"), **shown})


# Writing


def _changes(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """Event fields (ours) from JSON (theirs)."""
    given = {name.lower(): value for name, value in given.items()}
    fields: dict[str, Any] = {}
    for theirs, ours in (
        ("subject", "subject"), ("isallday", "all_day"), ("showas", "show_as"), ("sensitivity",
        "sensitivity"),
        ("isreminderon", "reminder_on"), ("reminderminutesbeforestart", "reminder_minutes"),
        ("categories", "categories"), ("responserequested", "response_requested"),
    ):  # fmt: skip
        if theirs in given:
            fields[ours] = given[theirs]
    if "body" in given:
        fields["body_type"] = str(given["body"].get("contentType", "text")).lower()
        fields["body"] = given["body"].get("content") or ""
    if "location" in given:
        fields["location"] = (given["location"] or {}).get("displayName", "")
    if "start" in given:
        fields["start"], fields["time_zone"] = _moment(given["start"])
    if "end" in given:
        fields["end"], _ = _moment(given["end"])
    if "attendees" in given:
        fields["attendees"] = [_guest(guest) for guest in given["attendees"]]
    if given.get("isonlinemeeting"):
        fields["online_url"] = (
            f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{ids.key()}%40thread.v2/0"
        )
    if "singlevalueextendedproperties" in given:
        fields["properties"] = {
            row["id"]: str(row["value"]) for row in given["singlevalueextendedproperties"]
        }
    return fields


def _guest(value: Any) -> dict[str, Any]:
    try:
        address = value["emailAddress"]["address"]
        name = value["emailAddress"].get("name") or address
    except (TypeError, KeyError):
        raise malformed("An attendee needs emailAddress.address.") from None
    return calendars.attendee([name, address], kind=value.get("type", "required"))


@operation("POST", "/me/events")
def create_event(request: Request) -> Answer:
    sandbox, user, given = request.sandbox, request.user, request.json()
    transaction = str(given.get("transactionId") or "")
    if transaction:
        for event in sandbox.store.events_of(user.id):
            if event.transaction == transaction:
                return Answer(
                    201, {"@odata.context": request.context("events/$entity"), **_show(request, event)}
                )
    fields = _changes(request, given)
    if "start" not in fields or "end" not in fields or fields["end"] < fields["start"]:
        raise GraphError(
            400, "ErrorPropertyValidationFailure", "At least one property failed validation: start, end."
        )
    now = sandbox.now()
    event = Event(
        **{
            "id": ids.item_id(), "mailbox": user.id,
            "uid": f"040000008200E00074C5B7101A82E008{ids.key().upper()}",
            "organizer": [user.name, user.address], "response": "organizer", "transaction": transaction,
            "created": now, "modified": now, **fields,
        }
    )  # fmt: skip
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
    return Answer(201, {"@odata.context": request.context("events/$entity"), **_show(request, event)})


@operation("POST", "/me/calendar/events")
def create_own_event(request: Request) -> Answer:
    return create_event(request)  # type: ignore[return-value]


@operation("PATCH", "/me/events/{id}")
def change_event(request: Request) -> Answer:
    """An organizer's change travels to the attendees, with mail; Graph offers no way to keep it quiet."""
    sandbox, event, given = request.sandbox, the_event(request), request.json()
    fields = _changes(request, given)
    before = {guest["address"].lower() for guest in event.attendees}
    if "properties" in fields:
        fields["properties"] = {**event.properties, **fields["properties"]}
    for name, value in fields.items():
        setattr(event, name, value)
    event.modified, event.version = sandbox.now(), event.version + 1
    sandbox.store.save(event)
    sandbox.store.record(
        "event_changed", request.user.address, {"iCalUId": event.uid, "fields": sorted(given)}
    )
    notifications.event_changed(sandbox, event, "updated")
    small = {name.lower() for name in given} <= _SMALL_CHANGES
    is_organizer = event.organizer[1].lower() == request.user.address
    if (
        is_organizer
        and event.attendees
        and not (small and sandbox.switches.organizer_small_patch == "silent")
    ):
        only = None
        if {name.lower() for name in given} == {"attendees"}:
            only = before ^ {guest["address"].lower() for guest in event.attendees}
        calendars.invite(sandbox, request.user, event, at=sandbox.now(), only=only, update=True)
    return Answer(body={"@odata.context": request.context("events/$entity"), **_show(request, event)})


@operation("DELETE", "/me/events/{id}")
def delete_event(request: Request) -> Answer:
    sandbox, event = request.sandbox, the_event(request)
    is_organizer = event.organizer[1].lower() == request.user.address
    if is_organizer and event.attendees and sandbox.switches.organizer_delete == "sends_cancellation":
        calendars.cancel(sandbox, request.user, event, comment="", at=sandbox.now())
    sandbox.store.remove(event)
    sandbox.store.record("event_deleted", request.user.address, {"iCalUId": event.uid, "id": event.id})
    notifications.event_changed(sandbox, event, "deleted")
    return Answer(204)


@operation("POST", "/me/events/{id}/cancel")
def cancel_event(request: Request) -> Answer:
    event = the_event(request)
    if event.organizer[1].lower() != request.user.address:
        raise GraphError(
            400,
            "ErrorInvalidRequest",
            "Your request can't be completed. You need to be an organizer to cancel a meeting.",
        )
    comment = str(request.json().get("comment") or request.json().get("Comment") or "")
    calendars.cancel(request.sandbox, request.user, event, comment=comment, at=request.sandbox.now())
    request.sandbox.store.remove(event)
    notifications.event_changed(request.sandbox, event, "deleted")
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
    calendars.respond(
        request.sandbox, request.user, event, response, comment=str(given.get("comment") or ""),
        send=bool(given.get("sendresponse", True)), at=request.sandbox.now(),
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
