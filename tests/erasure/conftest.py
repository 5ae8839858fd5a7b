"""A workspace with two mailboxes, each with a contact to whom was written and who answered."""

from dataclasses import dataclass
from typing import Any

import pytest

from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.contacts.models import Contact
from gatepost.erasure import actions, jobs
from gatepost.erasure.models import Erasure
from gatepost.isolation import inside
from gatepost.mailboxes import actions as mailboxes
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from tests.at_once import at_once, without_threads
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_meeting, make_message, make_reply


@dataclass
class Office:
    alice: Member
    mailbox: Mailbox
    contact: Contact
    enrolment: Enrolment
    message: Message
    other_mailbox: Mailbox
    other_contact: Contact
    other_message: Message

    @property
    def id(self) -> Any:
        return self.alice.workspace_id

    def erase_mailbox(self) -> Erasure:
        ordered = actions.erase_mailbox(
            self.mailbox.pk, workspace_id=self.id, confirm="alice@northwind.example", actor=by(self.alice)
        )
        return self.carry_out(ordered)

    def erase_contact(self) -> Erasure:
        ordered = actions.erase_contact(
            self.contact.pk, workspace_id=self.id, confirm="petra@contoso.example", actor=by(self.alice)
        )
        return self.carry_out(ordered)

    def close(self) -> Erasure:
        ordered = actions.close_workspace(self.id, confirm="northwind", actor=by(self.alice))
        return self.carry_out(ordered)

    def carry_out(self, ordered: Erasure) -> Erasure:
        """Microsoft's part is over, and the job runs."""
        with inside(self.id):
            for mailbox in Mailbox.objects.filter(state=Mailbox.State.DISCONNECTED):
                mailboxes.cleaned_up(mailbox.pk, [], workspace_id=self.id)
        carry_on(ordered)
        return fresh(ordered)


def carry_on(ordered: Erasure) -> None:
    at_once(jobs.carry_on(workspace=str(ordered.workspace_id), erasure=str(ordered.pk)))


@pytest.fixture
def office(db: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    without_threads(monkeypatch, jobs)
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    other_mailbox = make_mailbox(make_member(alice.workspace, "Ben", role="rep"), "ben@northwind.example")
    sequence = make_sequence(alice)
    contact = make_contact(alice.workspace, "petra@contoso.example", company="Contoso")
    other = make_contact(alice.workspace, "karl@fabrikam.example", first_name="Karl", company="Fabrikam")
    enrolment, other_enrolment = (
        make_enrolment(sequence, contact, mailbox),
        make_enrolment(sequence, other, other_mailbox),
    )
    message, other_message = make_message(enrolment), make_message(other_enrolment)
    for each in (message, other_message):
        make_reply(each)
    for each in (enrolment, other_enrolment):
        make_meeting(each, brief="What to know")
    return Office(alice, mailbox, contact, enrolment, message, other_mailbox, other, other_message)
