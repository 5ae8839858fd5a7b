"""A user's calendars, and when people are busy."""

from typing import Any

from m365_sandbox import calendars, ids
from m365_sandbox.entities import Event, Thing, User
from m365_sandbox.errors import GraphError, malformed
from m365_sandbox.graph.calendar import default_id, in_calendar, moment, shown_moment, the_calendar, the_event
from m365_sandbox.graph.listing import counted, listed, selected
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.sandbox import Sandbox

_READ, _WRITE = "GET /me/calendars", "POST /me/calendars"
MOST_SECONDS_OF_A_SCHEDULE = 62 * 86400
_AVAILABILITY = {"free": "0", "tentative": "1", "busy": "2", "oof": "3", "workingElsewhere": "4"}


def _shown(request: Request, calendar: str) -> dict[str, Any]:
    thing = request.sandbox.store.things.get(calendar) if calendar else None
    default = request.sandbox.store.things.get(f"{default_id(request.user.id)}.name")
    fields = thing.fields if thing else (default.fields if default else {})
    return {
        "id": thing.id if thing else default_id(request.user.id),
        "name": fields.get("name", "Calendar"), "color": fields.get("color", "auto"), "hexColor": "",
        "changeKey": f"CQAAABYAAA{thing.version if thing else 1}", "isDefaultCalendar": thing is None,
        "canShare": True, "canViewPrivateItems": True, "canEdit": True, "isRemovable": thing is not None,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness", "isTallyingResponses": thing is None,
        "owner": {"name": request.user.name, "address": request.user.address},
    }  # fmt: skip


def _entity(request: Request, calendar: str, status: int = 200) -> Answer:
    context = request.context("calendars/$entity")
    return Answer(status, {"@odata.context": context, **selected(request, _shown(request, calendar))})


def _all(request: Request) -> list[str]:
    return ["", *(thing.id for thing in request.sandbox.store.things_of(request.user.id, "calendar"))]


@operation("GET", "/me/calendars")
def list_calendars(request: Request) -> Answer:
    return listed(request, "calendars", "calendar", [_shown(request, name) for name in _all(request)])


@operation("GET", "/me/calendars/$count", needs=_READ)
def count_calendars(request: Request) -> Answer:
    return counted(len(_all(request)))


@operation("POST", "/me/calendars")
def create_calendar(request: Request) -> Answer:
    given = request.json()
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise malformed("name is required.", request.sandbox.switches)
    if any(_shown(request, calendar)["name"] == name for calendar in _all(request)):
        raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    thing = Thing(
        ids.item_id(), request.user.id, "calendar", {"name": name, "color": given.get("color", "auto")}
    )
    request.sandbox.store.save(thing)
    return _entity(request, thing.id, 201)


@operation("GET", "/me/calendars/{id}", needs=_READ)
def get_calendar(request: Request) -> Answer:
    return _entity(request, the_calendar(request))


@operation("PATCH", "/me/calendars/{id}", needs=_WRITE)
def change_calendar(request: Request) -> Answer:
    calendar, store = the_calendar(request), request.sandbox.store
    name = calendar or f"{default_id(request.user.id)}.name"
    thing = store.things.get(name) or Thing(name, request.user.id, "default calendar")
    thing.fields = {**thing.fields, **{k: v for k, v in request.json().items() if k in ("name", "color")}}
    thing.version += 1
    store.save(thing)
    return _entity(request, calendar)


@operation("DELETE", "/me/calendars/{id}", needs=_WRITE)
def delete_calendar(request: Request) -> Answer:
    calendar = the_calendar(request)
    if not calendar:
        raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    for event in in_calendar(request, calendar):
        request.sandbox.store.remove(event)
    request.sandbox.store.remove(request.sandbox.store.things[calendar])
    return Answer(204)


@operation("POST", "/me/calendars/{id}/permanentdelete", needs=_WRITE)
def delete_calendar_for_good(request: Request) -> Answer:
    return delete_calendar(request)  # type: ignore[return-value]


@operation("GET", "/me/events/{id}/calendar", needs=_READ)
def calendar_of_an_event(request: Request) -> Answer:
    return _entity(request, the_event(request).calendar)


# When people are busy


@operation("POST", "/me/calendars/{id}/getschedule", needs="POST /me/calendar/getschedule")
def get_schedule(request: Request) -> Answer:
    """Free and busy of anybody in the organisation: https://learn.microsoft.com/graph/api/calendar-getschedule"""
    given = {name.lower(): value for name, value in request.json().items()}
    (start, zone), (end, _) = moment(given.get("starttime")), moment(given.get("endtime"))
    if not 0 < end - start <= MOST_SECONDS_OF_A_SCHEDULE:
        raise GraphError(
            400, "ErrorInvalidRequest", "The requested time duration specified for FreeBusyView is wrong."
        )
    minutes = int(given.get("availabilityviewinterval") or 30)
    if not 5 <= minutes <= 1440:
        raise malformed("AvailabilityViewInterval must be from 5 to 1440 minutes.", request.sandbox.switches)
    value = [
        _schedule(request, str(address), start, end, minutes * 60, zone)
        for address in given.get("schedules") or []
    ]
    return Answer(body={"@odata.context": request.context("scheduleInformation"), "value": value})


def _schedule(
    request: Request, address: str, start: float, end: float, step: int, zone: str
) -> dict[str, Any]:
    user = request.sandbox.user(address)
    if user is None or user.tenant != request.user.tenant or not user.licensed:
        message = "Unable to resolve e-mail address to an Active Directory object."
        return {
            "scheduleId": address, "availabilityView": "", "scheduleItems": [],
            "error": {"message": message, "responseCode": "ErrorMailRecipientNotFound"},
        }  # fmt: skip
    events = calendars.expanded(request.sandbox.store.events_of(user.id), start, end)
    busy = [event for event in events if not event.cancelled and event.show_as != "free"]
    return {
        "scheduleId": address, "availabilityView": _view(busy, start, end, step),
        "scheduleItems": [_item(request, event, user.id == request.user.id, zone) for event in busy],
        "workingHours": working_hours(request.sandbox, user),
    }  # fmt: skip


def _view(events: list[Event], start: float, end: float, step: int) -> str:
    """One digit for each step: the busiest of what touches it."""
    digits, at = [], start
    while at < end:
        here = [_AVAILABILITY.get(e.show_as, "2") for e in events if e.start < at + step and e.end > at]
        digits.append(max(here, default="0"))
        at += step
    return "".join(digits)


def _item(request: Request, event: Event, own: bool, zone: str) -> dict[str, Any]:
    private = event.sensitivity == "private"
    item: dict[str, Any] = {
        "status": event.show_as, "isPrivate": private, "start": shown_moment(event.start, zone),
        "end": shown_moment(event.end, zone),
    }  # fmt: skip
    if own:
        item |= {"subject": event.subject, "location": event.location}
    elif private and request.sandbox.switches.private_events == "private_appointment":
        item["subject"] = "Private appointment"
    return item


def working_hours(sandbox: Sandbox, user: User) -> dict[str, Any]:
    """As the mailbox's settings have them; from the start, Monday to Friday from 8 to 17 o'clock."""
    kept = sandbox.store.things.get(f"{user.id}.settings")
    chosen = kept.fields.get("workingHours") if kept else None
    if isinstance(chosen, dict):
        return chosen
    days = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    return {
        "daysOfWeek": days, "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000",
        "timeZone": {"@odata.type": "#microsoft.graph.timeZoneBase", "name": user.time_zone},
    }  # fmt: skip
