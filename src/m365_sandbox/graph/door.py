"""Every Graph request comes through here: who asks, may they, is there room, and what was shown."""

import asyncio
import inspect
import re
import time
import uuid
from collections import deque
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.types import Receive, Scope, Send

from m365_sandbox import permissions
from m365_sandbox.clock import iso
from m365_sandbox.contract import Exchange
from m365_sandbox.entities import AccessToken, User
from m365_sandbox.entra import policies
from m365_sandbox.errors import GraphError, access_denied, malformed
from m365_sandbox.faults import INSTEAD, Failure, Hangup, Rule, alter, date_header, hang_up, play
from m365_sandbox.graph import batch
from m365_sandbox.graph.arrival import headers_and_body
from m365_sandbox.graph.routes import GRAPH, OPERATIONS, Answer, Operation, Request, find
from m365_sandbox.sandbox import Sandbox

WINDOW_SECONDS, UPLOAD_WINDOW_SECONDS = 600, 300

# OData key syntax: mailFolders('inbox') is mailFolders/inbox, and delta() is delta.
_KEY = re.compile(r"\('([^']*)'\)")
# And what a function is given by name: supportedTimeZones(TimeZoneStandard='Iana').
_ARGUMENT = re.compile(r"\(\w+='([^']*)'\)")


class GraphDoor:
    """The ASGI app that answers `/v1.0/…`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, body = await headers_and_body(scope, receive)
        # The path as it came: an id may hold an escaped slash.
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1").partition("?")[0]
        query = scope["query_string"].decode("latin-1")
        try:
            answer, content = await self.answer(scope["method"], path, query, headers, body)
        except Hangup:
            await hang_up(receive)
            return
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        sent.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": content})

    async def answer(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> tuple[Answer, bytes]:
        """The whole answer, headers included. What it changed is committed."""
        if method == "POST" and path.lower() == batch.PATH:
            return await self._batch(headers, body)
        sandbox, started = self._sandbox, time.perf_counter()
        request_id = str(uuid.uuid4())
        client_id = headers.get("client-request-id", request_id)
        visit = _Visit(sandbox, method, path, query, headers, body)
        broken = False
        try:
            answer = await visit.run()
        except Hangup:
            answer, broken = Answer(503), True
        except GraphError as error:
            member = sandbox.switches.error_member
            refusal = error.body(sandbox.now(), request_id, client_id, member)
            answer = Answer(error.status, refusal, headers=error.headers)
        rule = visit.rule
        answer.headers.update(
            {
                "request-id": request_id, "client-request-id": client_id, "Date": date_header(rule, sandbox.now()),
                "Strict-Transport-Security": "max-age=31536000", "Vary": "Accept-Encoding",
                "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1"}}',
            }
        )  # fmt: skip
        content = _content(answer)
        if rule is None or rule.action not in INSTEAD:
            self._see(method, path, query, headers, body, answer, content)
        content = alter(rule, answer.headers, content)
        sandbox.store.log(
            {
                "at": iso(sandbox.now()), "method": method, "path": unquote(path), "query": query,
                "status": 0 if broken else answer.status, "bytes": len(content), "user": visit.address,
                "app": visit.token.app if visit.token else "", "client_request_id": client_id,
                "items": visit.served, "prefer": headers.get("prefer", ""),
                "ms": round((time.perf_counter() - started) * 1000, 3),
                "fault": f"{rule.action} {rule.when}" if rule else "",
            }
        )  # fmt: skip
        sandbox.store.commit()
        if broken:
            raise Hangup
        if content:
            answer.headers.setdefault("Content-Type", answer.media_type)
        return answer, content

    async def _batch(self, headers: dict[str, str], body: bytes) -> tuple[Answer, bytes]:
        request_id = str(uuid.uuid4())
        try:
            answer = Answer(body=await batch.run(self.answer, headers, body))
        except GraphError as error:
            member = self._sandbox.switches.error_member
            answer = Answer(error.status, error.body(self._sandbox.now(), request_id, request_id, member))
        date = date_header(None, self._sandbox.now())
        answer.headers.update({"request-id": request_id, "Content-Type": answer.media_type, "Date": date})
        content = _content(answer)
        self._see("POST", batch.PATH, "", headers, body, answer, content)
        return answer, content

    def _see(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes, answer: Answer, content: bytes
    ) -> None:  # fmt: skip
        """What is not imitated is outside the contract on purpose; everything else is held to it."""
        watch = self._sandbox.watch
        if watch is not None and answer.status != 501:
            given = headers.get("content-type", "")
            watch.see(Exchange(method, path, query, body, given, answer.status, content, answer.media_type))


def _content(answer: Answer) -> bytes:
    if answer.content is not None:
        return answer.content
    return b"" if answer.body is None else orjson.dumps(answer.body)


class _Visit:
    """One request on its way through the checks."""

    def __init__(
        self, sandbox: Sandbox, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> None:
        self.sandbox, self.method, self.path = sandbox, method, path
        self.query, self.headers, self.body = query, headers, body
        self.token: AccessToken | None = None
        self.user: User | None = None
        self.served: list[dict[str, Any]] = []
        self.rule: Rule | None = None

    @property
    def address(self) -> str:
        return self.user.address if self.user else ""

    async def run(self) -> Answer:
        sandbox = self.sandbox
        self.token = self._authenticate()
        self.user = sandbox.store.users[self.token.user]
        segments = self._segments()
        if segments and segments[0].lower() == "users" and len(segments) > 1:
            self._check_own(segments[1])
            segments = ["me", *segments[2:]]
        found = find(self.method, segments)
        if found is None:
            self._refuse_unknown(segments)
        operation, params, within = found  # type: ignore[misc]
        self._check_scope(operation)
        self._check_window()
        self._check_upload()
        self.rule = rule = sandbox.faults.strike(self.method, unquote(self.path), self.address)
        key = (self.token.app, self.user.id)
        with _Place(sandbox, key):
            if sandbox.switches.latency_ms:
                await asyncio.sleep(sandbox.switches.latency_ms / 1000)
            url = f"{GRAPH}{self.path}"
            instead = await play(rule, "before", url, sandbox.now())
            if instead is not None:
                return _answer_of(instead)
            answer = await self._handle(operation, params, within)
            sandbox.store.commit()
            instead = await play(rule, "after", url, sandbox.now())
        return _answer_of(instead) if instead is not None else answer

    def _authenticate(self) -> AccessToken:
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")
        token = self.sandbox.store.access_tokens.get(value)
        if token is None:
            message = "CompactToken parsing failed with error code: 80049217"
            raise GraphError(401, "InvalidAuthenticationToken", message)
        if token.challenged:
            message = "Continuous access evaluation resulted in challenge with result: InteractionRequired"
            challenge = {"WWW-Authenticate": policies.challenge(token.challenged)}
            raise GraphError(401, "InvalidAuthenticationToken", message, challenge)
        if token.expires <= self.sandbox.now():
            message = "Lifetime validation failed, the token is expired."
            raise GraphError(401, "InvalidAuthenticationToken", message)
        return token

    def _segments(self) -> list[str]:
        path = self.path.removeprefix("/v1.0")
        keyed = _KEY.sub(r"/\1", unquote(path) if "%27" in path or "%28" in path else path)
        if keyed != path and self.sandbox.switches.key_syntax == "refused":
            raise malformed("Resource not found for the segment.", self.sandbox.switches)
        keyed = _ARGUMENT.sub(r"/\1", keyed)
        return [unquote(part) for part in keyed.replace("()", "").strip("/").split("/") if part]

    def _check_own(self, who: str) -> None:
        """`/users/{id}` is `/me` for one's own mailbox; delegated permissions reach no other."""
        assert self.user is not None
        if who.lower() not in (self.user.id, self.user.address):
            raise access_denied()

    def _refuse_unknown(self, segments: list[str]) -> None:
        elsewhere = [method for method in OPERATIONS if find(method, segments)]
        if elsewhere:
            raise GraphError(405, "Request_BadRequest", f"The method {self.method} is not allowed here.")
        message = f"m365_sandbox does not imitate {self.method} {unquote(self.path)}."
        raise GraphError(501, "NotImplemented", message)

    def _check_scope(self, operation: Operation) -> None:
        assert self.token is not None and self.user is not None
        method, _, path = operation.needs.partition(" ")
        wanted = permissions.needed(method, path)
        if wanted and not permissions.holds(self.token.scopes, wanted):
            raise access_denied()
        if path != "/me" and (not self.user.licensed or self.user.on_premises):
            message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise GraphError(404, "MailboxNotEnabledForRESTAPI", message)

    def _check_window(self) -> None:
        assert self.token is not None and self.user is not None
        most, sandbox = self.sandbox.switches.window_requests, self.sandbox
        if not most:
            return
        now = sandbox.now()
        recent = sandbox.recent_requests.setdefault((self.token.app, self.user.id), deque())
        while recent and recent[0] <= now - WINDOW_SECONDS:
            recent.popleft()
        if len(recent) >= most:
            raise _throttled(sandbox, "RequestCount", recent[0] + WINDOW_SECONDS - now)
        recent.append(now)

    def _check_upload(self) -> None:
        """Outlook: 150 MB of PATCH, POST and PUT in five minutes for each app and mailbox."""
        assert self.token is not None and self.user is not None
        most, sandbox = self.sandbox.switches.upload_bytes, self.sandbox
        if not most or self.method not in ("PATCH", "POST", "PUT"):
            return
        now = sandbox.now()
        recent = sandbox.recent_uploads.setdefault((self.token.app, self.user.id), deque())
        while recent and recent[0][0] <= now - UPLOAD_WINDOW_SECONDS:
            recent.popleft()
        if sum(size for _, size in recent) + len(self.body) > most:
            since = recent[0][0] if recent else now
            raise _throttled(sandbox, "IncomingBytes", since + UPLOAD_WINDOW_SECONDS - now)
        recent.append((now, len(self.body)))

    async def _handle(self, operation: Operation, params: list[str], within: dict[str, str]) -> Answer:
        assert self.token is not None and self.user is not None
        query = dict(parse_qsl(self.query, keep_blank_values=True))
        request = Request(
            self.sandbox,
            self.user,
            self.token,
            self.method,
            self.path,
            params,
            query,
            self.headers,
            self.body,
            within=within,
        )
        answer = operation.handler(request)
        if inspect.isawaitable(answer):
            answer = await answer
        self.served = request.served
        if request.applied:
            answer.headers["Preference-Applied"] = ", ".join(request.applied)
        return answer


class _Place:
    """One of the few requests that may run at the same time for an app and a mailbox."""

    def __init__(self, sandbox: Sandbox, key: tuple[str, str]) -> None:
        self._running, self._key, self._sandbox = sandbox.requests_in_flight, key, sandbox

    def __enter__(self) -> None:
        most = self._sandbox.switches.concurrency
        if most and self._running.get(self._key, 0) >= most:
            raise _throttled(self._sandbox, "MailboxConcurrency", 1.0)
        self._running[self._key] = self._running.get(self._key, 0) + 1

    def __exit__(self, *_: object) -> None:
        self._running[self._key] -= 1


def _throttled(sandbox: Sandbox, limit: str, seconds: float) -> GraphError:
    seconds = max(seconds, 1.0)
    text = {"whole": str(int(seconds + 0.999)), "fractional": f"{seconds + 0.128:.3f}", "missing": ""}
    wait = text[sandbox.switches.retry_after]
    headers = {"Retry-After": wait} if wait else {}
    return GraphError(429, "ApplicationThrottled", f"Application is over its {limit} limit.", headers)


def _answer_of(instead: Failure) -> Answer:
    return Answer(
        instead.status, content=instead.content, media_type=instead.media_type, headers=dict(instead.headers)
    )
