"""What a reply knows of the mail that it answers: as much as stays, and whatever the program writes."""

from datetime import timedelta

import pytest

from gatepost.conversations.lists import Chosen, chosen_replies
from gatepost.conversations.models import Reply
from gatepost.isolation import inside
from gatepost.outbox.models import Message
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_message, make_reply


def mail(state: str = "confirmed") -> Message:
    member = make_member(make_workspace())
    contact = make_contact(member.workspace)
    return make_message(make_enrolment(make_sequence(member), contact, make_mailbox(member)), state=state)


def told(reply: Reply) -> tuple[object, ...]:
    found = fresh(reply)
    return found.sequence_id, found.step_id, found.variant_id, found.mailed_at


def found_by_when_our_mail_left(message: Message) -> list[Reply]:
    assert message.accepted_at is not None
    around = (message.accepted_at - timedelta(hours=1), message.accepted_at + timedelta(hours=1))
    with inside(message.workspace_id):
        return list(chosen_replies(Chosen(mailed_within=around)))


@pytest.mark.django_db
def test_a_reply_tells_which_mail_it_answers_whatever_is_written_there() -> None:
    message = mail()
    reply = make_reply(message)
    expected = (message.sequence_id, message.step_id, message.variant_id, message.accepted_at)
    assert told(reply) == expected
    with inside(message.workspace_id):
        reply.mailed_at, reply.step_id = None, message.pk
        reply.save()
    assert told(reply) == expected


@pytest.mark.django_db
def test_a_mail_that_is_seen_among_the_sent_ones_after_its_reply_is_found_by_when_it_left() -> None:
    message = mail("accepted")
    reply = make_reply(message)
    assert told(reply) == (message.sequence_id, message.step_id, message.variant_id, None)
    assert found_by_when_our_mail_left(message) == []
    with inside(message.workspace_id):
        message.refresh_from_db()
        message.state, message.confirmed_at, message.revision = (
            "confirmed",
            message.accepted_at,
            message.revision + 1,
        )
        message.save(update_fields=["state", "confirmed_at", "revision"])
    assert found_by_when_our_mail_left(message) == [reply]
