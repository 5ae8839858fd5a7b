"""$batch."""

from typing import Any

from .conftest import Mailbox


def batch(mailbox: Mailbox, *requests: dict[str, Any]) -> Any:
    return mailbox.post("/$batch", {"requests": list(requests)})


def test_each_request_gets_its_own_answer(alice: Mailbox) -> None:
    answers = batch(
        alice,
        {"id": "1", "method": "GET", "url": "/me?$select=mail"},
        {"id": "2", "method": "GET", "url": "/me/messages/AAMkADnone="},
        {"id": "3", "method": "GET", "url": "/me", "dependsOn": ["2"]},
    ).json["responses"]

    assert [(row["id"], row["status"]) for row in answers] == [("1", 200), ("2", 404), ("3", 424)]
    assert answers[0]["body"]["mail"] == "alice@northwind.example"


def test_a_malformed_batch_is_refused(alice: Mailbox) -> None:
    request = {"id": "1", "method": "GET", "url": "/me"}

    assert batch(alice, *[{**request, "id": str(n)} for n in range(21)]).status == 400
    assert batch(alice, request, request).status == 400
    assert batch(alice, {"id": "1", "method": "POST", "url": "/me/messages", "body": {}}).status == 400
