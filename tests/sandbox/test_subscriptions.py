"""Subscriptions: the handshake, the notifications, the rules."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from .conftest import Mailbox, Served, until


@dataclass
class Listener:
    """A notification address; `refusing` so many posts are answered 503 first."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    refusing: int = 0
    shakes: bool = True


@pytest.fixture
def listener() -> Iterator[Listener]:
    state = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            query = parse_qs(urlsplit(self.path).query)
            if "validationToken" in query:
                self._answer(200 if state.shakes else 500, query["validationToken"][0])
                return
            if state.refusing:
                state.refusing -= 1
                self._answer(503, "")
                return
            state.heard += json.loads(body)["value"]
            self._answer(202, "")

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield state
    server.shutdown()
    server.server_close()


def wanted(sandbox: Served, listener: Listener, days: float = 3, **more: Any) -> dict[str, Any]:
    from m365_sandbox.clock import iso

    expires = sandbox.control("clock")["product"] + days * 86400
    return {
        "changeType": "created", "notificationUrl": listener.url,
        "resource": "me/mailFolders('inbox')/messages",
        "expirationDateTime": iso(expires), "clientState": "hush", **more,
    }  # fmt: skip


def test_a_new_message_is_notified(sandbox: Served, alice: Mailbox, listener: Listener) -> None:
    created = alice.post("/subscriptions", wanted(sandbox, listener))
    assert created.status == 201, created.text
    sandbox.control("deliver", {"mailbox": alice.address, "from": "carol@contoso.example"})
    sandbox.settle()

    [told] = listener.heard
    [message] = alice.inbox("id")
    assert (told["subscriptionId"], told["clientState"]) == (created.json["id"], "hush")
    assert (told["changeType"], told["resourceData"]["id"]) == ("created", message["id"])
    assert told["resourceData"]["@odata.type"] == "#Microsoft.Graph.Message"


def test_immutable_ids_come_to_those_who_subscribed_so(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    prefer = {"Prefer": 'IdType="ImmutableId"'}
    alice.post("/subscriptions", wanted(sandbox, listener), headers=prefer)
    sandbox.control("deliver", {"mailbox": alice.address, "from": "carol@contoso.example"})
    sandbox.settle()

    [message] = alice.get("/me/mailFolders/inbox/messages?$select=id", headers=prefer).json["value"]
    assert listener.heard[0]["resourceData"]["id"] == message["id"]


def test_a_deaf_address_is_asked_again(sandbox: Served, alice: Mailbox, listener: Listener) -> None:
    alice.post("/subscriptions", wanted(sandbox, listener))
    listener.refusing = 2
    sandbox.control("deliver", {"mailbox": alice.address, "from": "carol@contoso.example"})
    sandbox.settle()
    assert listener.heard == []

    sandbox.advance(10)
    sandbox.advance(30)
    until(lambda: len(listener.heard) == 1)


def test_an_address_that_fails_the_handshake_gets_no_subscription(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    listener.shakes = False

    refused = alice.post("/subscriptions", wanted(sandbox, listener))
    assert (refused.status, refused.json["error"]["code"]) == (400, "InvalidRequest")
    assert alice.get("/subscriptions").json["value"] == []


def test_the_same_subscription_twice_is_a_conflict(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    assert alice.post("/subscriptions", wanted(sandbox, listener)).status == 201

    assert alice.post("/subscriptions", wanted(sandbox, listener)).status == 409


def test_a_subscription_lives_seven_days_at_most_and_can_be_renewed(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    assert alice.post("/subscriptions", wanted(sandbox, listener, days=8)).status == 400

    made = alice.post("/subscriptions", wanted(sandbox, listener, days=1)).json
    later = wanted(sandbox, listener, days=6)["expirationDateTime"]
    renewed = alice.call("PATCH", f"/subscriptions/{made['id']}", body={"expirationDateTime": later})
    assert renewed.json["expirationDateTime"] == later
    assert alice.post(f"/subscriptions/{made['id']}/reauthorize").status == 204
    assert alice.call("DELETE", f"/subscriptions/{made['id']}").status == 204
    assert alice.get(f"/subscriptions/{made['id']}").status == 404


def test_an_expired_subscription_is_silent_and_gone(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    alice.post("/subscriptions", wanted(sandbox, listener, days=1))
    sandbox.advance(2 * 86400)
    sandbox.control("deliver", {"mailbox": alice.address, "from": "carol@contoso.example"})
    sandbox.settle()

    assert listener.heard == []
    assert sandbox.sign_in(alice.address).get("/subscriptions").json["value"] == []


def test_lifecycle_events_go_to_the_lifecycle_address(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    made = alice.post("/subscriptions", wanted(sandbox, listener, lifecycleNotificationUrl=listener.url)).json
    sandbox.control("lifecycle", {"mailbox": alice.address, "event": "subscriptionRemoved"})
    sandbox.settle()

    assert [(n["subscriptionId"], n["lifecycleEvent"]) for n in listener.heard] == [
        (made["id"], "subscriptionRemoved")
    ]
    assert alice.get("/subscriptions").json["value"] == []


def test_a_lost_notification_loses_no_message(sandbox: Served, alice: Mailbox, listener: Listener) -> None:
    alice.post("/subscriptions", wanted(sandbox, listener))
    sandbox.control("switches", {"notifications_lost": 1.0})
    sandbox.control("deliver", {"mailbox": alice.address, "from": "carol@contoso.example"})
    sandbox.settle()

    assert (listener.heard, len(alice.inbox())) == ([], 1)


def test_a_short_subscription_lives_45_minutes(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,
) -> None:
    """msgraph-sdk, subscription: whatever is less is raised to 45 minutes."""
    from m365_sandbox.clock import from_iso

    made = alice.post("/subscriptions", wanted(sandbox, listener, days=1 / 24 / 60))
    left = from_iso(made.json["expirationDateTime"]) - sandbox.control("clock")["product"]
    assert made.status == 201 and 2600 < left <= 2701


def test_a_mailbox_has_at_most_a_thousand_subscriptions(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,
) -> None:
    """Learn, subscription: create: 1000 active ones for a mailbox, over all apps."""
    from dataclasses import replace

    assert alice.post("/subscriptions", wanted(sandbox, listener)).status == 201
    store = sandbox.app.state.sandbox.store
    [first] = store.subscriptions.values()
    for number in range(999):
        store.save(replace(first, id=f"made-{number}", app=f"app-{number}"))

    assert alice.post("/subscriptions", wanted(sandbox, listener, changeType="updated")).status in (403, 409)
