"""Change notifications: who subscribed hears by a POST that something changed; the deaf are told again."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any

import aiohttp
import orjson

from m365_sandbox import ids, sealed
from m365_sandbox.clock import iso
from m365_sandbox.entities import Action, Contact, Event, Message, Subscription
from m365_sandbox.sandbox import Sandbox

ANSWER_WITHIN = aiohttp.ClientTimeout(total=3)
HANDSHAKE_WITHIN = aiohttp.ClientTimeout(total=10)
GIVE_UP_AFTER_SECONDS = 4 * 3600
MOST_IN_ONE_POST = 100
ASK_BEFORE_SECONDS = 15 * 60
PACE_SECONDS, FEWEST_ANSWERS = 600, 5


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


def contact_changed(sandbox: Sandbox, contact: Contact, change: str) -> None:
    for subscription in sandbox.store.subscriptions_of(contact.mailbox):
        if subscription.kind == "contact":
            _tell(sandbox, subscription, change, contact.id, f'W/"EQAAABYAAA{contact.version}"')


def _tell(sandbox: Sandbox, subscription: Subscription, change: str, item: str, etag: str) -> None:
    now = sandbox.now()
    if change not in subscription.change_types or subscription.expires <= now:
        return
    if sandbox.chance.random() < sandbox.switches.notifications_lost:
        return
    address = sandbox.store.users[subscription.mailbox].address
    if sandbox.faults.happens("notification_lost", address, subscription.resource):
        return
    late = sandbox.faults.happens("notification_late", address, subscription.resource)
    wait = sandbox.switches.notification_seconds + (late.seconds if late else 0)
    times = 2 if sandbox.chance.random() < sandbox.switches.notifications_doubled else 1
    for _ in range(times):
        payload = {
            "subscription": subscription.id, "change": change, "item": item, "etag": etag, "first": now,
            "tries": 0,
        }  # fmt: skip
        sandbox.schedule.add(now + wait, "notify", payload)


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
    kind = subscription.kind.capitalize()
    path = f"Users/{subscription.mailbox}/{kind}s/{payload['item']}"
    body: dict[str, Any] = {
        "id": ids.key(),
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": iso(subscription.expires),
        "clientState": subscription.client_state or None,
        "changeType": payload["change"],
        "resource": path,
        "tenantId": subscription.tenant,
        "resourceData": {
            "@odata.type": f"#Microsoft.Graph.{kind}",
            "@odata.id": path,
            "@odata.etag": payload["etag"],
            "id": payload["item"],
        },
    }
    if subscription.certificate and payload["change"] != "deleted":
        shown = _resource_data(sandbox, subscription, payload["item"])
        if shown is not None:
            body["encryptedContent"] = sealed.seal(orjson.dumps(shown), subscription)
    return subscription.url, body


def _resource_data(sandbox: Sandbox, subscription: Subscription, item: str) -> dict[str, Any] | None:
    """The members that the subscription's `$select` names; None when the item is gone meanwhile."""
    from m365_sandbox.graph import resource_data  # how items look is Graph's matter

    return resource_data.shown(sandbox, subscription, item)


def _reauthorization(sandbox: Sandbox, subscription: Subscription) -> float:
    """When to ask for it: before the subscription, or the token that made it, runs out."""
    ends = subscription.expires
    if sandbox.switches.reauthorization == "token" and subscription.authorized:
        ends = min(ends, subscription.authorized)
    return ends - ASK_BEFORE_SECONDS


def watch_over(sandbox: Sandbox, subscription: Subscription) -> None:
    """Have `reauthorizationRequired` sent in time, unless it is renewed before."""
    if subscription.lifecycle_url:
        due = _reauthorization(sandbox, subscription)
        payload = {"subscription": subscription.id, "asks": due}
        sandbox.schedule.add(max(due, sandbox.now()), "reauthorization", payload)


def ask_to_reauthorize(sandbox: Sandbox, action: Action) -> None:
    subscription = sandbox.store.subscriptions.get(action.payload["subscription"])
    if subscription is None or _reauthorization(sandbox, subscription) > action.payload["asks"] + 1:
        return  # gone, or renewed since
    lifecycle(sandbox, subscription, "reauthorizationRequired")


# Slow endpoints: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks


def pace(answers: Iterable[float], rule: str) -> str:
    """ "well", "slow" (told ten minutes later) or "drop" (not told), by the seconds that ten minutes' answers took."""
    answers = list(answers)
    limit, share = (3.0, 0.10) if rule == "slow" else (10.0, 0.15)
    late = sum(1 for seconds in answers if seconds >= limit)
    return rule if len(answers) >= FEWEST_ANSWERS and late / len(answers) > share else "well"


class Poster:
    """Posts notifications in the background, several for one address together."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._pace: dict[str, deque[tuple[float, float]]] = defaultdict(deque)

    def post(self, actions: list[Action]) -> None:
        """Start posting; an action stays in the store until its address has answered."""
        by_url: dict[str, list[tuple[Action, dict[str, Any]]]] = defaultdict(list)
        for action in actions:
            rendered = _rendered(self._sandbox, action.payload)
            if rendered is None:
                self._sandbox.schedule.done(action)
                continue
            if self._held_up(rendered[0], action):
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
        body = orjson.dumps(self._collection(items))
        headers = {"Content-Type": "application/json; charset=utf-8"}
        rule, began = self._sandbox.switches.slow_endpoint, time.perf_counter()
        within = ANSWER_WITHIN if rule == "slow" else HANDSHAKE_WITHIN
        try:
            async with self._session.post(url, data=body, headers=headers, timeout=within) as answer:
                heard = 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            heard = False
        self._pace[url].append((self._sandbox.now(), time.perf_counter() - began))
        for action, _ in items:
            self._sandbox.notifications_in_flight.discard(action.id)
            self._settle(action, heard)
        self._sandbox.store.commit()

    def _collection(self, items: list[tuple[Action, dict[str, Any]]]) -> dict[str, Any]:
        """With one validation token for each app and tenant, where items come sealed."""
        store, bodies = self._sandbox.store, [body for _, body in items]
        sealed_ones = [body["subscriptionId"] for body in bodies if "encryptedContent" in body]
        owners = {(s.app, s.tenant) for s in map(store.subscriptions.get, sealed_ones) if s is not None}
        tokens = [sealed.validation_token(self._sandbox, app, tenant) for app, tenant in sorted(owners)]
        return {"value": bodies, **({"validationTokens": tokens} if tokens else {})}

    def _held_up(self, url: str, action: Action) -> bool:
        """Whether the address was too slow of late: then it is told later, or not at all."""
        sandbox, answers = self._sandbox, self._pace[url]
        while answers and answers[0][0] < sandbox.now() - PACE_SECONDS:
            answers.popleft()
        state = pace((seconds for _, seconds in answers), sandbox.switches.slow_endpoint)
        if state == "slow" and "delayed" not in action.payload:
            action.payload["delayed"] = True
            sandbox.schedule.again(action, sandbox.now() + PACE_SECONDS)
            return True
        if state == "drop":
            self._drop(action)
            return True
        return False

    def _drop(self, action: Action) -> None:
        """Given up; the lifecycle address hears that something was missed."""
        sandbox, payload = self._sandbox, action.payload
        tries = payload["tries"] + 1
        sandbox.store.record(
            "notification_dropped", "", {"subscription": payload["subscription"], "tries": tries}
        )
        sandbox.schedule.done(action)
        subscription = sandbox.store.subscriptions.get(payload["subscription"])
        if subscription is not None and subscription.lifecycle_url and "lifecycle" not in payload:
            lifecycle(sandbox, subscription, "missed")

    def _settle(self, action: Action, heard: bool) -> None:
        sandbox, payload = self._sandbox, action.payload
        if action.id not in sandbox.store.actions:  # the sandbox was reset meanwhile
            return
        if heard:
            tries = payload["tries"] + 1
            sandbox.store.record("notified", "", {"subscription": payload["subscription"], "tries": tries})
            sandbox.schedule.done(action)
            return
        if sandbox.now() - payload["first"] > GIVE_UP_AFTER_SECONDS:
            self._drop(action)
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
