"""The table of the protocol, what is concluded from a look, and the database that refuses everything else."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, transaction

from gatepost.isolation import inside
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import (
    CLOSED,
    GIVE_UP,
    LOOKS,
    OPEN,
    QUIESCENCE,
    TRANSITIONS,
    Commit,
    Event,
    Item,
    PutOff,
    Route,
    Row,
    State,
    resolve,
)
from gatepost.sequences import steps
from gatepost.sequences.rules import Send
from tests import makers

NOW = datetime(2027, 1, 11, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DRAFT, SENT = Item("d", is_draft=True), Item("s", is_draft=False)


def resolved(*seen, after, looks=0, attempts=1, **row):
    row = Row(State.SENDING, NOW, graph_id="d", sending_at=NOW - after, looks=looks, attempts=attempts, **row)
    return resolve(row, seen)


@pytest.mark.parametrize("seen", [(SENT,), (DRAFT, SENT), (SENT, DRAFT)])
@pytest.mark.parametrize("after", [timedelta(0), QUIESCENCE, timedelta(days=30)])
def test_what_is_no_draft_any_more_was_sent(seen, after):
    assert resolved(*seen, after=after, attempts=3) == Commit(Event.SEEN, SENT)


def test_what_came_back_was_sent_even_where_nothing_of_it_is_found():
    assert resolved(after=MINUTE, bounced=True) == Commit(Event.SEEN)


def test_a_draft_is_sent_again_only_after_the_quiet_time():
    assert isinstance(resolved(DRAFT, after=QUIESCENCE - timedelta(seconds=1)), PutOff)
    assert resolved(DRAFT, after=QUIESCENCE) == Commit(Event.STAYED)


def test_after_three_tries_a_person_decides():
    assert resolved(DRAFT, after=QUIESCENCE, attempts=2) == Commit(Event.STAYED)
    assert resolved(DRAFT, after=QUIESCENCE, attempts=3).event == Event.HOLD


def test_a_draft_that_exchange_has_taken_over_is_never_sent_again():
    taken = Item("d", is_draft=True, submitted=True)
    assert isinstance(resolved(taken, after=GIVE_UP - MINUTE), PutOff)
    assert resolved(taken, after=GIVE_UP).event == Event.HOLD


def test_another_draft_with_our_key_is_not_the_one_that_was_tried():
    surplus = Item("another", is_draft=True)
    assert isinstance(resolved(surplus, after=QUIESCENCE), PutOff)
    assert resolved(surplus, after=GIVE_UP).event == Event.HOLD


def test_what_is_found_nowhere_is_never_sent_again_but_held_after_an_hour():
    assert isinstance(resolved(after=GIVE_UP - MINUTE), PutOff)
    assert resolved(after=GIVE_UP).event == Event.HOLD


def test_looks_become_rarer():
    waits = [resolved(after=timedelta(0), looks=looks).until - NOW for looks in range(8)]
    assert waits == [*LOOKS, *[LOOKS[-1]] * (8 - len(LOOKS))]


# The table


def test_every_open_state_can_be_left_and_no_closed_one():
    left = {state for transition in TRANSITIONS.values() for state in transition.before}
    assert left == {*OPEN, State.HELD}
    assert set(State) - left == set(CLOSED)


def test_only_a_draft_whose_id_is_committed_is_ever_tried():
    assert TRANSITIONS[Event.TRY].before == {State.DRAFTED}


def test_the_models_states_are_those_of_the_protocol():
    assert Message.State.values == list(State)


ALLOWED = {(before, transition.after) for transition in TRANSITIONS.values() for before in transition.before}


def test_the_trigger_in_the_database_was_written_from_this_table():
    told = import_module("gatepost.migrations.0010_proved_sends").ALLOWED
    assert {tuple(each.split(">")) for each in told} == ALLOWED


@pytest.fixture
def message(db):
    member = makers.make_member(makers.make_workspace())
    mailbox = makers.make_mailbox(member)
    enrolment = makers.make_enrolment(
        makers.make_sequence(member), makers.make_contact(member.workspace), mailbox
    )
    return steps.act_on_due(enrolment, Send(1))


def raw_update(message, **changes):
    """As somebody with the application's password would write it, past the actions."""
    with transaction.atomic(), inside(message.workspace_id):
        Message.objects.filter(pk=message.pk).update(**changes)


TIMES = {"accepted_at": NOW, "confirmed_at": NOW}


def test_the_database_refuses_every_change_of_state_that_the_table_does_not_know(message):
    def allowed(before, after):
        with inside(message.workspace_id):
            Message.objects.filter(pk=message.pk).delete()
            at_once = (before, after) == (State.PLANNED, State.SENDING)
            route = Route.AT_ONCE if at_once else Route.JSON
            Message(**{**values, "state": before, "route": route}).save(force_insert=True)
        try:
            raw_update(message, state=after, revision=values["revision"] + 1)
        except DatabaseError:
            return False
        return True

    fields = [each for each in Message._meta.local_fields if not each.generated]
    values = {field.attname: getattr(message, field.attname) for field in fields} | TIMES
    found = {
        (before, after) for before in State for after in State if before != after and allowed(before, after)
    }
    assert found == ALLOWED


def test_the_database_refuses_that_a_message_with_a_draft_is_sent_without_one(message):
    with pytest.raises(DatabaseError, match="only at once"):
        raw_update(message, state="sending", revision=message.revision + 1)


def test_the_database_refuses_a_second_acceptance(message):
    for step in ({"state": "drafted"}, {"state": "sending"}, {"state": "accepted", "accepted_at": NOW}):
        message.revision += 1
        raw_update(message, revision=message.revision, **step)
    with pytest.raises(DatabaseError, match="accepted once"):
        raw_update(message, accepted_at=NOW + MINUTE)
    with pytest.raises(DatabaseError, match="accepted once"):
        raw_update(message, accepted_at=None)
    # Seen as a draft after the quiet time, it has not left: then only may it be accepted anew.
    raw_update(message, state="drafted", accepted_at=None, revision=message.revision + 1)


def test_a_change_of_state_without_a_new_revision_is_refused(message):
    with pytest.raises(DatabaseError, match="revision"):
        raw_update(message, state="drafted")


@pytest.mark.parametrize("state", ["accepted", "confirmed"])
def test_nothing_is_recorded_as_left_without_the_time_at_which_it_was_accepted(message, state):
    for each in ("drafted", "sending"):
        message.revision += 1
        raw_update(message, revision=message.revision, state=each)
    with pytest.raises(DatabaseError, match="left_was_accepted"):
        raw_update(message, state=state, revision=message.revision + 1, confirmed_at=NOW)
