"""Change notifications: who subscribed hears by a POST that something changed; the deaf are told again."""

import asyncio
from collections import defaultdict
from typing import Any

import aiohttp
import orjson

from m365_sandbox import ids
from m365_sandbox.clock import iso
from m365_sandbox.entities import Action, Event, Message, Subscription
from m365_sandbox.sandbox import Sandbox

ANSWER_WITHIN = aiohttp.ClientTimeout(total=3)
HANDSHAKE_WITHIN = aiohttp.ClientTimeout(total=10)
GIVE_UP_AFTER_SECONDS = 4 * 3600
MOST_IN_ONE_POST = 100


def message_changed(sandbox: Sandbox, message: Message, change: str) -> None:
    """Tell everybody who subscribed to this mailbox or folder."""
    for subscription in sandbox.store.subscriptions_of(message.mailbox):
        if subscription.kind == "message" and subscription.folder in ("", message.folder):
            name = message.immutable_id if subscription.immutable else message.id
            _tell(sandbox, subscription, change, name, f'W/"CQAAABYAAA{message.version}"')


def message_left(sandbox: Sandbox, mailbox: str, folder: str, old_id: str, old_immutable_id: str) -> None:
    """It was deleted, or moved out of a folder that somebody watches."""
    for subscription in sandbox.store.subscriptions_of(mailbox):
        if subscription.kind == "message" and subscription.folder in ("", folder):
            name = old_immutable_id if subscription.immutable else old_id
            _tell(sandbox, subscription, "deleted", name, 'W/"CQAAABYAAA0"')


def event_changed(sandbox: Sandbox, event: Event, change: str) -> None:
    for subscription in sandbox.store.subscriptions_of(event.mailbox):
        if subscription.kind == "event":
            _tell(sandbox, subscription, change, event.id, f'W/"CQAAABYAAA{event.version}"')


def _tell(sandbox: Sandbox, subscription: Subscription, change: str, item: str, etag: str) -> None:
    now = sandbox.now()
    if change not in subscription.change_types or subscription.expires <= now:
        return
    if sandbox.chance.random() < sandbox.switches.notifications_lost:
        return
    times = 2 if sandbox.chance.random() < sandbox.switches.notifications_doubled else 1
    for _ in range(times):
        payload = {
            "subscription": subscription.id, "change": change, "item": item, "etag": etag, "first": now,
            "tries": 0,
        }  # fmt: skip
        sandbox.schedule.add(now + sandbox.switches.notification_seconds, "notify", payload)


def lifecycle(sandbox: Sandbox, subscription: Subscription, event: str) -> None:
    """Send `reauthorizationRequired`, `subscriptionRemoved` or `missed` to the lifecycle address."""
    payload = {"subscription": subscription.id, "lifecycle": event, "first": sandbox.now(), "tries": 0}
    payload["url"] = subscription.lifecycle_url or subscription.url
    payload["body"] = {
        "subscriptionId": subscription.id, "subscriptionExpirationDateTime": iso(subscription.expires),
        "tenantId": subscription.tenant, "clientState": subscription.client_state, "lifecycleEvent": event,
    }  # fmt: skip
    sandbox.schedule.add(sandbox.now(), "notify", payload)


def _rendered(sandbox: Sandbox, payload: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """(url, body) of one notification; None when its subscription is gone."""
    if "lifecycle" in payload:
        return payload["url"], payload["body"]
    subscription = sandbox.store.subscriptions.get(payload["subscription"])
    if subscription is None:
        return None
    is_event = subscription.kind == "event"
    path = f"Users/{subscription.mailbox}/{'Events' if is_event else 'Messages'}/{payload['item']}"
    return subscription.url, {
        "id": ids.key(),
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": iso(subscription.expires),
        "clientState": subscription.client_state or None,
        "changeType": payload["change"],
        "resource": path,
        "tenantId": subscription.tenant,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.Event" if is_event else "#Microsoft.Graph.Message",
            "@odata.id": path,
            "@odata.etag": payload["etag"],
            "id": payload["item"],
        },
    }


class Poster:
    """Posts notifications in the background, several for one address together."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, actions: list[Action]) -> None:
        """Start posting; an action stays in the store until its address has answered."""
        by_url: dict[str, list[tuple[Action, dict[str, Any]]]] = defaultdict(list)
        for action in actions:
            rendered = _rendered(self._sandbox, action.payload)
            if rendered is None:
                self._sandbox.schedule.done(action)
                continue
            self._sandbox.notifications_in_flight.add(action.id)
            by_url[rendered[0]].append((action, rendered[1]))
        for url, items in by_url.items():
            for start in range(0, len(items), MOST_IN_ONE_POST):
                task = asyncio.create_task(self._post_one(url, items[start : start + MOST_IN_ONE_POST]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _post_one(self, url: str, items: list[tuple[Action, dict[str, Any]]]) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        body = orjson.dumps({"value": [body for _, body in items]})
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            async with self._session.post(url, data=body, headers=headers, timeout=ANSWER_WITHIN) as answer:
                heard = 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            heard = False
        for action, _ in items:
            self._sandbox.notifications_in_flight.discard(action.id)
            self._settle(action, heard)
        self._sandbox.store.commit()

    def _settle(self, action: Action, heard: bool) -> None:
        sandbox, payload = self._sandbox, action.payload
        if action.id not in sandbox.store.actions:  # the sandbox was reset meanwhile
            return
        if heard or sandbox.now() - payload["first"] > GIVE_UP_AFTER_SECONDS:
            kind = "notified" if heard else "notification_dropped"
            sandbox.store.record(
                kind, "", {"subscription": payload["subscription"], "tries": payload["tries"] + 1}
            )
            sandbox.schedule.done(action)
            return
        payload["tries"] += 1
        # On a fast clock a gap of clock seconds would be none at all; it is never under half a real second.
        gap = max(2.0 ** min(payload["tries"], 10), 0.5 * max(sandbox.clock.rate, 1.0))
        sandbox.schedule.again(action, sandbox.now() + gap)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None


async def shakes_hands(url: str) -> bool:
    """The address answers the validation token within ten seconds: 200, text/plain, the token."""
    token = f"Validation: Testing client application reachability for subscription Request-Id: {ids.guid()}"
    try:
        async with aiohttp.ClientSession(timeout=HANDSHAKE_WITHIN) as session:
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            async with session.post(url, params={"validationToken": token}, headers=headers) as answer:
                text = await answer.text()
                return answer.status == 200 and answer.content_type == "text/plain" and text == token
    except (aiohttp.ClientError, TimeoutError, OSError, UnicodeDecodeError):
        return False
