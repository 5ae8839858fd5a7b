import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from gatepost.isolation import inside
from gatepost.jobs.queue import NotAnId, enqueue, enqueue_each
from gatepost.jobs.ticks import run_all
from gatepost.mailboxes.models import Mailbox
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

pytestmark = pytest.mark.django_db


def waiting(name="intake.sync"):
    return list(ProcrastinateJob.objects.filter(task_name=name, status="todo").values_list("args", flat=True))


def test_a_burst_for_one_mailbox_is_one_job():
    assert [enqueue("intake.sync", once_for="m1", mailbox="m1") for _ in range(5)] == [True, *[False] * 4]
    assert waiting() == [{"mailbox": "m1"}]


def test_each_mailbox_and_each_kind_of_work_has_a_job_of_its_own():
    assert all(
        [
            enqueue("intake.sync", once_for="m1"),
            enqueue("intake.sync", once_for="m2"),
            enqueue("meetings.sync", once_for="m1"),
        ]
    )


def test_jobs_without_a_key_do_not_fold():
    assert enqueue("outbox.remove-draft", message="1") and enqueue("outbox.remove-draft", message="1")
    assert len(waiting("outbox.remove-draft")) == 2


def test_a_job_that_waits_already_does_not_break_the_change_around_it():
    mailbox = make_mailbox(make_member(make_workspace()))
    enqueue("intake.sync", once_for=mailbox.pk)
    with inside(mailbox.workspace_id):
        assert not enqueue("intake.sync", once_for=mailbox.pk)
        Mailbox.objects.filter(pk=mailbox.pk).update(sync_problem="written after")
    with inside(mailbox.workspace_id):
        assert Mailbox.objects.get(pk=mailbox.pk).sync_problem == "written after"


def test_a_change_that_is_rolled_back_leaves_no_job():
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue("intake.sync", once_for="m1")
        raise RuntimeError
    assert waiting() == []


def test_two_jobs_of_one_mailbox_never_run_at_the_same_time():
    enqueue("intake.sync", once_for="m1")
    assert ProcrastinateJob.objects.get(task_name="intake.sync").lock == "intake.sync:m1"


def test_ticks_enqueue_what_is_due_once_and_nothing_else(tmp_path):
    with clock_at(MONDAY, tmp_path):
        member = make_member(make_workspace())
        due = make_mailbox(member, sync_due_at=MONDAY)
        make_mailbox(member, "later@northwind.example", sync_due_at=MONDAY.replace(hour=23))
        make_mailbox(member, "off@northwind.example", sync_due_at=MONDAY, state=Mailbox.State.DISCONNECTED)
        make_mailbox(
            member, "waits@northwind.example", sync_due_at=MONDAY, not_before=MONDAY.replace(hour=23)
        )
        make_enrolment(make_sequence(member), make_contact(member.workspace), due)
        with connection.cursor() as cursor:  # the planner runs before any workspace is known
            cursor.execute("SELECT set_config('gatepost.workspace', '', true)")
        run_all()
        run_all()
    assert [args["mailbox"] for args in waiting("intake.sync")] == [str(due.pk)]
    assert [args["mailbox"] for args in waiting("sequences.send")] == [str(due.pk)]


def test_the_queue_holds_ids_and_no_content(tmp_path):
    test_ticks_enqueue_what_is_due_once_and_nothing_else(tmp_path)
    for args in ProcrastinateJob.objects.values_list("args", flat=True):
        assert set(args) <= {"workspace", "mailbox", "message"}


@pytest.mark.parametrize(
    "content", ["petra@contoso.example", "Quick question", "Jörg", "<m1@northwind.example>"]
)
def test_what_is_no_id_does_not_come_into_the_queue(content):
    with pytest.raises(NotAnId) as refused:
        enqueue("intake.sync", about=content)
    with pytest.raises(NotAnId):
        enqueue_each("intake.sync", once_for="mailbox", each=[{"mailbox": "m1", "about": content}])
    assert waiting() == [] and content not in str(refused.value)
