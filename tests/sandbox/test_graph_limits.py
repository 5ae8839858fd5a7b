"""Limits by the sandbox's clock: throttling-limits and the Exchange Online sending limits of learn.microsoft.com."""

import pytest

from m365_sandbox.sending import external_limit

from .conftest import Mailbox, Served, to_address

ALICE, BEN, CAROL = "alice@northwind.example", "ben@northwind.example", "carol@contoso.example"


def test_requests_of_ten_minutes_are_counted_for_app_and_mailbox(alice: Mailbox, sandbox: Served) -> None:
    sandbox.control("switches", {"window_requests": 3})
    codes = [alice.get("/me/messages?$top=1").status for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    refused = alice.get("/me/messages")
    assert refused.json["error"]["code"] == "ApplicationThrottled"
    assert 0 < int(refused.headers["retry-after"]) <= 600
    assert sandbox.sign_in(BEN).get("/me/messages").status == 200  # one mailbox's limit is no other's
    sandbox.advance(601)
    assert alice.get("/me/messages").status == 200


def test_uploads_of_five_minutes_are_counted(alice: Mailbox, sandbox: Served) -> None:
    sandbox.control("switches", {"upload_bytes": 2000})
    body = {"subject": "x", "body": {"contentType": "text", "content": "x" * 1500}}
    assert alice.post("/me/messages", body).status == 201
    refused = alice.post("/me/messages", body)
    assert (refused.status, "IncomingBytes" in refused.text) == (429, True)
    assert alice.get("/me/messages").status == 200
    sandbox.advance(301)
    assert alice.post("/me/messages", body).status == 201


def test_each_item_of_a_batch_is_throttled_by_itself(alice: Mailbox, sandbox: Served) -> None:
    sandbox.control("switches", {"window_requests": 2})
    requests = [{"id": str(n), "method": "GET", "url": "/me/messages?$top=1"} for n in range(4)]
    answer = alice.post("/$batch", {"requests": requests})
    items = answer.json["responses"]
    assert answer.status == 200
    assert sorted(item["status"] for item in items) == [200, 200, 429, 429]
    assert all("Retry-After" in item["headers"] for item in items if item["status"] == 429)


def test_more_than_thirty_messages_a_minute_wait_and_are_not_refused(alice: Mailbox, sandbox: Served) -> None:
    sandbox.control("clock", {"rate": 0})
    sandbox.control("switches", {"messages_a_minute": 2})
    for number in range(5):
        assert alice.send(alice.draft(BEN, f"No. {number}")).status == 202
    sandbox.settle()
    ben = sandbox.sign_in(BEN)
    assert len(ben.inbox()) == 2
    sandbox.advance(60)
    assert len(ben.inbox()) == 4
    sandbox.advance(60)
    assert len(ben.inbox()) == 5


@pytest.mark.parametrize("status", [429, 403])
def test_recipients_of_a_day_are_limited(alice: Mailbox, sandbox: Served, status: int) -> None:
    sandbox.control("switches", {"recipients_a_day": 3, "exceeded_status": status})
    message = {"subject": "x", "body": {"contentType": "text", "content": "x"}}
    two = {"message": {**message, "toRecipients": [to_address(BEN), to_address(CAROL)]}}
    assert alice.post("/me/sendMail", two).status == 202
    refused = alice.post("/me/sendMail", two)
    assert (refused.status, refused.json["error"]["code"]) == (status, "ErrorExceededMessageLimit")
    sandbox.advance(86400 + 60)
    assert sandbox.sign_in(ALICE).post("/me/sendMail", two).status == 202


def test_the_tenants_external_rate_grows_with_its_licences() -> None:
    assert (external_limit(1), external_limit(100)) == (10_000, 22_059)


@pytest.mark.parametrize(("setting", "delivered"), [("counted", 0), ("unlimited", 1)])
def test_over_the_tenants_external_rate_mail_comes_back(
    alice: Mailbox, sandbox: Served, setting: str, delivered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("switches", {"external_recipients": setting})
    monkeypatch.setattr("m365_sandbox.sending.external_limit", lambda licences: 0)
    alice.write(CAROL)
    alice.write(BEN)
    sandbox.advance(5)
    assert len(sandbox.sign_in(CAROL).inbox()) == delivered
    assert len(sandbox.sign_in(BEN).inbox()) == 1
    bounces = [
        mail["subject"] for mail in alice.inbox() if mail["subject"].startswith(("Undeliv", "Delivery"))
    ]
    assert len(bounces) == 1 - delivered


@pytest.mark.parametrize(("setting", "status"), [("refused", 413), ("accepted", 202)])
def test_a_send_of_over_four_megabytes_is_a_switch(
    alice: Mailbox, sandbox: Served, setting: str, status: int
) -> None:
    sandbox.control("switches", {"large_send": setting})
    body = {"contentType": "text", "content": "x" * (4 * 1024 * 1024 + 1)}
    answer = alice.post(
        "/me/sendMail", {"message": {"subject": "x", "body": body, "toRecipients": [to_address(BEN)]}}
    )
    assert answer.status == status
