"""/_sandbox/: steer the sandbox, and look at what really happened in it."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from m365_sandbox import delivery, notifications, overview, truth, world, world_file
from m365_sandbox.clock import Reading, from_iso, iso
from m365_sandbox.courier import Courier
from m365_sandbox.entities import Folder, Thing
from m365_sandbox.entra import approvals, consent, directory, revocation
from m365_sandbox.faults import rule_from
from m365_sandbox.graph.delta import expire_tokens
from m365_sandbox.permissions import POLICIES
from m365_sandbox.sandbox import Sandbox


def _json(value: Any, status: int = 200) -> Response:
    return Response(
        orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, media_type="application/json"
    )


async def to_start(_: Request) -> Response:
    return RedirectResponse("/_sandbox/")


class Control:
    """What `/_sandbox/` can do. Each method takes the request's JSON (or form) and returns JSON."""

    def __init__(self, sandbox: Sandbox, courier: Courier, fill: Callable[[Sandbox], None]) -> None:
        self.sandbox, self.courier, self._fill = sandbox, courier, fill

    def clock(self) -> dict[str, Any]:
        """The time, what comes next, and `busy`: how many things are due and not done yet."""
        sandbox, now = self.sandbox, self.sandbox.now()
        next_due = sandbox.schedule.next_due()
        due = sum(action.due <= now for action in sandbox.store.actions.values())
        return {
            "now": iso(now), "product": now, "rate": sandbox.clock.rate, "mode": _mode(sandbox.clock.rate),
            "next_event_at": iso(next_due) if next_due is not None else None,
            "pending": len(sandbox.schedule) - due, "busy": due,
        }  # fmt: skip

    def move_clock(self, given: dict[str, Any]) -> dict[str, Any]:
        """Move it (`advance_seconds`, `to` a time or "next": what comes next), change its rate, or both."""
        product = None
        if given.get("to") == "next":
            product = self.sandbox.schedule.next_due()
        elif "to" in given:
            product = from_iso(str(given["to"]))
        elif "advance_seconds" in given:
            product = self.sandbox.now() + float(given["advance_seconds"])
        if product is not None and product < self.sandbox.now() - 1:
            raise ValueError("The clock goes forward only; POST /_sandbox/reset starts anew.")
        rate = float(given["rate"]) if "rate" in given else None
        if rate is not None and rate < 0:
            raise ValueError("rate is 0 (stopped) or more.")
        reading = self.sandbox.clock.set(product=product, rate=rate)
        self._keep_clock(reading)
        self.sandbox.schedule.woken.set()
        return self.clock()

    def _keep_clock(self, reading: Reading) -> None:
        kept = {"real": reading.real, "product": reading.product, "rate": reading.rate}
        self.sandbox.store.set_meta("clock", kept)
        self.sandbox.store.commit()

    def change_switches(self, given: dict[str, Any]) -> dict[str, Any]:
        self.sandbox.switches.change(from_text(given))
        self.sandbox.keep_settings()
        return self.sandbox.switches.to_json()

    def faults(self) -> dict[str, Any]:
        return {"rules": self.sandbox.faults.to_json(), "struck": self.sandbox.faults.struck}

    def change_faults(self, given: Any) -> dict[str, Any]:
        """A rule, several of them ({"rules": [...]} or a list), or {"clear": true}."""
        if isinstance(given, dict) and given.get("clear"):
            self.sandbox.faults.clear()
        else:
            rows = given if isinstance(given, list) else given.get("rules") or [_filled_in(given)]
            for rule in [rule_from(row) for row in rows]:  # all or none
                self.sandbox.faults.rules.append(rule)
        self.sandbox.keep_settings()
        return self.faults()

    def deliver(self, given: dict[str, Any]) -> dict[str, Any]:
        """Put any message into a mailbox: {mailbox, from, subject, text or html, headers, in_reply_to, …}.

        {"messages": [such, …]} delivers many at once.
        """
        if "messages" in given:
            return {"delivered": [self.deliver(one) for one in given["messages"]]}
        headers = dict(given.get("headers") or {})
        if given.get("in_reply_to"):
            headers.setdefault("In-Reply-To", given["in_reply_to"])
            headers.setdefault("References", given["in_reply_to"])
        if "mailbox" not in given or "from" not in given:
            raise ValueError("deliver needs mailbox and from.")
        message = delivery.place(self.sandbox, {**given, "headers": headers}, at=self.sandbox.now())
        return {
            "id": message.id, "immutable_id": message.immutable_id, "internetMessageId": message.internet_id,
            "conversationId": message.conversation,
        }  # fmt: skip

    def add_user(self, given: dict[str, Any]) -> dict[str, Any]:
        """A new user, or a change of one: enabled, licensed, role, person, mailbox_full, aliases, revoke_tokens."""
        if "address" not in given:
            raise ValueError("users needs an address.")
        user = self.sandbox.user(given["address"]) or world.add_user(self.sandbox, given)
        for name in ("enabled", "licensed", "kind", "name", "time_zone", "mailbox_full", "aliases"):
            if name in given:
                setattr(user, name, given[name])
        if "person" in given:
            user.person = given["person"] and world.person_from(user, given["person"])
        directory.set_user(user, given)
        if "revoke" in given:
            revocation.revoke(self.sandbox, user, given["revoke"])
        if not user.enabled:
            revocation.challenge(self.sandbox, user)
        if given.get("revoke_tokens"):
            user.tokens_valid_from = self.sandbox.now() + 0.001
            for token in list(self.sandbox.store.access_tokens.values()):
                if token.user == user.id:
                    self.sandbox.store.remove(token)
        self.sandbox.store.save(user)
        return {"id": user.id, "tenant": user.tenant, "address": user.address, "enabled": user.enabled}

    def change_tenant(self, given: dict[str, Any]) -> dict[str, Any]:
        tenant = self.sandbox.store.tenant_by_domain.get(str(given.get("domain", "")).lower())
        if tenant is None:
            tenant = world.add_tenant(self.sandbox, given)
        if given.get("consent_policy", tenant.consent_policy) not in POLICIES:
            raise ValueError(f"consent_policy is one of {', '.join(POLICIES)}.")
        for name in ("consent_policy", "admin_consent_workflow", "risky_app", "name"):
            if name in given:
                setattr(tenant, name, given[name])
        directory.set_tenant(tenant, given)
        self.sandbox.store.save(tenant)
        return {"id": tenant.id, "domain": tenant.domain, "consent_policy": tenant.consent_policy}

    def change_app(self, given: dict[str, Any]) -> dict[str, Any]:
        app = self.sandbox.store.apps.get(str(given.get("client_id", world.APP_ID)))
        if app is None:
            app = world.add_app(self.sandbox, given)
        directory.set_app(app, given)
        if "client_secret" in given:
            app.secret = str(given["client_secret"])
        for name in ("name", "publisher", "verified", "redirect_uris", "secret_expired", "enabled"):
            if name in given:
                setattr(app, name, given[name])
        self.sandbox.store.save(app)
        return {"client_id": app.id, "name": app.name, "redirect_uris": app.redirect_uris}

    def change_grants(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"account" or "tenant" (domain), "revoke": true or [scopes], "grant": [scopes], "client_id"}"""
        store = self.sandbox.store
        app = store.apps.get(str(given.get("client_id", world.APP_ID)))
        user = self.sandbox.user(str(given.get("account", "")))
        tenant = store.tenant_by_domain.get(str(given.get("tenant", "")).lower())
        if app is None or (user is None and tenant is None):
            raise ValueError("grants needs an account (address) or a tenant (domain), and a known client_id.")
        tenant_id, who = (user.tenant, user.id) if user else (tenant.id, "*")  # type: ignore[union-attr]
        if given.get("revoke"):
            consent.revoke(
                self.sandbox, app, tenant_id, who, None if given["revoke"] is True else given["revoke"]
            )
        if given.get("grant"):
            consent.grant(self.sandbox, app, tenant_id, who, list(given["grant"]))
        grant = store.grants.get(f"{app.id}:{tenant_id}:{who}")
        return {"scopes": grant.scopes if grant else []}

    def expire_delta(self, given: dict[str, Any]) -> dict[str, Any]:
        user = self.sandbox.user(str(given.get("mailbox", "")))
        if user is None:
            raise ValueError("expire-delta needs the address of a mailbox.")
        folders = self.sandbox.store.folders_of(user.id)
        for folder in folders:
            expire_tokens(folder)
            self.sandbox.store.save(folder)
        return {"folders": len(folders)}

    def lifecycle(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"mailbox" or "subscription", "event": reauthorizationRequired | subscriptionRemoved | missed}"""
        event = given.get("event")
        if event not in ("reauthorizationRequired", "subscriptionRemoved", "missed"):
            raise ValueError("event is reauthorizationRequired, subscriptionRemoved or missed.")
        user = self.sandbox.user(str(given.get("mailbox", "")))
        chosen = [
            s
            for s in list(self.sandbox.store.subscriptions.values())
            if s.id == given.get("subscription") or (user is not None and s.mailbox == user.id)
        ]
        for subscription in chosen:
            notifications.lifecycle(self.sandbox, subscription, event)
            if event == "subscriptionRemoved":
                self.sandbox.store.remove(subscription)
        return {"subscriptions": len(chosen)}

    def touch(self, given: dict[str, Any]) -> dict[str, Any]:
        """What the mailbox's owner does by hand: {"mailbox", "internetMessageId", "do", "folder" or "body"}"""
        from m365_sandbox import ids

        store = self.sandbox.store
        user = self.sandbox.user(str(given.get("mailbox", "")))
        found = store.by_internet_id(user.id, str(given.get("internetMessageId"))) if user else []
        if not user or not found:
            raise ValueError("outlook needs a mailbox and the internetMessageId of a message in it.")
        message = found[0]
        left, old, immutable = message.folder, message.id, message.immutable_id
        match given.get("do"):
            case "read":
                store.change_message(message, is_read=True, modified=self.sandbox.now())
                notifications.message_changed(self.sandbox, message, "updated")
            case "edit":
                store.change_message(message, body=str(given.get("body", "")), modified=self.sandbox.now())
                notifications.message_changed(self.sandbox, message, "updated")
            case "send":
                delivery.submit(self.sandbox, message)
            case "move":
                folder = store.folder(user.id, str(given.get("folder", "archive")))
                if folder is None:
                    raise ValueError(f"There is no folder {given.get('folder')!r}.")
                store.move_message(message, folder, ids.item_id())
                notifications.message_left(self.sandbox, user.id, left, old, immutable)
                notifications.message_changed(self.sandbox, message, "created")
            case "delete":
                store.delete_message(message)
                notifications.message_left(self.sandbox, user.id, left, old, immutable)
            case _:
                raise ValueError("do is read, edit, send, move or delete.")
        return {"id": message.id}

    def make_folder(self, given: dict[str, Any]) -> dict[str, Any]:
        """As its owner does it: {"mailbox", "name", "below", "rule": {conditions}}, all but the first two optional.

        With a rule (https://learn.microsoft.com/graph/api/resources/messagerulepredicates), mail that fits comes into it.
        """
        from m365_sandbox import ids

        store = self.sandbox.store
        user = self.sandbox.user(str(given.get("mailbox", "")))
        if user is None or not given.get("name"):
            raise ValueError("folders needs the address of a mailbox and a name.")
        above = store.folder(user.id, str(given["below"])) if given.get("below") else None
        if given.get("below") and above is None:
            raise ValueError(f"There is no folder {given['below']!r}.")
        folder = Folder(ids.item_id(), user.id, str(given["name"]), parent=above.id if above else "")
        store.save(folder)
        if given.get("rule"):
            fields = {
                "displayName": folder.name, "sequence": len(store.things_of(user.id, "rule")) + 1, "isEnabled": True,
                "conditions": given["rule"], "actions": {"moveToFolder": folder.id, "stopProcessingRules": True},
            }  # fmt: skip
            store.save(Thing(ids.key(), user.id, "rule", fields))
        return {"id": folder.id}

    def change_person(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"address", "person": {what is to be different}, or null}: how somebody behaves from now on."""
        user = self.sandbox.user(str(given.get("address", "")))
        if user is None:
            raise ValueError("people needs the address of somebody who lives here; POST users adds somebody.")
        wanted = given.get("person", {name: value for name, value in given.items() if name != "address"})
        if wanted is None:
            user.person = None
        else:
            user.person = world.person_from(user, {**(user.person or {}), **from_text(wanted)})
        self.sandbox.store.save(user)
        return {"address": user.address, "person": user.person}

    def snapshots(self) -> dict[str, Any]:
        return {"snapshots": self.sandbox.store.snapshots()}

    def snapshot(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"name"}: keep everything, the time too."""
        name = str(given.get("name", ""))
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            raise ValueError("A snapshot needs a name of letters, digits, - and _.")
        self._keep_clock(self.sandbox.clock.set())
        self.sandbox.keep_settings()
        self.sandbox.store.snapshot(name)
        return self.snapshots()

    def restore(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"name"}: everything as it was at the snapshot. The clock goes back too, unless `keep_clock`."""
        sandbox = self.sandbox
        try:
            sandbox.store.restore(str(given.get("name", "")))
        except KeyError:
            raise ValueError(f"Snapshots: {', '.join(sandbox.store.snapshots()) or 'none'}.") from None
        then = sandbox.store.meta.get("clock")
        if then and not given.get("keep_clock"):
            self._keep_clock(sandbox.clock.set(product=then["product"]))
        sandbox.take_up_settings()
        self._forget_what_goes_on()
        return self.health()

    def _forget_what_goes_on(self) -> None:
        self.sandbox.notifications_in_flight.clear()
        self.sandbox.recent_requests.clear()
        self.sandbox.schedule.reload()

    def reset(self, given: dict[str, Any]) -> dict[str, Any]:
        """Everything as new; the clock goes on from where it is, unless `empty` leaves the world empty."""
        sandbox = self.sandbox
        key = sandbox.store.meta.get("signing_key")
        sandbox.store.clear()
        sandbox.faults.clear()
        sandbox.orders.clear()
        if key:
            sandbox.store.set_meta("signing_key", key)
        sandbox.keep_settings()
        self._forget_what_goes_on()
        if not given.get("empty"):
            self._fill(sandbox)
        return self.health()

    def people(self) -> list[dict[str, Any]]:
        counts = Counter(action.payload.get("user") for action in self.sandbox.store.actions.values())
        return [
            {
                "address": user.address, "name": user.name, "kind": user.kind, "role": user.role,
                "person": user.person, "will_do": counts[user.id],
            }
            for user in self.sandbox.store.users.values()
        ]  # fmt: skip

    def contract(self) -> dict[str, Any]:
        """What did not fit Microsoft's description of Graph; null where nobody looks."""
        watch = self.sandbox.watch
        return {"watch": watch.to_json() if watch else None}

    def health(self) -> dict[str, Any]:
        store = self.sandbox.store
        return {
            "ok": store.count_facts("failure") == 0, "users": len(store.users),
            "messages": len(store.messages), "pending": len(store.actions),
            "requests": store.last_logged(), "seed": self.sandbox.seed, "start": store.meta.get("start"),
            "app": {"client_id": world.APP_ID, "client_secret": world.APP_SECRET},
        }  # fmt: skip

    def review(self, given: dict[str, Any]) -> dict[str, Any]:
        """An administrator's word on a consent request: {"request": id, "decision": approve|deny}"""
        request = self.sandbox.store.consent_requests.get(str(given.get("request", "")))
        if request is None or given.get("decision") not in ("approve", "deny"):
            raise ValueError("approvals needs the id of a request and the decision approve or deny.")
        approvals.review(self.sandbox, request, given["decision"], None)
        return {"id": request.id, "state": request.state}

    def approvals(self) -> list[dict[str, Any]]:
        store = self.sandbox.store
        return [
            {
                "id": r.id, "state": approvals.state(self.sandbox, r), "user": store.users[r.user].address,
                "app": store.apps[r.app].name,
                "scopes": r.scopes, "justification": r.justification, "at": iso(r.at),
            }
            for r in store.consent_requests.values()
        ]  # fmt: skip


def _mode(rate: float) -> str:
    return "stepped" if rate == 0 else "real" if rate == 1 else "fast"


def _filled_in(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value != ""}


def from_text(given: dict[str, Any]) -> dict[str, Any]:
    """What a form sends as text (numbers, true, lists), as JSON where it is some."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value

    return {name: read(value) for name, value in given.items()}


def routes(sandbox: Sandbox, courier: Courier, fill: Callable[[Sandbox], None]) -> list[Route]:
    control = Control(sandbox, courier, fill)

    def show(get: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_: Request) -> Response:
            return _json(get())

        return endpoint

    def act(do: Callable[[dict[str, Any]], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            is_form = is_form and body[:1] not in (b"{", b"[")  # curl -d calls everything a form
            try:
                given = _from_form(body) if is_form else orjson.loads(body or b"{}")
                answer = do(given)
            except orjson.JSONDecodeError:
                return _json({"error": "The body is not JSON."}, 400)
            except (ValueError, TypeError, KeyError) as error:
                return _json({"error": str(error)}, 400)
            sandbox.store.commit()
            if is_form:
                return RedirectResponse(request.headers.get("referer") or "/_sandbox/", status_code=303)
            return _json(answer)

        return endpoint

    async def log(request: Request) -> Response:
        after, limit = (
            int(request.query_params.get("after", 0)),
            int(request.query_params.get("limit", 10000)),
        )
        entries = sandbox.store.logged(after, limit)
        if "path" in request.query_params:
            entries = [entry for entry in entries if request.query_params["path"] in entry["path"]]
        return _json({"last": sandbox.store.last_logged(), "requests": entries})

    async def tell_truth(request: Request) -> Response:
        return _json(truth.tell(sandbox.store, mailbox=request.query_params.get("mailbox")))

    async def world_yaml(_: Request) -> Response:
        return Response(world_file.write(sandbox), media_type="application/yaml")

    async def page(_: Request) -> Response:
        return HTMLResponse(overview.page(sandbox, control.clock()))

    async def approvals_page(_: Request) -> Response:
        return HTMLResponse(overview.approvals(control.approvals()))

    def both(path: str, get: Callable[[], Any], do: Callable[[dict[str, Any]], Any]) -> list[Route]:
        return [Route(path, show(get), methods=["GET"]), Route(path, act(do), methods=["POST"])]

    def grants() -> list[dict[str, Any]]:
        return [
            {"app": g.app, "tenant": g.tenant, "user": g.user, "scopes": g.scopes}
            for g in sandbox.store.grants.values()
        ]

    return [
        Route("/_sandbox/", page),
        Route("/_sandbox", to_start),
        *both("/_sandbox/clock", control.clock, control.move_clock),
        *both("/_sandbox/switches", sandbox.switches.to_json, control.change_switches),
        *both("/_sandbox/grants", grants, control.change_grants),
        *both("/_sandbox/approvals.json", control.approvals, control.review),
        Route("/_sandbox/approvals", approvals_page, methods=["GET"]),
        Route("/_sandbox/approvals", act(control.review), methods=["POST"]),
        Route("/_sandbox/truth", tell_truth),
        Route("/_sandbox/log", log),
        Route("/_sandbox/contract", show(control.contract)),
        Route("/_sandbox/deliver", act(control.deliver), methods=["POST"]),
        Route("/_sandbox/users", act(control.add_user), methods=["POST"]),
        Route("/_sandbox/tenants", act(control.change_tenant), methods=["POST"]),
        Route("/_sandbox/apps", act(control.change_app), methods=["POST"]),
        Route("/_sandbox/outlook", act(control.touch), methods=["POST"]),
        Route("/_sandbox/folders", act(control.make_folder), methods=["POST"]),
        Route("/_sandbox/expire-delta", act(control.expire_delta), methods=["POST"]),
        Route("/_sandbox/lifecycle", act(control.lifecycle), methods=["POST"]),
        *both("/_sandbox/faults", control.faults, control.change_faults),
        Route("/_sandbox/faults", show(lambda: control.change_faults({"clear": True})), methods=["DELETE"]),
        *both("/_sandbox/snapshot", control.snapshots, control.snapshot),
        Route("/_sandbox/restore", act(control.restore), methods=["POST"]),
        Route("/_sandbox/world.yaml", world_yaml),
        Route("/_sandbox/reset", act(control.reset), methods=["POST"]),
        *both("/_sandbox/people", control.people, control.change_person),
        Route("/_sandbox/health", show(control.health)),
    ]


def _from_form(body: bytes) -> dict[str, Any]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(body.decode(), keep_blank_values=True))
