"""The contract is kept: what the checker lets pass, what it catches, and that it looks at every exchange."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from m365_sandbox.condense import condensed
from m365_sandbox.contract import FILE, Exchange, Watch, contract

from .conftest import Mailbox, Served


def said(
    path: str, answer: Any, *, method: str = "GET", query: str = "", body: Any = None, status: int = 200
):
    request = b"" if body is None else orjson.dumps(body)
    content = b"" if answer is None else orjson.dumps(answer)
    kind = "application/json"
    return contract().violations(Exchange(method, path, query, request, kind, status, content, kind))


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
    watch = sandbox.app.state.sandbox.watch
    before = watch.checked
    alice.get("/me/messages?$select=subject")
    batch = {"requests": [{"id": "1", "method": "GET", "url": "/me/messages"}]}
    alice.post("/$batch", batch)

    assert watch.checked == before + 3  # the batch, and what is in it


def test_what_fails_by_order_is_no_violation_and_what_follows_is_looked_at(
    sandbox: Served, alice: Mailbox
) -> None:
    watch = sandbox.app.state.sandbox.watch
    sandbox.control("faults", {"action": "html", "path": "/me/messages", "count": 1})
    before = watch.checked

    assert alice.get("/me/messages?$select=subject").status == 502
    assert watch.checked == before
    assert alice.get("/me/messages?$select=subject").status == 200
    assert watch.checked == before + 1


def test_what_does_not_fit_is_kept_and_written_down(tmp_path: Path) -> None:
    file = tmp_path / "contract"
    watch = Watch(file)
    kind = "application/json"
    watch.see(Exchange("GET", "/v1.0/me", "", b"", "", 200, b'{"colour":"red"}', kind))
    watch.tell()

    [line] = watch.violations
    assert line == "GET /me → 200: answer.colour is not in the file"
    assert [orjson.loads(row) for row in file.read_bytes().splitlines()] == [
        {"violation": line},
        {"checked": 1},
    ]


def test_the_file_is_microsofts_description_without_its_prose(shared_data: Path) -> None:
    described = yaml.load((shared_data / "graph-openapi-subset.yaml").read_bytes(), Loader=yaml.CSafeLoader)

    assert FILE.read_bytes() == condensed(described), "run `python -m m365_sandbox.condense FILE.yaml`"
