"""Faults on order: every way in which a request, its answer or a notification can go wrong."""

import http.client
import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from .conftest import APP_ID, APP_SECRET, Mailbox, Served
from .test_subscriptions import Listener, listener, wanted  # noqa: F401

DELTA = "/me/mailFolders/inbox/messages/delta?$select=id,subject"


def order(sandbox: Served, action: str, **rule: Any) -> None:
    sandbox.control("faults", {"action": action, "count": 1, **rule})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_before_leaves_the_work_undone_and_after_hides_that_it_was_done(
    sandbox: Served, alice: Mailbox, status: int
) -> None:
    order(sandbox, str(status), path="/messages$", when="before")
    assert alice.post("/me/messages", {"subject": "one"}).status == status
    assert alice.get("/me/mailFolders/drafts").json["totalItemCount"] == 0

    order(sandbox, str(status), path="/messages$", when="after")
    assert alice.post("/me/messages", {"subject": "one"}).status == status
    assert alice.get("/me/mailFolders/drafts").json["totalItemCount"] == 1


def test_retry_after_is_missing_whole_a_fraction_or_a_date(sandbox: Served, alice: Mailbox) -> None:
    seen = []
    for more in (
        {},
        {"retry_after": 7},
        {"retry_after": 2.128},
        {"retry_after": 120, "retry_after_date": True},
    ):
        order(sandbox, "429", **more)
        seen.append(alice.get("/me").headers["Retry-After"])

    assert seen[:3] == [None, "7", "2.128"]
    now = sandbox.control("clock")["product"]
    assert 100 < parsedate_to_datetime(seen[3]).timestamp() - now <= 121


@pytest.mark.parametrize(("action", "when", "drafts"), [("reset", "after", 1), ("timeout", "before", 0)])
def test_a_broken_connection_says_nothing_of_whether_the_work_was_done(
    sandbox: Served, alice: Mailbox, action: str, when: str, drafts: int
) -> None:
    order(sandbox, action, path="/messages$", when=when, seconds=0.1)

    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
    headers = {
        "Authorization": f"Bearer {alice.tokens['access_token']}", "Content-Type": "application/json",
    }  # fmt: skip
    connection.request("POST", "/v1.0/me/messages", json.dumps({"subject": "one"}), headers)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse()
    assert alice.get("/me/mailFolders/drafts").json["totalItemCount"] == drafts
    assert [e["fault"] for e in sandbox.control("log")["requests"] if e.get("fault")] == [f"{action} {when}"]


def test_a_gateway_answers_with_a_page_and_an_answer_is_cut_in_half(sandbox: Served, alice: Mailbox) -> None:
    order(sandbox, "html", path="/me$")
    page = alice.get("/me")
    assert (page.status, page.headers["Content-Type"], page.text[:6]) == (502, "text/html", "<html>")

    order(sandbox, "truncate", path="/me$")
    with pytest.raises(json.JSONDecodeError):
        json.loads(alice.get("/me").content)


def test_a_slow_answer_still_comes(sandbox: Served, alice: Mailbox) -> None:
    order(sandbox, "slow", path="/me$", seconds=0.2)

    assert alice.get("/me").status == 200
    assert sandbox.control("log")["requests"][-1]["ms"] >= 200


def test_the_date_header_is_off_and_else_it_is_the_sandboxes_time(sandbox: Served, alice: Mailbox) -> None:
    sandbox.advance(1800)
    order(sandbox, "skew", path="/me$", seconds=-900)
    wrong, right = (parsedate_to_datetime(alice.get("/me").headers["Date"]).timestamp() for _ in range(2))

    assert 890 <= right - wrong <= 910
    assert abs(right - sandbox.control("clock")["product"]) < 10


def test_headers_are_stripped_all_or_by_name(sandbox: Served, alice: Mailbox) -> None:
    order(sandbox, "strip", path="/me$")
    bare = alice.get("/me")
    assert (bare.headers["request-id"], bare.headers["Content-Type"]) == (None, "application/json")

    order(sandbox, "strip", path="/me$", headers=["client-request-id"])
    without = alice.get("/me", headers={"client-request-id": "mine"}).headers
    assert without["client-request-id"] is None and without["request-id"]


def test_a_delta_link_expires_on_order_and_tells_where_to_begin_anew(sandbox: Served, alice: Mailbox) -> None:
    _, link = alice.delta(DELTA)
    order(sandbox, "expired_delta", path="/delta$")
    gone = alice.get(link)

    assert (gone.status, gone.json["error"]["code"]) == (410, "SyncStateNotFound")
    assert alice.get(gone.headers["Location"]).status == 200


def test_a_false_removal_tells_of_a_message_that_is_still_there(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("deliver", {"mailbox": alice.address, "from": "a@b.example", "subject": "here"})
    order(sandbox, "false_removed", path="/delta$")
    here, removed = alice.delta(DELTA)[0]

    assert removed["@removed"] == {"reason": "deleted"} and removed["id"] == here["id"]
    assert alice.get(f"/me/messages/{here['id']}").status == 200


def test_one_message_changes_its_immutable_id_when_it_is_sent(sandbox: Served, alice: Mailbox) -> None:
    immutable = {"Prefer": 'IdType="ImmutableId"'}
    kept = []
    for _ in range(2):
        draft = alice.post("/me/messages", {"subject": "one", "toRecipients": []}, headers=immutable).json
        to = [{"emailAddress": {"address": "carol@contoso.example"}}]
        alice.call("PATCH", f"/me/messages/{draft['id']}", body={"toRecipients": to}, headers=immutable)
        if not kept:
            order(sandbox, "ids_change", mailbox=alice.address)
        assert (
            alice.call("POST", f"/me/messages/{draft['id']}/send", body=b"", headers=immutable).status == 202
        )
        sandbox.settle()
        kept.append(alice.get(f"/me/messages/{draft['id']}", headers=immutable).status)

    assert kept == [404, 200]


def test_a_notification_is_lost_and_another_comes_late(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,  # noqa: F811
) -> None:
    assert alice.post("/subscriptions", wanted(sandbox, listener)).status == 201
    mail = {"mailbox": alice.address, "from": "a@b.example"}
    order(sandbox, "notification_lost")
    sandbox.control("deliver", mail)
    order(sandbox, "notification_late", seconds=600)
    sandbox.control("deliver", mail)
    sandbox.settle()
    assert listener.heard == []

    sandbox.advance(601)
    assert len(listener.heard) == 1


def test_the_token_endpoint_fails_in_the_words_of_entra(sandbox: Served, alice: Mailbox) -> None:
    form = {
        "grant_type": "refresh_token", "client_id": APP_ID, "client_secret": APP_SECRET,
        "refresh_token": alice.tokens["refresh_token"],
    }  # fmt: skip
    order(sandbox, "503", path="/token$", retry_after=3)
    refused = sandbox.post("/common/oauth2/v2.0/token", form=form)

    assert (refused.status, refused.json["error"]) == (503, "temporarily_unavailable")
    assert refused.headers["Retry-After"] == "3"
    assert sandbox.post("/common/oauth2/v2.0/token", form=form).status == 200


def test_a_rule_strikes_one_mailbox_only_and_as_often_as_chance_says(sandbox: Served, alice: Mailbox) -> None:
    ben = sandbox.sign_in("ben@northwind.example")
    sandbox.control("faults", {"action": "503", "mailbox": ben.address})
    assert (alice.get("/me").status, ben.get("/me").status) == (200, 503)

    sandbox.call("DELETE", "/_sandbox/faults")
    sandbox.control("faults", {"action": "503", "probability": 0.5})
    answers = [alice.get("/me").status for _ in range(60)]
    assert 10 < answers.count(503) < 50


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"action": "explode"}, "429"),
        ({"action": "503", "path": "("}, "regular expression"),
        ({"action": "503", "when": "never"}, "before or after"),
        ({"action": "503", "probability": "often"}, "numbers"),
        ({"acton": "503"}, "action"),
        ({}, "needs an action"),
    ],
)
def test_a_wrong_rule_is_refused_with_what_is_known(sandbox: Served, rule: dict[str, Any], says: str) -> None:
    refused = sandbox.post("/_sandbox/faults", body=rule)

    assert refused.status == 400 and says in refused.json["error"]
    assert sandbox.control("faults")["rules"] == []


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "ErrorAccessDenied", "Access to OData is disabled."),
        (403, "ErrorAccountSuspend", "The account is suspended."),
        (403, "ErrorMessageSubmissionBlocked", "Cannot send mail."),
        (503, "ErrorServerBusy", "The server cannot service this request right now."),
    ],
)
def test_any_error_of_graphs_can_be_ordered(
    sandbox: Served, alice: Mailbox, status: int, code: str, message: str
) -> None:
    order(sandbox, "refuse", status=status, code=code, message=message, path="/messages$")

    refused = alice.get("/me/messages")
    error = refused.json["error"]
    assert (refused.status, error["code"], error["message"]) == (status, code, message)
    assert set(error["innerError"]) >= {"date", "request-id", "client-request-id"}


def test_an_error_without_a_code_cannot_be_ordered(sandbox: Served) -> None:
    refused = sandbox.post("/_sandbox/faults", body={"action": "refuse", "status": 403})

    assert refused.status == 400 and "refuse needs the code" in refused.json["error"]


def test_the_gateways_429_says_its_status_twice(sandbox: Served, alice: Mailbox) -> None:
    order(sandbox, "429", retry_after=1)

    error = alice.get("/me").json["error"]
    assert (error["code"], error["innerError"]["code"], error["innerError"]["status"]) == (
        "TooManyRequests", "429", "429",
    )  # fmt: skip
