"""What every Graph request passes: token, permission, limits, faults, the log."""

import http.client
import threading

import pytest

from .conftest import Mailbox, Served

WITHOUT_CALENDAR = "openid profile offline_access User.Read Mail.ReadWrite Mail.Send"


def test_without_a_token_nothing_opens(sandbox: Served) -> None:
    answer = sandbox.get("/v1.0/me")

    assert (answer.status, answer.json["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_me_tells_who_signed_in(alice: Mailbox) -> None:
    me = alice.get("/me?$select=id,mail,userPrincipalName,proxyAddresses,displayName").json

    assert me["mail"] == me["userPrincipalName"] == "alice@northwind.example"
    assert (me["displayName"], me["proxyAddresses"]) == ("Alice Berger", ["SMTP:alice@northwind.example"])
    assert alice.get(f"/users/{me['id']}").json["id"] == me["id"]
    assert alice.get("/users/ben@northwind.example").status == 403


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        (WITHOUT_CALENDAR, "GET", "/me/events", 403),
        (WITHOUT_CALENDAR, "GET", "/me/contacts", 403),
        ("openid User.Read Mail.Read", "POST", "/me/messages", 403),
        ("openid User.Read Mail.ReadBasic", "GET", "/me/messages", 200),
        ("openid User.Read Mail.Send", "GET", "/me/messages", 403),
        ("openid User.Read Mail.ReadWrite", "POST", "/me/sendMail", 403),
        ("openid User.Read Contacts.Read", "GET", "/me/contacts", 200),
    ],
)
def test_each_operation_needs_its_permission(
    sandbox: Served, scopes: str, method: str, path: str, status: int
) -> None:
    answer = sandbox.sign_in("alice@northwind.example", scopes).call(
        method, path, body=b"{}" if method == "POST" else None
    )

    assert answer.status == status
    assert status == 200 or answer.json["error"]["code"] == "ErrorAccessDenied"


def test_read_basic_shows_no_body(sandbox: Served) -> None:
    sandbox.control(
        "deliver", {"mailbox": "alice@northwind.example", "from": "a@b.example", "text": "secret"}
    )
    basic = sandbox.sign_in("alice@northwind.example", "openid User.Read Mail.ReadBasic")

    [message] = basic.get("/me/messages").json["value"]
    assert "subject" in message and not {"body", "bodyPreview", "uniqueBody"} & set(message)


def test_what_is_not_imitated_says_so(alice: Mailbox) -> None:
    answer = alice.get("/me/drive/root")

    assert answer.status == 501
    assert "GET /v1.0/me/drive/root" in answer.json["error"]["message"]


def test_an_account_without_a_mailbox_is_told_apart(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("users", {"address": alice.address, "licensed": False})

    assert alice.get("/me").status == 200
    answer = alice.get("/me/messages")
    assert (answer.status, answer.json["error"]["code"]) == (404, "MailboxNotEnabledForRESTAPI")


def test_answers_carry_the_ids_by_which_microsoft_finds_them(alice: Mailbox) -> None:
    answer = alice.get("/me", headers={"client-request-id": "mine"})

    assert answer.headers["client-request-id"] == "mine"
    assert answer.headers["request-id"] and answer.headers["date"]


def test_a_fifth_request_at_the_same_time_is_throttled(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("faults", {"path": "/me$", "action": "slow", "seconds": 1.0})
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(alice.get("/me").status)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200, 200, 200, 200, 429, 429]


def test_the_ten_minute_window_is_kept_by_the_sandboxes_clock(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("switches", {"window_requests": 2})
    assert [alice.get("/me").status for _ in range(3)] == [200, 200, 429]
    assert int(alice.get("/me").headers["Retry-After"]) > 0

    sandbox.advance(601)
    assert alice.get("/me").status == 200


def test_a_fault_before_leaves_the_work_undone_and_one_after_hides_that_it_was_done(
    sandbox: Served, alice: Mailbox
) -> None:
    sandbox.control("faults", {"path": "/send$", "action": "503", "when": "before", "count": 1})
    draft = alice.draft("carol@contoso.example")
    assert alice.send(draft).status == 503
    sandbox.settle()
    assert "sent" not in sandbox.control("truth")["counts"]

    sandbox.control("faults", {"path": "/send$", "action": "504", "when": "after", "count": 1})
    assert alice.send(draft).status == 504
    sandbox.settle()
    assert sandbox.control("truth")["counts"]["sent"] == 1


def test_a_reset_breaks_the_connection(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("faults", {"path": "/me$", "mailbox": alice.address, "action": "reset"})

    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
    connection.request("GET", "/v1.0/me", headers={"Authorization": f"Bearer {alice.tokens['access_token']}"})
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse()
    assert sandbox.control("log")["requests"][-1]["status"] == 0


def test_a_wrong_fault_or_switch_says_what_is_accepted(sandbox: Served) -> None:
    fault = sandbox.post("/_sandbox/faults", body={"action": "explode"})
    assert (fault.status, "429" in fault.json["error"]) == (400, True)

    switch = sandbox.post("/_sandbox/switches", body={"cancel": "maybe"})
    assert switch.json["error"] == "Switch 'cancel' accepts 'bare', 'described', not 'maybe'."


def test_the_log_tells_every_request(sandbox: Served, alice: Mailbox) -> None:
    before = sandbox.control("log")["last"]
    alice.get("/me?$select=mail", headers={"client-request-id": "c1"})

    [entry] = sandbox.control(f"log?after={before}")["requests"]
    assert (entry["method"], entry["path"], entry["query"]) == ("GET", "/v1.0/me", "$select=mail")
    assert (entry["user"], entry["status"], entry["client_request_id"]) == (alice.address, 200, "c1")
    assert entry["items"] == [{"kind": "user", "id": entry["items"][0]["id"], "fields": ["mail"]}]


def test_the_page_shows_clock_and_mailboxes(sandbox: Served) -> None:
    page = sandbox.get("/_sandbox/").text

    assert "alice@northwind.example" in page and "<h2>Clock</h2>" in page


def test_what_is_not_there_is_an_item_not_found(alice: Mailbox) -> None:
    """Learn: Microsoft Graph error responses; Outlook's code for what is gone."""
    gone = alice.get("/me/messages/AAMkADnone=")

    assert (gone.status, gone.json["error"]["code"]) == (404, "ErrorItemNotFound")


def test_answers_ask_for_a_safe_line(alice: Mailbox) -> None:
    """As recorded answers of Graph do."""
    headers = alice.get("/me").headers

    assert headers["Strict-Transport-Security"] and headers["Vary"] == "Accept-Encoding"
    assert "ServerInfo" in headers["x-ms-ags-diagnostic"]
