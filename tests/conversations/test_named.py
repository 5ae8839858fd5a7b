"""Whom a reply names: proposed beside it, a contact once a member says so, and written to by nobody."""

from datetime import date

import pytest

from gatepost.contacts.models import Contact
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.text.people import ThirdParty
from gatepost.vault import names
from tests.api.test_api import Program
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, make_reply, signed_in, text_of

TALK_TO_IDA = "That is Ida Holm's: ida@contoso.example."
IDA = ThirdParty("Ida Holm", "ida@contoso.example", "named")


@pytest.fixture
def alice(db):
    return make_member(make_workspace())


def reply_of(alice, label="referral", text=TALK_TO_IDA, **said):
    mailbox = make_mailbox(alice, "alice@northwind.example")
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), mailbox)
    return make_reply(make_message(enrolment), label, text, **said)


def contacts(alice):
    return rows(Contact, alice.workspace_id)


def test_whom_a_reply_names_becomes_a_contact_with_the_reply_as_its_source_and_nobody_writes(alice):
    reply = reply_of(alice, names=IDA)
    before = len(rows(Message, alice.workspace_id)), len(rows(Enrolment, alice.workspace_id))
    page = signed_in(alice).get(f"/inbox/{reply.conversation_id}/")
    assert "Add as a contact" in text_of(page) and len(contacts(alice)) == 1
    signed_in(alice).post(f"/inbox/replies/{reply.pk}/named/")
    ida = next(each for each in contacts(alice) if each.source == f"named in reply {reply.pk}")
    told = [names.open(ida, column) for column in ("email", "first_name", "last_name")]
    assert told == ["ida@contoso.example", "Ida", "Holm"]
    assert before == (len(rows(Message, alice.workspace_id)), len(rows(Enrolment, alice.workspace_id)))


def test_once_they_are_a_contact_the_two_pages_lead_to_each_other(alice):
    reply = reply_of(alice, names=IDA)
    client = signed_in(alice)
    theirs = client.post(f"/inbox/replies/{reply.pk}/named/").url
    page = client.get(f"/inbox/{reply.conversation_id}/").content.decode()
    assert "Add as a contact" not in page and f'href="{theirs}"' in page
    assert f'href="/inbox/replies/{reply.pk}/"' in client.get(theirs).content.decode()
    found = client.get(f"/inbox/replies/{reply.pk}/")
    assert (
        found.url == f"/inbox/{reply.conversation_id}/#reply-{reply.pk}" and f'id="reply-{reply.pk}"' in page
    )


def test_by_api_too_and_once(alice):
    reply = reply_of(alice, names=IDA)
    program = Program(alice)
    added = program.post(f"/replies/{reply.pk}/named", {})
    assert added.status_code == 201
    assert added.json()["contact_id"] in {str(each.pk) for each in contacts(alice)}
    assert len(contacts(alice)) == 2
    assert program.post(f"/replies/{reply.pk}/named", {}).status_code == 409


def test_a_name_without_an_address_is_shown_and_cannot_be_added(alice):
    reply = reply_of(alice, text="Ida Holm does that.", names=ThirdParty("Ida Holm", None, "named"))
    page = text_of(signed_in(alice).get(f"/inbox/{reply.conversation_id}/"))
    assert "Ida Holm" in page and "Add as a contact" not in page
    assert Program(alice).post(f"/replies/{reply.pk}/named", {}).status_code == 400
    assert len(contacts(alice)) == 1


def test_a_colleague_who_may_not_read_the_reply_may_not_add_whom_it_names(committed_db):
    alice = make_member(make_workspace())
    reply = reply_of(alice, names=IDA)
    bob = make_member(alice.workspace, "Bob", role="rep")
    assert signed_in(bob).post(f"/inbox/replies/{reply.pk}/named/").status_code == 403
    assert len(contacts(alice)) == 1


def test_an_open_promise_stands_beside_the_conversation_in_its_own_words(alice):
    text = "Not before the audit. Write again on 2 March."
    reply = reply_of(alice, "circle_back_later", text, until=date(2099, 3, 2))
    page = signed_in(alice).get(f"/inbox/{reply.conversation_id}/").content.decode()
    assert f">{text}</blockquote>" in page
    assert fresh(reply).return_local_date == date(2099, 3, 2)
