"""The one way to Microsoft Graph: a request of a known shape, or none at all.

Nothing here repeats a write. A read may be asked again by its job; a write whose answer is not a definite yes or
no raises `Unclear` and is resolved by looking (docs/decisions/0004-exactly-once-sends.md).
"""

import asyncio
import binascii
import re
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from uuid import UUID, uuid4

import aiohttp
import orjson
from aiohttp import ClientSession as ClientSession

from gatepost.graph import errors
from gatepost.graph.shapes import SHAPES, Shape
from gatepost.graph.throttle import retry_after

GRAPH = "https://graph.microsoft.com"
LOGIN = "https://login.microsoftonline.com"
MAX_ANSWER_BYTES = 8_000_000
TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)

# Definite refusals of a write: Microsoft named the reason and did nothing.
DEFINITE_REFUSALS = frozenset({400, 403, 413})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the ledger records it."""

    shape: str
    item: str
    client_request_id: UUID
    status: int
    bytes: int
    milliseconds: float


class Access(Protocol):
    """A mailbox's permission to ask: its token, its place in the queue, its ledger. mailboxes.connection gives it."""

    async def token(self, *, renew: bool = False, claims: str = "") -> str: ...

    async def record(self, asked: Asked) -> None: ...

    @property
    def scopes(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]


class Gateway:
    """Sends requests of the shapes in `shapes.SHAPES` for one mailbox."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        access: Access,
        *,
        sandbox_url: str | None = None,
        only: frozenset[str] | None = None,
    ) -> None:
        """`only`: the shapes that this gateway may send, where its purpose is narrower than the closed list."""
        self._http = http
        self._access = access
        self._base = sandbox_url or GRAPH
        self._only = only
        self._token_was_stale = False

    async def ask(
        self,
        name: str,
        *,
        item: str = "",
        body: Mapping[str, Any] | bytes | None = None,
        leaves_by: float | None = None,
        **values: str,
    ) -> dict[str, Any]:
        """The answer's JSON ({} where there is none). Raises one of graph.errors.

        `leaves_by` (time.monotonic): a request that could not leave by then does not leave at all (TooLate).
        """
        shape = _known(name)
        about = item or values.get("id", "")
        return await self._send(shape, _address(shape, values), body, about, leaves_by=leaves_by)

    async def follow(self, name: str, link: str) -> dict[str, Any]:
        """The answer to a nextLink or deltaLink that an earlier answer of this shape carried."""
        shape = _known(name)
        return await self._send(shape, _checked_link(shape, link), None, "")

    async def _send(
        self,
        shape: Shape,
        address: str,
        body: Mapping[str, Any] | bytes | None,
        item: str,
        *,
        leaves_by: float | None = None,
    ) -> dict[str, Any]:
        if self._only is not None and shape.name not in self._only:
            raise errors.ShapeUnknown(f"{shape.name} is not among the requests that this gateway is for")
        if isinstance(body, bytes) != shape.mime:
            raise errors.ShapeUnknown(f"{shape.name} carries {'MIME' if shape.mime else 'no MIME'}")
        if isinstance(body, Mapping) and not shape.body.issuperset(body):
            raise errors.ShapeUnknown(f"{shape.name} does not carry {sorted(set(body) - shape.body)}")
        if shape.scope not in self._access.scopes and not _implied(shape.scope, self._access.scopes):
            raise errors.ApprovalNeeded(f"The permission {shape.scope} was not granted.", code=shape.scope)
        answer = await self._once(shape, address, body, item, renew=False, leaves_by=leaves_by)
        if answer.status == 401 and shape.once and not self._token_was_stale:
            self._token_was_stale = True
            await self._access.token(renew=True, claims=_challenged(answer.challenge))
            raise errors.TokenStale(f"{shape.name}: 401", status=401)
        if answer.status == 401 and not shape.once:
            # A definite no before anything was done: a fresh token may be tried, once.
            claims = _challenged(answer.challenge)
            answer = await self._once(
                shape, address, body, item, renew=True, claims=claims, leaves_by=leaves_by
            )
        return _judge(shape, answer)

    async def _once(
        self,
        shape: Shape,
        address: str,
        body: Mapping[str, Any] | bytes | None,
        item: str,
        *,
        renew: bool,
        claims: str = "",
        leaves_by: float | None,
    ) -> "Raw":
        token = await self._access.token(renew=renew, claims=claims)
        timeout = _timeout(shape, leaves_by)  # after the token: renewing it may have taken its time
        request_id = uuid4()
        headers = {
            "Authorization": f"Bearer {token}",
            "Prefer": ", ".join(shape.prefer),
            "client-request-id": str(request_id),
            "return-client-request-id": "true",
        }
        data = None
        if isinstance(body, bytes):
            data, headers["Content-Type"] = b64encode(body), "text/plain"
        elif body is not None:
            data, headers["Content-Type"] = orjson.dumps(body), "application/json"
        started = time.monotonic()
        raw = Raw(0, b"", None)
        try:
            async with self._http.request(
                shape.method,
                self._base + address,
                data=data,
                headers=headers,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                content = await response.content.read(MAX_ANSWER_BYTES + 1)
                # One read may return less than all that comes.
                while len(content) <= MAX_ANSWER_BYTES and (
                    more := await response.content.read(MAX_ANSWER_BYTES)
                ):
                    content += more
                raw = Raw(
                    response.status,
                    content,
                    response.headers.get("Retry-After"),
                    response.headers.get("WWW-Authenticate", ""),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _no_answer(shape, error) from error
        finally:
            milliseconds = (time.monotonic() - started) * 1000
            await asyncio.shield(
                self._access.record(
                    Asked(shape.name, item, request_id, raw.status, len(raw.content), milliseconds)
                )
            )
        return raw


@dataclass(frozen=True, slots=True)
class Raw:
    status: int
    content: bytes
    retry_after: str | None
    challenge: str = ""


_CLAIMS = re.compile(r'\bclaims="([A-Za-z0-9+/=_-]+)"')


def _challenged(header: str) -> str:
    """The claims (JSON) that Graph demands of the next token; "" where it only refuses this one."""
    found = _CLAIMS.search(header)
    if 'error="insufficient_claims"' not in header or found is None:
        return ""
    try:
        claims = b64decode(found[1] + "==", altchars=b"-_" if set(found[1]) & set("-_") else None)
        return claims.decode() if isinstance(orjson.loads(claims), dict) else ""
    except (binascii.Error, ValueError):
        return ""


def _timeout(shape: Shape, leaves_by: float | None) -> aiohttp.ClientTimeout:
    """How long to wait for a connection and for the answer; the connection must stand by `leaves_by`."""
    if leaves_by is None:
        return TIMEOUT
    left = leaves_by - time.monotonic()
    if left <= 0:
        raise errors.TooLate(f"{shape.name}: its deadline passed before it could leave")
    return aiohttp.ClientTimeout(total=TIMEOUT.total, connect=left)


def _known(name: str) -> Shape:
    try:
        return SHAPES[name]
    except KeyError:
        raise errors.ShapeUnknown(f"{name!r} is not in the closed list of requests") from None


def _address(shape: Shape, values: Mapping[str, str]) -> str:
    path = shape.path.format_map({key: quote(value, safe="") for key, value in values.items()})
    # A quote inside an OData literal is doubled, so that no value can end the literal and add a condition.
    literals = {key: value.replace("'", "''") for key, value in values.items()}
    query = [(key, _filled(text, literals)) for key, text in shape.query]
    return f"/v1.0{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")


def _filled(text: str, values: Mapping[str, str]) -> str:
    # Not str.format: property ids carry braces of their own.
    for key, value in values.items():
        text = text.replace("{" + key + "}", value)
    return text


def _checked_link(shape: Shape, link: str) -> str:
    """The address in a link from Microsoft, which must lead to Graph and to this shape's path.

    A link to another host would be handed our token (mailbox sync products have done just that).
    """
    parts = urlsplit(link)
    if not shape.follows_links or f"{parts.scheme}://{parts.netloc}" != GRAPH:
        raise errors.ShapeUnknown(f"{shape.name}: a link to {parts.netloc or 'nowhere'} is not followed")
    if not shape.path_pattern.match(parts.path):
        raise errors.ShapeUnknown(f"{shape.name}: a link to another path is not followed")
    asked, known = dict(parse_qsl(parts.query)), dict(shape.query)
    if any(asked[name] != known.get(name) for name in ("$select", "$expand") if name in asked):
        raise errors.ShapeUnknown(f"{shape.name}: a link to other fields is not followed")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _implied(scope: str, granted: frozenset[str]) -> bool:
    """A read scope is contained in its ReadWrite scope."""
    return scope.endswith(".Read") and scope.replace(".Read", ".ReadWrite") in granted


def _no_answer(shape: Shape, error: Exception) -> errors.GraphError:
    if shape.is_write and not isinstance(error, aiohttp.ClientConnectorError):
        return errors.Unclear(f"No answer to {shape.name} ({type(error).__name__}).")
    # No connection was made, or it was only a question.
    return errors.TryLater(f"Microsoft cannot be reached ({type(error).__name__}).")


def _judge(shape: Shape, raw: Raw) -> dict[str, Any]:
    """The answer's JSON, or the error that says who must act."""
    if 200 <= raw.status < 300:
        return _json(shape, raw)
    code, message = _error(raw.content)
    text = f"{shape.name}: {raw.status} {code or 'without a code'}"
    if raw.status == 401:
        raise errors.ReconnectNeeded(text, code=code, status=401)
    if raw.status == 404:
        if "MailboxNotEnabled" in code or "MailboxNotSupported" in code:
            raise errors.MailboxUnusable(text, code=code, status=404)
        raise errors.NotThere(text, code=code, status=404)
    if raw.status == 410 or code in ("SyncStateNotFound", "resyncRequired"):
        raise errors.SyncStateLost(text, code=code, status=raw.status)
    if shape.is_write:
        if raw.status in DEFINITE_REFUSALS and code:
            raise errors.Refused(text, code=code, status=raw.status)
        # 429 and 5xx have come back for mail that was sent (MS Q&A 2286986, 5629476).
        raise errors.Unclear(text, code=code, status=raw.status)
    if raw.status == 403:
        raise errors.ApprovalNeeded(text, code=code, status=403)
    if raw.status in (408, 423, 429, 509) or raw.status >= 500:
        wait = retry_after(raw.retry_after, now=datetime.now(UTC))
        raise errors.TryLater(text, retry_after=wait, code=code, status=raw.status)
    raise errors.Refused(f"{text}: {message[:200]}", code=code, status=raw.status)


def _json(shape: Shape, raw: Raw) -> dict[str, Any]:
    if not raw.content:
        return {}
    if len(raw.content) > MAX_ANSWER_BYTES and not shape.is_write:
        raise errors.Unreadable(f"{shape.name}: an answer of more than {MAX_ANSWER_BYTES:,} bytes")
    try:
        body = orjson.loads(raw.content)
        if not isinstance(body, dict):
            raise ValueError("not an object")
        return body
    except ValueError as error:
        if shape.is_write:
            raise errors.Unclear(f"{shape.name}: an answer that cannot be read", status=raw.status) from error
        raise errors.TryLater(f"{shape.name}: an answer that cannot be read", status=raw.status) from error


def _error(content: bytes) -> tuple[str, str]:
    """Code and message of an error body; a body of HTML or half a JSON has none."""
    try:
        error = orjson.loads(content)["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


@asynccontextmanager
async def http_session() -> AsyncIterator[aiohttp.ClientSession]:
    """A pool of connections for a short while. It follows no redirect, keeps no cookies and repeats nothing."""
    async with _session() as session:
        yield session


_shared: tuple[asyncio.AbstractEventLoop, aiohttp.ClientSession] | None = None


async def shared_session() -> aiohttp.ClientSession:
    """The pool of connections of the running event loop: the worker's lives as long as the worker."""
    global _shared
    loop = asyncio.get_running_loop()
    if _shared is None or _shared[0] is not loop or _shared[1].closed:
        _shared = (loop, _session())
    return _shared[1]


async def close_shared_session() -> None:
    """The connections of the running loop are closed."""
    global _shared
    if _shared is not None and _shared[0] is asyncio.get_running_loop():
        await _shared[1].close()
        _shared = None


def _session() -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=100), cookie_jar=aiohttp.DummyCookieJar()
    )
    # aiohttp repeats GET and DELETE by itself when a connection breaks. Each request is to be one row of the ledger.
    session._retry_connection = False
    return session
