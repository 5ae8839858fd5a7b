"""With whom a calendar is shared: https://learn.microsoft.com/graph/outlook-share-or-delegate-calendar

What is agreed on is kept and shown to the owner. Another's mailbox is reached by nobody here, so nobody reads by it.
"""

from typing import Any

from m365_sandbox import ids
from m365_sandbox.entities import Thing
from m365_sandbox.errors import GraphError, malformed, not_found
from m365_sandbox.graph.calendar import the_calendar
from m365_sandbox.graph.listing import counted, listed, selected
from m365_sandbox.graph.routes import Answer, Request, operation

KIND = "calendar permission"
_READ, _WRITE = "GET /me/calendar/events", "PATCH /me/events/{id}"
_OUTSIDE = ["none", "freeBusyRead", "limitedRead", "read"]
_INSIDE = [*_OUTSIDE, "write"]
_DELEGATE = ["delegateWithoutPrivateEventAccess", "delegateWithPrivateEventAccess"]
_ORGANISATION = "organisation"


def _is_inside(request: Request, address: str) -> bool:
    return address.rpartition("@")[2].lower() == request.user.address.rpartition("@")[2]


def roles(request: Request, calendar: str, address: str) -> list[str]:
    """Colleagues may write too, and act for the owner in the default calendar."""
    if not _is_inside(request, address):
        return _OUTSIDE
    return _INSIDE if calendar else [*_INSIDE, *_DELEGATE]


def _of(request: Request, calendar: str) -> dict[str, dict[str, Any]]:
    """By id. Every calendar has one from the start: its organisation sees free and busy."""
    organisation = {
        "isRemovable": False, "isInsideOrganization": True, "role": "freeBusyRead",
        "allowedRoles": _INSIDE, "emailAddress": {"name": "My Organization"},
    }  # fmt: skip
    found = {_ORGANISATION: organisation}
    for thing in request.sandbox.store.things_of(request.user.id, KIND):
        if thing.fields["calendar"] == calendar:
            shown = {name: value for name, value in thing.fields.items() if name != "calendar"}
            found[_ORGANISATION if thing.id.endswith(_ORGANISATION) else thing.id] = shown
    return found


def _rows(request: Request) -> list[dict[str, Any]]:
    return [{"id": name, **fields} for name, fields in _of(request, the_calendar(request)).items()]


def _one(request: Request, name: str, status: int = 200) -> Answer:
    found = _of(request, the_calendar(request)).get(name)
    if found is None:
        raise not_found()
    context = request.context("calendarPermissions/$entity")
    return Answer(status, {"@odata.context": context, **selected(request, {"id": name, **found})})


def _role(request: Request, given: Any, allowed: list[str]) -> str:
    if given not in allowed:
        message = f"role must be one of {', '.join(allowed)}."
        raise malformed(message, request.sandbox.switches)
    return str(given)


@operation("GET", "/me/calendars/{id}/calendarpermissions", needs=_READ)
def list_permissions(request: Request) -> Answer:
    return listed(request, "calendarPermissions", "calendarPermission", _rows(request))


@operation("GET", "/me/calendars/{id}/calendarpermissions/$count", needs=_READ)
def count_permissions(request: Request) -> Answer:
    return counted(len(_rows(request)))


@operation("GET", "/me/calendars/{id}/calendarpermissions/{id}", needs=_READ)
def get_permission(request: Request) -> Answer:
    return _one(request, request.params[1])


@operation("POST", "/me/calendars/{id}/calendarpermissions", needs=_WRITE)
def share(request: Request) -> Answer:
    calendar, given = the_calendar(request), request.json()
    email = given.get("emailAddress") or {}
    address = str(email.get("address") or "")
    if "@" not in address:
        raise malformed("emailAddress must name who is to see the calendar.", request.sandbox.switches)
    allowed = roles(request, calendar, address)
    for fields in _of(request, calendar).values():
        if str(fields["emailAddress"].get("address", "")).lower() == address.lower():
            raise GraphError(409, "ErrorItemSave", "The calendar is shared with this recipient already.")
    known = request.sandbox.user(address)
    thing = Thing(
        ids.item_id(), request.user.id, KIND,
        {
            "calendar": calendar, "isRemovable": True, "isInsideOrganization": _is_inside(request, address),
            "role": _role(request, given.get("role"), allowed), "allowedRoles": allowed,
            "emailAddress": {"name": email.get("name") or (known.name if known else address), "address": address},
        },
    )  # fmt: skip
    request.sandbox.store.save(thing)
    return _one(request, thing.id, 201)


@operation("PATCH", "/me/calendars/{id}/calendarpermissions/{id}", needs=_WRITE)
def change_permission(request: Request) -> Answer:
    """Of a permission, its role alone can be changed."""
    calendar, name = the_calendar(request), request.params[1]
    fields = _of(request, calendar).get(name)
    if fields is None:
        raise not_found()
    given = request.json()
    if "role" in given:
        role = _role(request, given["role"], fields["allowedRoles"])
        key = f"{request.user.id}.{calendar}.{_ORGANISATION}" if name == _ORGANISATION else name
        kept = {**fields, "role": role, "calendar": calendar}
        request.sandbox.store.save(Thing(key, request.user.id, KIND, kept))
    return _one(request, name)


@operation("DELETE", "/me/calendars/{id}/calendarpermissions/{id}", needs=_WRITE)
def stop_sharing(request: Request) -> Answer:
    calendar, name = the_calendar(request), request.params[1]
    if name not in _of(request, calendar):
        raise not_found()
    if name == _ORGANISATION:
        raise GraphError(403, "ErrorAccessDenied", "The organisation's own permission cannot be removed.")
    request.sandbox.store.remove(request.sandbox.store.things[name])
    return Answer(204)


@operation("GET", "/me/calendars/{id}/allowedcalendarsharingroles/{id}", needs=_READ)
def allowed_roles(request: Request) -> Answer:
    value = roles(request, the_calendar(request), request.params[1])
    return Answer(body={"@odata.context": request.context("calendarRoleType"), "value": value})
