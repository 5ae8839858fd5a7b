"""A new installation gets its tables in one piece: the ones that every migration, one after another, would have made."""

import subprocess
import sys
from pathlib import Path

import psycopg

from gatepost.config import schema
from gatepost.config.postgres import EmbeddedPostgres


def test_the_one_piece_is_what_all_migrations_lead_to() -> None:
    walked = subprocess.run(
        [sys.executable, "-m", "tests.operate.schema", "--print"], check=True, capture_output=True, text=True
    )
    assert walked.stdout == schema.FILE.read_text(), "A migration came or changed: run ./dev schema."


def test_a_database_that_has_tables_is_left_as_it_is(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", throw_away=True) as addresses:
        with psycopg.connect(addresses.owner) as owner:
            owner.execute("CREATE TABLE django_migrations (app text)")
        assert not schema.lay_out(addresses.owner)
        with psycopg.connect(addresses.owner) as owner:
            tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("django_migrations",)]


def test_a_second_process_that_starts_finds_the_tables_of_the_first(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", throw_away=True) as addresses:
        assert [schema.lay_out(addresses.owner) for _ in range(2)] == [True, False]
