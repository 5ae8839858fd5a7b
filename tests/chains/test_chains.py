"""Whoever changes, removes, adds or reorders a record afterwards is found, and retention and erasing are not taken for it."""

import json
import random
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from gatepost import clock
from gatepost.accounts.models import Workspace
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.audit.record import job, record
from gatepost.chains import actions, jobs, queries, rules
from gatepost.chains.models import Anchor, Link
from gatepost.chains.verify import verify_all
from gatepost.erasure import actions as erasure
from gatepost.isolation import inside
from tests.chains import tampering
from tests.chains.tampering import an_office, tamper, verified, write
from tests.makers import MONDAY, clock_at, make_workspace, rows


@pytest.fixture(autouse=True)
def anchor_file(settings: Any, tmp_path: Any) -> Any:
    settings.GATEPOST_ANCHOR_FILE = tmp_path / "anchors.jsonl"
    return settings.GATEPOST_ANCHOR_FILE


@pytest.fixture
def chance() -> random.Random:
    return random.Random(1)


def test_records_are_chained_in_order_and_hold(db, chance):
    office = an_office(chance)
    done = verified(office)
    assert (done.holds, done.links, done.waiting, done.anchors) == (True, 6, 0, 1)
    assert done.records == len(rows(AuditEntry, office.workspace_id)) + len(
        rows(LedgerRow, office.workspace_id)
    )


def test_every_random_edit_deletion_swap_and_truncation_is_found(committed_db, chance):
    office = an_office(chance)
    tally = tamper(office, 150, chance)
    assert tally.missed == []
    assert sum(tally.done.values()) == 150 and set(tally.done) == set(tampering.WAYS)
    assert verified(office).holds, "each was undone, or the finding proves nothing"


def test_a_break_names_the_record_and_its_link(committed_db, chance):
    office = an_office(chance)
    entry = rows(AuditEntry, office.workspace_id)[3]
    with transaction.atomic(using="owner"):
        AuditEntry.objects.using("owner").filter(pk=entry.pk).update(actor_id="somebody else")
        (broken,) = verified(office, using="owner").breaks
        transaction.set_rollback(True, using="owner")
    assert broken.what == "a record was changed"
    assert broken.where.startswith(f"audit {entry.pk} of link ")


def test_a_record_that_is_committed_late_with_a_lower_number_is_chained_too(committed_db, database, chance):
    workspace = make_workspace()
    with psycopg.connect(database.app) as slow:
        slow.execute("SELECT set_config('gatepost.workspace', %s, true)", [str(workspace.pk)])
        slow.execute(
            "INSERT INTO gatepost_auditentry (id, workspace_id, at, actor_kind, actor_id, tag, detail) "
            "VALUES (gen_random_uuid(), %s, now(), 'job', '', 'message:send', '{}')",
            [workspace.pk],
        )
        write(workspace, 5, chance)
        jobs.chain_records()
        jobs.chain_records()
        assert rows(Link, workspace.pk) == [], "nothing is chained past a number that may still be taken"
        slow.commit()
    jobs.chain_records()
    jobs.chain_records()
    with inside(workspace.pk):
        assert (
            sum(Link.objects.values_list("records", flat=True))
            == AuditEntry.objects.count() + LedgerRow.objects.count()
        )
    (done,) = verify_all()
    assert done.holds and done.waiting == 0


def test_two_who_chain_at_once_leave_one_chain(committed_db, chance):
    workspace = make_workspace()
    write(workspace, 30, chance)
    through = queries.settled()

    def chain() -> None:
        try:
            actions.add_links(workspace.pk, through=through)
        except Exception as error:
            assert "one_link_at_a_place" in str(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=chain) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (done,) = verify_all()
    assert done.holds and done.waiting == 0


def test_what_was_not_chained_yet_is_counted_and_is_no_break(db, chance):
    office = an_office(chance)
    with inside(office.workspace_id):
        record(
            job("test"),
            "message:send",
            Workspace.objects.get(pk=office.workspace_id),
            workspace_id=office.workspace_id,
        )
    done = verified(office)
    assert done.holds and done.waiting == 1


def test_an_hourly_anchor_stands_outside_the_database_and_says_the_same_once(db, chance, anchor_file):
    office = an_office(chance)
    assert not actions.anchor(office.workspace_id), "nothing came since"
    assert anchor_file.exists()
    (line,) = anchor_file.read_text().splitlines()
    (kept,) = rows(Anchor, office.workspace_id)
    assert kept.said == line and json.loads(line)["anchor"]["position"] == 6


def test_an_anchor_that_could_not_be_kept_outside_is_said_again(db, chance, anchor_file):
    office = an_office(chance)
    write(Workspace.objects.get(pk=office.workspace_id), 1, chance)
    actions.add_links(office.workspace_id, through=queries.settled())
    anchor_file.unlink()
    anchor_file.mkdir()  # it cannot be written
    with pytest.raises(IsADirectoryError):
        actions.anchor(office.workspace_id)
    anchor_file.rmdir()
    assert actions.anchor(office.workspace_id), "nobody outside knows of it yet"
    assert [json.loads(line)["anchor"]["position"] for line in anchor_file.read_text().splitlines()] == [7]


def test_without_the_table_of_anchors_the_file_still_tells_of_a_chain_cut_off(
    committed_db, chance, anchor_file
):
    office = an_office(chance)
    with transaction.atomic(using="owner"):
        Anchor.objects.using("owner").all().delete()
        Link.objects.using("owner").filter(position__gt=4).delete()
    (done,) = verify_all()
    assert "the chain was cut off" in {each.what for each in done.breaks}
    anchor_file.write_text("")
    assert not verify_all()[0].breaks, "cut off without an anchor is what anchors are for"
    assert office.anchors[0].position == 6


def test_an_anchor_that_somebody_else_made_is_a_break(db, chance, anchor_file):
    an_office(chance)
    anchor_file.write_text(anchor_file.read_text().replace('"position": 6', '"position": 5'))
    found = [each for done in verify_all() for each in done.breaks]
    assert rules.Break("an anchor was not made by this installation", "line 1 of the file") in found


def test_requests_that_were_kept_long_enough_leave_their_print_and_are_no_break(db, tmp_path, chance):
    with clock_at(MONDAY, tmp_path):
        office = an_office(chance)
        workspace = Workspace.objects.get(pk=office.workspace_id)
    with clock_at(MONDAY + timedelta(days=40), tmp_path):
        write(workspace, 6, chance)
        before = len(rows(LedgerRow, office.workspace_id))
        removed = erasure.expire_some(office.workspace_id, "requests", clock.now() - timedelta(days=35))
        actions.add_links(office.workspace_id, through=queries.settled())
        done = verified(office)
    assert removed and len(rows(LedgerRow, office.workspace_id)) == before - removed
    assert done.holds and done.removed == removed
    (entry,) = rows(AuditEntry, office.workspace_id, tag=tags.RETENTION_LEDGER)
    assert entry.detail["removed"] == removed


def test_an_entry_that_pretends_retention_hides_nothing_of_the_last_thirty_days(committed_db, chance):
    office = an_office(chance)
    with inside(office.workspace_id):
        record(
            job("erasure.expire"), tags.RETENTION_LEDGER, Workspace.objects.get(pk=office.workspace_id),
            workspace_id=office.workspace_id, removed=100, before=(clock.now() + timedelta(days=1)).isoformat(),
        )  # fmt: skip
    with transaction.atomic(using="owner"):
        LedgerRow.objects.using("owner").all().delete()
    actions.add_links(office.workspace_id, through=queries.settled())
    assert {each.what for each in verified(office).breaks} == {"a record was removed"}


def test_after_a_restore_anchors_that_know_more_are_told_and_are_no_break(committed_db, chance):
    office = an_office(chance)
    with transaction.atomic(using="owner"):
        kept = Link.objects.using("owner").get(position=4).through
        Link.objects.using("owner").filter(position__gt=4).delete()
        with queries.connections["owner"].cursor() as cursor:
            for table in tampering.RECORDS:
                cursor.execute(f"DELETE FROM {table} WHERE number > %s", [kept])
    assert not verified(office).holds
    with inside(office.workspace_id):
        record(job("outbox.start"), tags.RECOVERY_BEGIN, Workspace.objects.get(pk=office.workspace_id),
               workspace_id=office.workspace_id, reason="older than its witness")  # fmt: skip
    actions.add_links(office.workspace_id, through=queries.settled())
    done = verified(office)
    assert done.holds and [each.what for each in done.restored] == ["the chain was cut off"]


def test_a_link_is_written_so_that_anybody_can_compute_it_again():
    """The form of a record is a promise to whoever keeps an export: this must never change by accident."""
    record_ = rules.Record("audit", {"id": UUID(int=(7 << 76) | (2 << 62) | 1), "at": 1_799_658_000_000_000, "number": 7,
                                     "detail": {"b": 1, "a": "ü"}})  # fmt: skip
    assert rules.written(record_).decode() == (
        '["audit",{"at":1799658000000000,"detail":{"a":"ü","b":1},'
        '"id":"00000000-0000-7000-8000-000000000001","number":7}]'
    )
