"""What `gatepost doctor` looks at. Each check says what it found, and what to do where that is bad.

Nothing here asks Microsoft: a doctor must also work on the train.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from gatepost import isolation
from gatepost.config import environment
from gatepost.config.environment import Environment
from gatepost.vault import keys
from gatepost.vault.keys import InstallationKeyMissing, KeyUnavailable

OLDEST_POSTGRES = 150_000
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
OWN_HOSTS = ("localhost", "127.0.0.1", "::1")
CALLBACK_PATH = "/mailboxes/connected/"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report. A bad one says what to do."""

    name: str
    good: bool
    message: str


def run() -> list[Check]:
    """Every check of this installation, in the order in which one would mend them."""
    settings = environment.read()
    main = _without_pool(connections["default"])
    return [
        variables(os.environ),
        data_folder(settings.data_dir),
        installation_key(settings.key_file),
        *database(main),
        keystore(main),
        recovery(main),
        public_url(settings),
        app_registration(settings),
        notifications(settings),
    ]


# Settings and files


def variables(given: Mapping[str, str]) -> Check:
    """A misspelt variable would be ignored without a word."""
    known = {setting.variable for setting in environment.ALL}
    known |= {f"{setting.variable}_FILE" for setting in environment.ALL if setting.secret}
    unknown = sorted(name for name in given if name.startswith("GATEPOST_") and name not in known)
    if unknown:
        return Check(
            "settings",
            False,
            f"{', '.join(unknown)}: no such setting. Correct or unset it (docs/settings.md).",
        )
    return Check("settings", True, "every value can be used.")


def data_folder(folder: Path) -> Check:
    try:
        found = folder.stat()
    except OSError as error:
        return Check(
            "data folder", False, f"{folder}: {error.strerror}. Make it, or set GATEPOST_DATA_DIR to another."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(
            "data folder", False, f"{folder} cannot be written. Give it to the user that runs Gatepost."
        )
    if found.st_mode & 0o077:
        return Check("data folder", False, f"others can look into {folder}. Run: chmod 700 {folder}")
    return Check("data folder", True, f"{folder}, for its owner only.")


def installation_key(path: Path) -> Check:
    try:
        found = path.stat()
    except OSError as error:
        return Check(
            "installation key", False,
            f"{path}: {error.strerror}. A new installation gets one by `gatepost migrate`; "
            "an older one needs it back from its backup, or nothing sealed can be read.",
        )  # fmt: skip
    if stat.S_IMODE(found.st_mode) & 0o077:
        return Check("installation key", False, f"others can read {path}. Run: chmod 600 {path}")
    if not os.access(path, os.R_OK):
        return Check(
            "installation key", False, f"{path} cannot be read. Give it to the user that runs Gatepost."
        )
    return Check("installation key", True, f"{path}. Keep a copy of it apart from the database's backups.")


# The database


def database(connection: BaseDatabaseWrapper) -> list[Check]:
    """The checks of the database; only the first bad one of those on which the others rest."""
    checks = []
    for look in (server, migrations, application_role, row_level_security, append_only, jobs):
        try:
            checks.append(look(connection))
        except (DatabaseError, psycopg.Error) as error:
            checks.append(_unanswered(error))
        if not checks[-1].good and look in (server, migrations):
            break
    return checks


def _without_pool(connection: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """The same database; one that does not answer says so at once, and not after the pool's patience."""
    plain = connection.copy()
    plain.settings_dict = {**connection.settings_dict, "OPTIONS": {"connect_timeout": 5}}
    return plain


def _unanswered(error: Exception) -> Check:
    # The driver's first line names host and role, and never the password.
    said = str(error).strip().partition("\n")[0].rstrip(".")
    return Check(
        "database", False, f"does not answer as it should: {said}. Start it, or correct DATABASE_URL."
    )


def server(connection: BaseDatabaseWrapper) -> Check:
    (number,) = _row(connection, "SELECT current_setting('server_version_num')::int")
    if number < OLDEST_POSTGRES:
        return Check(
            "database", False, f"PostgreSQL {number // 10_000} is too old. Use PostgreSQL 15 or newer."
        )
    return Check("database", True, f"PostgreSQL {number // 10_000} answers.")


def migrations(connection: BaseDatabaseWrapper) -> Check:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return Check("tables", False, f"migrations are missing: {len(missing)}. Run: gatepost migrate")
    return Check("tables", True, "are those of this version.")


def application_role(connection: BaseDatabaseWrapper) -> Check:
    """Row-level security binds neither a superuser nor, for its own policy, the owner of a table."""
    role, superuser, bypasses = _row(
        connection, "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    (owns,) = _row(
        connection,
        "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND pg_has_role(current_user, relowner, 'MEMBER'))",
    )
    if superuser or bypasses or owns:
        what = "is a superuser" if superuser else "bypasses row-level security" if bypasses else "owns tables"
        return Check(
            "application role", False,
            f"{role} {what}, so workspaces are not kept apart. DATABASE_URL must name a plain role, and "
            "GATEPOST_OWNER_DATABASE_URL the owner (docs/operate/install.md).",
        )  # fmt: skip
    return Check("application role", True, f"{role} is bound by row-level security.")


def row_level_security(connection: BaseDatabaseWrapper) -> Check:
    tables = isolation.workspace_tables()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY (%s) "
            "AND relrowsecurity AND relforcerowsecurity",
            [tables],
        )
        open_tables = sorted(set(tables) - {name for (name,) in cursor.fetchall()})
    if open_tables:
        return Check(
            "row-level security", False, f"is off for {', '.join(open_tables)}. Run: gatepost migrate"
        )
    return Check("row-level security", True, f"is on for all {len(tables)} tables of workspaces.")


def append_only(connection: BaseDatabaseWrapper) -> Check:
    """The application may add to the records and change nothing in them."""
    changeable = [
        table
        for table in isolation.APPEND_ONLY
        if _row(
            connection, f"SELECT has_table_privilege(current_user, '{table}', 'UPDATE, DELETE, TRUNCATE')"
        )[0]
    ]
    if changeable:
        return Check(
            "records", False, f"{', '.join(changeable)} can be changed afterwards. Run: gatepost migrate"
        )
    return Check("records", True, "the audit log and the ledger can be added to and not changed.")


def jobs(connection: BaseDatabaseWrapper) -> Check:
    (failed,) = _row(connection, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
    (workers,) = _row(
        connection,
        "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds'",
    )
    if failed:
        return Check("jobs", False, f"{failed} failed. docs/operate/jobs.md says how to see and clear them.")
    return Check(
        "jobs",
        True,
        f"none failed; workers running: {workers}." if workers else "none failed; no worker runs now.",
    )


def keystore(main: BaseDatabaseWrapper) -> Check:
    """The keys' database answers, is one of its own, and the installation key opens what lies in it."""
    if _holds_keys(main):
        return Check(
            "keystore", False,
            "lies in the main database, so an old backup would bring erased keys back. Give it a database of its own.",
        )  # fmt: skip
    try:
        keys.installation_index_key("connect-state")
    except (KeyUnavailable, InstallationKeyMissing) as error:
        return Check("keystore", False, error.message)
    except psycopg.errors.UndefinedTable:
        return Check("keystore", False, "has no table yet. Run: gatepost migrate")
    return Check("keystore", True, "answers, and the installation key opens it.")


def recovery(connection: BaseDatabaseWrapper) -> Check:
    """Whether sending is stopped since the database was restored or copied, and which installation this is."""
    try:
        row = _row(
            connection,
            "SELECT (SELECT instance FROM gatepost_installation), count(*), min(reason) FROM stopped_sending()",
        )
    except (DatabaseError, psycopg.Error):
        return Check("sending", False, "cannot be told: the database does not answer as it should.")
    if stopped:
        return Check(
            "sending", False,
            f"all of it is stopped in {stopped} workspaces, since the database was restored or copied. `gatepost recovery` "
            "shows why and what would leave, docs/operate/run.md what to do.",
        )  # fmt: skip
    if instance is None:
        return Check("sending", True, "no worker ever started.")
    return Check("sending", True, f"is not stopped. This installation's id is {instance}.")


def _holds_keys(connection: BaseDatabaseWrapper) -> bool:
    try:
        return _row(connection, "SELECT to_regclass('public.wrapped_key') IS NOT NULL")[0]
    except (DatabaseError, psycopg.Error):
        return False  # said above already


def _row(connection: BaseDatabaseWrapper, statement: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


# What Microsoft and browsers see


def public_url(settings: Environment) -> Check:
    if not _may_be_plain(settings.public_url):
        return Check(
            "public address", False,
            f"GATEPOST_PUBLIC_URL={settings.public_url} is not https. Microsoft sends browsers back to https addresses "
            "and to localhost only, and cookies need https too.",
        )  # fmt: skip
    whom = "" if settings.public_url.startswith("https") else " Only browsers on this machine reach it."
    return Check("public address", True, f"{settings.public_url}.{whom}")


def app_registration(settings: Environment) -> Check:
    """Whether what was copied from Entra can be right; only a first connect shows that it is."""
    if settings.sandbox_url:
        return Check(
            "app registration",
            True,
            f"sandbox mode: {settings.sandbox_url} stands in, nothing reaches Microsoft.",
        )
    problem = _registration_problem(settings)
    if problem:
        return Check("app registration", False, f"{problem} (docs/how-to/register-the-app.md)")
    return Check(
        "app registration", True,
        f"set. Its redirect address at Microsoft must be exactly {settings.public_url}{CALLBACK_PATH}",
    )  # fmt: skip


def _registration_problem(settings: Environment) -> str:
    if not settings.client_id or not settings.client_secret:
        return "set GATEPOST_CLIENT_ID and GATEPOST_CLIENT_SECRET."
    if not GUID.fullmatch(settings.client_id):
        return "GATEPOST_CLIENT_ID is no id such as 00001111-aaaa-2222-bbbb-3333cccc4444: copy “Application (client) ID”."
    if GUID.fullmatch(settings.client_secret):
        return "GATEPOST_CLIENT_SECRET looks like the secret's ID: copy its “Value”, which is shown once."
    if settings.tenant in ("common", "consumers"):
        return f"GATEPOST_TENANT={settings.tenant} lets personal accounts in: use organizations, or your tenant's id."
    return ""


def notifications(settings: Environment) -> Check:
    if not settings.hooks_url:
        return Check(
            "notifications", True,
            f"GATEPOST_HOOKS_URL is not set: replies are found by the timer alone, every {settings.sync_every} s.",
        )  # fmt: skip
    if not settings.sandbox_url and urlsplit(settings.hooks_url).scheme != "https":
        return Check(
            "notifications", False,
            f"GATEPOST_HOOKS_URL={settings.hooks_url} is not https; Microsoft calls nothing else. Correct or unset it.",
        )  # fmt: skip
    return Check("notifications", True, f"Microsoft is asked to call {settings.hooks_url}.")


def _may_be_plain(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in OWN_HOSTS
