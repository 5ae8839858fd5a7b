"""`gatepost bench due`: what the planner's tick costs with a million enrolments waiting, and how fast it hands out work.

In a throw-away installation with a database of its own. The hardest spread is measured: each due step is in a mailbox
of its own, so that each needs a job of its own.
"""

import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

WAITING, DUE, TICKS = 1_000_000, 10_000, 50
LIMITS = {"tick_ms_p50": 5.0, "planned_a_second": 2500.0}


def measure(*, waiting: int = WAITING, due: int = DUE, ticks: int = TICKS) -> dict[str, Any]:
    """A new installation is filled, and its tick measured: with nothing due, then with `due` steps due."""
    from gatepost.config import installation

    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        os.environ["GATEPOST_DATA_DIR"] = str(Path(folder) / "data")
        for variable in ("DATABASE_URL", "GATEPOST_OWNER_DATABASE_URL", "GATEPOST_KEYSTORE_URL"):
            os.environ.pop(variable, None)
        with installation.ready():
            installation.migrate()
            try:
                return measure_here(waiting=waiting, due=due, ticks=ticks)
            finally:
                from django.db import connections

                connections.close_all()


def measure_here(*, waiting: int, due: int, ticks: int) -> dict[str, Any]:
    """The same in the database at hand, which is filled and not emptied."""
    from gatepost.jobs.queue import waiting_jobs
    from gatepost.sequences.jobs import find_due_work

    began = time.perf_counter()
    workspace_id = _fill(waiting, mailboxes=due)
    filled = time.perf_counter() - began
    spent = []
    for _tick in range(ticks):
        began = time.perf_counter()
        found = find_due_work()
        spent.append((time.perf_counter() - began) * 1000)
        assert found == 0, "nothing is due yet"
    _make_due(workspace_id)
    began = time.perf_counter()
    found = find_due_work()
    seconds = time.perf_counter() - began
    assert found == waiting_jobs("sequences.send") == due, "each due step has its job"
    figures = {
        "enrolments": waiting,
        "due": due,
        "mailboxes": due,
        "seconds_to_fill": round(filled, 1),
        "tick_ms_p50": round(statistics.median(spent), 2),
        "tick_ms_most": round(max(spent), 2),
        "planned_a_second": round(due / seconds),
    }
    kept = {
        "tick_ms_p50": figures["tick_ms_p50"] < LIMITS["tick_ms_p50"],
        "planned_a_second": figures["planned_a_second"] >= LIMITS["planned_a_second"],
    }
    return {"ok": all(kept.values()), "figures": figures, "limits": LIMITS, "kept": kept}


def _fill(waiting: int, *, mailboxes: int) -> UUID:
    """One workspace with so many mailboxes, and so many contacts, each in a sequence and due in some days."""
    from django.db import connections

    from gatepost import clock
    from gatepost.accounts import actions as accounts
    from gatepost.contacts.actions import add_contact
    from gatepost.isolation import inside
    from gatepost.mailboxes.models import Mailbox
    from gatepost.sequences.actions import create_sequence
    from gatepost.sequences.models import Enrolment, Sequence

    workspace = accounts.create_workspace("Bench")
    member = accounts.add_member(
        workspace.id,
        email="bench@bench.example",
        name="Bench",
        role="owner",
        password="only-for-the-bench-1",
        actor=accounts.INSTALLER,
    )
    contact = add_contact(workspace.id, {"email": "a@customer.example"}, actor=accounts.INSTALLER)
    sequence = create_sequence(workspace.id, "Bench", member=member)
    now = clock.now()
    with inside(workspace.id):
        Sequence.objects.filter(pk=sequence.pk).update(state=Sequence.State.ACTIVE)
        mailbox = Mailbox.objects.create(
            workspace_id=workspace.id,
            member=member,
            microsoft_tenant=workspace.id,
            microsoft_object=workspace.id,
            identity_index="0",
            address_index="0",
            connected_at=now,
        )
        enrolment = Enrolment.objects.create(
            workspace_id=workspace.id,
            sequence=sequence,
            contact=contact,
            mailbox=mailbox,
            due_at=now + timedelta(days=1),
            created_at=now,
        )
        # Copies of one row each, made inside the database.
        _copy(mailbox, mailboxes - 1, {"identity_index": "n::text", "microsoft_object": "gen_random_uuid()"})
        _copy(contact, waiting - 1, {"email_index": "md5(n::text)"})
        joined = """(
            SELECT c.id AS contact_id, b.id AS mailbox_id, c.n FROM
              (SELECT id, row_number() OVER () AS n FROM gatepost_contact WHERE id <> %s) c
              JOIN (SELECT id, row_number() OVER () - 1 AS n FROM gatepost_mailbox) b ON b.n = c.n %% %s
        ) s"""
        _copy(
            enrolment,
            joined,
            {
                "contact_id": "s.contact_id",
                "mailbox_id": "s.mailbox_id",
                "due_at": "o.due_at + s.n * interval '1 second'",
            },
            values=[contact.pk, mailboxes],
        )
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    return workspace.id


def _copy(row: Any, times: int | str, changes: dict[str, str], *, values: list[Any] | None = None) -> None:
    """Copies of the row, one for each number or each row of a query, with other values in some columns."""
    from django.db import connections, models

    table = row._meta.db_table
    columns = [
        field.column
        for field in row._meta.local_concrete_fields
        if not isinstance(field, models.GeneratedField)
    ]
    changes = {"id": "gen_random_uuid()", **changes}
    taken = ", ".join(changes.get(column, f"o.{column}") for column in columns)
    source = times if isinstance(times, str) else f"generate_series(1, {times}) n"
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {source}, {table} o WHERE o.id = %s",
            [*(values or []), row.pk],
        )


def _make_due(workspace_id: UUID) -> None:
    """One enrolment of each mailbox is due."""
    from django.db import connections

    from gatepost import clock
    from gatepost.isolation import inside

    with inside(workspace_id), connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE gatepost_enrolment SET due_at = %s WHERE id IN "
            "(SELECT DISTINCT ON (mailbox_id) id FROM gatepost_enrolment ORDER BY mailbox_id, id)",
            [clock.now() - timedelta(minutes=1)],
        )
