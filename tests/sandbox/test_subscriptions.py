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
    shaken: list[tuple[str, str]] = field(default_factory=list)
    """(content type, token) of each handshake."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    state = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            query = parse_qs(urlsplit(self.path).query)
            if "validationToken" in query:
                state.shaken.append((self.headers["content-type"], query["validationToken"][0]))
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
    sandbox: Served, alice: Mailbox, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learn, subscription: create: 1000 active ones for a mailbox, over all apps; here with a smaller number."""
    from m365_sandbox.graph import subscriptions

    assert subscriptions.MOST_FOR_A_MAILBOX == 1000
    monkeypatch.setattr(subscriptions, "MOST_FOR_A_MAILBOX", 2)

    made = [
        alice.post("/subscriptions", wanted(sandbox, listener, resource=f"me/{kind}")).status
        for kind in ("messages", "events", "contacts")
    ]
    assert made == [201, 201, 403]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"clientState": "x" * 128}, 201), ({"clientState": "x" * 129}, 400), ({"changeType": ""}, 400),
        ({"changeType": "created,updated,deleted"}, 201), ({"changeType": "seen"}, 400),
        ({"resource": "me/todo"}, 400), ({"resource": "me/messages"}, 201), ({"resource": "me/events"}, 201),
        ({"resource": "me/contacts"}, 201), ({"resource": "users/alice@northwind.example/messages"}, 201),
        ({"resource": "users/ben@northwind.example/messages"}, 403), ({"expirationDateTime": "soon"}, 400),
        ({"notificationUrl": "ftp://x.example/hook"}, 400), ({"notificationUrl": None}, 400),
    ],
)  # fmt: skip
def test_what_a_subscription_must_say_and_may_be_about(
    sandbox: Served, alice: Mailbox, listener: Listener, change: dict[str, Any], status: int
) -> None:
    """Learn: subscription resource type; Create subscription."""
    assert alice.post("/subscriptions", {**wanted(sandbox, listener), **change}).status == status


def test_the_read_permission_of_the_resource_is_needed_and_is_enough(
    sandbox: Served, listener: Listener
) -> None:
    """Learn: Create subscription, permissions: never more than read access."""
    sender = sandbox.sign_in("alice@northwind.example", "User.Read Mail.Send")
    assert sender.post("/subscriptions", wanted(sandbox, listener)).status == 403
    reader = sandbox.sign_in("alice@northwind.example", "User.Read Mail.Read")
    assert reader.post("/subscriptions", wanted(sandbox, listener)).status == 201
    assert reader.post("/subscriptions", wanted(sandbox, listener, resource="me/events")).status == 403


def test_a_lifecycle_address_cannot_be_added_later(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    """msgraph-sdk, subscription: it is given at creation or never."""
    made = alice.post("/subscriptions", wanted(sandbox, listener)).json
    later = {"lifecycleNotificationUrl": listener.url}

    assert alice.call("PATCH", f"/subscriptions/{made['id']}", body=later).status == 400


def test_with_the_switch_an_address_must_be_https(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    sandbox.control("switches", {"notification_urls": "https"})

    refused = alice.post("/subscriptions", wanted(sandbox, listener))
    assert (refused.status, refused.json["error"]["code"]) == (400, "InvalidRequest")


def test_both_addresses_are_shaken_hands_with_and_the_token_comes_as_text(
    sandbox: Served, alice: Mailbox, listener: Listener
) -> None:
    """Learn: Receive change notifications through webhooks, notificationUrl validation."""
    twice = wanted(sandbox, listener, lifecycleNotificationUrl=listener.url)

    assert alice.post("/subscriptions", twice).status == 201
    assert [kind for kind, _ in listener.shaken] == ["text/plain; charset=utf-8"] * 2
    assert len({token for _, token in listener.shaken}) == 2
