"""The table of operations, and what a handler gets and gives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from m365_sandbox.entities import AccessToken, User
from m365_sandbox.errors import malformed
from m365_sandbox.sandbox import Sandbox

GRAPH = "https://graph.microsoft.com"


@dataclass(slots=True)
class Request:
    """One authorised request to one mailbox. `params` are the ids in the path, in order.

    `within` names the folder or calendar in which the path looks for the item.
    """

    sandbox: Sandbox
    user: User
    token: AccessToken
    method: str
    path: str
    params: list[str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    served: list[dict[str, Any]] = field(default_factory=list)
    """Which fields of which item this answer shows: the request log tells, and tests rely on it."""
    applied: list[str] = field(default_factory=list)
    within: dict[str, str] = field(default_factory=dict)

    @property
    def immutable(self) -> bool:
        return 'idtype="immutableid"' in self.headers.get("prefer", "").lower()

    @property
    def wants_text(self) -> bool:
        if 'outlook.body-content-type="text"' in self.headers.get("prefer", "").lower():
            if 'outlook.body-content-type="text"' not in self.applied:
                self.applied.append('outlook.body-content-type="text"')
            return True
        return False

    def preference(self, name: str) -> str | None:
        for part in self.headers.get("prefer", "").split(","):
            key, _, value = part.strip().partition("=")
            if key.strip().lower() == name:
                return value.strip().strip('"')
        return None

    def json(self) -> dict[str, Any]:
        if not self.body:
            return {}
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise malformed("Unable to read JSON request payload.", self.sandbox.switches) from None
        if not isinstance(value, dict):
            raise malformed("The request payload is not a JSON object.", self.sandbox.switches)
        return value

    def link(self, **query: str) -> str:
        """This request's address, with genuine host, with another query."""
        pairs = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in query.items())
        return f"{GRAPH}{self.path}?{pairs}"

    def context(self, what: str) -> str:
        return f"{GRAPH}/v1.0/$metadata#users('{self.user.id}')/{what}"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: Any = None
    content: bytes | None = None
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`path` is lower case, with `{id}` for each id. `needs` names an operation of the permissions table.

    `lacks` says what of it is missing here.
    """

    method: str
    path: str
    handler: Handler
    needs: str
    lacks: str = ""


OPERATIONS: dict[str, list[tuple[list[str], Operation]]] = {}


def operation(
    method: str, path: str, *, needs: str | None = None, lacks: str = ""
) -> Callable[[Handler], Handler]:
    """Register a handler. `needs` says "METHOD /path" where the permissions stand under another operation."""

    def register(handler: Handler) -> Handler:
        entry = Operation(method, path, handler, needs or f"{method} {path}", lacks)
        table = OPERATIONS.setdefault(method, [])
        table.append((path.strip("/").split("/"), entry))
        # `messages/delta` before `messages/{id}`: fewer ids first.
        table.sort(key=lambda row: row[0].count("{id}"))
        return handler

    return register


def find(method: str, segments: list[str]) -> tuple[Operation, list[str], dict[str, str]] | None:
    """The operation for the path (after `/v1.0`), the ids in it, and what it lies within.

    Fixed parts match in any case.
    """
    segments, within = plain(segments)
    lowered = [segment.lower() for segment in segments]
    for pattern, entry in OPERATIONS.get(method, ()):
        if len(pattern) != len(segments):
            continue
        if all(want == "{id}" or want == have for want, have in zip(pattern, lowered, strict=True)):
            ids = [have for want, have in zip(pattern, segments, strict=True) if want == "{id}"]
            return entry, ids, within
    return None


_NO_ID = {"delta", "$count"}


def plain(segments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Graph offers many ways to the same item: the shortest of them, and what the long one lay within.

    `me/mailFolders/{f}/messages/{m}/send` is `me/messages/{m}/send`, `me/calendar` is the default one of
    `me/calendars`, and so on.
    """
    within: dict[str, str] = {}
    match [segment.lower() for segment in segments]:
        case ["me", "calendar", *_]:
            return plain(["me", "calendars", DEFAULT_CALENDAR, *segments[2:]])
        case ["me", "mailfolders", _, "childfolders", child, *_] if child not in _NO_ID:
            short, within = plain(["me", "mailfolders", segments[4], *segments[5:]])
            return short, {"parent": segments[2], **within}
        case ["me", "mailfolders", _, "messages", item, *_] if item not in _NO_ID:
            return ["me", *segments[3:]], {"folder": segments[2]}
        case ["me", "calendars", _, "events", item, *_] if item not in _NO_ID:
            return ["me", *segments[3:]], {"calendar": segments[2]}
        case ["me", "contactfolders", _, "contacts", item, *_] if item not in _NO_ID:
            return ["me", *segments[3:]], {"contactfolder": segments[2]}
    return segments, within


DEFAULT_CALENDAR = "calendar"
