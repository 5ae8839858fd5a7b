"""The records cannot be changed without being found: by the operator's own command, on an installation that runs."""

import subprocess
import sys
from typing import Any

import psycopg

from gatepost.chains.models import Link

from .conftest import Told

EARLIEST = "id = (SELECT id FROM {} WHERE workspace_id = %s ORDER BY number LIMIT 1)"


def verify(told: Told) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "gatepost", "verify", "audit"], env=told.stand.environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def as_owner(told: Told, statement: str, *values: Any) -> Any:
    with psycopg.connect(told.stand.owner, autocommit=True) as owner:
        return owner.execute(statement, [*values, told.workspace.id])  # type: ignore[arg-type]


def test_after_nine_days_nothing_is_broken(told: Told) -> None:
    code, said = verify(told)
    assert (code, told.rows(Link) != []) == (0, True), said
    assert said.rstrip().endswith("0 breaks.")


def test_whoever_owns_the_database_and_changes_records_is_found(told: Told) -> None:
    tables = ("gatepost_auditentry", "gatepost_ledgerrow")
    for table in tables:
        as_owner(told, f"UPDATE {table} SET at = at + interval '1 day' WHERE {EARLIEST.format(table)}")
    code, said = verify(told)
    for table in tables:
        as_owner(told, f"UPDATE {table} SET at = at - interval '1 day' WHERE {EARLIEST.format(table)}")
    assert code == 1
    assert "a record was changed: audit " in said and "a record was changed: ledger " in said
