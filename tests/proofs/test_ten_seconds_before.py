"""Proof 5: what is said ten seconds before a step is due keeps it from leaving, also where Microsoft announces nothing."""

import urllib.request
from collections.abc import Callable
from datetime import timedelta

import pytest

from gatepost.accounts.membership import by
from gatepost.contacts.models import Contact
from gatepost.mailboxes import watch
from gatepost.outbox import optout
from gatepost.sequences import actions as sequences
from tests.journeys.story import Story

TEN_SECONDS = timedelta(seconds=10)


def reply(story: Story, petra: Contact) -> None:
    story.answer(petra, "Please call me on Friday, I would like to see it.")


def opt_out(story: Story, petra: Contact) -> None:
    """As her mail program does it, with one click."""
    [first] = story.messages(petra)
    address = f"{story.stand.url}/unsubscribe/{optout.token_of(first.pk)}/"
    with urllib.request.urlopen(address, b"List-Unsubscribe=One-Click", timeout=30) as answer:
        assert answer.status == 200


def pause_the_sequence(story: Story, petra: Contact) -> None:
    sequence = story.enrolment(petra).sequence_id
    sequences.pause(sequence, workspace_id=story.workspace.pk, actor=by(story.rep))


def pause_the_mailbox(story: Story, petra: Contact) -> None:
    watch.pause(story.mailbox.pk, workspace_id=story.workspace.pk, actor=by(story.rep))


@pytest.mark.parametrize("happens", [reply, opt_out, pause_the_sequence, pause_the_mailbox])
def test_a_step_does_not_leave_after_it(story: Story, happens: Callable[[Story, Contact], None]) -> None:
    stand, petra = story.stand, story.prospect()
    story.enrol(petra)
    story.settle()
    story.wait(timedelta(minutes=20))
    due = story.enrolment(petra).due_at
    assert due is not None and len(story.sent_to(petra)) == 1
    stand.switch(notifications_lost=1.0)
    stand.set_rate(1)  # ten seconds are ten seconds
    stand.advance_to(due - TEN_SECONDS)
    happens(story, petra)
    stand.advance_to(due)
    story.settle()
    story.wait(timedelta(days=1))
    assert len(story.sent_to(petra)) == 1


def test_nothing_said_lets_it_leave(story: Story) -> None:
    """Otherwise the others would prove nothing."""
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    story.wait(timedelta(minutes=20))
    story.stand.set_rate(1)
    due = story.enrolment(petra).due_at
    assert due is not None
    story.wait_until(due)
    assert len(story.sent_to(petra)) == 2
