"""docs/operate/backup.md, done: a backup of one machine is put back on another, with the key file beside it."""

import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from gatepost.config import backup, environment
from gatepost.config.postgres import EmbeddedPostgres

from .installation import run

NOW = datetime(2027, 1, 11, 7, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine with a workspace, and its backups."""
    data = tmp_path_factory.mktemp("old")
    given = (
        "--owner",
        "Alice Berger",
        "--email",
        "alice@northwind.example",
        "--password",
        "long-enough-0815",
    )
    run(data, "create-workspace", "Northwind", *given)
    run(data, "create-token", "alice@northwind.example", "CRM")  # its keyed hash makes a key
    run(data, "backup", "main", str(data / "backup-main"))
    run(data, "backup", "keystore", str(data / "backup-keystore"))
    return data


@pytest.fixture(scope="module")
def new(old: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("new")
    shutil.copy(old / "installation.key", data)
    for what in ("main", "keystore"):
        [file] = (old / f"backup-{what}").iterdir()
        run(data, "restore", what, str(file))
    run(data, "migrate")
    return data


def wrapped_keys(data: Path) -> list[tuple[str, bytes]]:
    with EmbeddedPostgres(data / "postgres") as addresses, psycopg.connect(addresses.keystore) as connection:
        return connection.execute("SELECT name, wrapped FROM wrapped_key ORDER BY name").fetchall()


def test_what_was_there_is_there_again(new: Path) -> None:
    with EmbeddedPostgres(new / "postgres") as addresses, psycopg.connect(addresses.owner) as connection:
        assert connection.execute("SELECT name FROM gatepost_workspace").fetchall() == [("Northwind",)]
        assert connection.execute("SELECT count(*) FROM gatepost_auditentry").fetchone() != (0,)


def test_the_keys_are_those_of_the_old_machine(old: Path, new: Path) -> None:
    assert wrapped_keys(new) == wrapped_keys(old) != []


def test_the_doctor_finds_roles_rights_and_keys_as_they_should_be(new: Path) -> None:
    said = run(new, "doctor", "--offline", check=False).stdout
    for name in (
        "tables",
        "application role",
        "row-level security",
        "records",
        "keystore",
        "installation key",
    ):
        assert f"ok   {name}:" in said, said


def test_backups_are_for_their_owner_only(old: Path) -> None:
    for file in [*(old / "backup-main").iterdir(), *(old / "backup-keystore").iterdir()]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_is_restored_over_what_is_there(old: Path) -> None:
    [file] = (old / "backup-main").iterdir()
    said = run(old, "restore", "main", str(file), check=False)
    assert said.returncode == 1
    assert "holds tables already, and nothing was changed" in said.stderr


def test_a_file_that_is_no_backup_leaves_the_database_empty(tmp_path: Path) -> None:
    (tmp_path / "none.dump").write_bytes(b"not a dump")
    said = run(tmp_path / "data", "restore", "keystore", str(tmp_path / "none.dump"), check=False)
    assert said.returncode == 1
    assert "pg_restore failed" in said.stderr


@pytest.mark.parametrize("what", ["main", "keystore"])
def test_backups_that_are_too_old_go_when_a_new_one_is_there_and_no_other_file_does(
    old: Path, tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for days in (6, 8):
        for name in ("main", "keystore"):
            (folder / f"{name}-{NOW - timedelta(days=days):%Y%m%dT%H%M%SZ}.dump").touch()
    (folder / f"{what}-by-hand.dump").touch()
    before = {file.name for file in folder.iterdir()}
    with EmbeddedPostgres(old / "postgres") as addresses:
        address = {"main": addresses.owner, "keystore": addresses.keystore}[what]
        backup.back_up(backup.Kept(what, address, timedelta(days=7)), folder, data_dir=tmp_path, now=NOW)
    after = {file.name for file in folder.iterdir()}
    assert before - after == {f"{what}-20270103T073000Z.dump"}
    assert after - before == {f"{what}-20270111T073000Z.dump"}
    assert backup.last_made(tmp_path) == {what: NOW}


def test_how_long_backups_are_kept_is_what_receipts_say() -> None:
    settings = environment.read({"GATEPOST_BACKUP_DAYS": "90", "GATEPOST_KEYSTORE_BACKUP_DAYS": "3"})
    assert backup.main_database(settings).keep == timedelta(days=90)
    assert backup.keystore(settings).keep == timedelta(days=3)
