"""A gap begins, the mailbox is read up, and only then it is over."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from gatepost.graph.errors import ReconnectNeeded
from gatepost.isolation import inside
from gatepost.mailboxes import gaps, watch
from gatepost.mailboxes.models import Gap, Mailbox
from gatepost.outbox.rules import Send, Wait, _mailbox_may_send
from gatepost.sequences.queries import mailbox_facts
from tests.makers import MONDAY, advance, clock_at, fresh, make_mailbox, make_member, make_workspace, rows


@pytest.fixture
def clock_file(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def mailbox(db, clock_file):
    return make_mailbox(make_member(make_workspace()))


def change(mailbox, **columns):
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=mailbox.pk).update(**columns)
    return fresh(mailbox)


def open_gaps(mailbox):
    return rows(Gap, mailbox.workspace_id, resumed_at=None)


def gate(mailbox):
    with inside(mailbox.workspace_id):
        facts = mailbox_facts(fresh(mailbox), [], MONDAY, compared=True)
    return _mailbox_may_send(facts, is_follow_up=False, now=MONDAY)


def jobs(name):
    return ProcrastinateJob.objects.filter(task_name=name).count()


def test_a_mailbox_that_was_read_in_time_has_no_gap(mailbox):
    gaps.begin_if_unread(mailbox, MONDAY + timedelta(minutes=14))
    assert open_gaps(mailbox) == []


@pytest.mark.parametrize(
    ("columns", "cause"),
    [
        ({}, "downtime"),
        ({"problem_since": MONDAY, "problem_who": "wait"}, "microsoft"),
        ({"problem_since": MONDAY, "problem_who": "operator"}, "registration"),
    ],
)
def test_what_was_not_read_for_too_long_is_a_gap_with_its_cause(mailbox, columns, cause):
    mailbox = change(mailbox, **columns)
    gaps.begin_if_unread(mailbox, MONDAY + timedelta(hours=2))
    (gap,) = open_gaps(mailbox)
    assert (gap.cause, gap.began_at) == (cause, MONDAY)


def test_while_a_gap_is_open_nothing_is_sent_until_mail_and_calendar_are_in(mailbox):
    assert gate(mailbox) == Send()
    with inside(mailbox.workspace_id):
        gaps.begin(mailbox, Gap.Cause.DOWNTIME, began_at=MONDAY - timedelta(hours=2))
    assert gate(mailbox).read_first
    change(mailbox, read_through=MONDAY)
    assert isinstance(gate(mailbox), Wait) and gate(mailbox).reason == "reading the calendar first"
    change(mailbox, calendar_read_through=MONDAY)
    assert gate(mailbox) == Send()


def test_without_a_calendar_permission_nothing_waits_for_the_calendar(mailbox):
    mailbox = change(mailbox, calendar_read_through=None, scopes=["Mail.Read", "Mail.ReadWrite", "Mail.Send"])
    assert gate(mailbox) == Send()


def test_a_calendar_that_microsoft_refuses_holds_nothing_up(mailbox):
    mailbox = change(mailbox, calendar_read_through=None, calendar_problem="ErrorAccessDenied")
    assert gate(mailbox) == Send()


def test_a_first_step_does_not_leave_a_mailbox_that_was_not_read_for_hours_either(mailbox):
    mailbox = change(mailbox, read_through=MONDAY - timedelta(hours=2))
    assert gate(mailbox).read_first


def test_sending_goes_on_when_both_are_in_and_not_before(mailbox):
    with inside(mailbox.workspace_id):
        gaps.begin(mailbox, Gap.Cause.DOWNTIME, began_at=MONDAY - timedelta(hours=2))
        Mailbox.objects.update(read_through=MONDAY)
        gaps.mail_is_in(mailbox, replies=3, bounces=1, begun=4)
        assert jobs("sequences.return") == 0
        Mailbox.objects.update(calendar_read_through=MONDAY)
        gaps.calendar_is_in(mailbox, meetings=2)
    assert jobs("sequences.return") == 1
    (gap,) = open_gaps(mailbox)
    assert (gap.replies, gap.bounces, gap.meetings, gap.waiting_steps) == (3, 1, 2, 4)


def test_two_gaps_at_once_are_one(mailbox):
    with inside(mailbox.workspace_id):
        one = gaps.begin(mailbox, Gap.Cause.DOWNTIME, began_at=MONDAY - timedelta(hours=2))
        two = gaps.begin(mailbox, Gap.Cause.POSITION_LOST, began_at=MONDAY)
    assert one.pk == two.pk


@pytest.mark.parametrize(
    ("state", "cause"), [("needs_reconnect", "sign_in"), ("disconnected", "disconnected")]
)
def test_connecting_again_begins_a_gap_at_the_last_look(mailbox, state, cause):
    mailbox = change(mailbox, state=state, state_code="AADSTS700082", read_through=MONDAY - timedelta(days=9))
    with inside(mailbox.workspace_id):
        gaps.begin_at_reconnect(mailbox)
    (gap,) = open_gaps(mailbox)
    assert (gap.cause, gap.code, gap.began_at) == (cause, "AADSTS700082", MONDAY - timedelta(days=9))


def test_a_refusal_while_it_is_read_up_is_the_cause_of_a_longer_gap(mailbox, clock_file):
    with inside(mailbox.workspace_id):
        gaps.begin(mailbox, Gap.Cause.DOWNTIME, began_at=MONDAY - timedelta(days=91))
    advance(clock_file, timedelta(minutes=5))
    watch.cannot_be_read(mailbox, ReconnectNeeded("sign in", code="AADSTS700082"), again_at=MONDAY)
    (gap,) = open_gaps(mailbox)
    assert (gap.cause, gap.code) == ("sign_in", "AADSTS700082")
    assert (gap.began_at, gap.ended_at) == (MONDAY - timedelta(days=91), MONDAY + timedelta(minutes=5))


def test_asking_for_one_more_permission_begins_none(mailbox):
    with inside(mailbox.workspace_id):
        gaps.begin_at_reconnect(mailbox)
    assert open_gaps(mailbox) == []


def test_a_paused_mailbox_sends_nothing_and_resumes(mailbox, clock_file):
    actor = watch.BY_WATCH
    watch.pause(mailbox.pk, workspace_id=mailbox.workspace_id, actor=actor)
    assert gate(mailbox).reason == "the mailbox is paused"
    assert fresh(mailbox).is_connected
    advance(clock_file, timedelta(minutes=1))
    watch.resume(mailbox.pk, workspace_id=mailbox.workspace_id, actor=actor)
    assert gate(mailbox) == Send() and jobs("sequences.return") == 1
