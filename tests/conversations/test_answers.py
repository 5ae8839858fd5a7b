"""Answering from the inbox: what a member may write to whom, by page and by API."""

from uuid import uuid4

import pytest
from django.db import transaction

from gatepost.accounts.actions import INSTALLER
from gatepost.accounts.membership import by
from gatepost.audit.models import AuditEntry
from gatepost.contacts.actions import suppress
from gatepost.conversations import actions
from gatepost.conversations.models import Reply
from gatepost.conversations.rules import answer_subject
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences.models import Task
from gatepost.snippets.actions import save
from gatepost.vault import content, names
from tests.api.test_api import Program
from tests.makers import fresh, make_member, make_workspace, rows
from tests.pages import make_reply, signed_in, text_of

from .test_pages import answered


@pytest.fixture
def alice(db):
    return make_member(make_workspace())


@pytest.fixture
def conversation(alice):
    return answered(alice)


def written(conversation, alice, text="Gladly. Tuesday at ten?", compose_id=None):
    return actions.answer(
        conversation.pk,
        text,
        compose_id=compose_id or uuid4(),
        workspace_id=conversation.workspace_id,
        actor=by(alice),
    )


def answers(conversation):
    return rows(Message, conversation.workspace_id, reply_id__isnull=False)


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Quick question", "Re: Quick question"),
        ("Re: Quick question", "Re: Quick question"),
        ("AW: Quick question", "AW: Quick question"),
        ("", "Re:"),
        ("two\nlines", "Re: two lines"),
    ],
)
def test_the_subject_says_once_that_it_is_an_answer(subject, answer):
    assert answer_subject(subject) == answer


def test_an_answer_waits_in_the_outbox_and_is_seen_in_its_conversation(conversation, alice):
    client = signed_in(alice)
    form = {"text": "Gladly. Tuesday at ten?", "compose_id": str(uuid4())}
    page = client.post(f"/inbox/{conversation.pk}/answer/", form, follow=True)
    assert "Your answer is in the outbox" in text_of(page)
    assert "Gladly. Tuesday at ten?" in text_of(page) and "Planned" in text_of(page)
    client.post(f"/inbox/{conversation.pk}/answer/", form)
    (message,) = answers(conversation)
    assert message.hurry == Message.Hurry.NOW
    assert "An answer to a reply" in text_of(client.get(f"/outbox/{message.pk}/"))


def test_who_wrote_an_answer_stands_in_the_record(conversation, alice):
    message = written(conversation, alice)
    entries = rows(AuditEntry, conversation.workspace_id, tag="message:plan")
    assert any(each.actor_id == str(alice.pk) for each in entries if str(message.pk) in str(each.subject_id))


def test_snippets_and_fields_are_filled_in(conversation, alice):
    save(alice.workspace_id, "pricing", "Ten euros a month.", actor=by(alice))
    message = written(conversation, alice, "{{ first_name }}: {{ snippet.pricing }}")
    with inside(message.workspace_id):
        assert (content.open(message, "body") or "").startswith("Petra: Ten euros a month.")


@pytest.mark.parametrize("text", ["", "  \n", "{{ nothing_such }}", "{{ snippet.none }}", "{{ phone }}"])
def test_a_text_that_cannot_be_sent_is_refused_and_nothing_is_planned(conversation, alice, text):
    with pytest.raises(BadInput), transaction.atomic():
        written(conversation, alice, text)
    assert not answers(conversation)


def test_nothing_is_answered_to_an_address_that_asked_to_be_left_alone(conversation, alice):
    with inside(conversation.workspace_id):
        address = names.open(fresh(conversation).contact, "email")
    suppress(conversation.workspace_id, address, cause="unsubscribe", actor=INSTALLER, source="test")
    with pytest.raises(Conflict, match="do-not-contact"), transaction.atomic():
        written(conversation, alice)
    page = signed_in(alice).get(f"/inbox/{conversation.pk}/")
    assert "do-not-contact" in text_of(page) and b'name="text"' not in page.content


def test_somebody_else_who_answered_gets_no_mail_as_if_he_were_the_contact(conversation, alice):
    with inside(conversation.workspace_id):
        Reply.objects.update(someone_else=True)
    with pytest.raises(Conflict, match="Somebody else answered"), transaction.atomic():
        written(conversation, alice)


def test_a_mailbox_without_drafts_answers_nothing_from_here(conversation, alice):
    with inside(conversation.workspace_id):
        Mailbox.objects.update(scopes=["Mail.Read", "Mail.Send", "User.Read"])
    with pytest.raises(Conflict, match="drafts"), transaction.atomic():
        written(conversation, alice)


def test_one_writing_is_not_sent_in_answer_to_two_replies(conversation, alice):
    compose_id = uuid4()
    first = written(conversation, alice, compose_id=compose_id)
    with inside(conversation.workspace_id):
        (ours,) = Message.objects.filter(reply_id=None)
    make_reply(ours, "question", "And what does it cost?")
    with pytest.raises(Conflict, match="another conversation"), transaction.atomic():
        written(conversation, alice, compose_id=compose_id)
    assert answers(conversation) == [first]


def test_charlie_of_another_workspace_finds_no_conversation_to_answer(conversation):
    charlie = make_member(make_workspace("Fabrikam"), "Charlie")
    page = signed_in(charlie).post(f"/inbox/{conversation.pk}/answer/", {"text": "Hello"})
    assert page.status_code == 404


def test_a_program_answers_once_however_often_it_asks(conversation, alice):
    given = {"text": "Gladly.", "compose_id": str(uuid4())}
    program = Program(alice)
    first, second = (program.post(f"/conversations/{conversation.pk}/answers", given) for _ in range(2))
    assert (first.status_code, first.json()) == (201, second.json())
    (message,) = answers(conversation)
    assert first.json() == {"message_id": str(message.pk), "state": "planned"}


def test_an_answer_does_what_a_person_was_asked_to_do(conversation, alice):
    (task,) = rows(Task, conversation.workspace_id)
    assert task.state == Task.State.OPEN
    written(conversation, alice)
    assert fresh(task).state == Task.State.DONE
