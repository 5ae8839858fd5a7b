"""The steps before the outbox: when they are due, why not yet, and what a person changes about them."""

from datetime import timedelta

import pytest

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.sequences import actions, enrolments, upcoming
from gatepost.sequences.models import Enrolment
from tests.api.test_api import Program
from tests.makers import (
    MONDAY,
    clock_at,
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, rows_in, signed_in, text_of


@pytest.fixture
def alice(committed_db, tmp_path):
    with clock_at(MONDAY, tmp_path):
        yield make_member(make_workspace())


@pytest.fixture
def sequence(alice):
    return make_sequence(alice)


@pytest.fixture
def mailbox(alice):
    return make_mailbox(alice)


@pytest.fixture
def enrolment(alice, sequence, mailbox):
    """Its second step is due in three days."""
    made = make_enrolment(sequence, make_contact(alice.workspace), mailbox)
    with inside(alice.workspace_id):
        Enrolment.objects.filter(pk=made.pk).update(
            next_position=2, due_at=MONDAY + timedelta(days=3), stepped_at=MONDAY
        )
    return fresh(made)


def change(enrolment, name, until=None):
    upcoming.change(enrolment.pk, name, until, workspace_id=enrolment.workspace_id, actor=actions.BY_SENDING)
    return fresh(enrolment)


def test_the_page_tells_the_step_its_time_and_why_it_has_not_gone(alice, enrolment):
    page = signed_in(alice).get("/outbox/upcoming/")
    assert rows_in(page) == 1
    assert "2 of" in text_of(page) and "2 days after the step before" in text_of(page)


def test_what_is_in_the_outbox_is_not_upcoming(alice, enrolment):
    with inside(alice.workspace_id):
        Enrolment.objects.filter(pk=enrolment.pk).update(due_at=None)
    make_message(enrolment, position=2, state="planned")
    assert rows_in(signed_in(alice).get("/outbox/upcoming/")) == 0
    with pytest.raises(Conflict, match="in the outbox by now"):
        change(enrolment, "skip")


def test_a_rep_sees_and_changes_only_the_steps_of_his_own_mailbox(alice, enrolment):
    ben = signed_in(make_member(alice.workspace, "Ben", role="rep"))
    assert rows_in(ben.get("/outbox/upcoming/")) == 0
    answer = ben.post("/outbox/upcoming/change/", {"change": f"skip {enrolment.pk}"})
    assert (answer.status_code, fresh(enrolment).next_position) == (403, 2)


def test_now_makes_it_due_and_postpone_keeps_it_back_with_that_reason(enrolment):
    assert change(enrolment, "now").due_at == MONDAY
    later = MONDAY + timedelta(days=30)
    changed = change(enrolment, "postpone", later)
    assert (changed.due_at, changed.reason) == (later, "postponed by a member")
    assert len(rows(AuditEntry, enrolment.workspace_id, tag=tags.ENROLMENT_DUE)) == 2


@pytest.mark.parametrize("until", [None, MONDAY - timedelta(minutes=1), MONDAY + timedelta(days=400)])
def test_a_step_is_postponed_to_a_moment_within_a_year_only(enrolment, until):
    with pytest.raises(BadInput, match="still to come"):
        change(enrolment, "postpone", until)


def test_leaving_out_goes_on_with_the_step_after_it_and_its_delay(enrolment):
    after = change(enrolment, "skip")
    assert (after.next_position, after.last_skipped) == (3, True)
    assert after.due_at > clock.now()
    (entry,) = rows(AuditEntry, enrolment.workspace_id, tag=tags.ENROLMENT_SKIP)
    assert entry.detail["reason"] == "by a member"


def test_leaving_out_the_last_step_finishes(enrolment):
    change(enrolment, "skip")
    assert change(enrolment, "skip").state == Enrolment.State.FINISHED


def test_a_paused_step_that_is_made_due_goes_on(enrolment):
    enrolments.pause_until(
        enrolment.pk, MONDAY.date() + timedelta(days=9), "away", workspace_id=enrolment.workspace_id,
        actor=actions.BY_SENDING,
    )  # fmt: skip
    assert change(enrolment, "now").state == Enrolment.State.ACTIVE


def test_what_is_ticked_changes_and_what_cannot_is_left_out_with_its_reason(
    alice, sequence, mailbox, enrolment
):
    ended = make_enrolment(sequence, make_contact(alice.workspace, "ed@contoso.example"), mailbox)
    enrolments.stop(ended.pk, "by_hand", "enough", workspace_id=alice.workspace_id, actor=actions.BY_SENDING)
    page = signed_in(alice).post(
        "/outbox/upcoming/change/",
        {"change": "postpone", "until": "2027-03-01T09:00", "enrolment": [enrolment.pk, ended.pk]},
        follow=True,
    )
    assert "Done: 1 step." in text_of(page) and "its enrolment has ended" in text_of(page)


def test_a_program_does_the_same(alice, enrolment):
    program = Program(alice)
    assert [row["id"] for row in program.get("/upcoming").json()["rows"]] == [str(enrolment.pk)]
    answer = program.post(f"/enrolments/{enrolment.pk}/postpone", {"until": "2027-03-01T09:00:00Z"})
    assert (answer.status_code, answer.json()["due_at"]) == (200, "2027-03-01T09:00:00+00:00")
    assert program.post(f"/enrolments/{enrolment.pk}/skip", {}).json()["next_step"] == 3
    assert program.post(f"/enrolments/{enrolment.pk}/now", {}).status_code == 200
    other = Program(make_member(alice.workspace, "Ben", role="rep"))
    assert other.post(f"/enrolments/{enrolment.pk}/skip", {}).status_code == 403
