"""Reading messages: lists, filters, one message, its attachments."""

from functools import partial
from typing import Any

from m365_sandbox import ids, notifications
from m365_sandbox.entities import Message
from m365_sandbox.errors import GraphError, malformed, not_found, unsupported
from m365_sandbox.graph.folders import copy_of, the_folder
from m365_sandbox.graph.listing import counted
from m365_sandbox.graph.odata import (
    Condition,
    check_order,
    holds,
    parse_expand,
    parse_filter,
    parse_orderby,
    parse_search,
    parse_select,
    required,
    whole_number,
)
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.graph.shape import MessageShape, attachment, extended
from m365_sandbox.mail import mime_of
from m365_sandbox.markup import to_text

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
    """The mailbox's message of that id, in either form; refuses what is not there, or cannot be an id."""
    if not ids.may_be_item(name):
        raise GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    message = request.sandbox.store.message_by_id(name)
    if message is None or message.mailbox != request.user.id:
        raise not_found()
    if "folder" in request.within and message.folder != the_folder(request, request.within["folder"]).id:
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
        return _search(request, folder)
    condition = parse_filter(query["$filter"]) if query.get("$filter") else None
    order = parse_orderby(query.get("$orderby"))
    check_order(condition, order)
    top = whole_number(query.get("$top"), "$top", 10, most=1000)
    skip = whole_number(query.get("$skip"), "$skip", 0, most=10**9)
    shape = MessageShape(
        request, parse_select(query.get("$select")), parse_expand(query.get("$expand")), in_list=True
    )
    if condition is None and order in ([], [("receiveddatetime", True)]):
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


MOST_FOUND = 1000


def _search(request: Request, folder: str | None) -> Answer:
    """KQL, newest first, at most 1,000: https://learn.microsoft.com/graph/search-query-parameter"""
    query = request.query
    together = [name for name in ("$filter", "$orderby", "$skip") if name in query]
    if together and request.sandbox.switches.search_with == "refused":
        message = f"The query parameter '{together[0]}' is not supported with '$search'."
        raise GraphError(400, f"SearchWith{together[0][1:].capitalize()}", message)
    wanted = parse_search(query["$search"])
    condition = parse_filter(query["$filter"]) if query.get("$filter") else None
    found = [m for m in _found(request, folder, condition, []) if wanted(partial(_searched, m))]
    found = sorted(found, key=lambda message: message.sent, reverse=True)[:MOST_FOUND]
    top = whole_number(query.get("$top"), "$top", 10, most=1000)
    place = query.get("$skiptoken") or query.get("$skip") or "0"
    skip = whole_number(place, "$skip", 0, most=10**9)
    shape = MessageShape(
        request, parse_select(query.get("$select")), parse_expand(query.get("$expand")), in_list=True
    )
    body: dict[str, Any] = {"@odata.context": request.context("messages")}
    body["value"] = [shape.show(message) for message in found[skip : skip + top]]
    if skip + top < len(found):
        kept = {name: value for name, value in query.items() if name != "$skip"}
        body["@odata.nextLink"] = request.link(**{**kept, "$skiptoken": str(skip + top)})
    return Answer(body=body)


def _searched(message: Message, field: str) -> str:
    """What a word is looked for in; without a property, in sender, subject and body."""

    def people(pairs: list[list[str]]) -> str:
        return " ".join(f"{name} {address}" for name, address in pairs)

    body = to_text(message.body) if message.body_type == "html" else message.body
    known = {
        "from": people([message.sender]), "to": people(message.to), "cc": people(message.cc),
        "bcc": people(message.bcc), "subject": message.subject, "body": body,
        "attachment": " ".join(str(part.get("name") or "") for part in message.attachments),
        "hasattachments": str(bool(message.attachments)).lower(), "importance": message.importance,
    }  # fmt: skip
    known["recipients"] = " ".join((known["to"], known["cc"], known["bcc"]))
    known["participants"] = f"{known['from']} {known['recipients']}"
    return known[field] if field else f"{known['from']} {message.subject} {body}"


def _newest(request: Request, folder: str | None, skip: int, top: int) -> tuple[int, list[Message]]:
    """The common case, without touching every message: (how many there are, this page)."""
    where = {"folder": folder} if folder is not None else {"mailbox": request.user.id}
    shelf = request.sandbox.store.messages
    return shelf.count(**where), shelf.page(skip, top, **where)


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


@operation("GET", "/me/messages/$count", needs="GET /me/messages")
def count_messages(request: Request) -> Answer:
    return _count(request, None)


@operation("GET", "/me/mailfolders/{id}/messages/$count", needs="GET /me/mailfolders/{id}/messages")
def count_folder_messages(request: Request) -> Answer:
    return _count(request, the_folder(request, request.params[0]).id)


def _count(request: Request, folder: str | None) -> Answer:
    condition = parse_filter(request.query["$filter"]) if request.query.get("$filter") else None
    return counted(len(_found(request, folder, condition, [])))


def _one(request: Request, message: Message) -> Answer:
    query = request.query
    shape = MessageShape(request, parse_select(query.get("$select")), parse_expand(query.get("$expand")))
    shown = {"@odata.context": request.context("messages/$entity"), **shape.show(message)}
    if query.get("$expand", "").lower() == "attachments":
        shown["attachments"] = [attachment(part) for part in message.attachments]
    return Answer(body=shown)


@operation("GET", "/me/messages/{id}/$value")
def get_mime(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    request.served.append({"kind": "message", "id": message.id, "fields": ["$value"]})
    return Answer(content=mime_of(message), media_type="text/plain")


def _destination(request: Request) -> str:
    given = {name.lower(): value for name, value in request.json().items()}
    if not isinstance(given.get("destinationid"), str):
        raise malformed("DestinationId is required.", request.sandbox.switches)
    return given["destinationid"]


def _made(request: Request, message: Message) -> Answer:
    shape = MessageShape(request, None, None)
    return Answer(201, {"@odata.context": request.context("messages/$entity"), **shape.show(message)})


@operation("POST", "/me/messages/{id}/move")
def move_message(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    move(request, message, _destination(request))
    return _made(request, message)


@operation("POST", "/me/messages/{id}/copy")
def copy_message(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    copy = copy_of(message, the_folder(request, _destination(request)))
    request.sandbox.store.add_message(copy)
    notifications.message_changed(request.sandbox, copy, "created")
    return _made(request, copy)


def move(request: Request, message: Message, destination: str) -> None:
    folder = the_folder(request, destination)
    left, old, immutable = message.folder, message.id, message.immutable_id
    request.sandbox.store.move_message(message, folder, ids.item_id())
    notifications.message_left(request.sandbox, request.user.id, left, old, immutable)
    notifications.message_changed(request.sandbox, message, "created")
