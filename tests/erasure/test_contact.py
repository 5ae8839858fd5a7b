"""One person: everything about them handed out, and erased."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from django.db import transaction

from gatepost.accounts.membership import by
from gatepost.audit.models import AuditEntry
from gatepost.contacts.models import Company, Contact, ContactImport, Suppression
from gatepost.conversations.models import Conversation, Reply
from gatepost.erasure import actions, export, jobs
from gatepost.errors import BadInput
from gatepost.ids import uuid7
from gatepost.intake.models import Quarantine
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings.models import Brief, Meeting
from gatepost.outbox.models import Message
from gatepost.sequences import enrolments
from gatepost.sequences.models import Enrolment
from gatepost.vault.sealing import seal
from tests.makers import fresh, make_contact, rows
from tests.outbox.mailbox import InMemoryMailbox, Item
from tests.pages import make_message

from .conftest import Office, carry_on


def test_everything_of_theirs_is_gone_and_everything_of_others_stays(office: Office) -> None:
    done = office.erase_contact()
    assert done.finished_at is not None and done.keys == [] and done.keys_destroyed_at is None
    for model in (Message, Conversation, Enrolment, Meeting):
        assert {row.contact_id for row in rows(model, office.id)} == {office.other_contact.pk}
    assert len(rows(Reply, office.id)) == len(rows(Brief, office.id)) == 1
    assert [row.pk for row in rows(Contact, office.id)] == [office.other_contact.pk]
    assert len(rows(Mailbox, office.id)) == 2
    assert json.loads(done.receipt)["receipt"]["rows"]["replies"] == 1


def test_nobody_writes_to_them_again_also_when_somebody_adds_them_anew(office: Office) -> None:
    office.erase_contact()
    assert [each.cause for each in rows(Suppression, office.id)] == ["erased"]
    again = make_contact(office.alice.workspace, "Petra@Contoso.example")
    enrolled = enrolments.enrol(
        office.message.sequence_id,
        [again.pk],
        office.mailbox.pk,
        workspace_id=office.id,
        actor=by(office.alice),
    )
    assert enrolled.skipped[0][1] == "is on the do-not-contact list"


def test_a_company_goes_with_the_last_person_in_it(office: Office) -> None:
    colleague = make_contact(office.alice.workspace, "ina@contoso.example", company="Contoso")
    office.erase_contact()
    assert len(rows(Company, office.id)) == 2
    ordered = actions.erase_contact(
        colleague.pk, workspace_id=office.id, confirm="ina@contoso.example", actor=by(office.alice)
    )
    office.carry_out(ordered)
    assert len(rows(Company, office.id)) == 1


def test_traces_that_hang_on_nothing_go_too(office: Office) -> None:
    with inside(office.id):
        for number, message in enumerate((office.message, office.other_message)):
            Quarantine.objects.create(
                workspace_id=office.id, mailbox_id=message.mailbox_id, graph_id="g", internet_message_index=str(number),
                message_id=message.pk, received_at=message.planned_at,
            )  # fmt: skip
        for text in ("Petra@contoso.example,bad", "somebody@else.example,bad"):
            imported = ContactImport(
                id=uuid7(), workspace_id=office.id, created_at=office.message.planned_at, encoding="utf-8"
            )
            seal(imported, "rejected_rows", text)
            imported.save(force_insert=True)
    office.erase_contact()
    assert [each.message_id for each in rows(Quarantine, office.id)] == [office.other_message.pk]
    assert sorted(each.rejected_rows is None for each in rows(ContactImport, office.id)) == [False, True]


def test_what_had_not_left_never_will(office: Office) -> None:
    with inside(office.id):
        Enrolment.objects.filter(pk=office.enrolment.pk).update(state=Enrolment.State.ACTIVE)
    planned = make_message(office.enrolment, position=2, state="planned")
    ordered = actions.erase_contact(
        office.contact.pk, workspace_id=office.id, confirm="petra@contoso.example", actor=by(office.alice)
    )
    assert ordered.began_at is None, "at once, before anything is removed"
    assert fresh(office.enrolment).state == Enrolment.State.STOPPED
    assert fresh(planned).state == Message.State.CANCELLED


def test_a_draft_to_them_is_removed_from_the_mailbox_first(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = make_message(office.enrolment, position=2, state="drafted")
    microsoft = InMemoryMailbox(faults=["lost"])
    microsoft.items["1"] = Item("1", planned.key, "<1@northwind.example>", "c", "Quick question")
    microsoft.items["2"] = Item("2", "another key", "<2@northwind.example>", "c", "Quick question")

    @asynccontextmanager
    async def gateway_for(mailbox: Mailbox, *, reason: str) -> AsyncIterator[InMemoryMailbox]:
        assert mailbox.pk == office.mailbox.pk and reason
        yield microsoft

    monkeypatch.setattr(jobs, "gateway_for", gateway_for)
    ordered = actions.erase_contact(
        office.contact.pk, workspace_id=office.id, confirm="petra@contoso.example", actor=by(office.alice)
    )
    office.carry_out(ordered)
    assert fresh(ordered).began_at is None, "while there is time it waits for Microsoft"
    carry_on(ordered)
    assert fresh(ordered).finished_at is not None and fresh(ordered).left_at_microsoft == []
    assert list(microsoft.items) == ["2"]


def test_without_the_right_address_nothing_happens(office: Office) -> None:
    with pytest.raises(BadInput, match="Nothing was erased"), transaction.atomic():
        actions.erase_contact(office.contact.pk, workspace_id=office.id, confirm="x", actor=by(office.alice))
    assert rows(Contact, office.id, pk=office.contact.pk) and not rows(Suppression, office.id)


def test_what_is_handed_out_holds_all_that_is_kept_of_them(office: Office) -> None:
    said = json.loads(
        export.export_contact(office.contact.pk, workspace_id=office.id, actor=by(office.alice))
    )
    assert said["person"]["email"] == "petra@contoso.example" and said["person"]["company"] == "Contoso"
    assert said["mails_to_them"][0]["text"].startswith("Hi Petra")
    assert said["replies"][0]["text"] == "Yes, let us talk." and said["replies"][0]["label"] == "interested"
    assert said["meetings"][0] | {"brief": "What to know", "subject": "A first look"} == said["meetings"][0]
    assert said["enrolments"][0]["sequence"] == "Fewer empty appointments"
    assert "karl" not in json.dumps(said).casefold()


def test_handing_it_out_is_recorded_and_so_is_each_text(office: Office) -> None:
    export.export_contact(office.contact.pk, workspace_id=office.id, actor=by(office.alice))
    entries = rows(AuditEntry, office.id, actor_id=str(office.alice.pk))
    assert [each.subject_id for each in entries if each.tag == "contact:export"] == [office.contact.pk]
    assert len([each for each in entries if each.tag == "content:read"]) == 4
