"""`app`: POST of Microsoft's notifications, and the handshake when a subscription is made.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

import asyncio
import hmac
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import orjson
from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from gatepost import clock
from gatepost.vault.sealing import installation_index

log = logging.getLogger(__name__)

MAX_BODY = 256_000
MAX_ITEMS = 1_000
MAX_TOKEN = 4_096
REMEMBERED_SECONDS = 60.0  # how long a subscription, known or unknown, is not asked for again
# Microsoft drops an endpoint that needs more than three seconds: a database that is down is answered before.
DATABASE_SECONDS = 2.0
GATHER_SECONDS = 0.005  # notifications that come together are committed together

# Microsoft dropped the subscription, or asks whether it is still wanted. The third event, "missed", only wakes.
RENEW_AFTER = ("subscriptionRemoved", "reauthorizationRequired")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Respond = Callable[[dict[str, Any]], Awaitable[None]]
Wake = tuple[UUID, str]  # mailbox, and what to wake: "mail" or "calendar"


class Hooks:
    """The ASGI app with its database pool and what it remembers of subscriptions."""

    def __init__(self, database_url: str, *, patience: float = DATABASE_SECONDS) -> None:
        """`patience`: seconds to wait for the database before the answer is 503."""
        self._pool = AsyncConnectionPool(database_url, min_size=1, max_size=4, timeout=patience, open=False)
        self._known: dict[str, tuple[float, tuple[UUID, str, str] | None]] = {}
        self._waiting: list[tuple[set[Wake], asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, respond: Respond) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, respond)
        elif scope["type"] == "http":
            status, content = await self._answer(scope, receive)
            await _send(respond, status, content)

    async def _answer(self, scope: dict[str, Any], receive: Receive) -> tuple[int, bytes]:
        if scope["method"] == "GET" and scope["path"].endswith("/health"):
            return 200, b"ok"
        if scope["method"] != "POST":
            return 405, b""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        if "validationToken" in query:
            # Echoed as plain text, never as HTML: the token comes from whoever asks.
            return 200, query["validationToken"][0][:MAX_TOKEN].encode()
        body = await _read(receive)
        if body is None:
            return 413, b""
        try:
            wakes = await self._wakes(_items(body))
            if wakes:
                await self._commit(wakes)
        except Exception as error:
            log.warning("a notification was not stored", extra={"error": type(error).__name__})
            return 503, b""  # Microsoft tries again for four hours
        return 202, b""

    async def _wakes(self, items: list[dict[str, Any]]) -> set[Wake]:
        """Whom to wake: for each item whose subscription is ours and whose secret is right."""
        wakes: set[Wake] = set()
        for item in items:
            subscription = await self._subscription(str(item.get("subscriptionId") or "")[:64])
            secret = installation_index("hook-secret", str(item.get("clientState") or "")[:128])
            if subscription is not None and hmac.compare_digest(subscription[2], secret):
                wakes.add(subscription[:2])
                if item.get("lifecycleEvent") in RENEW_AFTER:
                    await self._renew(str(item["subscriptionId"]))
        return wakes

    async def _subscription(self, microsoft_id: str) -> tuple[UUID, str, str] | None:
        now = time.monotonic()
        known = self._known.get(microsoft_id)
        if known is not None and now - known[0] < REMEMBERED_SECONDS:
            return known[1]
        async with self._pool.connection() as connection:
            rows = await connection.execute(
                "SELECT mailbox_id, wakes, secret_index FROM subscription_of(%s)", [microsoft_id]
            )
            found = await rows.fetchone()
        if len(self._known) > 100_000:
            self._known.clear()
        # An unknown one is not remembered for long: Microsoft may be quicker than our own commit.
        self._known[microsoft_id] = (now if found else now - REMEMBERED_SECONDS + 1, found)
        return found

    async def _renew(self, microsoft_id: str) -> None:
        """The subscription is renewed soon, or made anew where it is gone."""
        async with self._pool.connection() as connection:
            await connection.execute("SELECT renew_subscription(%s, %s)", [microsoft_id, clock.now()])

    async def _commit(self, wakes: set[Wake]) -> None:
        """Returns when the wakes are committed, together with all others that came meanwhile."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((wakes, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            batch, self._waiting = self._waiting, []
            wakes = set().union(*(wakes for wakes, _ in batch))
            try:
                await self._wake(wakes)
            except Exception as error:
                for _, done in batch:
                    done.set_exception(error)
            else:
                for _, done in batch:
                    done.set_result(None)

    async def _wake(self, wakes: set[Wake]) -> None:
        moment = clock.now()
        async with self._pool.connection() as connection:
            for what in ("mail", "calendar"):
                # Sorted, so that two processes never wait for each other's rows crosswise.
                ids = sorted(mailbox for mailbox, kind in wakes if kind == what)
                if ids:
                    await connection.execute("SELECT wake_mailboxes(%s, %s, %s)", [ids, what, moment])

    async def _live(self, receive: Receive, respond: Respond) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                await self._pool.open()
                await respond({"type": "lifespan.startup.complete"})
            else:
                await self._pool.close()
                await respond({"type": "lifespan.shutdown.complete"})
                return


def _items(body: bytes) -> list[dict[str, Any]]:
    """The notifications in a body; nothing for what is none. It is answered like any other, so that nobody learns."""
    try:
        value = orjson.loads(body)["value"]
    except (ValueError, KeyError, TypeError):
        return []
    return [item for item in value[:MAX_ITEMS] if isinstance(item, dict)] if isinstance(value, list) else []


async def _read(receive: Receive) -> bytes | None:
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not event.get("more_body"):
            return body


async def _send(respond: Respond, status: int, content: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-length", str(len(content)).encode()),
    ]
    await respond({"type": "http.response.start", "status": status, "headers": headers})
    await respond({"type": "http.response.body", "body": content})


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatepost.config.settings")
app = Hooks(settings.GATEPOST_DATABASE_URL)
