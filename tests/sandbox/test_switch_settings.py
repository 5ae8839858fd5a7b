"""What the documentation leaves open or contradicts itself on, in each setting."""

import threading
import urllib.parse
from typing import Any

import pytest

from .conftest import Mailbox, Served, authorize_query, callback, form_fields
from .test_subscriptions import Listener, listener, wanted  # noqa: F401

IN_REPLY_TO = "String 0x1042"
DELTA = "/me/mailFolders/inbox/messages/delta?$select=id,subject"


def turn(sandbox: Served, **switches: Any) -> None:
    sandbox.control("switches", switches)


# Sign-in


@pytest.mark.parametrize(("seconds", "status"), [(600, 200), (60, 400)])
def test_a_code_is_good_for_ten_minutes_or_for_one(sandbox: Served, seconds: int, status: int) -> None:
    turn(sandbox, code_lifetime_seconds=seconds)
    query, verifier = authorize_query("openid offline_access User.Read")
    page = sandbox.post(
        "/common/oauth2/v2.0/signin", form={"account": "alice@northwind.example", "request": query}
    )
    page = sandbox.post("/common/oauth2/v2.0/consent", form={**form_fields(page.text), "decision": "accept"})
    sandbox.advance(120)

    assert sandbox.redeem(callback(page)["code"], verifier).status == status


@pytest.mark.parametrize(("when", "told"), [("at_once", True), ("after_sign_in", False)])
def test_a_wrong_redirect_address_is_told_at_once_or_after_an_account_was_named(
    sandbox: Served, when: str, told: bool
) -> None:
    turn(sandbox, wrong_registration=when)
    sandbox.control("apps", {"redirect_uris": ["https://gatepost.example.com/mailboxes/connected/"]})
    query, _ = authorize_query("openid", prompt="none")

    page = sandbox.get(f"/organizations/oauth2/v2.0/authorize?{query}")
    assert "location" not in page.headers
    assert ("AADSTS50011" in page.text) is told
    page = sandbox.post(
        "/organizations/oauth2/v2.0/signin", form={"account": "alice@northwind.example", "request": query}
    )
    assert "AADSTS50011" in page.text


def test_a_token_lives_a_random_time_between_the_two_of_the_switch(sandbox: Served) -> None:
    lives = {sandbox.sign_in("alice@northwind.example").tokens["expires_in"] for _ in range(5)}
    assert len(lives) > 1 and all(3600 <= life <= 5400 for life in lives)

    turn(sandbox, token_minutes=[1440, 1440])
    assert 86300 <= sandbox.sign_in("alice@northwind.example").tokens["expires_in"] <= 86400


# Mail


@pytest.mark.parametrize(("setting", "shown"), [("returned", True), ("omitted", False)])
def test_lists_show_the_headers_or_not(sandbox: Served, alice: Mailbox, setting: str, shown: bool) -> None:
    turn(sandbox, list_headers=setting)
    sandbox.control("deliver", {"mailbox": alice.address, "from": "a@b.example", "headers": {"X-One": "1"}})
    path = "/me/mailFolders/inbox/messages"
    select = "$select=internetMessageHeaders"

    [listed] = alice.get(f"{path}?{select}").json["value"]
    [changed] = alice.get(f"{path}/delta?{select}").json["value"]
    assert [("internetMessageHeaders" in item) for item in (listed, changed)] == [shown, shown]
    assert "internetMessageHeaders" in alice.get(f"/me/messages/{listed['id']}?{select}").json


@pytest.mark.parametrize(("setting", "cites"), [("become_headers", True), ("ignored", False)])
def test_mapi_properties_become_headers_or_are_ignored(
    sandbox: Served, alice: Mailbox, carol: Mailbox, setting: str, cites: bool
) -> None:
    turn(sandbox, mapi_headers=setting)
    alice.write(
        carol.address,
        singleValueExtendedProperties=[{"id": IN_REPLY_TO, "value": "<first@northwind.example>"}],
    )

    [message] = carol.get("/me/messages?$select=internetMessageHeaders").json["value"]
    headers = {header["name"]: header["value"] for header in message["internetMessageHeaders"]}
    assert (headers.get("In-Reply-To") == "<first@northwind.example>") is cites


@pytest.mark.parametrize(("setting", "same"), [("same", True), ("different", False)])
def test_an_answer_has_the_conversation_of_what_it_cites_or_another(
    sandbox: Served, alice: Mailbox, setting: str, same: bool
) -> None:
    turn(sandbox, reply_conversation=setting)
    draft = alice.write("carol@contoso.example")
    answer = {
        "mailbox": alice.address,
        "from": "carol@contoso.example",
        "in_reply_to": draft["internetMessageId"],
    }

    delivered = sandbox.control("deliver", answer)
    assert (delivered["conversationId"] == draft["conversationId"]) is same


@pytest.mark.parametrize(("setting", "again"), [("none", []), ("last_page", ["two"])])
def test_a_delta_link_tells_the_last_item_again_or_not(
    sandbox: Served, alice: Mailbox, setting: str, again: list[str]
) -> None:
    turn(sandbox, delta_replays=setting)
    for subject in ("one", "two"):
        sandbox.control("deliver", {"mailbox": alice.address, "from": "a@b.example", "subject": subject})

    items, link = alice.delta(DELTA)
    assert [item["subject"] for item in items] == ["one", "two"]
    assert [item["subject"] for item in alice.delta(link)[0]] == again


@pytest.mark.parametrize("says", [True, False])
def test_what_is_submitted_still_says_that_it_is_a_draft_or_not(
    sandbox: Served, alice: Mailbox, says: bool
) -> None:
    turn(sandbox, submitted_is_draft=says, send_seconds=3600)
    draft = alice.draft("carol@contoso.example")
    assert alice.send(draft).status == 202

    assert alice.get(f"/me/messages/{draft['id']}?$select=isDraft").json["isDraft"] is says


def test_a_new_message_is_found_by_its_property_at_once_or_later(sandbox: Served, alice: Mailbox) -> None:
    name = "String {9c3a7a2e-0000-4000-8000-000000000001} Name Key"
    any_of = f"singleValueExtendedProperties/Any(ep: ep/id eq '{name}' and ep/value eq 'k')"
    find = f"/me/messages?$filter={urllib.parse.quote(any_of)}"
    turn(sandbox, search_lag_seconds=30)
    alice.draft("carol@contoso.example", singleValueExtendedProperties=[{"id": name, "value": "k"}])
    assert alice.get(find).json["value"] == []

    turn(sandbox, search_lag_seconds=0)
    assert len(alice.get(find).json["value"]) == 1


@pytest.mark.parametrize(("day", "status"), [("2020-01-01", 403), ("2100-01-01", 200)])
def test_the_subject_of_what_was_sent_needs_a_further_permission_from_a_day_on(
    sandbox: Served, alice: Mailbox, day: str, status: int
) -> None:
    turn(sandbox, mail_advanced_after=day)
    sandbox.control("deliver", {"mailbox": alice.address, "from": "a@b.example"})
    [message] = alice.inbox()

    changed = alice.call("PATCH", f"/me/messages/{message['id']}", body={"subject": "mine"})
    assert changed.status == status
    assert alice.call("PATCH", f"/me/messages/{message['id']}", body={"isRead": True}).status == 200


@pytest.mark.parametrize(("setting", "marked"), [("present", True), ("absent", False)])
def test_an_automatic_reply_says_so_in_its_headers_or_not(
    sandbox: Served, alice: Mailbox, setting: str, marked: bool
) -> None:
    turn(sandbox, automatic_reply_headers=setting)
    away = {"address": "carol@contoso.example", "person": {"behaviour": "out_of_office"}}
    sandbox.control("people", away)
    alice.write("carol@contoso.example")
    sandbox.advance(600)

    [message] = alice.get("/me/mailFolders/inbox/messages?$select=internetMessageHeaders").json["value"]
    names = {header["name"].lower() for header in message["internetMessageHeaders"]}
    assert ("auto-submitted" in names) is marked


# Notifications


@pytest.mark.parametrize("code", ["InvalidRequest", "ValidationError"])
def test_a_failed_handshake_has_one_code_or_the_other(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,  # noqa: F811
    code: str,
) -> None:
    turn(sandbox, handshake_code=code)
    listener.shakes = False

    refused = alice.post("/subscriptions", wanted(sandbox, listener))
    assert (refused.status, refused.json["error"]["code"]) == (400, code)


def test_a_notification_comes_at_once_later_or_twice(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,  # noqa: F811
) -> None:
    mail = {"mailbox": alice.address, "from": "a@b.example"}
    assert alice.post("/subscriptions", wanted(sandbox, listener)).status == 201
    heard = []
    for switches, seconds in (
        ({}, 0), ({"notification_seconds": 120.0}, 0), ({}, 121),
        ({"notification_seconds": 0.0, "notifications_doubled": 1.0}, 0),
    ):  # fmt: skip
        turn(sandbox, **switches)
        if seconds:
            sandbox.advance(seconds)
        else:
            sandbox.control("deliver", mail)
        sandbox.settle()
        heard.append(len(listener.heard))

    assert heard == [1, 1, 2, 4]


@pytest.mark.parametrize(("setting", "status"), [("any", 201), ("https", 400)])
def test_an_http_address_is_subscribed_or_refused(
    sandbox: Served,
    alice: Mailbox,
    listener: Listener,  # noqa: F811
    setting: str,
    status: int,
) -> None:
    turn(sandbox, notification_urls=setting)

    assert alice.post("/subscriptions", wanted(sandbox, listener)).status == status


# Calendar


@pytest.mark.parametrize(("setting", "hears"), [("sends_cancellation", True), ("silent", False)])
def test_attendees_hear_that_an_event_is_deleted_or_not(
    sandbox: Served, alice: Mailbox, setting: str, hears: bool
) -> None:
    turn(sandbox, organizer_delete=setting)
    ben = sandbox.sign_in("ben@northwind.example")
    when = {"dateTime": "2030-01-07T10:00:00", "timeZone": "UTC"}
    guest = {"emailAddress": {"address": ben.address}, "type": "required"}
    event = {
        "subject": "Plan",
        "start": when,
        "end": {**when, "dateTime": "2030-01-07T11:00:00"},
        "attendees": [guest],
    }
    made = alice.post("/me/events", event).json
    sandbox.settle()
    before = len(ben.inbox())
    assert alice.call("DELETE", f"/me/events/{made['id']}").status == 204
    sandbox.settle()

    assert (len(ben.inbox()) > before) is hears


# Limits and form


def test_as_many_requests_at_once_as_the_switch_says_and_none_are_refused_without(
    sandbox: Served, alice: Mailbox
) -> None:
    turn(sandbox, latency_ms=400)

    def at_once(count: int) -> list[int]:
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda: answers.append(alice.get("/me").status)) for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(answers)

    turn(sandbox, concurrency=1)
    assert at_once(3) == [200, 429, 429]
    turn(sandbox, concurrency=0)
    assert at_once(6) == [200] * 6


@pytest.mark.parametrize(("setting", "dots"), [("whole", 0), ("fractional", 1), ("missing", None)])
def test_retry_after_is_whole_a_fraction_or_missing(
    sandbox: Served, alice: Mailbox, setting: str, dots: int | None
) -> None:
    turn(sandbox, retry_after=setting, window_requests=1)
    alice.get("/me")
    refused = alice.get("/me")

    wait = refused.headers["Retry-After"]
    assert refused.status == 429
    assert (wait if wait is None else wait.count(".")) == dots


def test_every_request_takes_as_long_as_the_switch_says(sandbox: Served, alice: Mailbox) -> None:
    turn(sandbox, latency_ms=150)
    alice.get("/me")

    assert sandbox.control("log")["requests"][-1]["ms"] >= 150


@pytest.mark.parametrize("member", ["innerError", "innererror"])
def test_the_inner_error_is_spelt_one_way_or_the_other(sandbox: Served, alice: Mailbox, member: str) -> None:
    turn(sandbox, error_member=member)

    assert "request-id" in alice.get("/me/messages/none").json["error"][member]


@pytest.mark.parametrize("code", ["BadRequest", "RequestBroker--ParseUri", "UnableToDeserializePostBody"])
def test_a_malformed_request_has_one_of_three_codes(sandbox: Served, alice: Mailbox, code: str) -> None:
    turn(sandbox, malformed_code=code)

    refused = alice.call("POST", "/me/messages", body=b"{", headers={"Content-Type": "application/json"})
    assert (refused.status, refused.json["error"]["code"]) == (400, code)


@pytest.mark.parametrize(("setting", "status"), [("accepted", 200), ("refused", 400)])
def test_odata_key_syntax_is_understood_or_refused(
    sandbox: Served, alice: Mailbox, setting: str, status: int
) -> None:
    turn(sandbox, key_syntax=setting)

    assert alice.get("/me/mailFolders('inbox')").status == status
    assert alice.get("/me/mailFolders/inbox/messages/delta()").status == 200


@pytest.mark.parametrize("kept", [True, False])
def test_the_log_tells_the_fields_of_items_or_not(sandbox: Served, alice: Mailbox, kept: bool) -> None:
    turn(sandbox, log_items=kept)
    sandbox.control("deliver", {"mailbox": alice.address, "from": "a@b.example"})
    alice.get("/me/mailFolders/inbox/messages?$select=subject")

    assert bool(sandbox.control("log")["requests"][-1]["items"]) is kept


@pytest.mark.parametrize(("setting", "address"), [("kept", 0), ("replaced", 1)])
def test_mail_from_an_alias_keeps_it_or_comes_from_the_main_address(
    sandbox: Served, alice: Mailbox, carol: Mailbox, setting: str, address: int
) -> None:
    alias = "outreach@northwind.example"
    sandbox.control("users", {"address": alice.address, "aliases": [alias]})
    turn(sandbox, sender_alias=setting)
    assert f"smtp:{alias}" in alice.get("/me?$select=proxyAddresses").json["proxyAddresses"]
    alice.write(carol.address, **{"from": {"emailAddress": {"address": alias, "name": "Alice"}}})
    [mail] = carol.inbox("from")
    assert mail["from"]["emailAddress"]["address"] == (alias, alice.address)[address]
    carol.write(alias, "An answer")
    assert "An answer" in [each["subject"] for each in alice.inbox()]
