"""The contract is kept: what the checker lets pass, what it catches, and that it looks at every exchange."""

from typing import Any

import orjson
import pytest

from .conftest import Mailbox, Served
from .contract import FILE, Exchange, Watch, contract

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs graph-openapi-subset.yaml")


def said(
    path: str, answer: Any, *, method: str = "GET", query: str = "", body: Any = None, status: int = 200
):
    rules = contract()
    assert rules is not None
    request = b"" if body is None else orjson.dumps(body)
    content = b"" if answer is None else orjson.dumps(answer)
    kind = "application/json"
    return rules.violations(Exchange(method, path, query, request, kind, status, content, kind))


def test_a_selected_message_fits() -> None:
    shown = {"@odata.etag": 'W/"1"', "id": "x", "subject": None, "isRead": True}
    assert said("/me/messages/x", shown) == []
    assert said("/users/ann@example.com/messages/x", shown) == []


@pytest.mark.parametrize(
    ("member", "value", "why"),
    [
        ("colour", "red", "is not in the file"),
        ("isRead", "yes", "no boolean"),
        ("receivedDateTime", "yesterday", "not date-time"),
        ("importance", "urgent", "not one of low, normal, high"),
        ("toRecipients", {}, "is no list"),
        ("from", {"emailAddress": {"adress": "a@b.example"}}, "from.emailAddress.adress is not in the file"),
    ],
)
def test_an_answer_that_does_not_fit_is_caught(member: str, value: Any, why: str) -> None:
    [line] = said("/me/messages/x", {"id": "x", member: value})
    assert why in line


def test_a_request_counts_only_where_it_was_accepted() -> None:
    wrong = {"subject": 7}
    assert said("/me/messages", {"id": "x"}, method="POST", body=wrong, status=201)
    error = {"error": {"code": "BadRequest", "message": "no"}}
    assert said("/me/messages", error, method="POST", body=wrong, status=400) == []
    assert said("/me/messages", {"value": []}, query="$colour=red")
    assert said("/me/messages", {"value": []}, status=206) == ["status 206 is not in the file"]


def test_an_error_must_have_the_envelope() -> None:
    assert said("/me/messages", {"message": "no"}, status=404)
    assert said("/me/messages", {"error": "no"}, status=404)


def test_every_exchange_of_a_test_is_looked_at(sandbox: Served, alice: Mailbox) -> None:
    before = Watch.checked
    alice.get("/me/messages?$select=subject")
    batch = {"requests": [{"id": "1", "method": "GET", "url": "/me/messages"}]}
    alice.post("/$batch", batch)

    assert Watch.checked == before + 3  # the batch, and what is in it
