"""Sending from a mailbox that is connected for sending only: at most once, and nothing is called sent by looking."""

from datetime import timedelta

import pytest

from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.audit.models import AuditEntry
from gatepost.errors import Conflict
from gatepost.graph.errors import ApprovalNeeded, ReconnectNeeded, RegistrationWrong, TryLater
from gatepost.graph.shapes import SHAPES
from gatepost.isolation import inside
from gatepost.jobs.rounds import in_rounds
from gatepost.mailboxes import features
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions, send_only, sending
from gatepost.outbox.models import Message
from gatepost.sequences import enrolments, jobs, queries, rules, steps, tasks
from gatepost.sequences.models import Enrolment, Task
from gatepost.vault import content
from tests import makers
from tests.at_once import at_once, for_one, without_threads
from tests.makers import MONDAY, advance, clock_at, fresh, make_contact, make_enrolment, rows
from tests.outbox.mailbox import Crash, InMemoryMailbox

State = Message.State
GRANTED = ["Mail.Send", "User.Read"]


@pytest.fixture
def clock_file(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def story(db, clock_file, monkeypatch):
    without_threads(monkeypatch, send_only, sending, jobs)
    return Story(clock_file)


class Story:
    """A rep whose mailbox may only send, a sequence of three steps, and one contact in it."""

    def __init__(self, clock_file):
        self.clock_file = clock_file
        self.member = makers.make_member(makers.make_workspace())
        self.mailbox = makers.make_mailbox(self.member, scopes=GRANTED, send_only=True, read_through=None)
        self.microsoft = InMemoryMailbox()
        self.enrolment = make_enrolment(
            makers.make_sequence(self.member), make_contact(self.member.workspace), self.mailbox
        )
        self.message = self.decide()

    def decide(self):
        """What the job does with the enrolment when it is due."""
        due = for_one(queries.due_enrolments, self.mailbox)
        return due and steps.act_on_due(due[0], rules.decide_next(due[1], now=clock.now()))

    def carry_on(self):
        try:
            self.message = queries.load_message(self.member.workspace_id, self.message.pk)
            return at_once(in_rounds(self.message.workspace_id, jobs._carry_on(self.message, self.microsoft)))
        except (Crash, TryLater, ReconnectNeeded, RegistrationWrong, ApprovalNeeded):
            return None

    def to_the_follow_up(self):
        self.carry_on()
        advance(self.clock_file, timedelta(days=3))
        return self.decide()

    @property
    def state(self):
        return fresh(self.message).state


def test_a_first_step_leaves_in_one_request_though_the_mailbox_was_never_read(story):
    story.carry_on()
    assert (story.state, story.microsoft.requests) == (State.ACCEPTED, ["send.at-once"])
    assert story.microsoft.deliveries == [story.message.key]
    assert fresh(story.enrolment).next_position == 2
    assert len(rows(AuditEntry, story.member.workspace_id, tag="message:accept")) == 1


def test_no_request_needs_more_than_was_granted(story):
    story.carry_on()
    assert {SHAPES[name].scope for name in story.microsoft.requests} <= set(GRANTED)


def test_that_it_is_tried_is_committed_before_anything_leaves(story):
    seen = []
    story.microsoft.before["send.at-once"] = lambda: seen.append(fresh(story.message).state)
    story.carry_on()
    assert seen == [State.SENDING]


@pytest.mark.parametrize("fault", ["lost", "done", "late", "gone"])
def test_without_a_clear_answer_it_is_held_and_never_sent_again_by_itself(story, fault):
    story.microsoft.faults = [fault]
    for _ in range(4):
        story.carry_on()
        advance(story.clock_file, timedelta(hours=2))
    story.microsoft.late()
    assert (story.state, story.microsoft.count("send.at-once")) == (State.HELD, 1)
    assert "sent mails" in fresh(story.message).reason
    assert len(story.microsoft.deliveries) <= 1


def test_a_worker_that_is_killed_while_it_sends_leaves_a_message_for_a_person(story):
    story.microsoft.faults = ["crash"]
    story.carry_on()
    assert story.state == State.SENDING
    assert for_one(queries.open_messages, story.mailbox) is None  # the answer may still come
    advance(story.clock_file, timedelta(minutes=3))
    assert for_one(queries.open_messages, story.mailbox) == story.message
    story.carry_on()
    assert (story.state, len(story.microsoft.deliveries)) == (State.HELD, 1)


@pytest.mark.parametrize("error", [TryLater, ReconnectNeeded, RegistrationWrong, ApprovalNeeded])
def test_what_certainly_did_not_leave_goes_through_the_gate_again(story, error):
    def refuse():
        raise error("no token, no connection")

    story.microsoft.before["send.at-once"] = refuse
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.PLANNED, [])
    advance(story.clock_file, timedelta(minutes=1))
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.ACCEPTED, [story.message.key])


def test_a_request_that_could_not_leave_in_time_does_not_leave(story):
    story.microsoft.seconds_to_leave = 3600.0
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.PLANNED, [])


def test_a_definite_refusal_is_held_with_microsofts_reason(story):
    story.microsoft.faults = ["ErrorInvalidRecipients"]
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.HELD, [])
    assert "ErrorInvalidRecipients" in fresh(story.message).reason


def test_microsofts_daily_limit_makes_the_whole_mailbox_wait(story):
    story.microsoft.faults = ["ErrorExceededMessageLimit"]
    wait = story.carry_on()
    assert wait.whole_mailbox and story.state == State.PLANNED
    advance(story.clock_file, timedelta(hours=25))
    story.carry_on()
    assert story.state == State.ACCEPTED


def test_nothing_is_looked_up_afterwards(story):
    story.carry_on()
    advance(story.clock_file, timedelta(days=1))
    assert for_one(queries.open_messages, story.mailbox) is None
    assert story.state == State.ACCEPTED


@pytest.mark.parametrize(
    ("decision", "state", "sent"),
    [("was_sent", "confirmed", 0), ("send_now", "accepted", 1), ("drop", "cancelled", 0)],
)
def test_a_person_decides_about_a_held_message(story, decision, state, sent):
    story.microsoft.faults = ["lost"]
    story.carry_on()
    actions.resolve(story.message.pk, decision, workspace_id=story.member.workspace_id, actor=INSTALLER)
    advance(story.clock_file, timedelta(minutes=1))
    story.carry_on()
    assert (story.state, len(story.microsoft.deliveries)) == (state, sent)


def test_a_follow_up_becomes_a_task_with_its_text_and_is_not_sent(story):
    assert story.to_the_follow_up() is None
    (task,) = rows(Task, story.member.workspace_id)
    assert (task.state, task.position) == (Task.State.OPEN, 2)
    with inside(story.member.workspace_id):
        assert "just following up" in content.open(task, "body")
    assert story.microsoft.count("send.at-once") == 1
    enrolment = fresh(story.enrolment)
    assert (enrolment.state, enrolment.due_at) == (Enrolment.State.ACTIVE, None)
    assert "yours to send" in enrolment.reason


@pytest.mark.parametrize("done", [True, False])
def test_a_task_that_was_ended_moves_the_enrolment_on(story, done):
    story.to_the_follow_up()
    (task,) = rows(Task, story.member.workspace_id)
    tasks.end_task(task.pk, done, workspace_id=task.workspace_id, actor=INSTALLER)
    enrolment = fresh(story.enrolment)
    assert (enrolment.next_position, enrolment.due_at) == (3, clock.now() + timedelta(days=3))


def test_a_task_is_ended_once(committed_db, clock_file, monkeypatch):
    without_threads(monkeypatch, send_only, sending, jobs)
    story = Story(clock_file)
    story.to_the_follow_up()
    (task,) = rows(Task, story.member.workspace_id)
    tasks.end_task(task.pk, True, workspace_id=task.workspace_id, actor=INSTALLER)
    with pytest.raises(Conflict, match="ended already"):
        tasks.end_task(task.pk, True, workspace_id=task.workspace_id, actor=INSTALLER)
    assert fresh(story.enrolment).next_position == 3


def test_after_the_last_task_the_enrolment_is_finished(story):
    story.to_the_follow_up()
    for _ in range(2):
        (task,) = rows(Task, story.member.workspace_id, state=Task.State.OPEN)
        tasks.end_task(task.pk, True, workspace_id=task.workspace_id, actor=INSTALLER)
        advance(story.clock_file, timedelta(days=4))
        story.decide()
    assert fresh(story.enrolment).state == Enrolment.State.FINISHED


def test_stopping_the_enrolment_calls_its_task_off(story):
    story.to_the_follow_up()
    enrolments.stop(
        story.enrolment.pk, Enrolment.Cause.BY_HAND, "they answered", workspace_id=story.member.workspace_id,
        actor=INSTALLER,
    )  # fmt: skip
    (task,) = rows(Task, story.member.workspace_id)
    assert (task.state, task.reason) == (Task.State.CALLED_OFF, "they answered")


def test_resuming_an_enrolment_does_not_make_its_task_twice(story):
    story.to_the_follow_up()
    with inside(story.member.workspace_id):
        Enrolment.objects.update(due_at=clock.now())
    story.decide()
    assert len(rows(Task, story.member.workspace_id)) == 1


def allow_the_rest(story):
    with inside(story.member.workspace_id):
        Mailbox.objects.update(scopes=makers.ALL_SCOPES, send_only=False, read_through=clock.now())
    story.mailbox = fresh(story.mailbox)


def find_sent(story, monkeypatch):
    class Opened:
        async def __aenter__(self):
            return story.microsoft

        async def __aexit__(self, *_):
            return None

    monkeypatch.setattr(send_only, "gateway_for", lambda *_, **__: Opened())
    at_once(send_only.find_sent(str(story.member.workspace_id), str(story.mailbox.pk)))


def test_once_more_is_allowed_what_was_sent_is_found_and_its_follow_up_stands_in_its_thread(
    story, monkeypatch
):
    story.carry_on()
    allow_the_rest(story)
    find_sent(story, monkeypatch)
    first = fresh(story.message)
    assert first.state == State.CONFIRMED and first.internet_message_index and first.conversation_index
    assert fresh(story.mailbox).sync_due_at is not None  # read only now, when answers can be told

    advance(story.clock_file, timedelta(days=3))
    with inside(story.member.workspace_id):
        Mailbox.objects.update(read_through=clock.now())
    story.message = story.decide()
    story.carry_on()
    first_item, second_item = story.microsoft.items.values()
    assert second_item.conversation == first_item.conversation
    assert story.microsoft.count("draft.send") == 1


def test_a_held_message_that_lies_among_the_sent_ones_is_confirmed_once_it_can_be_seen(story, monkeypatch):
    story.microsoft.faults = ["done"]
    story.carry_on()
    assert story.state == State.HELD
    allow_the_rest(story)
    find_sent(story, monkeypatch)
    assert (story.state, len(story.microsoft.deliveries)) == (State.CONFIRMED, 1)


def test_an_answer_that_was_lost_is_not_sent_twice_after_more_was_allowed(story):
    story.microsoft.faults = ["done"]
    story.carry_on()
    actions.resolve(story.message.pk, "send_now", workspace_id=story.member.workspace_id, actor=INSTALLER)
    advance(story.clock_file, timedelta(minutes=1))
    allow_the_rest(story)
    story.carry_on()
    assert (story.state, len(story.microsoft.deliveries)) == (State.CONFIRMED, 1)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"sender_domains": ["elsewhere.example"]}, "northwind.example"),
        ({"only_outreach_mailboxes": True}, "outreach-only"),
    ],
)
def test_a_limit_of_the_workspace_makes_the_mail_wait_and_says_why(story, limit, says):
    nothing = {
        "mailbox_domains": [],
        "mailbox_tenants": [],
        "sender_domains": [],
        "only_outreach_mailboxes": False,
    }
    features.limit(story.member.workspace_id, **{**nothing, **limit}, actor=INSTALLER)
    story.carry_on()
    assert (story.state, story.microsoft.requests) == (State.PLANNED, [])
    assert says in fresh(story.message).reason

    features.limit(story.member.workspace_id, **nothing, actor=INSTALLER)
    story.carry_on()
    assert story.state == State.ACCEPTED


def test_an_outreach_only_mailbox_sends_where_others_may_not(story):
    limits = {
        "mailbox_domains": [],
        "mailbox_tenants": [],
        "sender_domains": [],
        "only_outreach_mailboxes": True,
    }
    features.limit(story.member.workspace_id, **limits, actor=INSTALLER)
    features.mark(story.mailbox.pk, True, workspace_id=story.member.workspace_id, actor=INSTALLER)
    story.carry_on()
    assert story.state == State.ACCEPTED
