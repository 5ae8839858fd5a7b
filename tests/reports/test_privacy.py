"""What a member finds under Privacy: today in a sentence, and the record and the ledger to take along."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit.models import LedgerRow
from gatepost.audit.reveal import reveal
from gatepost.clock import now
from gatepost.intake.models import DropCount
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.vault.sealing import index
from tests.api.test_api import Program
from tests.makers import (
    MONDAY,
    clock_at,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_message, make_reply, signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday(tmp_path: Any) -> Any:
    with clock_at(MONDAY, tmp_path):
        yield


def asked(mailbox: Mailbox, shape: str, item: str, **columns: object) -> None:
    with inside(mailbox.workspace_id):
        LedgerRow.objects.create(
            **{
                "workspace_id": mailbox.workspace_id, "mailbox_id": mailbox.pk, "at": now(), "shape": shape,
                "item_hash": index(mailbox.workspace_id, "item", item), "client_request_id": uuid4(), "status": 200,
                "bytes": 900, "milliseconds": 12.5, "reason": "looking for replies", **columns,
            }
        )  # fmt: skip


@pytest.fixture
def rita(db: None) -> Member:
    """A rep whose mailbox was looked at today: one reply, 411 others."""
    rita = make_member(make_workspace(), "Rita", role="rep")
    mailbox = make_mailbox(rita, "rita@northwind.example")
    reply = make_reply(
        make_message(make_enrolment(make_sequence(rita), make_contact(rita.workspace), mailbox))
    )
    with inside(rita.workspace_id):
        type(reply).objects.filter(pk=reply.pk).update(created_at=now())
        DropCount.objects.create(
            workspace_id=rita.workspace_id,
            mailbox=mailbox,
            local_date=now().date(),
            reason="unrelated",
            count=411,
        )
        reveal(by(rita), reply, "text", reason="conversation page")
    asked(mailbox, "envelopes", "")
    asked(mailbox, "reply", reply.graph_id)
    return rita


def table(response: Any) -> list[dict[str, str]]:
    said = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(said)))


def test_a_rep_reads_what_today_came_to_in_one_sentence(rita: Member) -> None:
    said = text_of(signed_in(rita).get("/privacy/"))
    assert "rita@northwind.example 412 envelopes looked at, 1 reply read, 0 others" in said


def test_a_text_that_is_no_reply_here_would_be_counted_among_the_others(rita: Member) -> None:
    with inside(rita.workspace_id):
        mailbox = Mailbox.objects.get()
    asked(mailbox, "reply", "another mail")
    assert "1 reply read, 1 others" in text_of(signed_in(rita).get("/privacy/"))


def test_the_record_is_taken_along_with_who_did_what_and_when(rita: Member) -> None:
    rows = table(signed_in(rita).get("/privacy/records.csv"))
    opened = [row for row in rows if row["tag"] == "content:read"]
    assert [(row["who"], row["what"], row["mailbox"]) for row in opened] == [
        ("Rita", "Text opened", "rita@northwind.example")
    ]
    assert '"reason": "conversation page"' in opened[0]["detail"]
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)


def test_the_ledger_is_taken_along_with_why_each_request_was_made(rita: Member) -> None:
    rows = table(signed_in(rita).get("/privacy/ledger.csv"))
    assert {row["shape"] for row in rows} == {"envelopes", "reply"}
    (reply,) = [row for row in rows if row["shape"] == "reply"]
    assert (reply["mailbox"], reply["status"], reply["what"]) == (
        "rita@northwind.example",
        "200",
        "Text of a reply",
    )
    assert reply["why"] and reply["reason"] == "looking for replies" and len(reply["item"]) == 32


def test_a_file_holds_the_days_that_were_asked_for(rita: Member) -> None:
    client, day = signed_in(rita), now().date()
    assert table(client.get(f"/privacy/ledger.csv?until={day - timedelta(days=1)}")) == []
    assert len(table(client.get(f"/privacy/ledger.csv?since={day}&until={day}"))) == 2
    assert len(table(client.get("/privacy/ledger.csv?since=yesterday"))) == 2, "as good as none"


def test_a_rep_takes_along_what_concerns_the_own_mailboxes_and_an_auditor_all(rita: Member) -> None:
    otto = make_member(rita.workspace, "Otto", role="rep")
    ada = make_member(rita.workspace, "Ada", role="auditor")
    assert table(signed_in(otto).get("/privacy/ledger.csv")) == []
    assert [
        row for row in table(signed_in(otto).get("/privacy/records.csv")) if row["tag"] == "content:read"
    ] == []
    assert len(table(signed_in(ada).get("/privacy/ledger.csv"))) == 2


def test_who_read_by_a_token_is_told_by_its_name_and_whose_it_is(rita: Member) -> None:
    program = Program(rita)
    with inside(rita.workspace_id):
        conversation = rita.workspace.conversation_set.get()
    assert program.get(f"/conversations/{conversation.pk}").status_code == 200
    rows = table(signed_in(rita).get("/privacy/records.csv"))
    assert {row["who"] for row in rows if row["who_kind"] == "token"} == {"test (Rita)"}
