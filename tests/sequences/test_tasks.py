"""The pages of tasks. How a step becomes one is told in tests/outbox/test_send_only.py."""

from typing import Any

import pytest

from gatepost import clock
from gatepost.audit.models import AuditEntry
from gatepost.isolation import inside
from gatepost.sequences.models import Enrolment, Task
from gatepost.vault.sealing import seal
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import rows_in, signed_in, text_of


def make_task(member: Any, mailbox: Any, *, position: int = 2) -> Task:
    enrolment = make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    with inside(member.workspace_id):
        Enrolment.objects.filter(pk=enrolment.pk).update(next_position=position, due_at=None)
        task = Task(
            workspace_id=member.workspace_id, mailbox=mailbox, enrolment=enrolment, contact=enrolment.contact,
            position=position, created_at=clock.now(),
        )  # fmt: skip
        seal(task, "subject", "Re: Quick question")
        seal(task, "body", "Hi Petra,\n\njust following up.")
        task.save(force_insert=True)
    return task


@pytest.fixture
def alice(db: None) -> Any:
    return make_member(make_workspace())


@pytest.fixture
def task(alice: Any) -> Task:
    return make_task(alice, make_mailbox(alice, scopes=["Mail.Send", "User.Read"], send_only=True))


def test_without_a_task_the_page_says_what_will_be_here(alice: Any) -> None:
    assert "wait here when they are due" in text_of(signed_in(alice).get("/sequences/tasks/"))


def test_what_is_to_do_is_told_in_the_outbox_and_listed(alice: Any, task: Task) -> None:
    client = signed_in(alice)
    assert "1 task waits for you." in text_of(client.get("/sequences/tasks/count/"))
    page = client.get("/sequences/tasks/")
    assert rows_in(page) == 1 and "just following up" not in text_of(page)


def test_opening_the_text_is_in_the_record(alice: Any, task: Task) -> None:
    page = text_of(signed_in(alice).get(f"/sequences/tasks/{task.pk}/"))
    assert "just following up." in page and "Why by hand" in page
    (entry,) = rows(AuditEntry, alice.workspace_id, tag="content:read")
    assert entry.detail["what"] == "task"


@pytest.mark.parametrize(
    ("order", "state", "tag"), [("done", "done", "task:done"), ("skip", "skipped", "task:skip")]
)
def test_a_task_is_done_or_skipped(alice: Any, task: Task, order: str, state: str, tag: str) -> None:
    signed_in(alice).post(f"/sequences/tasks/{task.pk}/", {"do": order})
    assert fresh(task).state == state
    assert len(rows(AuditEntry, alice.workspace_id, tag=tag)) == 1
    (enrolment,) = rows(Enrolment, alice.workspace_id)
    assert enrolment.next_position == 3 and enrolment.due_at is not None


def test_a_rep_neither_reads_nor_ends_a_colleagues_task(committed_db: None) -> None:
    workspace = make_workspace()
    alice = make_member(workspace)
    task = make_task(alice, make_mailbox(alice, scopes=["Mail.Send"], send_only=True))
    ben = signed_in(make_member(workspace, "Ben", role="rep"))
    assert rows_in(ben.get("/sequences/tasks/")) == 0
    assert ben.get(f"/sequences/tasks/{task.pk}/").status_code == 403
    assert ben.post(f"/sequences/tasks/{task.pk}/", {"do": "done"}).status_code == 403
    assert fresh(task).state == Task.State.OPEN


def test_an_auditor_and_another_workspace_see_no_text(committed_db: None) -> None:
    workspace = make_workspace()
    alice = make_member(workspace)
    task = make_task(alice, make_mailbox(alice, scopes=["Mail.Send"], send_only=True))
    auditor = signed_in(make_member(workspace, "Otto", role="auditor"))
    assert auditor.get(f"/sequences/tasks/{task.pk}/").status_code == 403
    charlie = signed_in(make_member(make_workspace("Elsewhere"), "Charlie"))
    assert charlie.get(f"/sequences/tasks/{task.pk}/").status_code == 404
