"""Backups of the two databases, and putting them back. Each has a command of its own, so that they lie apart.

The main database first, then the keystore: every key that a row of the main dump needs is then in the other one.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from gatepost.config.environment import Environment
from gatepost.config.postgres import bins
from gatepost.errors import GatepostError

NOTED = "backups.json"  # when each was last made, for `gatepost doctor`
VARIABLES = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT",
}  # fmt: skip


class BackupFailed(GatepostError):
    "No backup was made, or none was put back; what was there before is as it was."

    who = "operator"


@dataclass(frozen=True, slots=True)
class Kept:
    """One of the two databases: where it is, with a role that may read and write all of it, and how long
    its backups are kept. Receipts of erasures promise that: an old backup brings an erased key back.
    """

    name: str
    address: str
    keep: timedelta


def main_database(settings: Environment) -> Kept:
    address = settings.owner_database_url or settings.database_url or ""
    return Kept("main", address, timedelta(days=settings.backup_days))


def keystore(settings: Environment) -> Kept:
    return Kept("keystore", settings.keystore_url or "", timedelta(days=settings.keystore_backup_days))


def back_up(kept: Kept, folder: Path, *, data_dir: Path, now: datetime | None = None) -> Path:
    """A new file in `folder` holds the whole database. Files of earlier backups that are too old are gone."""
    moment = now or datetime.now(UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{kept.name}-{moment:%Y%m%dT%H%M%SZ}.dump"
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        # The owner sees every row by a policy of its own; without the option pg_dump would refuse to ask.
        _run("pg_dump", ["--format=custom", "--enable-row-security"], kept, output=output.fileno())
        os.fsync(output.fileno())
    draft.replace(file)
    _forget_old(kept, folder, moment)
    _note(data_dir / NOTED, kept.name, moment)
    return file


def restore(kept: Kept, file: Path) -> None:
    """The database holds what the file holds. It must be empty before; a failure leaves it empty."""
    if not file.is_file():
        raise BackupFailed(f"{file} is not there.")
    with psycopg.connect(kept.address, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public')"
        ).fetchone()
    if row and row[0]:
        raise BackupFailed(
            f"The database {kept.name!r} holds tables already, and nothing was changed in it. "
            "Restore into an empty one: another GATEPOST_DATA_DIR, or a new database (docs/operate/backup.md)."
        )
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", [*options, f"--dbname={conninfo_to_dict(kept.address)['dbname']}", str(file)], kept)


def last_made(data_dir: Path) -> dict[str, datetime]:
    """When `gatepost backup` last succeeded here, by database."""
    try:
        noted = json.loads((data_dir / NOTED).read_bytes())
        return {name: datetime.fromisoformat(moment) for name, moment in noted.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _run(program: str, options: list[str], kept: Kept, *, output: int | None = None) -> None:
    parts = conninfo_to_dict(kept.address)
    # By the environment: what stands in a command can be read by everybody on the machine.
    address = {name: str(parts[key]) for key, name in VARIABLES.items() if key in parts}
    path = bins() / program
    try:
        ran = subprocess.run(
            [path, "--no-password", *options], env={**os.environ, **address}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise BackupFailed(f"{path} is not there. Install PostgreSQL's client programs.") from None
    if ran.returncode != 0:
        # The programs name tables and roles, and never a value of a row.
        said = ran.stderr.strip().splitlines()
        raise BackupFailed(f"{program} failed: {said[0] if said else f'exit {ran.returncode}'}")


def _forget_old(kept: Kept, folder: Path, now: datetime) -> None:
    for file in folder.glob(f"{kept.name}-*.dump"):
        try:
            made = datetime.strptime(file.stem, f"{kept.name}-%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            continue  # not one of ours
        if now - made > kept.keep:
            file.unlink()


def _note(path: Path, name: str, moment: datetime) -> None:
    noted = {**last_made(path.parent), name: moment}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({each: at.isoformat() for each, at in noted.items()}))
    draft.replace(path)
