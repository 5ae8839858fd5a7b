from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.audit.models import AuditEntry
from gatepost.contacts.actions import suppress
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions as outbox
from gatepost.outbox import counting
from gatepost.outbox.limits import next_leaves
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import Commit, Event, Item, PutOff
from gatepost.sequences import actions, enrolments, queries, steps
from gatepost.sequences.actions import BadTemplate
from gatepost.sequences.edits import StepDraft
from gatepost.sequences.models import Enrolment, Step, Variant
from gatepost.sequences.rules import Finish, Send, Stop, Wait
from gatepost.vault import content, names
from gatepost.vault.sealing import seal
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


@pytest.fixture
def sequence(member):
    return make_sequence(member)


def enrol(sequence, mailbox, *contacts):
    return enrolments.enrol(
        sequence.pk, [c.pk for c in contacts], mailbox.pk, workspace_id=sequence.workspace_id, actor=INSTALLER
    )


def refusal(sequence, mailbox, contact):
    enrolled = enrol(sequence, mailbox, contact)
    assert enrolled.count == 0
    return enrolled.skipped[0][1]


def sent(message):
    """The message as it is when Microsoft took it."""
    with inside(message.workspace_id):
        for each in (Commit(Event.DRAFT, Item("id", is_draft=True)), Commit(Event.TRY), Commit(Event.TAKEN)):
            assert outbox.commit(message, each)
    return fresh(message)


def by(sequence):
    return {"workspace_id": sequence.workspace_id, "actor": INSTALLER}


def test_somebody_enrolled_is_due_when_the_window_opens(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    assert (enrolment.state, enrolment.next_position, enrolment.due_at) == (Enrolment.State.ACTIVE, 1, MONDAY)


def test_somebody_on_the_do_not_contact_list_is_left_out(sequence, mailbox):
    contact = make_contact(sequence.workspace, "petra@contoso.example")
    suppress(sequence.workspace_id, "petra@contoso.example", cause="unsubscribe", actor=INSTALLER)
    assert refusal(sequence, mailbox, contact) == "is on the do-not-contact list"


def test_somebody_of_a_domain_on_the_do_not_contact_list_is_left_out(sequence, mailbox):
    contact = make_contact(sequence.workspace, "petra@contoso.example")
    suppress(sequence.workspace_id, "contoso.example", cause="by_hand", kind="domain", actor=INSTALLER)
    assert refusal(sequence, mailbox, contact) == "is on the do-not-contact list"


def test_a_colleague_is_left_out(sequence, mailbox):
    assert "own organisation" in refusal(
        sequence, mailbox, make_contact(sequence.workspace, "ben@NORTHWIND.example")
    )


def test_a_colleague_of_a_domain_that_an_administrator_added_is_left_out(sequence, mailbox):
    with inside(sequence.workspace_id):
        mailbox.workspace.internal_domains = ["Northwind-Labs.example"]
        mailbox.workspace.save()
    contact = make_contact(sequence.workspace, "kim@northwind-labs.example")
    assert "own organisation" in refusal(sequence, mailbox, contact)


def test_somebody_in_a_sequence_already_is_left_out(member, sequence, mailbox):
    contact = make_contact(sequence.workspace)
    make_enrolment(sequence, contact, mailbox)
    assert refusal(make_sequence(member), mailbox, contact) == "is in a sequence already"


def test_somebody_who_was_in_this_sequence_before_is_left_out_but_may_join_another_after_a_while(
    member, sequence, mailbox, monday
):
    contact = make_contact(sequence.workspace)
    enrolment = make_enrolment(sequence, contact, mailbox)
    enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence))
    assert refusal(sequence, mailbox, contact) == "was in this sequence before"
    another = make_sequence(member)
    assert refusal(another, mailbox, contact) == "was in another sequence within the last 14 days"
    advance(monday, timedelta(days=15))
    assert enrol(another, mailbox, contact).count == 1


def test_the_database_itself_allows_one_running_enrolment_for_each_contact(sequence, mailbox):
    contact = make_contact(sequence.workspace)
    enrolment = make_enrolment(sequence, contact, mailbox)
    with inside(sequence.workspace_id), pytest.raises(IntegrityError), transaction.atomic():
        Enrolment.objects.create(
            workspace_id=sequence.workspace_id, sequence=make_sequence(mailbox.member), contact=contact,
            mailbox=mailbox, created_at=enrolment.created_at,
        )  # fmt: skip


def test_some_are_enrolled_while_others_are_left_out_each_with_the_reason(sequence, mailbox):
    good, colleague = (
        make_contact(sequence.workspace),
        make_contact(sequence.workspace, "ben@northwind.example"),
    )
    enrolled = enrol(sequence, mailbox, good, colleague)
    assert enrolled.count == 1
    assert [contact for contact, _ in enrolled.skipped] == [colleague.pk]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"state": Mailbox.State.DISCONNECTED}, "not connected"),
        ({"scopes": ["User.Read"]}, "not granted this mailbox to send"),
    ],
)
def test_nobody_is_enrolled_from_a_mailbox_that_cannot_send(member, sequence, columns, says):
    mailbox = make_mailbox(member, "other@northwind.example", **columns)
    with pytest.raises(Conflict, match=says):
        enrol(sequence, mailbox, make_contact(sequence.workspace))


def test_a_step_without_a_value_for_a_field_pauses_and_says_which(member, mailbox):
    wordings = (StepDraft(0, "Hello {{ first_name }}", "Your work as {{ title }} at {{ company }}"),)
    sequence = make_sequence(member, steps=wordings)
    contact = make_contact(sequence.workspace, title="", company="")
    enrolment = make_enrolment(sequence, contact, mailbox)

    assert steps.act_on_due(enrolment, Send(1)) is None

    paused = fresh(enrolment)
    assert (paused.state, paused.due_at) == (Enrolment.State.PAUSED, None)
    assert "title" in paused.reason and "company" in paused.reason and "first_name" not in paused.reason
    assert rows(Message, sequence.workspace_id) == []


def test_stopping_cancels_what_had_not_left(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    message = steps.act_on_due(enrolment, Send(1))

    assert enrolments.stop(enrolment.pk, "by_hand", "stopped by a member", **by(sequence))
    assert not enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence)), "it ended already"

    ended = fresh(enrolment)
    assert (ended.state, ended.cause, ended.due_at) == (Enrolment.State.STOPPED, "by_hand", None)
    assert fresh(message).state == Message.State.CANCELLED


def test_stopping_cannot_call_back_what_is_on_its_way(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    message = sent(steps.act_on_due(enrolment, Send(1)))
    enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence))
    assert fresh(message).state == Message.State.ACCEPTED


def test_a_reply_after_the_last_step_is_still_the_reason_of_the_end(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    steps.act_on_due(enrolment, Finish())
    assert enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence))
    assert (fresh(enrolment).state, fresh(enrolment).cause) == (Enrolment.State.STOPPED, "reply")


def test_an_absence_pauses_until_the_day_after_the_return(sequence, mailbox, monday):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    enrolments.pause_until(enrolment.pk, date(2027, 1, 20), "out of office", **by(sequence))

    paused = fresh(enrolment)
    assert paused.state == Enrolment.State.PAUSED
    assert paused.due_at.astimezone(ZoneInfo("Europe/Berlin")).date() == date(2027, 1, 21)
    assert [each.id for each in queries.returned(paused.due_at - timedelta(seconds=1))] == []
    assert [each.id for each in queries.returned(paused.due_at)] == [enrolment.pk]


def test_a_pause_without_a_date_ends_only_when_somebody_says_so(sequence, mailbox, monday):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    message = steps.act_on_due(enrolment, Send(1))
    enrolments.pause_until(enrolment.pk, None, "asked to wait", **by(sequence))
    outbox.put_off(
        message, PutOff(queries.FOREVER, "asked to wait")
    )  # what the gate says to a pause without an end
    assert queries.returned(MONDAY + timedelta(days=3000)) == []

    advance(monday, timedelta(days=1))
    assert enrolments.resume(enrolment.pk, **by(sequence))
    assert not enrolments.resume(enrolment.pk, **by(sequence))

    assert fresh(enrolment).state == Enrolment.State.ACTIVE
    assert fresh(message).not_before == clock.now(), "the message that waited may leave"


def test_an_ended_enrolment_is_not_paused(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence))
    assert not enrolments.pause_until(enrolment.pk, date(2027, 1, 20), "out of office", **by(sequence))
    assert fresh(enrolment).state == Enrolment.State.STOPPED


@pytest.mark.parametrize(
    ("decision", "state", "due"),
    [
        (Wait(MONDAY + timedelta(hours=1), "the sequence is paused"), "active", MONDAY + timedelta(hours=1)),
        (Stop("suppressed", "on the do-not-contact list"), "stopped", None),
        (Finish(), "finished", None),
    ],
)
def test_what_was_decided_is_done(sequence, mailbox, decision, state, due):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    assert steps.act_on_due(enrolment, decision) is None
    assert (fresh(enrolment).state, fresh(enrolment).due_at) == (state, due)


def test_a_decision_about_an_enrolment_that_was_stopped_meanwhile_does_nothing(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence))
    assert steps.act_on_due(enrolment, Send(1)) is None
    assert rows(Message, sequence.workspace_id) == []


def test_a_follow_up_without_a_subject_continues_the_threads(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace, first_name="Petra"), mailbox)
    first = sent(steps.act_on_due(enrolment, Send(1)))
    steps.step_left(first)

    follow_up = steps.act_on_due(fresh(enrolment), Send(2))

    assert content.open(first, "subject") == "Quick question, Petra"
    assert content.open(follow_up, "subject") == "Re: Quick question, Petra"
    assert follow_up.previous_id == first.pk


def test_a_follow_up_continues_the_wording_that_this_contact_got(sequence, mailbox):
    with inside(sequence.workspace_id):
        step = Step.objects.get(sequence=sequence, position=1)
        other = Variant(workspace_id=sequence.workspace_id, step=step, weight=1000)
        seal(other, "subject", "Another beginning")
        seal(other, "body", "Hi {{ first_name }}")
        other.save()
        Variant.objects.filter(step=step).exclude(pk=other.pk).update(weight=0)
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    steps.step_left(sent(steps.act_on_due(enrolment, Send(1))))
    follow_up = steps.act_on_due(fresh(enrolment), Send(2))
    assert content.open(follow_up, "subject") == "Re: Another beginning"


def test_a_step_that_left_makes_the_next_one_due_after_its_delay(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    steps.step_left(sent(steps.act_on_due(enrolment, Send(1))))
    moved = fresh(enrolment)
    assert (moved.next_position, moved.due_at) == (2, MONDAY + timedelta(days=2))


def test_a_step_that_is_told_to_have_left_twice_moves_on_once(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    message = sent(steps.act_on_due(enrolment, Send(1)))
    steps.step_left(message)
    steps.step_left(message)
    assert fresh(enrolment).next_position == 2


def test_after_its_last_step_an_enrolment_is_finished(member, mailbox):
    sequence = make_sequence(member, steps=(StepDraft(0, "Hello", "Hi"),))
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    steps.step_left(sent(steps.act_on_due(enrolment, Send(1))))
    assert (fresh(enrolment).state, fresh(enrolment).due_at) == (Enrolment.State.FINISHED, None)


def test_a_step_that_left_from_a_stopped_enrolment_starts_nothing_again(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    message = sent(steps.act_on_due(enrolment, Send(1)))
    enrolments.stop(enrolment.pk, "reply", "replied", **by(sequence))
    steps.step_left(message)
    assert (fresh(enrolment).state, fresh(enrolment).due_at) == (Enrolment.State.STOPPED, None)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ((), "at least one step"),
        ((StepDraft(0, "", "Hi"),), "first step needs a subject"),
        ((StepDraft(0, "Hello", "  "),), "text is empty"),
        ((StepDraft(0, "Hello {{ frist_name }}", "Hi"),), "first_name"),
        ((StepDraft(0, "Hello", "Hi {{ first_name "),), "line 1"),
        ((StepDraft(-1, "Hello", "Hi"),), "between 0 minutes and a year"),
        ((StepDraft(2**40, "Hello", "Hi"),), "between 0 minutes and a year"),
        ((StepDraft(0, "Hello", "Hi"),) * 51, "at most 50"),
    ],
)
def test_steps_that_cannot_be_sent_are_refused_with_what_to_change(sequence, steps, says):
    with pytest.raises(BadInput, match=says), transaction.atomic():
        actions.save_steps(sequence.pk, steps, **by(sequence))
    with inside(sequence.workspace_id):
        assert Step.objects.filter(sequence=sequence).count() == 3


def test_a_template_that_is_wrong_in_several_places_says_them_all(sequence):
    steps = (StepDraft(0, "Hello {{ a }}", "Hi {{ b }}\n{{ c }}"),)
    with pytest.raises(BadTemplate) as raised:
        actions.save_steps(sequence.pk, steps, **by(sequence))
    assert [(step, column, p.line) for step, column, p in raised.value.problems] == [
        (1, "subject", 1), (1, "text", 1), (1, "text", 2),
    ]  # fmt: skip


def test_steps_keep_their_identity_when_they_are_rewritten(sequence):
    with inside(sequence.workspace_id):
        before = list(Step.objects.filter(sequence=sequence).values_list("pk", flat=True))
    actions.save_steps(sequence.pk, (StepDraft(0, "New", "New"), StepDraft(60, "", "Newer")), **by(sequence))
    with inside(sequence.workspace_id):
        after = list(Step.objects.filter(sequence=sequence).values_list("pk", flat=True))
        assert after == before[:2]
        assert names.open(Variant.objects.get(step_id=after[0]), "subject") == "New"


@pytest.mark.parametrize(
    ("window", "zone"), [({}, "Europe/Berlin"), ({"mon": [["08:00", "18:00"]]}, "Europe/Bärlin")]
)
def test_a_schedule_that_never_opens_or_lies_nowhere_is_refused(sequence, window, zone):
    with pytest.raises(BadInput):
        actions.change_schedule(sequence.pk, window, zone, **by(sequence))


def test_a_sequence_without_steps_cannot_be_activated(member):
    sequence = actions.create_sequence(member.workspace_id, "Empty", member=member)
    with pytest.raises(BadInput, match="at least one step"):
        actions.activate(sequence.pk, **by(sequence))


def test_those_who_waited_for_a_paused_sequence_go_on_at_once_when_it_is_activated(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    actions.pause(sequence.pk, **by(sequence))
    steps.act_on_due(enrolment, Wait(MONDAY + timedelta(hours=1), "the sequence is paused"))
    actions.activate(sequence.pk, **by(sequence))
    assert (fresh(enrolment).due_at, fresh(enrolment).reason) == (MONDAY, "")


def test_each_change_leaves_one_entry_in_the_record(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    enrolments.pause_until(enrolment.pk, date(2027, 1, 20), "out of office", **by(sequence))
    enrolments.resume(enrolment.pk, **by(sequence))
    enrolments.stop(enrolment.pk, "by_hand", "enough", **by(sequence))
    entries = rows(AuditEntry, sequence.workspace_id, subject_id=enrolment.pk)
    assert sorted(entry.tag for entry in entries) == [
        "enrolment:pause", "enrolment:resume", "enrolment:start", "enrolment:stop",
    ]  # fmt: skip


def test_the_gate_learns_that_the_enrolment_ended_or_is_paused(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    message = steps.act_on_due(enrolment, Send(1))
    assert for_one(queries.gate_facts, message).stopped == ""
    enrolments.pause_until(enrolment.pk, date(2027, 1, 20), "out of office", **by(sequence))
    assert (for_one(queries.gate_facts, message).paused_until, for_one(queries.gate_facts, message).pause_reason) == (
        fresh(enrolment).due_at, "out of office",
    )  # fmt: skip
    enrolments.stop(enrolment.pk, "reply", "replied: interested", **by(sequence))
    assert for_one(queries.gate_facts, message).stopped == "replied: interested"


def test_what_a_mailbox_sent_is_counted_by_its_own_day(sequence, mailbox, monday):
    mailbox.daily_limit = 1
    enrolment = make_enrolment(sequence, make_contact(sequence.workspace), mailbox)
    sent(steps.act_on_due(enrolment, Send(1)))
    with inside(sequence.workspace_id):
        # Midnight in Berlin is 23:00 in UTC.
        today, tomorrow = (
            list(counting.count(counting.own(mailbox, at), at).values())
            for at in (clock.now(), MONDAY.replace(hour=23, minute=1))
        )
    full = next_leaves(today, None, now=clock.now())
    assert full.limit == "mailbox_day" and full.until == MONDAY.replace(hour=23)
    assert next_leaves(tomorrow, None, now=full.until) is None


def test_a_filter_with_a_wrong_argument_is_refused_when_it_is_written(member):
    with pytest.raises(BadTemplate), transaction.atomic():
        make_sequence(member, steps=(StepDraft(0, "Hello", "Hi {{ first_name | truncate: 'abc' }}"),))


def test_a_step_that_cannot_be_filled_pauses_its_enrolment_and_no_other(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(mailbox.member.workspace), mailbox)
    with inside(mailbox.workspace_id):
        variant = Variant.objects.get(step__sequence=sequence, step__position=1)
        seal(
            variant, "body", "{{ first_name | truncate: 'abc' }}"
        )  # as an earlier version may have stored it
        variant.save()
    assert steps.act_on_due(enrolment, Send(1)) is None
    assert fresh(enrolment).state == Enrolment.State.PAUSED
    assert "Step 1" in fresh(enrolment).reason


def test_a_mail_of_a_step_that_was_removed_does_not_leave(sequence, mailbox):
    enrolment = make_enrolment(sequence, make_contact(mailbox.member.workspace), mailbox)
    message = steps.act_on_due(enrolment, Send(1))
    with inside(mailbox.workspace_id):
        Step.objects.filter(pk=message.step_id).delete()
    assert "removed" in for_one(queries.gate_facts, message).stopped
