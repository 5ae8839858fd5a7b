"""Kinds of steps, conditions, editions, days off, and what makes a sequence wait, pause and leave people alone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.audit.models import AuditEntry
from gatepost.audit.reveal import reveal
from gatepost.contacts.models import Company
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes import letters  # noqa: F401, they are asked for by name
from gatepost.mailboxes.models import Notice
from gatepost.outbox import actions as outbox
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import Commit, Event, Item
from gatepost.outbox.rules import Cancel, Wait, may_send
from gatepost.sequences import absences, actions, enrolments, lists, queries, rules, steps, tasks
from gatepost.sequences.edits import StepDraft, Wording
from gatepost.sequences.hours import hours_of
from gatepost.sequences.models import Absence, Enrolment, Sequence, Task
from tests.at_once import for_one
from tests.makers import (
    MONDAY,
    advance,
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

pytestmark = pytest.mark.django_db
MAIL = StepDraft(0, "Hello {{ first_name }}", "Shall we talk?")
LATER = StepDraft(2 * 1440, "", "Just following up.")
CALL = StepDraft(0, "Call {{ first_name }}", "Ask about the fair.", kind="call")


@pytest.fixture(autouse=True)
def monday(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def member():
    return make_member(make_workspace())


@pytest.fixture
def mailbox(member):
    return make_mailbox(member)


def by(row):
    return {"workspace_id": row.workspace_id, "actor": INSTALLER}


def decided(mailbox):
    """What the worker would do now with the enrolment that is due; None where none is."""
    due = for_one(queries.due_enrolments, mailbox)
    return rules.decide_next(due[1], now=clock.now()) if due else None


def act(mailbox):
    enrolment, facts = for_one(queries.due_enrolments, mailbox)
    return steps.act_on_due(enrolment, rules.decide_next(facts, now=clock.now()))


def leave(message):
    """Microsoft takes the message, and the enrolment goes on."""
    with inside(message.workspace_id):
        for each in (Commit(Event.DRAFT, Item("id", is_draft=True)), Commit(Event.TRY), Commit(Event.TAKEN)):
            assert outbox.commit(message, each)
    steps.step_left(fresh(message))


def entries(row, action):
    return rows(AuditEntry, row.workspace_id, tag=action)


def test_a_call_waits_as_a_task_with_its_day_and_the_next_step_follows_when_it_is_done(
    member, mailbox, monday
):
    sequence = make_sequence(member, steps=(CALL, MAIL))
    enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
    assert decided(mailbox) == rules.Ask(1, "call")
    assert act(mailbox) is None
    (task,) = rows(Task, member.workspace_id)
    assert (task.kind, task.due_at) == ("call", datetime(2027, 1, 12, 22, 59, tzinfo=UTC))
    assert fresh(enrolment).reason == "step 1 is a call, which waits in the tasks"
    tasks.end_task(task.pk, True, **by(task))
    message = act(mailbox)
    assert message is not None and message.position == 2 and message.previous is None


def test_a_mail_for_approval_leaves_only_when_approved_and_as_it_was_approved(member, mailbox):
    sequence = make_sequence(member, steps=(replace(MAIL, kind="approval"),))
    make_enrolment(sequence, make_contact(member.workspace), mailbox)
    assert act(mailbox) is None
    assert rows(Message, member.workspace_id) == []
    (task,) = rows(Task, member.workspace_id)
    tasks.end_task(task.pk, True, subject="Hello  again", body="Changed by hand.", **by(task))
    message = act(mailbox)
    with inside(member.workspace_id):
        text = reveal(INSTALLER, message, "subject", "body", reason="test")
    assert text["subject"] == "Hello again"
    assert text["body"].startswith("Changed by hand.\n\n") and "rather not hear" in text["body"]


def test_a_mail_that_is_not_approved_is_left_out_and_the_sequence_goes_on(member, mailbox, monday):
    sequence = make_sequence(member, steps=(replace(MAIL, kind="approval"), replace(LATER, subject="Hi")))
    enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
    act(mailbox)
    (task,) = rows(Task, member.workspace_id)
    tasks.end_task(task.pk, False, **by(task))
    assert fresh(enrolment).due_at == MONDAY + timedelta(days=2)
    advance(monday, timedelta(days=2))
    assert decided(mailbox) == rules.Send(2)


def test_an_empty_text_is_not_approved(member, mailbox):
    make_enrolment(
        make_sequence(member, steps=(replace(MAIL, kind="approval"),)),
        make_contact(member.workspace),
        mailbox,
    )
    act(mailbox)
    (task,) = rows(Task, member.workspace_id)
    with pytest.raises(BadInput, match="nothing was approved"):
        tasks.end_task(task.pk, True, subject="Hi", body="  ", **by(task))
    assert fresh(task).state == Task.State.OPEN


def test_a_step_whose_condition_is_not_so_is_skipped_and_says_why(member, mailbox):
    steps = (
        replace(CALL, conditions=("has_phone",)),
        replace(MAIL, conditions=("step_skipped",)),
        replace(LATER, conditions=("step_skipped",)),
    )
    enrolment = make_enrolment(make_sequence(member, steps=steps), make_contact(member.workspace), mailbox)
    assert decided(mailbox) == rules.Skip(1, "the contact has no phone number")
    act(mailbox)
    assert fresh(enrolment).last_skipped and len(entries(enrolment, "enrolment:skip")) == 1
    leave(act(mailbox))
    with inside(member.workspace_id):
        Enrolment.objects.update(due_at=MONDAY)
    assert decided(mailbox) == rules.Skip(3, "the step before was not skipped")


def test_the_first_steps_delay_counts_from_enrolling(member, mailbox):
    sequence = make_sequence(member, steps=(StepDraft(90, "Hi", "Shall we talk?"),))
    enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
    assert enrolment.due_at == MONDAY + timedelta(minutes=90)


def test_an_edit_for_everybody_counts_from_the_next_step_on(member, mailbox):
    sequence = make_sequence(member, steps=(MAIL, LATER))
    enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
    leave(act(mailbox))
    actions.save_steps(sequence.pk, (MAIL, StepDraft(5 * 1440, "", "Edited.")), **by(sequence))
    assert fresh(enrolment).due_at == MONDAY + timedelta(days=5)


def test_an_edit_for_new_ones_only_leaves_those_in_it_with_what_they_had(member, mailbox, monday):
    sequence = make_sequence(member, steps=(MAIL, LATER))
    old = make_enrolment(sequence, make_contact(member.workspace), mailbox)
    leave(act(mailbox))
    actions.save_steps(sequence.pk, (StepDraft(0, "New", "New."),), who="new", **by(sequence))
    new = make_enrolment(fresh(sequence), make_contact(member.workspace), mailbox)
    assert (fresh(old).edition, new.edition) == (1, 2)
    leave(act(mailbox))
    assert fresh(new).state == Enrolment.State.FINISHED
    advance(monday, timedelta(days=2))
    assert decided(mailbox) == rules.Send(2)


def test_an_edit_for_everybody_gathers_the_editions(member, mailbox):
    sequence = make_sequence(member, steps=(MAIL, LATER))
    enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
    actions.save_steps(sequence.pk, (MAIL,), who="new", **by(sequence))
    actions.save_steps(sequence.pk, (MAIL, LATER, LATER), who="everybody", **by(sequence))
    assert fresh(enrolment).edition == fresh(sequence).edition == 2


def test_public_holidays_where_the_contact_is_are_closed_unless_the_sequence_says_otherwise(member, mailbox):
    german = make_contact(member.workspace, country="de")
    sequence = make_sequence(member, steps=(MAIL, StepDraft(5 * 1440, "", "Later.")))
    enrolment = make_enrolment(sequence, german, mailbox)
    with inside(member.workspace_id):
        row = Enrolment.objects.select_related("sequence", "contact", "mailbox").get(pk=enrolment.pk)
        hours = hours_of(row)
        new_year = datetime(2028, 1, 1, 12, tzinfo=UTC)
        opening = hours.opening(new_year)
        assert "public holiday" in opening.reason and opening.at.astimezone(UTC) > new_year
        row.sequence.skips_holidays = False
        assert hours_of(row).opening(new_year).at == new_year


def test_while_a_member_is_away_his_steps_wait_with_the_reason(member, mailbox):
    make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    absences.take_days_off(member, date(2027, 1, 11), date(2027, 1, 13), stand_in_id=None, actor=INSTALLER)
    thursday = datetime(2027, 1, 13, 23, tzinfo=UTC)  # midnight in Berlin
    assert decided(mailbox) == rules.Wait(thursday, "the sender is away")


def test_days_off_hold_back_a_mail_that_stands_in_the_outbox_already(member, mailbox):
    make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    message = act(mailbox)
    absences.take_days_off(member, date(2027, 1, 11), date(2027, 1, 11), stand_in_id=None, actor=INSTALLER)
    verdict = may_send(for_one(queries.gate_facts, message), now=clock.now())
    assert isinstance(verdict, Wait) and verdict.reason == "the sender is away"


def test_a_colleague_writes_first_mails_meanwhile_and_conversations_that_began_wait(member, mailbox, monday):
    ben = make_member(member.workspace, "Ben", role="rep")
    bens = make_mailbox(ben, "ben@northwind.example")
    begun = make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    leave(act(mailbox))
    other = make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    absences.take_days_off(member, date(2027, 1, 11), date(2027, 1, 20), stand_in_id=bens.pk, actor=INSTALLER)
    assert decided(mailbox) == rules.PassOn()
    act(mailbox)
    assert fresh(other).mailbox_id == bens.pk and len(entries(other, "enrolment:pass-on")) == 1
    assert act(bens).mailbox_id == bens.pk
    advance(monday, timedelta(days=2))
    assert isinstance(decided(mailbox), rules.Wait)
    assert fresh(begun).mailbox_id == mailbox.pk


def test_days_off_that_are_given_back_let_what_waited_go_on(member, mailbox):
    enrolment = make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    away = absences.take_days_off(
        member, date(2027, 1, 11), date(2027, 1, 20), stand_in_id=None, actor=INSTALLER
    )
    act(mailbox)
    assert fresh(enrolment).due_at > MONDAY
    absences.give_back_days_off(away.pk, **by(enrolment))
    assert decided(mailbox) == rules.Send(1)
    assert rows(Absence, member.workspace_id) == []


def test_a_stand_in_is_a_colleague_and_days_end_after_they_begin(member, mailbox):
    for first, last, stand_in in (
        (date(2027, 1, 12), date(2027, 1, 11), None),
        (date(2027, 1, 11), date(2027, 1, 12), mailbox.pk),
    ):
        with pytest.raises(BadInput):
            absences.take_days_off(member, first, last, stand_in_id=stand_in, actor=INSTALLER)


def test_somebody_of_another_sequence_is_enrolled_in_spite_of_it_with_a_reason_in_the_record(member, mailbox):
    contact = make_contact(member.workspace)
    first = make_enrolment(make_sequence(member), contact, mailbox)
    second = make_sequence(member)
    done = enrolments.enrol(second.pk, [contact.pk], mailbox.pk, in_spite="Asked by Alice", **by(second))
    assert done.count == 1
    assert fresh(first).state == Enrolment.State.STOPPED
    (entry,) = entries(second, "enrolment:override")
    assert entry.detail["reason"] == "Asked by Alice" and entry.detail["instead_of"] == str(first.pk)


def test_without_a_real_reason_nobody_is_enrolled_in_spite_of_anything(member, mailbox):
    sequence = make_sequence(member)
    with pytest.raises(BadInput, match="Say why"):
        enrolments.enrol(sequence.pk, [], mailbox.pk, in_spite="x", **by(sequence))


def test_colleagues_wait_after_a_reply_where_the_sequence_says_so(member, mailbox):
    sequence = make_sequence(member)
    actions.change_life(sequence.pk, hold_company_days=7, **by(sequence))
    petra, paul = (make_contact(member.workspace) for _ in range(2))
    enrolment = make_enrolment(sequence, petra, mailbox)
    make_enrolment(sequence, paul, mailbox)
    enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence))
    assert rows(Company, member.workspace_id)[0].hold_until == MONDAY + timedelta(days=7)
    assert decided(mailbox) == rules.Wait(
        MONDAY + timedelta(days=7), "somebody at this company answered or asked to wait"
    )


def test_too_many_bounces_pause_the_sequence_with_the_reason_and_a_notice(member, mailbox):
    sequence = make_sequence(member, steps=(MAIL,))
    messages = []
    for _ in range(20):
        make_enrolment(sequence, make_contact(member.workspace), mailbox)
        message = act(mailbox)
        leave(message)
        messages.append(message)
    for message in messages[:3]:
        assert fresh(sequence).state == Sequence.State.ACTIVE
        with inside(member.workspace_id):
            outbox.bounced(message)
        enrolments.stop(message.enrolment_id, "bounce", "the address does not exist", **by(sequence))
    paused = fresh(sequence)
    assert paused.state == Sequence.State.PAUSED
    assert paused.pause_reason == "3 of its last 20 mails bounced, more than 5 %"
    (notice,) = rows(Notice, member.workspace_id)
    assert (notice.kind, notice.about) == ("sequence_paused", str(sequence.pk))
    actions.activate(sequence.pk, **by(sequence))
    assert fresh(sequence).pause_reason == "" and fresh(sequence).bill_since == MONDAY


def test_an_archived_sequence_stops_everybody_and_takes_nobody(member, mailbox):
    sequence = make_sequence(member)
    enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
    message = act(mailbox)
    actions.archive(sequence.pk, **by(sequence))
    while enrolments.stop_some_of_archived(sequence.pk, workspace_id=sequence.workspace_id):
        pass
    assert fresh(enrolment).reason == "the sequence was archived"
    assert isinstance(may_send(for_one(queries.gate_facts, message), now=clock.now()), Cancel)
    with pytest.raises(Conflict, match="archived"):
        enrolments.enrol(sequence.pk, [], mailbox.pk, **by(sequence))


def test_a_promise_is_a_task_on_its_day_and_sends_nothing(member, mailbox, monday):
    enrolment = make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    enrolments.stop(enrolment.pk, "reply", "asked to be contacted later", **by(enrolment))
    tasks.remind(enrolment.pk, date(2027, 1, 15), workspace_id=member.workspace_id)
    with inside(member.workspace_id):
        assert list(lists.tasks_of(member)) == []
        advance(monday, timedelta(days=5))
        (task,) = lists.tasks_of(member)
    tasks.end_task(task.pk, True, **by(task))
    assert fresh(enrolment).state == Enrolment.State.STOPPED


def test_each_wording_has_its_own_answers(member, mailbox):
    sequence = make_sequence(member, steps=(replace(MAIL, weight=0, others=(Wording("B", "B.", 1),)),))
    for number in range(2):
        enrolment = make_enrolment(sequence, make_contact(member.workspace), mailbox)
        leave(act(mailbox))
        if number:
            enrolments.stop(enrolment.pk, "reply", "replied", **by(enrolment))
    with inside(member.workspace_id):
        (row,) = lists.step_rows(sequence)
    assert [(each.sent, each.replied) for each in row.results] == [(0, 0), (2, 1)]
    assert not row.comparison.decided


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kind": "fax"}, "no kind of step 'fax'"),
        ({"conditions": ("full_moon",)}, "no condition 'full_moon'"),
        ({"conditions": ("step_done",)}, "No step comes before the first one"),
        ({"business_days": 999}, "a year of business days"),
        ({"others": (Wording("x", "y"),) * 5}, "more than 5 wordings"),
        ({"weight": 0}, "a weight above 0"),
        ({"others": (Wording("x", " "),)}, "text of wording B"),
    ],
)
def test_a_step_that_cannot_be_is_refused_with_what_to_change(member, changes, complaint):
    with pytest.raises(BadInput, match=complaint):
        make_sequence(member, steps=(replace(MAIL, **changes),))
