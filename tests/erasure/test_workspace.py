"""Closing a workspace: nobody gets in, everything goes, a receipt stays."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by, member_of
from gatepost.accounts.models import Member, User, Workspace
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.chains import actions as chains
from gatepost.chains.verify import verify, verify_all
from gatepost.erasure import actions, export, queries
from gatepost.erasure.models import Erasure
from gatepost.errors import BadInput, NotAllowed
from gatepost.isolation import inside, workspace_tables
from gatepost.mailboxes.models import Mailbox
from tests.erasure.test_mailbox import kept_keys
from tests.makers import PASSWORD, make_contact, make_member, make_workspace, rows
from tests.pages import signed_in

from .conftest import Office


def count(table: str, workspace_id: object) -> int:
    with inside(workspace_id), connection.cursor() as cursor:  # type: ignore[arg-type]
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_every_row_and_every_key_is_gone(office: Office) -> None:
    assert count("gatepost_message", office.id) == 2
    done = office.close()
    assert done.finished_at is not None
    left = {table: count(table, office.id) for table in workspace_tables()}
    # The receipt, and the entry that says so.
    assert {table: number for table, number in left.items() if number} == {
        "gatepost_erasure": 1, "gatepost_auditentry": 1,
    }  # fmt: skip
    for owner in (
        f"workspace:{office.id}",
        f"mailbox:{office.mailbox.pk}",
        f"mailbox:{office.other_mailbox.pk}",
    ):
        assert kept_keys(owner) == []
    workspace = Workspace.objects.get(pk=office.id)
    assert (workspace.name, workspace.internal_domains) == ("", [])


def test_of_its_records_the_prints_stay_and_the_receipt_says_why_they_are_gone(
    office: Office, settings: Any, tmp_path: Path
) -> None:
    settings.GATEPOST_ANCHOR_FILE = tmp_path / "anchors.jsonl"
    chains.add_links(office.id, through=chains.queries.settled())
    chains.anchor(office.id)
    assert verify_all()[0].holds
    office.close()
    chains.add_links(office.id, through=chains.queries.settled())
    done = next(each for each in verify_all() if each.workspace_id == office.id)
    assert done.holds and (done.links, done.records) == (2, 1)
    with inside(office.id):
        receipt = Erasure.objects.get()
    with transaction.atomic(), inside(office.id):
        Erasure.objects.update(receipt=receipt.receipt.replace(str(office.id), str(receipt.pk)))
        assert {each.what for each in verify(office.id, []).breaks} == {"a record was removed"}


def test_from_that_moment_nobody_gets_in(office: Office) -> None:
    token = accounts.create_token(office.alice, "CRM", actor=by(office.alice))
    client = signed_in(office.alice)
    assert client.get("/inbox/").status_code == 200
    actions.close_workspace(office.id, confirm="Northwind", actor=by(office.alice))
    assert client.get("/inbox/").status_code == 404
    assert member_of(office.alice.user_id) is None
    assert client.get("/api/v1/contacts", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert all(not each.is_connected for each in rows(Mailbox, office.id))


def test_whoever_belongs_to_another_workspace_too_can_still_sign_in_there(office: Office) -> None:
    fabrikam = make_workspace("Fabrikam")
    accounts.add_member(
        fabrikam.id,
        email=office.alice.user.email,
        name="Alice",
        role="rep",
        password=PASSWORD,
        actor=accounts.INSTALLER,
    )
    with inside(office.id):
        ben = Member.objects.get(name="Ben")
    office.close()
    assert User.objects.filter(pk=office.alice.user_id).exists()
    assert not User.objects.filter(pk=ben.user_id).exists()


def test_another_workspace_keeps_everything(office: Office) -> None:
    charlie = make_member(make_workspace("Fabrikam"), "Charlie")
    contact = make_contact(charlie.workspace)
    office.close()
    assert [each.pk for each in rows(type(contact), charlie.workspace_id)] == [contact.pk]
    assert rows(AuditEntry, charlie.workspace_id)


def test_the_records_of_an_open_workspace_cannot_be_removed_that_way(office: Office) -> None:
    before = len(rows(AuditEntry, office.id))
    with inside(office.id), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM remove_records(%s)", [office.id])
        assert cursor.fetchone() == (0, 0)
        cursor.execute("UPDATE gatepost_workspace SET closed_at = now() WHERE id = %s", [office.id])
        cursor.execute("SELECT * FROM remove_records(%s)", [office.id])
        assert cursor.fetchone() == (0, 0), "also not of a closed one that still has members"
    assert len(rows(AuditEntry, office.id)) == before > 0
    assert rows(LedgerRow, office.id) == []


def test_without_its_name_nothing_happens(office: Office) -> None:
    with pytest.raises(BadInput, match="Nothing was erased"), transaction.atomic():
        actions.close_workspace(office.id, confirm="Fabrikam", actor=by(office.alice))
    assert member_of(office.alice.user_id) is not None and not rows(Erasure, office.id)


def test_only_an_owner_may(office: Office) -> None:
    with pytest.raises(NotAllowed):
        actions.require_owner(make_member(office.alice.workspace, "Carla", role="admin"))


def test_its_retention_ends_with_it(office: Office) -> None:
    office.close()
    assert office.id not in queries.due_for_retention(office.message.planned_at)


def test_everything_can_be_downloaded_before(office: Office) -> None:
    file = io.BytesIO()
    export.export_workspace(file, workspace_id=office.id, actor=by(office.alice))
    archive = zipfile.ZipFile(file)
    assert set(archive.namelist()) == {
        "sequences.json", "do-not-contact.json",
        f"people/{office.contact.pk}.json", f"people/{office.other_contact.pk}.json",
    }  # fmt: skip
    steps = json.loads(archive.read("sequences.json"))[0]["steps"]
    assert len(steps) == 3 and steps[0]["variants"][0]["text"].startswith("Hi {{ first_name }}")
