"""Each kind of data goes when its time has come, and not before."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Workspace
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.contacts.models import Contact, ContactImport, Suppression
from gatepost.conversations.models import Reply
from gatepost.erasure import actions, jobs, queries
from gatepost.erasure.models import Erasure, KeptFigures
from gatepost.errors import BadInput
from gatepost.ids import uuid7
from gatepost.intake.models import DropCount, Quarantine
from gatepost.isolation import inside
from gatepost.mailboxes import actions as mailboxes
from gatepost.mailboxes.models import ConnectAttempt, Mailbox
from gatepost.meetings.models import Brief, Meeting
from gatepost.outbox.models import Message
from gatepost.sequences import enrolments
from gatepost.vault.sealing import seal
from tests.at_once import at_once
from tests.makers import MONDAY, advance, clock_at, fresh, make_contact, rows

from .conftest import Office

DAY = timedelta(days=1)


@pytest.fixture
def clock_file(tmp_path: Path) -> Any:
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def office(clock_file: Path, office: Office) -> Office:
    return office


def expire(office: Office) -> None:
    at_once(jobs.expire(workspace=str(office.id)))


def stop_all(office: Office) -> None:
    for enrolment in rows(type(office.enrolment), office.id):
        enrolments.stop(enrolment.pk, "by_hand", "done", workspace_id=office.id, actor=by(office.alice))


def test_nothing_goes_on_the_first_day(office: Office) -> None:
    before = {model: len(rows(model, office.id)) for model in (Message, Reply, Contact, Mailbox, Meeting)}
    expire(office)
    assert {model: len(rows(model, office.id)) for model in before} == before
    assert fresh(office.message).body is not None and not rows(AuditEntry, office.id, tag="retention:expire")


def test_a_disconnected_mailbox_is_erased_after_thirty_days(office: Office, clock_file: Path) -> None:
    mailboxes.disconnect(office.mailbox.pk, workspace_id=office.id, actor=by(office.alice))
    workspace = Workspace.objects.get(pk=office.id)
    assert queries.erased_on(fresh(office.mailbox), workspace) == MONDAY + 30 * DAY
    advance(clock_file, 30 * DAY - timedelta(minutes=1))
    expire(office)
    assert not rows(Erasure, office.id)
    advance(clock_file, timedelta(minutes=2))
    expire(office)
    (erasure,) = rows(Erasure, office.id)
    assert (erasure.subject_id, erasure.ordered_by) == (office.mailbox.pk, "retention")
    office.carry_out(erasure)
    assert [each.pk for each in rows(Mailbox, office.id)] == [office.other_mailbox.pk]


def test_a_connected_mailbox_is_never_erased_by_itself(office: Office, clock_file: Path) -> None:
    advance(clock_file, 400 * DAY)
    expire(office)
    assert not rows(Erasure, office.id)


def test_texts_go_and_that_there_was_a_mail_and_what_it_meant_stays(office: Office, clock_file: Path) -> None:
    stop_all(office)
    advance(clock_file, 735 * DAY)
    expire(office)
    message, reply = fresh(office.message), rows(Reply, office.id)[0]
    assert (message.subject, message.body, message.content_hash, message.state) == (
        None,
        None,
        "",
        "confirmed",
    )
    assert (reply.text, reply.subject, reply.evidence, reply.label) == (None, None, None, "interested")
    assert rows(Meeting, office.id)[0].subject is None and rows(Brief, office.id)[0].text is None
    (entry,) = rows(AuditEntry, office.id, tag="retention:expire")
    assert entry.detail["removed"]["texts"] == 8


def test_the_text_of_a_thread_that_still_runs_stays(office: Office, clock_file: Path) -> None:
    with inside(office.id):
        type(office.enrolment).objects.update(state="active")
    advance(clock_file, 735 * DAY)
    expire(office)
    assert fresh(office.message).body is not None


def test_a_contact_with_whom_nothing_happens_is_forgotten_and_the_numbers_stay(
    office: Office, clock_file: Path
) -> None:
    stop_all(office)
    never_written_to = make_contact(office.alice.workspace)
    advance(clock_file, 1000 * DAY)
    late = make_contact(office.alice.workspace)
    expire(office)
    assert len(rows(Contact, office.id)) == 4
    advance(clock_file, 100 * DAY)
    expire(office)
    assert [each.pk for each in rows(Contact, office.id)] == [late.pk] != [never_written_to.pk]
    assert not rows(Message, office.id) and not rows(Reply, office.id)
    assert sum(each.sent for each in rows(KeptFigures, office.id)) == 2
    assert not rows(Suppression, office.id), "nobody asked for it: they may be added again"


def test_a_contact_in_a_sequence_is_kept_however_old(office: Office, clock_file: Path) -> None:
    with inside(office.id):
        type(office.enrolment).objects.update(state="paused")
    advance(clock_file, 3000 * DAY)
    expire(office)
    assert len(rows(Contact, office.id)) == 2


def test_small_kinds_go_in_their_time(office: Office, clock_file: Path) -> None:
    imported = ContactImport(id=uuid7(), workspace_id=office.id, created_at=MONDAY, encoding="utf-8", added=7)
    seal(imported, "rejected_rows", "x@y.example,bad")
    with inside(office.id):
        imported.save(force_insert=True)
        Quarantine.objects.create(
            workspace_id=office.id, mailbox=office.mailbox, graph_id="g", internet_message_index="i",
            message_id=office.message.pk, received_at=MONDAY,
        )  # fmt: skip
        ConnectAttempt.objects.create(
            workspace_id=office.id, member=office.alice, created_at=MONDAY, left_at=MONDAY
        )
        DropCount.objects.create(
            workspace_id=office.id,
            mailbox=office.mailbox,
            local_date=MONDAY.date(),
            reason="unrelated",
            count=9,
        )

    def left() -> list[bool]:
        return [
            fresh(imported).rejected_rows is not None,
            bool(rows(ConnectAttempt, office.id)),
            bool(rows(Quarantine, office.id)),
            bool(rows(DropCount, office.id)),
        ]

    seen = []
    for days in (29, 2, 60, 310):
        advance(clock_file, days * DAY)
        expire(office)
        seen.append(left())
    assert seen == [[True] * 4, [False, False, True, True], [False, False, False, True], [False] * 4]
    assert fresh(imported).added == 7


def ledger(office: Office, at: datetime) -> None:
    with inside(office.id):
        LedgerRow.objects.create(
            workspace_id=office.id, mailbox_id=office.mailbox.pk, at=at, shape="envelopes",
            client_request_id=uuid4(), status=200, bytes=1, milliseconds=1, reason="test",
        )  # fmt: skip


def test_old_rows_of_the_ledger_go(office: Office, clock_file: Path) -> None:
    for days in (0, 10, 181):
        ledger(office, MONDAY + days * DAY)
    advance(clock_file, 181 * DAY)
    expire(office)
    assert sorted(each.at for each in rows(LedgerRow, office.id)) == [MONDAY + 10 * DAY, MONDAY + 181 * DAY]


def test_nobody_can_empty_the_ledger_of_the_last_thirty_days_that_way(office: Office) -> None:
    for days in (0, 20, 40):
        ledger(office, MONDAY + days * DAY)
    with inside(office.id):
        assert actions._expire_requests(office.id, MONDAY + 9999 * DAY) == 1
    assert len(rows(LedgerRow, office.id)) == 2


def test_an_administrator_chooses_within_limits_and_the_next_look_obeys(
    office: Office, clock_file: Path
) -> None:
    mailboxes.disconnect(office.mailbox.pk, workspace_id=office.id, actor=by(office.alice))
    expire(office)
    assert office.id not in queries.due_for_retention(clock.now())
    actions.choose_retention(office.id, {"disconnected": 2}, actor=by(office.alice))
    assert office.id in queries.due_for_retention(clock.now())
    advance(clock_file, 2 * DAY + timedelta(minutes=1))
    expire(office)
    assert rows(Erasure, office.id)


def test_a_time_outside_the_limits_changes_nothing(office: Office) -> None:
    with pytest.raises(BadInput, match="from 1 to 180"), transaction.atomic():
        actions.choose_retention(office.id, {"texts": 60, "disconnected": 365}, actor=by(office.alice))
    assert Workspace.objects.get(pk=office.id).retention == {}


def test_it_is_looked_at_several_times_a_day(office: Office, clock_file: Path) -> None:
    expire(office)
    advance(clock_file, timedelta(hours=5))
    assert office.id not in queries.due_for_retention(clock.now())
    advance(clock_file, timedelta(hours=2))
    assert office.id in queries.due_for_retention(clock.now())
