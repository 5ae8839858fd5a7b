"""The calendar as it is read: views of a window, events, the dates of a series."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from m365_sandbox import calendars
from m365_sandbox.clock import from_iso, iso
from m365_sandbox.entities import Event
from m365_sandbox.errors import GraphError, malformed, not_found, unsupported
from m365_sandbox.graph import rounds
from m365_sandbox.graph.odata import (
    Comparison,
    holds,
    parse_expand,
    parse_filter,
    parse_orderby,
    parse_select,
    required,
    whole_number,
)
from m365_sandbox.graph.routes import DEFAULT_CALENDAR, Answer, Request, operation
from m365_sandbox.graph.shape import attachment, recipient
from m365_sandbox.markup import preview, to_text

_ONLY_SELECTED = {"cancelledoccurrences", "exceptionoccurrences", "occurrenceid", "originalstart"}
_RESPONSE_TIME_NEVER = "0001-01-01T00:00:00Z"


def _zone(name: str) -> ZoneInfo:
    found = calendars.zone(name)
    if found is None:
        raise GraphError(
            400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: '{name}'."
        )
    return found


def moment(value: Any) -> tuple[float, str]:
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


def shown_moment(seconds: float, zone: str) -> dict[str, str]:
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
        "originalEndTimeZone": event.time_zone, "iCalUId": calendars.uid_of_date(event.uid, event.date), "uid": event.uid,
        "reminderMinutesBeforeStart": event.reminder_minutes, "isReminderOn": event.reminder_on,
        "hasAttachments": bool(event.more.get("attachments")), "subject": event.subject, "bodyPreview": preview(event.body_type,
        event.body),
        "importance": event.more.get("importance", "normal"), "sensitivity": event.sensitivity, "isAllDay": event.all_day,
        "isCancelled": event.cancelled, "isOrganizer": is_organizer,
        "responseRequested": event.response_requested,
        "seriesMasterId": event.master or None, "showAs": event.show_as, "type": kind_of(request, event),
        "webLink": f"https://outlook.office365.com/owa/?itemid={event.id}&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": None, "isOnlineMeeting": bool(event.online_url),
        "onlineMeetingProvider": "teamsForBusiness" if event.online_url else "unknown",
        "allowNewTimeProposals": event.more.get("allowNewTimeProposals", True), "isDraft": False,
        "hideAttendees": event.more.get("hideAttendees", False), "recurrence": event.recurrence,
        "responseStatus": _status(event.response, event.modified if event.response != "none" else 0),
        "body": {
            "contentType": "text" if text else event.body_type,
            "content": to_text(event.body) if text else event.body,
        },
        "start": shown_moment(event.start, zone), "end": shown_moment(event.end, zone),
        "location": {"displayName": event.location, "locationType": "default"},
        "locations": event.more.get("locations", []),
        "attendees": [
            {
                "type": guest["type"], "status": _status(guest["response"], guest["time"]),
                **recipient([guest["name"], guest["address"]]),
                **({"proposedNewTime": guest["proposed"]} if guest.get("proposed") else {}),
            }
            for guest in event.attendees
            if is_organizer or not event.more.get("hideAttendees") or _is(guest, request.user.address)
        ],
        "organizer": recipient(event.organizer),
        "onlineMeeting": {"joinUrl": event.online_url} if event.online_url else None,
    }  # fmt: skip


def _is(guest: dict[str, Any], address: str) -> bool:
    return guest["address"].lower() == address


def kind_of(request: Request, event: Event) -> str:
    if event.recurrence is not None:
        return "seriesMaster"
    if not event.date:
        return "singleInstance"
    return "exception" if event.id in request.sandbox.store.events else "occurrence"


def _series_fields(request: Request, event: Event) -> dict[str, Any]:
    """What comes only when it is selected."""
    exceptions = [e for e in request.sandbox.store.events_of(event.mailbox) if e.master == event.id]
    return {
        "cancelledOccurrences": [f"OID.{event.id}.{day}" for day in event.cancelled_dates],
        "exceptionOccurrences": [_fields(request, exception) for exception in exceptions],
        "occurrenceId": f"OID.{event.master}.{event.date}" if event.date else None,
        "originalStart": iso(calendars.occurrence(m, event.date).start)
        if (m := request.sandbox.store.events.get(event.master)) and event.date
        else None,
    }


def show(
    request: Request, event: Event, select: list[str] | None = None, expand: list[str] | None = None
) -> dict[str, Any]:
    fields = _fields(request, event)
    if select is not None:
        if {name.lower() for name in select} & _ONLY_SELECTED:
            fields |= _series_fields(request, event)
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
    if expand == [] and not basic:
        shown["attachments"] = [attachment(part) for part in event.more.get("attachments", [])]
    if expand and not basic:
        values = [
            {"id": name, "value": event.properties[name]} for name in expand if name in event.properties
        ]
        if values:
            shown["singleValueExtendedProperties"] = values
    return shown


def the_event(request: Request) -> Event:
    """The event, or date of a series, that the path names; refuses what is not there."""
    event = calendars.find(request.sandbox, request.user.id, request.params[0])
    if event is None or ("calendar" in request.within and event.calendar != the_calendar(request)):
        raise not_found()
    return event


def the_calendar(request: Request) -> str:
    """The id of the calendar in the path, empty for the default one; refuses what is not there."""
    name = request.within.get("calendar") or request.params[0]
    if name in (DEFAULT_CALENDAR, default_id(request.user.id)):
        return ""
    thing = request.sandbox.store.things.get(name)
    if thing is None or thing.mailbox != request.user.id or thing.kind != "calendar":
        raise not_found()
    return thing.id


def default_id(mailbox: str) -> str:
    return f"{mailbox}.calendar"


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
    if field not in _ATTRIBUTES:
        raise unsupported()
    return getattr(event, _ATTRIBUTES[field])


_ATTRIBUTES = {
    "subject": "subject", "start/datetime": "start", "end/datetime": "end", "icaluid": "uid", "uid": "uid",
    "iscancelled": "cancelled", "showas": "show_as", "lastmodifieddatetime": "modified", "createddatetime": "created",
    "transactionid": "transaction", "sensitivity": "sensitivity",
}  # fmt: skip


def _asks_for_a_property(each: Comparison) -> bool:
    return each.field.startswith("property:") and each.op == "eq" and each.value is not None


def _latest_first(event: Event) -> Any:
    return -event.start, event.id


def _page(request: Request, events: list[Event], order: Callable[[Event], Any] | None = None) -> Answer:
    """The page that is asked for of those that match, in the order given unless another is asked for."""
    query = request.query
    if query.get("$filter"):
        condition = parse_filter(_times_unquoted(query["$filter"]))
        if any(_asks_for_a_property(each) for each in required(condition)):
            events = [event for event in events if event.properties]  # few among thousands have any
        events = [event for event in events if holds(condition, partial(_value_of, event))]
    if order is not None:
        events = sorted(events, key=order)
    for field, descending in reversed(parse_orderby(query.get("$orderby"))):
        events.sort(key=lambda event: _value_of(event, field), reverse=descending)
    top = whole_number(query.get("$top"), "$top", 10, most=1000)
    skip = whole_number(query.get("$skip"), "$skip", 0, most=10**9)
    select, expand = parse_select(query.get("$select")), parse_expand(query.get("$expand"))
    body: dict[str, Any] = {
        "@odata.context": request.context("events"),
        **({"@odata.count": len(events)} if query.get("$count", "").lower() == "true" else {}),
        "value": [show(request, event, select, expand) for event in events[skip : skip + top]],
    }
    if skip + top < len(events):
        body["@odata.nextLink"] = request.link(**{**query, "$skip": str(skip + top)})
    return Answer(body=body)


def _times_unquoted(text: str) -> str:
    """Times of events are text in Graph (`start/dateTime ge '2026-…'`); compared here as times."""
    return re.sub(r"((?:start|end)/dateTime\s+\w\w\s+)'([\dT:.Z+-]+)'", r"\1\2", text)


def in_calendar(request: Request, calendar: str) -> list[Event]:
    return [e for e in request.sandbox.store.events_of(request.user.id) if e.calendar == calendar]


_NEEDS_VIEW, _NEEDS_VIEW_DELTA = "GET /me/calendarview", "GET /me/calendarview/delta"
_NEEDS_EVENTS, _NEEDS_DELTA = "GET /me/calendar/events", "GET /me/events/delta"


@operation("GET", "/me/calendarview")
def calendar_view(request: Request) -> Answer:
    """What takes place in a window, each date of a series by itself."""
    return _page(request, calendars.expanded(in_calendar(request, ""), *_window(request.query)))


@operation("GET", "/me/calendars/{id}/calendarview", needs="GET /me/calendar/calendarview")
def view_of_a_calendar(request: Request) -> Answer:
    calendar = the_calendar(request)
    return _page(request, calendars.expanded(in_calendar(request, calendar), *_window(request.query)))


@operation("GET", "/me/calendarview/delta")
def calendar_view_delta(request: Request) -> Answer:
    """The whole event each time: Graph documentation, event-delta, allows no $select here."""
    return _window_delta(request, "", "calendarView")


@operation("GET", "/me/calendars/{id}/calendarview/delta", needs=_NEEDS_VIEW_DELTA)
def view_of_a_calendar_delta(request: Request) -> Answer:
    return _window_delta(request, the_calendar(request), "calendarView")


_NOT_WITH_DELTA = ("$select", "$filter", "$expand", "$orderby", "$search")


def _window_delta(request: Request, calendar: str, context: str, master: str = "") -> Answer:
    """The window stands in the link: https://learn.microsoft.com/graph/delta-query-events"""
    options = rounds.begun(request, _NOT_WITH_DELTA)
    if options is None:
        start, end = _window(request.query)
        options = {"start": start, "end": end}
    events = calendars.expanded(in_calendar(request, calendar), options["start"], options["end"])
    return _told(request, [e for e in events if not master or e.master == master], options, context)


def _told(request: Request, events: list[Event], options: dict[str, Any] | None, context: str) -> Answer:
    items = {e.id: (f"{e.version}/{e.modified}", partial(show, request, e)) for e in events}
    return rounds.answer(request, items, options, context=context, kind="event")


def _listed_events(request: Request, calendar: str) -> list[Event]:
    """Single events and series masters, without what changed of single dates."""
    return [event for event in in_calendar(request, calendar) if not event.date]


@operation("GET", "/me/events")
def list_events(request: Request) -> Answer:
    """Single events and series; not the dates of a series."""
    return _page(request, _listed_events(request, ""), _latest_first)


@operation("GET", "/me/calendars/{id}/events", needs=_NEEDS_EVENTS)
def list_events_of_a_calendar(request: Request) -> Answer:
    return _page(request, _listed_events(request, the_calendar(request)), _latest_first)


@operation("GET", "/me/events/delta")
def events_delta(request: Request) -> Answer:
    """Of all events of the default calendar, without a window."""
    return _told(request, _listed_events(request, ""), rounds.begun(request, _NOT_WITH_DELTA), "events")


@operation("GET", "/me/calendars/{id}/events/delta", needs=_NEEDS_DELTA)
def events_of_a_calendar_delta(request: Request) -> Answer:
    options = rounds.begun(request, _NOT_WITH_DELTA)
    return _told(request, _listed_events(request, the_calendar(request)), options, "events")


@operation("GET", "/me/events/$count", needs="GET /me/events")
def count_events(request: Request) -> Answer:
    return Answer(content=str(len(_listed_events(request, ""))).encode(), media_type="text/plain")


@operation("GET", "/me/calendars/{id}/events/$count", needs=_NEEDS_EVENTS)
def count_events_of_a_calendar(request: Request) -> Answer:
    count = len(_listed_events(request, the_calendar(request)))
    return Answer(content=str(count).encode(), media_type="text/plain")


@operation("GET", "/me/events/{id}")
def get_event(request: Request) -> Answer:
    query = request.query
    shown = show(
        request, the_event(request), parse_select(query.get("$select")), parse_expand(query.get("$expand"))
    )
    return Answer(body={"@odata.context": request.context("events/$entity"), **shown})


def _dates(request: Request, start: float, end: float) -> list[Event]:
    master = the_event(request)
    if master.recurrence is None:
        raise GraphError(400, "ErrorInvalidRequest", "Your request can only be made on a recurring master.")
    everything = request.sandbox.store.events_of(request.user.id)
    return calendars.expanded([e for e in everything if master.id in (e.id, e.master)], start, end)


@operation("GET", "/me/events/{id}/instances")
def list_instances(request: Request) -> Answer:
    """The dates of a series in a window, changed ones included."""
    return _page(request, _dates(request, *_window(request.query)))


@operation("GET", "/me/events/{id}/instances/delta", needs="GET /me/events/{id}/instances")
def instances_delta(request: Request) -> Answer:
    master = the_event(request)
    return _window_delta(request, master.calendar, "instances", master.id)
