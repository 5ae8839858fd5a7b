"""Reading messages: lists, filters, one message, its attachments."""

from functools import partial
from itertools import islice
from typing import Any

from m365_sandbox import ids, notifications
from m365_sandbox.entities import Message
from m365_sandbox.errors import malformed, not_found, unsupported
from m365_sandbox.graph.folders import the_folder
from m365_sandbox.graph.odata import (
    Condition,
    check_order,
    holds,
    parse_expand,
    parse_filter,
    parse_orderby,
    parse_select,
    required,
    whole_number,
)
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.graph.shape import MessageShape, extended
from m365_sandbox.mail import mime_of

_VALUES = {
    "receiveddatetime": lambda m: m.received, "sentdatetime": lambda m: m.sent,
    "createddatetime": lambda m: m.created, "lastmodifieddatetime": lambda m: m.modified,
    "internetmessageid": lambda m: m.internet_id, "conversationid": lambda m: m.conversation,
    "subject": lambda m: m.subject, "isread": lambda m: m.is_read, "isdraft": lambda m: m.is_draft,
    "hasattachments": lambda m: bool(m.attachments), "importance": lambda m: m.importance,
    "from/emailaddress/address": lambda m: m.sender[1], "sender/emailaddress/address": lambda m: m.sender[1],
    "parentfolderid": lambda m: m.folder,
}  # fmt: skip


def value_of(message: Message, field: str) -> Any:
    if field.startswith("property:"):
        return extended(message, field.removeprefix("property:"))
    if field not in _VALUES:
        raise unsupported()
    return _VALUES[field](message)


def the_message(request: Request, name: str) -> Message:
    """The mailbox's message of that id, in either form; refuses what is not there."""
    message = request.sandbox.store.message_by_id.get(name)
    if message is None or message.mailbox != request.user.id:
        raise not_found()
    return message


def _candidates(request: Request, folder: str | None, condition: Condition | None) -> list[Message]:
    """Newest first; by an index where the filter names something that has one."""
    store, mailbox, since = request.sandbox.store, request.user.id, 0.0
    for part in required(condition):
        if part.op == "eq" and part.field == "internetmessageid":
            return store.by_internet_id(mailbox, part.value)
        if part.op == "eq" and part.field == "conversationid":
            return store.by_conversation(mailbox, part.value)
        if part.op == "eq" and part.field.startswith("property:") and part.value is not None:
            found = store.by_property(mailbox, part.field.removeprefix("property:"), part.value)
            lag = request.sandbox.switches.search_lag_seconds
            return [m for m in found if not lag or m.created + lag <= request.sandbox.now()]
        if part.op in ("ge", "gt") and part.field == "receiveddatetime":
            since = part.value
    if folder is not None:
        return list(store.newest_first(folder, since=since))
    return store.mailbox_messages(mailbox, since=since)


def _list(request: Request, folder: str | None) -> Answer:
    query = request.query
    if "$search" in query:
        raise unsupported()
    condition = parse_filter(query["$filter"]) if query.get("$filter") else None
    order = parse_orderby(query.get("$orderby"))
    check_order(condition, order)
    top = whole_number(query.get("$top"), "$top", 10, most=1000)
    skip = whole_number(query.get("$skip"), "$skip", 0, most=10**9)
    shape = MessageShape(
        request, parse_select(query.get("$select")), parse_expand(query.get("$expand")), in_list=True
    )
    if folder is not None and condition is None and order in ([], [("receiveddatetime", True)]):
        total, page = _newest(request, folder, skip, top)
    else:
        found = _found(request, folder, condition, order)
        total, page = len(found), found[skip : skip + top]
    body: dict[str, Any] = {"@odata.context": request.context("messages")}
    if query.get("$count", "").lower() == "true":
        body["@odata.count"] = total
    body["value"] = [shape.show(message) for message in page]
    if skip + top < total:
        body["@odata.nextLink"] = request.link(**{**query, "$skip": str(skip + top)})
    return Answer(body=body)


def _newest(request: Request, folder: str, skip: int, top: int) -> tuple[int, list[Message]]:
    """The common case, without touching every message: (how many there are, this page)."""
    store = request.sandbox.store
    return store.count(folder), list(islice(store.newest_first(folder), skip, skip + top))


def _found(
    request: Request, folder: str | None, condition: Condition | None, order: list[tuple[str, bool]]
) -> list[Message]:
    found = _candidates(request, folder, condition)
    if folder is not None:
        found = [message for message in found if message.folder == folder]
    if condition is not None:
        found = [m for m in found if holds(condition, partial(value_of, m))]
    for field, descending in reversed(order):
        found.sort(key=lambda message: value_of(message, field), reverse=descending)
    return found


@operation("GET", "/me/messages")
def list_messages(request: Request) -> Answer:
    return _list(request, None)


@operation("GET", "/me/mailfolders/{id}/messages")
def list_folder_messages(request: Request) -> Answer:
    return _list(request, the_folder(request, request.params[0]).id)


@operation("GET", "/me/messages/{id}")
def get_message(request: Request) -> Answer:
    return _one(request, the_message(request, request.params[0]))


@operation("GET", "/me/mailfolders/{id}/messages/{id}")
def get_folder_message(request: Request) -> Answer:
    folder, message = the_folder(request, request.params[0]), the_message(request, request.params[1])
    if message.folder != folder.id:
        raise not_found()
    return _one(request, message)


def _one(request: Request, message: Message) -> Answer:
    query = request.query
    shape = MessageShape(request, parse_select(query.get("$select")), parse_expand(query.get("$expand")))
    shown = {"@odata.context": request.context("messages/$entity"), **shape.show(message)}
    if query.get("$expand", "").lower() == "attachments":
        shown["attachments"] = [_attachment(part) for part in message.attachments]
    return Answer(body=shown)


@operation("GET", "/me/messages/{id}/$value")
def get_mime(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    request.served.append({"kind": "message", "id": message.id, "fields": ["$value"]})
    return Answer(content=mime_of(message), media_type="text/plain")


def _attachment(part: dict[str, Any]) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.fileAttachment", "id": part["id"], "name": part.get("name"),
        "contentType": part.get("contentType"), "size": part.get("size", 0),
        "isInline": bool(part.get("isInline")),
        "contentBytes": part.get("contentBytes", ""),
    }  # fmt: skip


@operation("GET", "/me/messages/{id}/attachments")
def list_attachments(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    request.served.append({"kind": "message", "id": message.id, "fields": ["attachments"]})
    parts = [_attachment(part) for part in message.attachments]
    return Answer(body={"@odata.context": request.context("attachments"), "value": parts})


@operation("GET", "/me/messages/{id}/attachments/{id}")
def get_attachment(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    for part in message.attachments:
        if part["id"] == request.params[1]:
            request.served.append({"kind": "message", "id": message.id, "fields": ["attachments"]})
            return Answer(body=_attachment(part))
    raise not_found()


@operation("POST", "/me/messages/{id}/move")
def move_message(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    destination = request.json().get("destinationId")
    if not isinstance(destination, str):
        raise malformed("DestinationId is required.", request.sandbox.switches)
    move(request, message, destination)
    shape = MessageShape(request, None, None)
    return Answer(201, {"@odata.context": request.context("messages/$entity"), **shape.show(message)})


def move(request: Request, message: Message, destination: str) -> None:
    folder = the_folder(request, destination)
    left, old, immutable = message.folder, message.id, message.immutable_id
    request.sandbox.store.move_message(message, folder, ids.item_id())
    notifications.message_left(request.sandbox, request.user.id, left, old, immutable)
    notifications.message_changed(request.sandbox, message, "created")
