"""A workspace with a mailbox, a contact to whom was written and who answered; and a keystore whose time can pass."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db.models import F

from gatepost.accounts.models import Member
from gatepost.contacts.models import Contact
from gatepost.conversations.models import Reply
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.rotation import jobs, queries
from gatepost.rotation.models import Cover
from gatepost.rotation.queries import Owner
from gatepost.vault import generations
from tests.at_once import at_once, without_threads
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_message, make_reply

KEPT = timedelta(days=30)


@dataclass
class Office:
    alice: Member
    mailbox: Mailbox
    contact: Contact
    message: Message
    reply: Reply

    @property
    def id(self) -> Any:
        return self.alice.workspace_id

    @property
    def owners(self) -> list[Owner]:
        """Whose keys seal."""
        return [each for each in queries.owners_in(self.id) if each.kind != queries.INDEX]

    @property
    def of_indexes(self) -> Owner:
        return Owner(queries.INDEX, self.id, self.id)

    @property
    def of_mailbox(self) -> Owner:
        return Owner("mailbox", self.mailbox.pk, self.id)

    @property
    def of_workspace(self) -> Owner:
        return Owner("workspace", self.id, self.id)


def make_office() -> Office:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    contact = make_contact(alice.workspace, "petra@contoso.example")
    enrolment = make_enrolment(make_sequence(alice), contact, mailbox)
    message = make_message(enrolment)
    return Office(alice, mailbox, contact, message, make_reply(message))


@pytest.fixture
def office(db: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    without_threads(monkeypatch, jobs)
    monkeypatch.setattr(jobs, "sleep", no_pause)
    return make_office()


async def no_pause(seconds: float) -> None:
    """Nobody else is here to be let through."""


def pass_time(owner: Owner, passed: timedelta) -> None:
    """All that the keystore notes of this key happened so much earlier."""
    with psycopg.connect(settings.GATEPOST_KEYSTORE_URL, autocommit=True) as keystore:
        keystore.execute(
            "UPDATE wrapped_key SET changed_at = changed_at - %(passed)s, resealed_at = resealed_at - %(passed)s "
            "WHERE name = %(name)s",
            {"passed": passed, "name": owner.key},
        )
    Cover.objects.filter(pk=owner.workspace_id).update(changing_since=F("changing_since") - passed)


def state(owner: Owner) -> generations.Generation:
    known = generations.covering(owner.id) if owner.kind == queries.INDEX else generations.sealer(owner.key)
    assert known is not None
    return known[0]


def carry_on(owner: Owner) -> bool:
    return bool(at_once(jobs.carry_on(owner)))
