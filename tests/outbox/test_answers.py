"""A member's answer from the inbox: the same way as every mail, in the thread of the reply that it answers."""

from datetime import timedelta
from uuid import uuid4

import pytest

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.conversations import actions
from gatepost.conversations.actions import Incoming, record_reply
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions as outbox
from gatepost.outbox.rules import Send, Wait, may_send
from gatepost.sequences import queries
from gatepost.sequences.models import Enrolment
from gatepost.text.tone import Tone
from gatepost.vault import names
from tests import makers
from tests.makers import fresh, rows
from tests.outbox.received import CAROL, addresses, headers_of

YES = Tone("interested", ("interested",), 0.9, (), "Yes, let us talk.", None, None, None, None, "test-1")


@pytest.fixture
def conversation(post, by_route):
    """Carol answered the first step, and her answer lies in Alice's mailbox."""
    by_route("mime")
    sequence = makers.make_sequence(post.mailbox.member)
    first = post.plan(makers.make_enrolment(sequence, post.contact, post.mailbox), 1)
    post.send(first)
    got = post.carol.get("/me/mailFolders/inbox/messages").json["value"][0]
    post.carol.call("POST", f"/me/messages/{got['id']}/reply", body={"comment": "Yes, let us talk."})
    post.alice.served.advance(3)
    post.received()
    reply = post.alice.get("/me/mailFolders/inbox/messages").json["value"][0]
    stored = record_reply(
        Incoming(
            fresh(first), reply["id"], reply["internetMessageId"], clock.now(), CAROL, False, reply["subject"], YES
        )
    )  # fmt: skip
    post.reply = reply
    return stored.conversation


def written(post, conversation, text="Gladly, {{ first_name }}. Tuesday at ten?", compose_id=None):
    return actions.answer(
        conversation.pk,
        text,
        compose_id=compose_id or uuid4(),
        workspace_id=conversation.workspace_id,
        actor=by(post.mailbox.member),
    )


def verdict(message):
    with inside(message.workspace_id):
        (facts,) = queries.gate_facts([message])
    return may_send(facts, now=clock.now())


def loaded(message):
    return queries.load_message(message.workspace_id, message.pk)


def test_an_answer_stands_in_the_thread_of_the_reply_and_leaves_once(post, conversation):
    compose_id = uuid4()
    message = written(post, conversation, compose_id=compose_id)
    assert written(post, conversation, compose_id=compose_id) == message, "a second click is no second mail"
    post.send(loaded(message))
    post.send(loaded(message))
    (mail,) = post.received()
    assert addresses(mail["toRecipients"]) == [CAROL]
    assert mail["subject"] == post.reply["subject"] == "RE: Quick question, Carol"
    assert "Gladly, Carol. Tuesday at ten?" in mail["body"]["content"]
    assert headers_of(mail)["In-Reply-To"] == post.reply["internetMessageId"]
    assert "List-Unsubscribe" not in headers_of(mail), "nobody opts out of what he asked for"


def test_where_the_reply_is_gone_the_answer_follows_up_our_own_mail(post, conversation):
    message = written(post, conversation)
    post.alice.call("DELETE", f"/me/messages/{post.reply['id']}")
    for each in post.alice.get("/me/mailFolders/deleteditems/messages").json["value"]:
        post.alice.call("POST", f"/me/messages/{each['id']}/permanentDelete")
    post.send(loaded(message))
    (mail,) = post.received()
    assert headers_of(mail)["In-Reply-To"] == names.open(message.previous, "internet_message_id")


def test_neither_the_end_of_the_sequence_nor_its_hours_hold_an_answer(post, conversation):
    (enrolment,) = rows(Enrolment, conversation.workspace_id)
    assert enrolment.state == "stopped"
    with inside(conversation.workspace_id):
        Mailbox.objects.update(last_sent_at=None)  # the pause between two mails is over
    message = loaded(written(post, conversation))
    assert isinstance(verdict(message), Send)
    outbox.postpone(
        message.pk, clock.now() + timedelta(hours=1), workspace_id=message.workspace_id, actor=by(post.mailbox.member)
    )  # fmt: skip
    waits = verdict(fresh(message))
    assert isinstance(waits, Wait) and waits.reason == "postponed by a member"


def test_an_answer_moves_no_step_of_its_sequence(post, conversation):
    (before,) = rows(Enrolment, conversation.workspace_id)
    post.send(loaded(written(post, conversation)))
    (after,) = rows(Enrolment, conversation.workspace_id)
    assert (after.state, after.next_position, after.due_at) == (
        before.state,
        before.next_position,
        before.due_at,
    )


def test_a_sequence_that_ends_meanwhile_cancels_its_steps_and_not_what_a_member_wrote(post, conversation):
    message = written(post, conversation)
    with inside(conversation.workspace_id):
        assert outbox.cancel_open(message.enrolment_id, "booked a meeting") == 0
    assert fresh(message).state == message.state == "planned"
