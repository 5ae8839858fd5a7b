import pytest

from gatepost.outbox.models import Message
from gatepost.sequences import steps
from gatepost.sequences.rules import Send
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)

pytestmark = pytest.mark.django_db


def test_planning_the_same_step_twice_gives_one_message():
    member = make_member(make_workspace())
    mailbox, contact = make_mailbox(member), make_contact(member.workspace)
    enrolment = make_enrolment(make_sequence(member), contact, mailbox)

    first = steps.act_on_due(enrolment, Send(1))
    second = steps.act_on_due(enrolment, Send(1))

    assert first is not None and second is None
    assert len(rows(Message, member.workspace_id)) == 1
