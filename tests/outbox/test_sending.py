"""The protocol of exactly one send, against a mailbox in memory: crashes, lost answers, late arrivals, two at once."""

import asyncio
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.contacts.actions import suppress
from gatepost.graph.errors import TryLater
from gatepost.isolation import inside
from gatepost.jobs import rounds
from gatepost.mailboxes import actions as mailboxes
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.outbox import actions, counting, rules, sending
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import DELETED, EDITED, MAX_ATTEMPTS, Commit, Event, Item, PutOff
from gatepost.sequences import enrolments, jobs, queries, steps
from gatepost.sequences import rules as sequence_rules
from gatepost.sequences.models import Enrolment
from gatepost.vault import names
from gatepost.vault.sealing import seal
from tests import makers
from tests.at_once import at_once, for_one, without_threads
from tests.makers import MONDAY, advance, clock_at, fresh, make_contact, make_enrolment, rows
from tests.outbox.mailbox import Crash, InMemoryMailbox

State = Message.State


@pytest.fixture
def clock_file(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def story(db, clock_file, monkeypatch):
    without_threads(monkeypatch, sending, jobs)
    told = Story(clock_file)
    told.monkeypatch = monkeypatch
    return told


def read(message):
    """The message as a worker that begins now reads it."""
    return queries.load_message(message.workspace_id, message.pk)


class Story:
    """A rep with a mailbox and a sequence of three steps, and one contact in it."""

    def __init__(self, clock_file):
        self.clock_file = clock_file
        self.member = makers.make_member(makers.make_workspace())
        self.mailbox = makers.make_mailbox(self.member)
        self.sequence = makers.make_sequence(self.member)
        self.begin()

    def begin(self, **microsoft):
        self.microsoft = InMemoryMailbox(**microsoft)
        self.enrolment = make_enrolment(self.sequence, make_contact(self.member.workspace), self.mailbox)
        self.message = steps.act_on_due(self.enrolment, sequence_rules.Send(1))

    def carry_on(self, message=None):
        """One visit of the worker, as the job does it. None when it crashed."""
        try:
            return at_once(
                rounds.in_rounds(
                    self.mailbox.workspace_id, jobs._carry_on(read(message or self.message), self.microsoft)
                )
            )
        except (Crash, TryLater):
            return None

    def crash_at(self, monkeypatch, event, *, after):
        """One visit of a worker that ends just before, or after, it commits this."""
        run, commit_each, seen = rounds.run, actions.commit_each, []

        def watched(wanted, **kwargs):
            seen.extend(commit.event for _, commit in wanted)
            return commit_each(wanted, **kwargs)

        def crash(workspace_id, parts):
            with transaction.atomic():
                reached = run(workspace_id, parts)
                if event in seen and not after:
                    raise Crash
            if event in seen:
                raise Crash
            return reached

        with monkeypatch.context() as once:
            once.setattr(actions, "commit_each", watched)
            once.setattr(rounds, "run", crash)
            self.carry_on()

    def pass_time(self, **time):
        """The clock moves, and the mailbox's mail was read meanwhile."""
        advance(self.clock_file, timedelta(**time))
        with inside(self.mailbox.workspace_id):
            Mailbox.objects.filter(pk=self.mailbox.pk).update(read_through=clock.now())

    @property
    def state(self):
        return fresh(self.message).state


def test_a_message_leaves_once_and_is_confirmed_when_it_is_seen_as_sent(story):
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.ACCEPTED, [story.message.key])
    story.pass_time(minutes=16)
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.CONFIRMED, [story.message.key])


def test_the_draft_is_committed_before_anything_is_sent(story):
    seen = []
    story.microsoft.before["draft.send"] = lambda: seen.append(fresh(story.message))
    story.carry_on()
    assert [(m.state, m.graph_id, m.attempts) for m in seen] == [(State.SENDING, "id-1", 1)]


COMMITS = (Event.DRAFT, Event.TRY, Event.TAKEN)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", COMMITS)
def test_a_crash_at_any_commit_still_sends_exactly_one_mail(story, monkeypatch, commit, when):
    story.crash_at(monkeypatch, commit, after=when == "after")
    for _ in range(4):
        story.carry_on()
        story.pass_time(minutes=16)

    assert story.microsoft.deliveries == [story.message.key]
    assert story.microsoft.count("draft.create") == 1
    assert story.state == State.CONFIRMED
    assert fresh(story.enrolment).next_position == 2


@pytest.mark.parametrize("fault", ["done", "crash"])
def test_a_draft_whose_creation_was_not_told_is_found_by_its_key_and_used(story, fault):
    story.microsoft.faults = [fault]
    story.carry_on()
    assert story.state == State.PLANNED
    story.pass_time(minutes=1)
    story.carry_on()
    assert (story.microsoft.count("draft.create"), len(story.microsoft.deliveries)) == (1, 1)


@pytest.mark.parametrize("fault", ["done", "late", "lost", "crash", "gone"])
@pytest.mark.parametrize("id_changes_on_send", [False, True])
def test_a_send_without_a_clear_answer_is_looked_into_and_ends_as_one_mail(story, fault, id_changes_on_send):
    story.begin(id_changes_on_send=id_changes_on_send)
    story.microsoft.faults = ["none", fault]
    story.carry_on()
    assert story.state == State.SENDING
    story.microsoft.late()
    for _ in range(3):
        story.pass_time(minutes=16)
        story.carry_on()
    assert (story.state, len(story.microsoft.deliveries)) == (State.CONFIRMED, 1)
    assert story.microsoft.count("draft.create") == 1


def test_a_send_that_did_not_happen_is_not_repeated_before_the_quiet_time(story):
    story.microsoft.faults = ["none", "lost"]
    story.carry_on()
    for minutes in (1, 5, 8):
        story.pass_time(minutes=minutes)
        story.carry_on()
    assert story.microsoft.count("draft.send") == 1
    story.pass_time(minutes=2)
    story.carry_on()
    story.carry_on()
    assert (story.microsoft.count("draft.send"), len(story.microsoft.deliveries)) == (2, 1)


def test_a_send_that_could_not_leave_in_time_does_not_leave_and_is_tried_again(story):
    story.microsoft.seconds_to_leave = rules.SEND_DEADLINE_SECONDS + 1
    story.carry_on()
    assert (story.state, story.microsoft.count("draft.send")) == (State.DRAFTED, 0)
    story.microsoft.seconds_to_leave = 0.0
    story.pass_time(minutes=1)
    story.carry_on()
    assert story.microsoft.deliveries == [story.message.key]
    assert fresh(story.message).attempts == 1


def test_a_text_that_is_not_the_planned_one_is_never_written_into_a_draft(story):
    with inside(story.mailbox.workspace_id):
        seal(story.message, "body", "something else")
        story.message.save()
    story.carry_on()
    assert (story.state, story.microsoft.count("draft.create")) == (State.HELD, 0)


def test_only_one_of_two_workers_may_try_to_send(story):
    """Also where Microsoft would not refuse the second: the database decides, by compare-and-set."""
    assert actions.commit(story.message, Commit(Event.DRAFT, Item("id", is_draft=True)))
    one, other = fresh(story.message), fresh(story.message)
    assert actions.commit(one, Commit(Event.TRY)) is True
    assert actions.commit(other, Commit(Event.TRY)) is False
    assert fresh(story.message).attempts == 1


def test_a_worker_that_was_overtaken_and_whose_state_came_back_changes_nothing(story):
    """The second attempt looks like the first: only the revision tells them apart."""
    actions.commit(story.message, Commit(Event.DRAFT, Item("id", is_draft=True)))
    actions.commit(fresh(story.message), Commit(Event.TRY))
    zombie = fresh(story.message)
    actions.commit(fresh(story.message), Commit(Event.STAYED))
    actions.commit(fresh(story.message), Commit(Event.TRY))
    assert actions.commit(zombie, Commit(Event.STAYED)) is False
    assert actions.put_off(zombie, PutOff(clock.now(), "late")) is False
    assert (story.state, fresh(story.message).attempts) == (State.SENDING, 2)


def test_a_message_confirmed_meanwhile_is_not_put_off(story):
    story.carry_on()
    actions.confirmed(story.message)
    actions.put_off(
        story.message, PutOff(clock.now() + timedelta(minutes=5), "finding out whether it was sent")
    )
    assert (fresh(story.message).reason, fresh(story.message).not_before) == ("", None)


def test_a_first_try_that_arrives_after_the_second_one_sends_nothing_more(story):
    story.microsoft.faults = ["none", "late"]
    story.carry_on()
    story.pass_time(minutes=16)
    story.carry_on()
    story.carry_on()
    story.microsoft.late()
    assert len(story.microsoft.deliveries) == 1


def test_a_second_try_that_meets_a_mail_already_sent_confirms_it(story):
    story.microsoft.faults = ["none", "late"]
    story.carry_on()
    story.pass_time(minutes=16)
    story.carry_on()  # still a draft: may be sent again
    assert story.state == State.DRAFTED
    story.microsoft.before["draft.send"] = story.microsoft.late
    story.carry_on()
    assert (story.state, len(story.microsoft.deliveries)) == (State.CONFIRMED, 1)


def test_after_three_lost_tries_a_person_decides_and_the_draft_is_still_one(story):
    story.microsoft.faults = ["none", "lost", "lost", "lost"]
    for _ in range(10):
        story.carry_on()
        story.pass_time(minutes=16)
    held = fresh(story.message)
    assert (held.state, held.attempts) == (State.HELD, 3)
    assert len(story.microsoft.drafts()) == 1 and story.microsoft.deliveries == []


def test_a_mail_that_the_mailbox_remembers_and_the_database_does_not_is_not_sent_again(story):
    story.carry_on()
    assert actions.commit(fresh(story.message), Commit(Event.RESTORED))
    story.pass_time(minutes=2)
    story.carry_on()
    assert (story.state, len(story.microsoft.deliveries)) == (State.CONFIRMED, 1)


def stopped_before_it_left(story):
    """It is DRAFTED, and somebody disconnects before it is sent."""
    story.microsoft.before["draft.create"] = lambda: disconnect(story)
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.DRAFTED, [])


def disconnect(story):
    mailboxes.disconnect(story.mailbox.pk, workspace_id=story.mailbox.workspace_id, actor=INSTALLER)


def connect_again(story, *, removed):
    for item in story.microsoft.drafts() if removed else ():
        del story.microsoft.items[item.id]
    mailboxes.cleaned_up(story.mailbox.pk, [], workspace_id=story.mailbox.workspace_id)
    with inside(story.mailbox.workspace_id):
        Mailbox.objects.filter(pk=story.mailbox.pk).update(state="connected", clean_up_until=None)
    story.pass_time(minutes=20)


@pytest.mark.parametrize("removed", [True, False])
def test_a_draft_that_disconnecting_removed_is_made_again_and_the_mail_leaves_once(story, removed):
    stopped_before_it_left(story)
    connect_again(story, removed=removed)
    story.carry_on()
    story.pass_time(minutes=16)
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.CONFIRMED, [story.message.key])
    assert len(story.microsoft.items) == 1


def test_a_draft_that_the_rep_sent_by_hand_meanwhile_is_not_sent_again(story):
    stopped_before_it_left(story)
    (draft,) = story.microsoft.drafts()
    draft.is_draft = False
    connect_again(story, removed=True)
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.CONFIRMED, [])


def test_a_draft_made_after_connecting_again_stays_where_it_is(story):
    stopped_before_it_left(story)
    connect_again(story, removed=True)
    with inside(story.mailbox.workspace_id):
        Message.objects.filter(pk=story.message.pk).update(drafted_at=clock.now())
    assert actions.plan_again(story.message) is False and story.state == State.DRAFTED


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([Event.TRY], State.SENDING),
        ([Event.TRY, Event.TAKEN], State.ACCEPTED),
        ([Event.TRY, Event.HOLD], State.HELD),
    ],
)
def test_what_may_have_left_is_never_planned_again(story, events, state):
    stopped_before_it_left(story)
    for event in events:
        assert actions.commit(fresh(story.message), Commit(event))
    assert actions.plan_again(fresh(story.message)) is False and story.state == state


def test_a_draft_that_vanished_while_it_was_sent_is_never_made_again(story):
    story.microsoft.before["draft.send"] = story.microsoft.items.clear
    story.carry_on()
    for _ in range(6):
        story.pass_time(minutes=16)
        story.carry_on()
    assert story.state == State.HELD
    assert (story.microsoft.count("draft.create"), story.microsoft.deliveries) == (1, [])


@pytest.fixture
def drafted(story):
    """The draft was written a quarter of an hour ago and waits."""
    with story.monkeypatch.context() as once:
        once.setattr(counting, "still_fit", lambda messages, now: False)  # others took the last places
        story.carry_on()
    story.pass_time(minutes=15)
    assert (story.state, len(story.microsoft.drafts())) == (State.DRAFTED, 1)
    return story


def test_a_draft_that_the_rep_deleted_in_outlook_cancels_its_message_with_that_reason(drafted):
    drafted.microsoft.items.clear()
    for _ in range(4):
        drafted.carry_on()
        drafted.pass_time(minutes=2)
    cancelled = fresh(drafted.message)
    assert (cancelled.state, cancelled.reason) == (State.CANCELLED, DELETED)
    assert (drafted.microsoft.count("draft.create"), drafted.microsoft.deliveries) == (1, [])


def test_a_draft_that_the_rep_sent_in_outlook_is_taken_for_sent(drafted):
    drafted.microsoft.drafts()[0].is_draft = False
    drafted.carry_on()
    assert (drafted.state, drafted.microsoft.count("draft.send")) == (State.CONFIRMED, 0)


def test_a_draft_that_the_rep_edited_in_outlook_is_held_and_sent_as_it_is_when_he_says_so(drafted):
    drafted.microsoft.drafts()[0].edit("<p>Something quite different</p>")
    drafted.carry_on()
    held = fresh(drafted.message)
    assert (held.state, held.reason, drafted.microsoft.deliveries) == (State.HELD, EDITED, [])
    actions.resolve(held.pk, "send_now", workspace_id=held.workspace_id, actor=INSTALLER)
    drafted.carry_on()
    assert drafted.microsoft.deliveries == [held.key]


def test_a_draft_whose_mark_of_change_alone_is_new_is_sent(drafted):
    """Exchange changes it for reasons of its own; what counts is what the draft says."""
    drafted.microsoft.drafts()[0].version += 1
    drafted.carry_on()
    assert drafted.microsoft.deliveries == [drafted.message.key]


def test_a_refused_token_sends_nothing_and_the_next_try_passes_the_gate_again(story):
    story.microsoft.faults = ["none", "stale token"]
    story.carry_on()
    assert (story.state, story.microsoft.deliveries, fresh(story.message).attempts) == (State.DRAFTED, [], 0)
    story.pass_time(minutes=1)
    story.carry_on()
    assert story.microsoft.deliveries == [story.message.key]


def test_a_second_draft_of_a_lagging_search_is_swept_away_and_the_chosen_one_is_kept(story):
    story.microsoft.faults = ["done"]
    story.carry_on()
    story.microsoft.search_finds = False
    story.pass_time(minutes=1)
    story.carry_on()
    assert len(story.microsoft.items) == 2 and len(story.microsoft.deliveries) == 1
    story.microsoft.search_finds = True
    story.pass_time(minutes=16)
    assert [each.id for each in across_workspaces("messages_to_sweep", clock.now())] == [story.message.pk]
    at_once(sending.remove_drafts(fresh(story.message), story.microsoft))
    assert [item.is_draft for item in story.microsoft.items.values()] == [False]


@pytest.mark.parametrize("code", ["ErrorSendAsDenied", "ErrorInvalidRecipients"])
def test_a_refused_send_is_held_with_microsofts_reason(story, code):
    story.microsoft.faults = ["none", code]
    story.carry_on()
    held = fresh(story.message)
    assert held.state == State.HELD and code in held.reason
    assert fresh(story.enrolment).state == Enrolment.State.ACTIVE


def test_a_refused_draft_is_held_and_nothing_was_sent(story):
    story.microsoft.faults = ["ErrorQuotaExceeded"]
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.HELD, [])


def test_a_reply_between_draft_and_send_cancels_the_message_and_removes_its_draft(story):
    story.microsoft.faults = ["crash"]
    story.carry_on()
    enrolments.stop(story.enrolment.pk, "reply", "replied: interested", workspace_id=story.mailbox.workspace_id,
                   actor=INSTALLER)  # fmt: skip
    story.carry_on()
    assert (story.state, story.microsoft.deliveries) == (State.CANCELLED, [])

    at_once(sending.remove_drafts(fresh(story.message), story.microsoft))
    assert story.microsoft.items == {}


def test_a_message_cancelled_while_its_draft_is_made_leaves_no_draft(story):
    def reply_comes():
        enrolments.stop(
            story.enrolment.pk, "reply", "replied", workspace_id=story.mailbox.workspace_id, actor=INSTALLER
        )

    story.microsoft.before["draft.create"] = reply_comes
    story.carry_on()
    assert (story.state, story.microsoft.items, story.microsoft.deliveries) == (State.CANCELLED, {}, [])


def test_removing_drafts_never_removes_what_was_sent(story):
    story.carry_on()
    assert at_once(sending.remove_drafts(fresh(story.message), story.microsoft)) == 0
    assert len(story.microsoft.items) == 1


def test_somebody_suppressed_meanwhile_is_not_written_to_and_his_enrolment_ends(story):
    with inside(story.mailbox.workspace_id):
        address = names.open(Message.objects.get(pk=story.message.pk).contact, "email")
    suppress(story.mailbox.workspace_id, address, cause="unsubscribe", actor=INSTALLER)
    story.carry_on()
    assert (story.state, story.microsoft.requests) == (State.CANCELLED, [])
    ended = fresh(story.enrolment)
    assert (ended.state, ended.cause) == (Enrolment.State.STOPPED, Enrolment.Cause.SUPPRESSED)


def due_follow_up(story):
    """The first step is out, and the second stands in the outbox."""
    story.carry_on()
    story.pass_time(days=3)
    story.carry_on()
    enrolment = fresh(story.enrolment)
    assert enrolment.next_position == 2
    return steps.act_on_due(enrolment, sequence_rules.Send(2))


@pytest.mark.parametrize("id_changes_on_send", [False, True])
def test_a_follow_up_stands_in_the_thread_of_the_first_mail(story, id_changes_on_send):
    story.begin(id_changes_on_send=id_changes_on_send)
    follow_up = due_follow_up(story)
    story.carry_on(follow_up)
    assert fresh(follow_up).state == State.ACCEPTED
    conversations = {item.conversation for item in story.microsoft.items.values()}
    assert (len(story.microsoft.items), len(conversations)) == (2, 1)


def test_a_follow_up_whose_first_mail_was_deleted_opens_a_new_thread(story):
    follow_up = due_follow_up(story)
    story.microsoft.items.clear()
    story.carry_on(follow_up)
    assert fresh(follow_up).state == State.ACCEPTED
    assert story.microsoft.count("draft.create") == 2


def test_a_reply_before_the_follow_up_stops_it_even_when_it_is_due(story):
    follow_up = due_follow_up(story)
    enrolments.stop(
        story.enrolment.pk, "reply", "replied", workspace_id=story.mailbox.workspace_id, actor=INSTALLER
    )
    story.carry_on(follow_up)
    assert fresh(follow_up).state == State.CANCELLED
    assert len(story.microsoft.deliveries) == 1


def test_a_follow_up_does_not_leave_before_the_mailbox_was_read(story):
    follow_up = due_follow_up(story)
    advance(story.clock_file, timedelta(minutes=30))
    wait = story.carry_on(follow_up)
    assert wait.read_first
    assert len(story.microsoft.deliveries) == 1


@pytest.mark.parametrize(
    ("decision", "state", "deliveries"),
    [("was_sent", State.CONFIRMED, 0), ("send_now", State.ACCEPTED, 1), ("drop", State.CANCELLED, 0)],
)
def test_a_person_decides_about_a_held_message(story, decision, state, deliveries):
    story.microsoft.faults = ["none", "ErrorSendAsDenied"]
    story.carry_on()
    actions.resolve(story.message.pk, decision, workspace_id=story.mailbox.workspace_id, actor=INSTALLER)
    story.pass_time(minutes=2)
    story.carry_on()
    assert (story.state, len(story.microsoft.deliveries)) == (state, deliveries)
    assert story.microsoft.count("draft.create") == 1


def test_a_dropped_message_ends_its_enrolment(story):
    story.microsoft.faults = ["none", "ErrorSendAsDenied"]
    story.carry_on()
    actions.resolve(story.message.pk, "drop", workspace_id=story.mailbox.workspace_id, actor=INSTALLER)
    at_once(jobs.after_message(str(story.mailbox.workspace_id), str(story.message.pk)))
    assert fresh(story.enrolment).state == Enrolment.State.STOPPED


def test_a_message_confirmed_by_the_sent_folder_alone_moves_its_enrolment_on(story):
    story.microsoft.faults = ["none", "crash"]
    story.carry_on()
    actions.confirmed(fresh(story.message), graph_id="id-1")  # what looking through the sent items finds
    at_once(jobs.after_message(str(story.mailbox.workspace_id), str(story.message.pk)))
    assert fresh(story.enrolment).next_position == 2


def test_two_workers_at_once_send_one_mail(committed_db, clock_file):
    story = Story(clock_file)

    workers = [read(story.message) for _ in range(3)]

    async def both():
        await asyncio.gather(
            *(
                rounds.in_rounds(each.workspace_id, sending.carry_on(each, story.microsoft, jobs._gate))
                for each in workers
            )
        )

    asyncio.run(both())

    assert story.microsoft.deliveries == [story.message.key]
    assert len(story.microsoft.drafts()) <= 2, "a draft too many is harmless, and swept away"
    assert fresh(story.message).attempts == 1


FAULTS = st.sampled_from(["none", "lost", "done", "late", "crash", "unreachable"])
EVENTS = st.one_of(
    st.tuples(st.just("visit"), st.lists(FAULTS, max_size=2)),
    st.tuples(st.just("crash at commit"), st.tuples(st.sampled_from(COMMITS), st.booleans())),
    st.tuples(st.just("pass"), st.sampled_from([1, 16, 90])),
    st.tuples(st.just("late"), st.none()),
)


def test_no_order_of_faults_and_crashes_sends_twice_or_loses_a_message(story, monkeypatch):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(EVENTS, max_size=10), st.booleans())
    def holds(events, id_changes_on_send):
        story.begin(id_changes_on_send=id_changes_on_send)
        for event, detail in events:
            happen(story, event, detail, monkeypatch)
            assert len(story.microsoft.deliveries) <= 1
        story.microsoft.faults = []
        story.microsoft.late()
        for _ in range(8):
            story.pass_time(minutes=16)
            story.carry_on()
        final = fresh(story.message)
        assert len(story.microsoft.deliveries) <= 1
        if final.state == State.CONFIRMED:
            assert story.microsoft.deliveries == [final.key]
            assert fresh(story.enrolment).next_position == 2
        else:
            assert (final.state, final.attempts) == (State.HELD, MAX_ATTEMPTS)

    holds()


def happen(story, event, detail, monkeypatch):
    match event:
        case "visit":
            story.microsoft.faults = list(detail)
            story.carry_on()
        case "pass":
            story.pass_time(minutes=detail)
        case "late":
            story.microsoft.late()
        case "crash at commit":
            event, done = detail
            story.crash_at(monkeypatch, event, after=done)


def test_the_outbox_offers_a_message_only_when_its_time_has_come(story):
    assert for_one(queries.open_messages, story.mailbox).pk == story.message.pk
    actions.put_off(story.message, PutOff(MONDAY + timedelta(hours=1), "outside the sending window"))
    assert for_one(queries.open_messages, story.mailbox) is None
    assert len(rows(Message, story.mailbox.workspace_id)) == 1
