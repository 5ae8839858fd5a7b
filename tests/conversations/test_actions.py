from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from gatepost.accounts.actions import INSTALLER
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Contact, Suppression
from gatepost.contacts.queries import is_suppressed
from gatepost.conversations.actions import (
    Incoming,
    change_rule,
    correct_label,
    mark_done,
    record_reply,
    reopen,
)
from gatepost.conversations.models import Conversation, Correction, Promise, Reply
from gatepost.conversations.rules import Rule
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.outbox import actions as outbox
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import Commit, Event, Item
from gatepost.sequences import enrolments, steps
from gatepost.sequences.models import Enrolment, Task
from gatepost.sequences.rules import Send
from gatepost.text.tone import Tone
from gatepost.vault import content
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

pytestmark = pytest.mark.django_db
TONE = Tone("interested", ("interested",), 0.9, (), "Yes, let us talk.", None, None, None, None, "test-1")


@pytest.fixture(autouse=True)
def monday(tmp_path):
    with clock_at(MONDAY, tmp_path):
        yield


@pytest.fixture
def message():
    member = make_member(make_workspace())
    contact = make_contact(member.workspace, "petra@contoso.example")
    enrolment = make_enrolment(make_sequence(member), contact, make_mailbox(member))
    message = steps.act_on_due(enrolment, Send(1))
    with inside(message.workspace_id):
        for each in (Commit(Event.DRAFT, Item("id", is_draft=True)), Commit(Event.TRY), Commit(Event.TAKEN)):
            assert outbox.commit(message, each)
        return Message.objects.select_related("contact").get(pk=message.pk)


def answer(message, number=1, *, sender="petra@contoso.example", someone_else=False, minutes=5, **tone):
    return record_reply(
        Incoming(
            message=message,
            graph_id=f"r{number}",
            internet_message_id=f"<r{number}@contoso.example>",
            received=MONDAY + timedelta(minutes=minutes),
            sender=sender,
            someone_else=someone_else,
            subject="Re: Quick question",
            tone=replace(TONE, **tone),
        )
    )


def enrolment_of(message):
    return rows(Enrolment, message.workspace_id)[0]


def suppressed(message):
    with inside(message.workspace_id):
        found = is_suppressed(message.workspace_id, "petra@contoso.example")
        return found.cause if found else None


def conversation_of(message):
    return rows(Conversation, message.workspace_id)[0]


def test_a_reply_stops_the_sequence_and_stands_in_the_inbox(message):
    reply = answer(message)
    assert (enrolment_of(message).state, enrolment_of(message).cause) == ("stopped", "reply")
    conversation = conversation_of(message)
    assert (conversation.label, conversation.unread, conversation.done) == ("interested", True, False)
    assert content.open(fresh(reply), "text") == "Yes, let us talk."
    assert len(rows(AuditEntry, message.workspace_id, tag="reply:store")) == 1


def test_the_same_reply_twice_is_stored_once(message):
    assert answer(message) is not None
    assert answer(message) is None
    assert len(rows(Reply, message.workspace_id)) == 1


def test_an_opt_out_stops_and_suppresses(message):
    answer(message, label="unsubscribe", labels=("unsubscribe",))
    assert (enrolment_of(message).cause, suppressed(message)) == ("opt_out", "unsubscribe")


def test_an_opt_out_by_somebody_else_suppresses_the_contact_and_not_the_writer(message):
    answer(
        message, sender="assistant@contoso.example", someone_else=True, label="hard_no", labels=("hard_no",)
    )
    assert suppressed(message) == "hard_no"
    assert len(rows(Suppression, message.workspace_id)) == 1


def test_a_hard_bounce_stops_suppresses_and_marks_the_mail(message):
    answer(message, label="bounce", labels=("bounce",), bounce="hard")
    assert (enrolment_of(message).cause, suppressed(message)) == ("bounce", "bounce")
    assert fresh(message).bounced_at == MONDAY


def test_a_soft_bounce_pauses_only(message):
    answer(message, label="bounce", labels=("bounce",), bounce="soft")
    assert (enrolment_of(message).state, suppressed(message)) == ("paused", None)


def test_an_absence_pauses_until_after_the_return(message):
    answer(
        message,
        label="out_of_office",
        labels=("out_of_office",),
        return_date=date(2027, 1, 20),
        return_precision="day",
    )
    assert enrolment_of(message).state == "paused"
    assert enrolment_of(message).due_at.date() >= date(2027, 1, 20)


def test_an_automatic_reply_lets_the_sequence_go_on(message):
    answer(message, label="auto_reply", labels=("auto_reply",))
    assert enrolment_of(message).state == "active"


def test_a_dated_later_is_kept_as_a_promise(message):
    answer(
        message, label="circle_back_later", labels=("circle_back_later",), return_date=date(2027, 3, 1),
        return_precision="month",
    )  # fmt: skip
    (promise,) = rows(Promise, message.workspace_id)
    assert (promise.due_local_date, promise.precision, promise.done) == (date(2027, 3, 1), "month", False)
    assert enrolment_of(message).cause == "reply"


def test_an_absence_notice_after_an_answer_does_not_hide_the_answer(message):
    answer(message, 1)
    answer(message, 2, label="out_of_office", labels=("out_of_office",), minutes=6)
    assert conversation_of(message).label == "interested"


def test_an_answer_after_an_absence_notice_gives_the_conversation_its_label(message):
    answer(message, 1, label="out_of_office", labels=("out_of_office",))
    answer(message, 2, minutes=60)
    assert (conversation_of(message).label, enrolment_of(message).state) == ("interested", "stopped")


def test_a_late_delivery_of_an_older_reply_does_not_turn_back_the_conversation(message):
    answer(message, 1, minutes=60)
    answer(message, 2, minutes=5)
    assert conversation_of(message).last_reply_at == MONDAY + timedelta(minutes=60)


def test_a_new_reply_brings_a_conversation_that_was_done_back_to_the_inbox(message):
    answer(message, 1)
    conversation = conversation_of(message)
    mark_done(conversation.pk, workspace_id=message.workspace_id, done=True, actor=INSTALLER)
    assert fresh(conversation).done
    answer(message, 2)
    assert (fresh(conversation).done, fresh(conversation).unread) == (False, True)


def test_a_corrected_label_keeps_the_first_one_and_suppresses_where_it_says_so(message):
    reply = answer(message)
    for label in ("not_interested", "unsubscribe"):
        correct_label(reply.pk, label, workspace_id=message.workspace_id, actor=INSTALLER)
    corrected = fresh(reply)
    assert (corrected.label, corrected.corrected_from) == ("unsubscribe", "interested")
    assert conversation_of(message).label == "unsubscribe"
    assert suppressed(message) == "unsubscribe"


def test_a_label_that_is_none_is_refused_with_those_there_are(message):
    reply = answer(message)
    with pytest.raises(BadInput, match="interested"), transaction.atomic():
        correct_label(reply.pk, "splendid", workspace_id=message.workspace_id, actor=INSTALLER)
    assert fresh(reply).label == "interested"


def test_correcting_an_old_reply_leaves_the_conversation_with_the_label_of_the_latest(message):
    first = answer(message, 1)
    answer(message, 2, minutes=60, label="question", labels=("question",))
    answer(message, 3, minutes=90, label="out_of_office", labels=("out_of_office",))
    correct_label(first.pk, "not_interested", workspace_id=message.workspace_id, actor=INSTALLER)
    assert fresh(first).label == "not_interested"
    assert conversation_of(message).label == "question"


def follows(message):
    return [
        (line["label"], line["what"]) for each in rows(Reply, message.workspace_id) for line in each.followed
    ]


def tasks_of(message):
    return [(task.kind, task.state) for task in rows(Task, message.workspace_id)]


def test_whoever_is_interested_becomes_a_task_at_once_and_the_reply_says_why(message):
    answer(message)
    assert tasks_of(message) == [("reply", "open")]
    assert follows(message) == [("interested", "end"), ("interested", "task")]


def test_a_promise_holds_back_every_colleague_until_its_day_and_then_stands_on_top_of_the_inbox(message):
    answer(
        message, label="circle_back_later", labels=("circle_back_later",), return_date=date(2027, 3, 1),
        return_precision="day",
    )  # fmt: skip
    with inside(message.workspace_id):
        company = Contact.objects.get(pk=message.contact_id).company
    assert company.hold_until == datetime(2027, 2, 28, 23, tzinfo=UTC), "Monday in Berlin"
    assert company.hold_until == conversation_of(message).snoozed_until
    assert content.open(rows(Promise, message.workspace_id)[0], "quote") == "Yes, let us talk."
    assert reopen(conversation_of(message).snoozed_until - timedelta(minutes=1)) == 0
    assert reopen(conversation_of(message).snoozed_until) == 1
    back = conversation_of(message)
    assert (back.snoozed_until, back.urgency, back.unread) == (None, 0, True)


def test_somebody_who_is_not_interested_cannot_be_enrolled_again_for_a_while(message):
    answer(message, label="not_interested", labels=("not_interested",))
    member = rows(Member, message.workspace_id)[0]
    other = make_sequence(member)
    enrolled = enrolments.enrol(
        other.pk, [message.contact_id], message.mailbox_id, workspace_id=message.workspace_id, actor=INSTALLER
    )
    assert enrolled.count == 0
    assert "left alone until 11 April 2027" in enrolled.skipped[0][1]


def test_an_unsure_reply_pauses_until_a_person_has_said_what_it_means(message):
    reply = answer(message, label="unsure", labels=("unsure",))
    assert (enrolment_of(message).state, enrolment_of(message).due_at) == ("paused", None)
    correct_label(reply.pk, "auto_reply", workspace_id=message.workspace_id, actor=INSTALLER)
    assert enrolment_of(message).state == "active"
    assert tasks_of(message) == [("reply", "done")]
    correct_label(reply.pk, "not_interested", workspace_id=message.workspace_id, actor=INSTALLER)
    assert enrolment_of(message).state == "stopped"
    assert ("not_interested", "cool_off") in follows(message)


def test_a_correction_never_takes_anybody_off_the_do_not_contact_list(message):
    reply = answer(message, label="unsubscribe", labels=("unsubscribe",))
    correct_label(reply.pk, "interested", workspace_id=message.workspace_id, actor=INSTALLER)
    assert suppressed(message) == "unsubscribe"


def test_each_correction_is_kept_with_who_made_it_and_when(message):
    member = rows(Member, message.workspace_id)[0]
    reply = answer(message)
    for label in ("question", "not_interested"):
        correct_label(reply.pk, label, workspace_id=message.workspace_id, actor=by(member))
    made = rows(Correction, message.workspace_id)
    assert [(each.before, each.after) for each in made] == [
        ("interested", "question"),
        ("question", "not_interested"),
    ]
    assert {(each.member_id, each.made_at) for each in made} == {(member.pk, MONDAY)}


def test_a_workspaces_own_rule_holds_for_the_next_reply_and_a_weaker_no_is_refused(message):
    change_rule("other", Rule("end", suppress=True), workspace_id=message.workspace_id, actor=INSTALLER)
    with pytest.raises(BadInput, match="cannot be weakened"), transaction.atomic():
        change_rule("hard_no", Rule("end"), workspace_id=message.workspace_id, actor=INSTALLER)
    answer(message, label="other", labels=("other",))
    assert suppressed(message) == "replied"
    assert len(rows(AuditEntry, message.workspace_id, tag="rule:change")) == 1
