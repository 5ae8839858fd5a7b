"""Faults on order: which requests fail, how, and how often; and what goes wrong without any request."""

import asyncio
import random
import re
import uuid
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, field, fields, replace
from email.utils import formatdate
from typing import Any

import orjson
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from m365_sandbox.clock import iso
from m365_sandbox.errors import EntraError

INSTEAD = {
    "429": "TooManyRequests, with Retry-After as `retry_after` says",
    "500": "UnknownError",
    "502": "a gateway that got no answer",
    "503": "serviceNotAvailable",
    "504": "a gateway that waited in vain",
    "html": "502 with a page in place of JSON",
    "reset": "the connection breaks",
    "timeout": "nothing for `seconds`, then the connection breaks",
    "expired_delta": "410 to a delta link: start anew",
    "refuse": "any error of Graph's: `status` with `code` and `message`",
}
"""What is answered in place of the true answer; with `when: after`, the work was done nevertheless."""
ALTERED = {
    "slow": "the answer comes `seconds` later",
    "truncate": "half of the answer",
    "skew": "the Date header is `seconds` off",
    "strip": "without the response headers that `headers` names (none named: all but Content-Type)",
    "false_removed": "the last item of a delta page is also told as removed, and is still there",
}
UNASKED = {
    "ids_change": "a message gets another immutable id when it is sent",
    "notification_lost": "a change that no subscriber hears of",
    "notification_late": "a notification that comes `seconds` (of the sandbox's clock) later",
}
"""What happens without a request: `path` is matched with the resource of the subscription."""
ACTIONS = {**INSTEAD, **ALTERED, **UNASKED}


@dataclass(slots=True)
class Rule:
    """Requests whose path matches fail: `when` before the work is done, or after it (done, but not told).

    `retry_after` is in seconds, fractions too; with `retry_after_date` it is written as a date.
    """

    path: str = ""
    method: str = ""
    mailbox: str = ""
    action: str = "503"
    when: str = "before"
    probability: float = 1.0
    count: int | None = None
    seconds: float = 1.0
    retry_after: float | None = None
    retry_after_date: bool = False
    headers: list[str] = field(default_factory=list)
    status: int = 403
    code: str = ""
    message: str = ""

    def matches(self, method: str, path: str, mailbox: str) -> bool:
        return (
            (not self.method or self.method.upper() == method)
            and (not self.mailbox or self.mailbox.lower() == mailbox)
            and re.search(self.path, path) is not None
        )


def rule_from(values: dict[str, Any]) -> Rule:
    """Raises ValueError that says what is wrong with the rule."""
    known = [field.name for field in fields(Rule)]
    unknown = set(values) - set(known)
    if unknown:
        raise ValueError(f"A fault has no {', '.join(sorted(unknown))}. It has {', '.join(known)}.")
    if "action" not in values:
        raise ValueError(f"A fault needs an action: {', '.join(ACTIONS)}.")
    rule = Rule(**values)
    rule.action, rule.path = str(rule.action), str(rule.path)
    if isinstance(rule.headers, str):
        rule.headers = [name.strip() for name in rule.headers.split(",") if name.strip()]
    if rule.action not in ACTIONS:
        raise ValueError(f"action is one of {', '.join(ACTIONS)}, not {rule.action!r}.")
    if rule.when not in ("before", "after"):
        raise ValueError(f"when is before or after, not {rule.when!r}.")
    try:
        rule.probability, rule.seconds = float(rule.probability), float(rule.seconds)
        rule.count = None if rule.count in (None, "") else int(rule.count)
        rule.status = int(rule.status)
        rule.retry_after = None if rule.retry_after in (None, "") else float(rule.retry_after)
    except (TypeError, ValueError):
        raise ValueError("probability, count, seconds, status and retry_after are numbers.") from None
    if rule.action == "refuse" and not (rule.code and 400 <= rule.status <= 599):
        raise ValueError(
            "refuse needs the code of an error, such as ErrorAccessDenied, and a status from 400."
        )
    try:
        re.compile(rule.path)
    except re.error as error:
        raise ValueError(f"path is a regular expression, and {rule.path!r} is none: {error}.") from None
    return rule


class Faults:
    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._chance = random.Random(1)
        self.struck = 0

    def add(self, values: dict[str, Any]) -> Rule:
        rule = rule_from(values)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def strike(self, method: str, path: str, mailbox: str) -> Rule | None:
        """The rule that this request falls victim to, if any; its count goes down."""
        return self._first(method, path, mailbox, lambda action: action not in UNASKED)

    def happens(self, action: str, mailbox: str, path: str = "") -> Rule | None:
        """The rule by which something goes wrong that nobody asked for; its count goes down."""
        return self._first("", path, mailbox, lambda known: known == action)

    def _first(self, method: str, path: str, mailbox: str, meant: Any) -> Rule | None:
        for rule in self.rules:
            if not meant(rule.action) or rule.count == 0 or not rule.matches(method, path, mailbox):
                continue
            if self._chance.random() >= rule.probability:
                continue
            if rule.count is not None:
                rule.count -= 1
            self.struck += 1
            return rule
        return None

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]


# What a rule does to an answer


class Hangup(Exception):
    """The connection is to break without an answer."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is answered in place of the true answer."""

    status: int
    content: bytes
    media_type: str
    headers: dict[str, str]


_CODES = {
    "429": ("TooManyRequests", "Please retry again later."),
    "500": ("UnknownError", "An unknown error occurred."),
    "502": ("UnknownError", "Bad gateway."),
    "503": ("serviceNotAvailable", "The service is unavailable."),
    "504": ("UnknownError", ""),
    "410": ("SyncStateNotFound", "The sync state generation is not found; generation=1609;[highest=1612]."),
}
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


async def play(rule: Rule | None, when: str, url: str, now: float) -> Failure | None:
    """What the rule has instead of an answer at this point, if anything; waits where it says so."""
    if rule is None or rule.when != when or rule.action not in (*INSTEAD, "slow"):
        return None
    if rule.action in ("slow", "timeout"):
        await asyncio.sleep(rule.seconds)
    if rule.action in ("reset", "timeout"):
        raise Hangup
    return None if rule.action == "slow" else failure(rule, url, now)


def failure(rule: Rule, url: str, now: float) -> Failure:
    headers = _retry_after(rule, now)
    if rule.action == "html":
        return Failure(502, _PAGE, "text/html", headers)
    status = {"expired_delta": "410", "refuse": str(rule.status)}.get(rule.action, rule.action)
    if rule.action == "expired_delta":
        headers["Location"] = f"{url}?$deltatoken="
    code, message = (rule.code, rule.message) if rule.action == "refuse" else _CODES[status]
    inner = {
        "date": iso(now).removesuffix("Z"),
        "request-id": str(uuid.uuid4()),
        "client-request-id": str(uuid.uuid4()),
    }
    if rule.action == "429":  # as the gateway writes it: learn.microsoft.com/graph/throttling
        inner |= {"code": "429", "message": "Please retry after", "status": "429"}
    content = orjson.dumps({"error": {"code": code, "message": message, "innerError": inner}})
    return Failure(int(status), content, "application/json", headers)


def _retry_after(rule: Rule, now: float) -> dict[str, str]:
    if rule.retry_after is None:
        return {}
    if rule.retry_after_date:
        return {"Retry-After": formatdate(now + rule.retry_after, usegmt=True)}
    return {"Retry-After": f"{rule.retry_after:g}"}


def alter(rule: Rule | None, headers: MutableMapping[str, str] | MutableHeaders, content: bytes) -> bytes:
    """The answer as it arrives: its headers changed in place, its content returned."""
    match rule.action if rule else "":
        case "truncate":
            return content[: len(content) // 2]
        case "strip":
            named = {name.lower() for name in rule.headers}  # type: ignore[union-attr]
            for name in list(headers):
                if name.lower() in named or (not named and not name.lower().startswith("content-")):
                    del headers[name]
        case "false_removed":
            return _with_false_removal(content)
    return content


def date_header(rule: Rule | None, now: float) -> str:
    return formatdate(now + (rule.seconds if rule and rule.action == "skew" else 0), usegmt=True)


def _with_false_removal(content: bytes) -> bytes:
    try:
        page = orjson.loads(content)
        item = next(item for item in reversed(page["value"]) if "@removed" not in item)
    except (orjson.JSONDecodeError, KeyError, TypeError, StopIteration):
        return content
    removed = {"@odata.type": item.get("@odata.type"), "id": item["id"], "@removed": {"reason": "deleted"}}
    return orjson.dumps({**page, "value": [*page["value"], removed]})


async def hang_up(receive: Receive) -> None:
    """Break the connection. ASGI knows no way, but uvicorn's `receive` belongs to what holds the socket."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise Hangup("the server offers no way to break the connection")
    transport.abort()
    while not getattr(receive, "__self__").disconnected:  # noqa: B009
        await asyncio.sleep(0)


class FaultyLine:
    """The line to the sign-in pages, on which any of these things may happen."""

    def __init__(self, app: ASGIApp, sandbox: Any) -> None:
        self._app, self._sandbox = app, sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = self._sandbox.now()
        rule = self._sandbox.faults.strike(scope["method"], scope["path"], "")
        url = f"https://login.microsoftonline.com{scope['path']}"
        try:
            instead, caught = await play(rule, "before", url, now), _Caught()
            if instead is None:
                await self._app(scope, receive, caught.send)
                instead = await play(rule, "after", url, now)
        except Hangup:
            await hang_up(receive)
            return
        if instead is not None:
            caught.put(self._in_the_words_of_entra(instead, now))
        headers = MutableHeaders(raw=caught.headers)
        content = alter(rule, headers, caught.content)
        headers["content-length"], headers["date"] = str(len(content)), date_header(rule, now)
        await send({"type": "http.response.start", "status": caught.status, "headers": headers.raw})
        await send({"type": "http.response.body", "body": content})

    def _in_the_words_of_entra(self, instead: Failure, now: float) -> Failure:
        if instead.media_type != "application/json":
            return instead
        error = EntraError(90055 if instead.status == 429 else 90033)
        return replace(instead, content=orjson.dumps(error.body(now, self._sandbox.switches)))


class _Caught:
    """An answer, held back until it is known whether it may leave."""

    def __init__(self) -> None:
        self.status, self.content = 0, b""
        self.headers: list[tuple[bytes, bytes]] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.content += message.get("body", b"")

    def put(self, instead: Failure) -> None:
        self.status, self.content = instead.status, instead.content
        pairs = {**instead.headers, "content-type": instead.media_type}
        self.headers = [(name.lower().encode(), value.encode()) for name, value in pairs.items()]
