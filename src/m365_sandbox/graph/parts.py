"""What hangs on a message or an event: attachments, large ones in pieces, and open extensions."""

import base64
import re
from collections.abc import Callable
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from m365_sandbox import calendars, ids, notifications
from m365_sandbox.clock import iso
from m365_sandbox.entities import Contact, Event, Message, Thing
from m365_sandbox.errors import GraphError, malformed, not_found
from m365_sandbox.graph.arrival import headers_and_body
from m365_sandbox.graph.calendar import the_event
from m365_sandbox.graph.contacts import the_contact
from m365_sandbox.graph.listing import counted, listed, selected
from m365_sandbox.graph.messages import the_message
from m365_sandbox.graph.routes import Answer, Handler, Request, operation
from m365_sandbox.graph.shape import attachment
from m365_sandbox.sandbox import Sandbox

Item = Message | Event | Contact
MOST_AT_ONCE, MOST_IN_PIECES = 3 * 1024 * 1024, 150 * 1024 * 1024
UPLOADS = "https://outlook.office.com/api/v2.0"
_UPLOAD_LIVES_SECONDS = 7 * 86400


def _attachments(item: Item) -> list[dict[str, Any]]:
    if isinstance(item, Message):
        return item.attachments
    return (item.more if isinstance(item, Event) else item.fields).get("attachments", [])


def _keep(sandbox: Sandbox, item: Item, **more: Any) -> None:
    """Keep the item with its new attachments or extensions."""
    match item:
        case Message():
            attachments = more.pop("attachments", item.attachments)
            own = {**(item.more or {}), **more} or None
            sandbox.store.change_message(item, attachments=attachments, more=own, modified=sandbox.now())
            notifications.message_changed(sandbox, item, "updated")
        case Event():
            calendars.kept(sandbox, item)
            item.more, item.version = {**item.more, **more}, item.version + 1
            item.modified = sandbox.now()
            sandbox.store.save(item)
            notifications.event_changed(sandbox, item, "updated")
        case Contact():
            item.fields, item.version = {**item.fields, **more}, item.version + 1
            item.modified = sandbox.now()
            sandbox.store.save(item)


def made(given: dict[str, Any]) -> dict[str, Any]:
    """An attachment as it is kept: with an id and its size."""
    content = given.get("contentBytes") or ""
    size = given.get("size") or len(content) * 3 // 4
    return {**given, "id": ids.key(), "size": size}


def _the_part(item: Item, name: str) -> dict[str, Any]:
    for part in _attachments(item):
        if part["id"] == name:
            return part
    raise not_found()


def _told(request: Request, item: Item, what: str) -> None:
    kind = type(item).__name__.lower()
    request.served.append({"kind": kind, "id": item.id, "fields": [what]})


def _serve(path: str, find: Callable[[Request], Item], read: str, write: str) -> None:
    """The operations on the attachments of one kind of item."""

    def list_attachments(request: Request) -> Answer:
        item = find(request)
        _told(request, item, "attachments")
        rows = [attachment(part) for part in _attachments(item)]
        return listed(request, "attachments", "attachment", rows)

    def count_attachments(request: Request) -> Answer:
        return counted(len(_attachments(find(request))))

    def get_attachment(request: Request) -> Answer:
        item = find(request)
        shown = attachment(_the_part(item, request.params[1]))
        _told(request, item, "attachments")
        return Answer(
            body={"@odata.context": request.context("attachments/$entity"), **selected(request, shown)}
        )

    def get_content(request: Request) -> Answer:
        item = find(request)
        part = _the_part(item, request.params[1])
        _told(request, item, "attachments")
        content = base64.b64decode(part.get("contentBytes") or "")
        return Answer(content=content, media_type=part.get("contentType") or "application/octet-stream")

    def add_attachment(request: Request) -> Answer:
        """Up to 3 MB; larger ones by an upload session."""
        item, given = find(request), request.json()
        kind = str(given.get("@odata.type", "")).rpartition(".")[2]
        if kind not in ("fileAttachment", "itemAttachment") or not isinstance(given.get("name"), str):
            raise malformed("An attachment needs @odata.type and name.", request.sandbox.switches)
        part = made(given)
        if part["size"] > MOST_AT_ONCE:
            raise GraphError(413, "ErrorMessageSizeExceeded", "The attachment is larger than 3 MB.")
        _keep(request.sandbox, item, attachments=[*_attachments(item), part])
        return Answer(201, {"@odata.context": request.context("attachments/$entity"), **attachment(part)})

    def delete_attachment(request: Request) -> Answer:
        item = find(request)
        part = _the_part(item, request.params[1])
        _keep(request.sandbox, item, attachments=[p for p in _attachments(item) if p is not part])
        return Answer(204)

    def create_upload_session(request: Request) -> Answer:
        """Over 3 MB, up to 150 MB: https://learn.microsoft.com/graph/api/attachment-createuploadsession"""
        item = find(request)
        given = {name.lower(): value for name, value in request.json().items()}.get("attachmentitem") or {}
        size = given.get("size")
        if not given.get("name") or not isinstance(size, int) or size <= 0:
            raise malformed("AttachmentItem needs name and size.", request.sandbox.switches)
        if size > MOST_IN_PIECES:
            raise GraphError(413, "ErrorMessageSizeExceeded", "The attachment is larger than 150 MB.")
        expires = request.sandbox.now() + _UPLOAD_LIVES_SECONDS
        fields = {**given, "item": item.id, "of": type(item).__name__, "expires": expires, "data": ""}
        thing = Thing(ids.key() + ids.key(), request.user.id, "upload", fields)
        request.sandbox.store.save(thing)
        url = f"{UPLOADS}/Users('{request.user.id}')/AttachmentSessions('{thing.id}')?authtoken={ids.key()}"
        body = {"uploadUrl": url, "expirationDateTime": iso(expires), "nextExpectedRanges": ["0-"]}
        context = request.context("uploadSession").replace("#users", "#microsoft.graph")
        return Answer(201, {"@odata.context": context, **body})

    base = f"{path}/attachments"
    rows: list[tuple[str, str, Handler, str]] = [
        ("GET", base, list_attachments, read),
        ("GET", f"{base}/$count", count_attachments, read),
        ("GET", f"{base}/{{id}}", get_attachment, read),
        ("GET", f"{base}/{{id}}/$value", get_content, read),
        ("POST", base, add_attachment, write),
        ("DELETE", f"{base}/{{id}}", delete_attachment, write),
        ("POST", f"{base}/createuploadsession", create_upload_session, f"POST {base}/createuploadsession"),
    ]
    for method, where, handler, needs in rows:
        operation(method, where, needs=needs)(handler)


_EXTENSION = "Microsoft.OutlookServices.OpenTypeExtension."


def _shown_extension(row: dict[str, Any]) -> dict[str, Any]:
    name = row["extensionName"]
    return {"@odata.type": "#microsoft.graph.openTypeExtension", "id": f"{_EXTENSION}{name}", **row}


def _serve_extensions(path: str, find: Callable[[Request], Item], read: str, write: str) -> None:
    """Open extensions: what a program hangs on an item under a name of its own."""

    def all_of(item: Item) -> dict[str, Any]:
        own = item.fields if isinstance(item, Contact) else item.more
        return (own or {}).get("extensions", {})

    def the_name(request: Request, item: Item) -> str:
        name = request.params[1].removeprefix(_EXTENSION)
        if name not in all_of(item):
            raise not_found()
        return name

    def list_extensions(request: Request) -> Answer:
        rows = [_shown_extension(row) for row in all_of(find(request)).values()]
        return listed(request, "extensions", "extension", rows)

    def count_extensions(request: Request) -> Answer:
        return counted(len(all_of(find(request))))

    def get_extension(request: Request) -> Answer:
        item = find(request)
        return Answer(body=_shown_extension(all_of(item)[the_name(request, item)]))

    def add_extension(request: Request) -> Answer:
        """A name that is there already is merged (issue msgraph-sdk-dotnet 1541)."""
        item, given = find(request), _own_members(request.json())
        name = given.get("extensionName")
        if not isinstance(name, str) or not name:
            raise malformed("extensionName is required.", request.sandbox.switches)
        row = {**all_of(item).get(name, {}), **given}
        _keep(request.sandbox, item, extensions={**all_of(item), name: row})
        return Answer(201, _shown_extension(row))

    def change_extension(request: Request) -> Answer:
        """What is not resent is gone: https://learn.microsoft.com/graph/api/opentypeextension-update"""
        item = find(request)
        name = the_name(request, item)
        row = {**_own_members(request.json()), "extensionName": name}
        _keep(request.sandbox, item, extensions={**all_of(item), name: row})
        return Answer(200, _shown_extension(row))

    def delete_extension(request: Request) -> Answer:
        item = find(request)
        name = the_name(request, item)
        _keep(request.sandbox, item, extensions={n: row for n, row in all_of(item).items() if n != name})
        return Answer(204)

    base = f"{path}/extensions"
    rows: list[tuple[str, str, Handler, str]] = [
        ("GET", base, list_extensions, read),
        ("GET", f"{base}/$count", count_extensions, read),
        ("GET", f"{base}/{{id}}", get_extension, read),
        ("POST", base, add_extension, write),
        ("PATCH", f"{base}/{{id}}", change_extension, write),
        ("DELETE", f"{base}/{{id}}", delete_extension, write),
    ]
    for method, where, handler, needs in rows:
        operation(method, where, needs=needs)(handler)


def _own_members(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if not name.startswith("@") and name != "id"}


def _message(request: Request) -> Message:
    return the_message(request, request.params[0])


def _plain_contact(request: Request) -> Contact:
    return the_contact(request)


_serve(
    "/me/messages/{id}", _message, "GET /me/messages/{id}/attachments", "POST /me/messages/{id}/attachments"
)
_serve("/me/events/{id}", the_event, "GET /me/events/{id}/attachments", "POST /me/events/{id}/attachments")
_serve_extensions(
    "/me/messages/{id}", _message, "GET /me/messages/{id}/attachments", "PATCH /me/messages/{id}"
)
_serve_extensions("/me/events/{id}", the_event, "GET /me/events/{id}/attachments", "PATCH /me/events/{id}")
_serve_extensions("/me/contacts/{id}", _plain_contact, "GET /me/contacts", "POST /me/contacts")


# The pieces of large attachments go to an address of their own, without a token


_SESSION = re.compile(r"AttachmentSessions\('([^']+)'\)")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class UploadDoor:
    """The ASGI app behind the addresses of upload sessions."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, body = await headers_and_body(scope, receive)
        try:
            answer = self._answer(scope["method"], scope["path"], headers, body)
        except GraphError as error:
            answer = Answer(error.status, error.body(self._sandbox.now(), "", "", "innerError"))
        self._sandbox.store.commit()
        content = b"" if answer.body is None else orjson.dumps(answer.body)
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        sent += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        store, match = self._sandbox.store, _SESSION.search(path)
        thing = store.things.get(match[1]) if match else None
        if thing is None or thing.kind != "upload" or thing.fields["expires"] <= self._sandbox.now():
            raise GraphError(404, "ErrorItemNotFound", "The upload session was not found.")
        if method == "DELETE":
            store.remove(thing)
            return Answer(204)
        have = base64.b64decode(thing.fields["data"])
        if method == "PUT":
            have += self._piece(thing, headers.get("content-range", ""), body, len(have))
            thing.fields = {**thing.fields, "data": base64.b64encode(have).decode()}
            store.save(thing)
        if len(have) < thing.fields["size"]:
            expires = iso(thing.fields["expires"])
            return Answer(200, {"expirationDateTime": expires, "nextExpectedRanges": [f"{len(have)}-"]})
        return self._finish(thing)

    def _piece(self, thing: Thing, said: str, body: bytes, have: int) -> bytes:
        match = _RANGE.fullmatch(said)
        if match is None or int(match[3]) != thing.fields["size"]:
            raise malformed("Content-Range must say bytes FIRST-LAST/SIZE.", self._sandbox.switches)
        first, last = int(match[1]), int(match[2])
        if first != have or last - first + 1 != len(body):
            raise GraphError(416, "ErrorInvalidRequest", f"The next expected range is {have}-.")
        return body

    def _finish(self, thing: Thing) -> Answer:
        store, fields = self._sandbox.store, thing.fields
        item: Item | None = (
            store.message_by_id(fields["item"])
            if fields["of"] == "Message"
            else calendars.find(self._sandbox, thing.mailbox, fields["item"])
        )
        if item is None:
            raise not_found()
        part = made(
            {
                "@odata.type": "#microsoft.graph.fileAttachment", "name": fields["name"],
                "contentType": fields.get("contentType") or "application/octet-stream",
                "isInline": fields.get("isInline", False), "contentId": fields.get("contentId"),
                "size": fields["size"], "contentBytes": fields["data"],
            }
        )  # fmt: skip
        _keep(self._sandbox, item, attachments=[*_attachments(item), part])
        store.remove(thing)
        where = f"{UPLOADS}/Users('{thing.mailbox}')/{fields['of']}s('{item.id}')/Attachments('{part['id']}')"
        return Answer(201, headers={"Location": where})
