"""Makers of what tests need. Alice owns the workspace, Ben belongs to it, Charlie is of another one and must not see."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from gatepost import clock
from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member, Workspace
from gatepost.contacts import actions as contacts
from gatepost.contacts.models import Contact
from gatepost.isolation import inside
from gatepost.mailboxes.models import Connection, Folder, Mailbox
from gatepost.sequences import actions as sequences
from gatepost.sequences import edits, enrolments
from gatepost.sequences.models import Enrolment, Sequence
from gatepost.vault.sealing import index, installation_index, seal

PASSWORD = "between-you-and-me"
ALL_SCOPES = [
    "Calendars.Read",
    "Calendars.ReadWrite",
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.Send",
    "User.Read",
]
STEPS = (
    edits.StepDraft(0, "Quick question, {{ first_name }}", "Hi {{ first_name }},\n\nshall we talk?"),
    edits.StepDraft(2 * 24 * 60, "", "Hi {{ first_name }},\n\njust following up."),
    edits.StepDraft(3 * 24 * 60, "", "Hi {{ first_name }},\n\nthis is my last note."),
)


def make_workspace(name: str = "Northwind") -> Workspace:
    return accounts.create_workspace(name)


def make_member(workspace: Workspace, name: str = "Alice", *, role: str = "owner") -> Member:
    email = f"{name.lower()}-{uuid4().hex[:8]}@northwind.example"
    return accounts.add_member(
        workspace.id, email=email, name=name, role=role, password=PASSWORD, actor=accounts.INSTALLER
    )


def make_contact(workspace: Workspace, email: str | None = None, **fields: str) -> Contact:
    values = {
        "first_name": "Petra",
        "last_name": "Quandt",
        "company": "Contoso",
        "time_zone": "Europe/Berlin",
        **fields,
    }
    values["email"] = email or f"petra-{uuid4().hex[:8]}@contoso.example"
    return contacts.add_contact(workspace.id, values, actor=accounts.INSTALLER)


def make_mailbox(member: Member, address: str = "alice@northwind.example", **columns: Any) -> Mailbox:
    """A connected mailbox whose mail was read a moment ago."""
    workspace_id = member.workspace_id
    with inside(workspace_id):
        tenant, object_id = uuid4(), uuid4()
        mailbox = Mailbox(
            **{
                "workspace_id": workspace_id,
                "member": member,
                "microsoft_tenant": tenant,
                "microsoft_object": object_id,
                "identity_index": installation_index("microsoft-identity", f"{tenant}/{object_id}"),
                "scopes": ALL_SCOPES,
                "connected_at": clock.now(),
                "read_through": clock.now(),
                "calendar_read_through": clock.now(),
                "gap_seconds": 2,
                "address_index": index(workspace_id, "address", address),
                "own_address_indexes": [index(workspace_id, "address", address)],
                "domain_indexes": [index(workspace_id, "domain", address.rpartition("@")[2])],
                **columns,
            }
        )
        seal(mailbox, "address", address)
        seal(mailbox, "name", member.name)
        mailbox.save(force_insert=True)
        connection = Connection(workspace_id=workspace_id, mailbox=mailbox)
        seal(connection, "refresh_token", "refresh-token")
        connection.save()
        for name in ("inbox", "junkemail", "sentitems"):
            Folder.objects.create(
                workspace_id=workspace_id,
                mailbox=mailbox,
                name=name,
                anchored_at=clock.now() - timedelta(days=1),
            )
    return mailbox


def make_sequence(
    member: Member, *, steps: tuple[edits.StepDraft, ...] = STEPS, active: bool = True
) -> Sequence:
    """A sequence that may send at any hour of any day."""
    workspace_id, actor = member.workspace_id, by(member)
    sequence = sequences.create_sequence(workspace_id, "Fewer empty appointments", member=member)
    sequences.save_steps(sequence.pk, steps, workspace_id=workspace_id, actor=actor)
    always = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    sequences.change_schedule(sequence.pk, always, "Europe/Berlin", workspace_id=workspace_id, actor=actor)
    if active:
        sequences.activate(sequence.pk, workspace_id=workspace_id, actor=actor)
    return sequence


def make_enrolment(sequence: Sequence, contact: Contact, mailbox: Mailbox) -> Enrolment:
    enrolled = enrolments.enrol(
        sequence.pk, [contact.pk], mailbox.pk, workspace_id=contact.workspace_id, actor=accounts.INSTALLER
    )
    assert enrolled.count == 1, enrolled.skipped
    with inside(contact.workspace_id):
        return Enrolment.objects.get(contact=contact, sequence=sequence)


def fresh(row: Any) -> Any:
    """The row as the database has it now."""
    with inside(row.workspace_id):
        return type(row).objects.get(pk=row.pk)


def rows(model: type, workspace_id: UUID, **conditions: Any) -> list[Any]:
    with inside(workspace_id):
        return list(model.objects.filter(**conditions))  # type: ignore[attr-defined]


@contextmanager
def clock_at(moment: datetime, folder: Path, *, rate: float = 0.0) -> Iterator[Path]:
    """The product's clock shows `moment`, and stands still unless it is given a rate."""
    file = folder / "clock.json"
    clock.write(file, clock.Reading(time.time(), moment.timestamp(), rate))
    before = os.environ.get(clock.FILE_VARIABLE)
    os.environ[clock.FILE_VARIABLE] = str(file)
    try:
        yield file
    finally:
        if before is None:
            os.environ.pop(clock.FILE_VARIABLE)
        else:
            os.environ[clock.FILE_VARIABLE] = before


def advance(file: Path, by: timedelta) -> None:
    reading = json.loads(file.read_text())
    clock.write(file, clock.Reading(time.time(), reading["product"] + by.total_seconds(), reading["rate"]))


MONDAY = datetime(2027, 1, 11, 9, 0, tzinfo=UTC)
