"""What `gatepost doctor` looks at. Each check says what it found, and what to do where that is bad.

Offline it asks nobody but the databases: a doctor must also work on the train.
"""

import os
import shutil
import smtplib
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from gatepost import isolation
from gatepost.config import environment
from gatepost.config.backup import last_made
from gatepost.config.environment import Environment
from gatepost.config.health import installation_mark
from gatepost.graph import ourselves
from gatepost.mailboxes import registration
from gatepost.mailboxes.registration import OWN_HOSTS
from gatepost.vault import generations, keys
from gatepost.vault.generations import Generation
from gatepost.vault.keys import InstallationKeyMissing, KeyUnavailable

OLDEST_POSTGRES = 150_000
MOST_SKEW = timedelta(seconds=30)
LEAST_DISK, LITTLE_DISK = 500_000_000, 5_000_000_000
OLD_BACKUP = timedelta(days=2)
LONG_CHANGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report. A bad one says what to do."""

    name: str
    good: bool
    message: str
    doubtful: bool = False  # good, and yet worth a look

    @property
    def state(self) -> str:
        return "bad" if not self.good else "look" if self.doubtful else "ok"


def run(*, offline: bool = False) -> list[Check]:
    """Every check of this installation, in the order in which one would mend them."""
    settings = environment.read()
    main = _without_pool(connections["default"])
    return [
        variables(os.environ),
        data_folder(settings.data_dir),
        disk(settings.data_dir),
        installation_key(settings.key_file),
        *database(main),
        keystore(main),
        backups(last_made(settings.data_dir), now=datetime.now(UTC)),
        recovery(main),
        public_url(settings),
        *([] if offline else [pages(settings)]),
        *app_registration(offline=offline),
        notifications(settings),
        *([] if offline or not settings.hooks_url else [handshake(settings)]),
        mail(settings, offline=offline),
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


def disk(folder: Path) -> Check:
    """A full disk stops the database that lies there."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return Check("disk", True, "not known without the data folder.", doubtful=True)
    gigabytes = f"{free / 1e9:.1f} GB free below {folder}"
    if free < LEAST_DISK:
        return Check("disk", False, f"{gigabytes}. Make room: a full disk stops the database.")
    return Check("disk", True, f"{gigabytes}.", doubtful=free < LITTLE_DISK)


def backups(made: Mapping[str, datetime], *, now: datetime) -> Check:
    """When `gatepost backup` last wrote each of the two. Backups that are made otherwise are not known here."""
    missing = [name for name in ("main", "keystore") if name not in made]
    if missing:
        return Check(
            "backup", True,
            f"none of {' and '.join(missing)} was made here by `gatepost backup` (docs/operate/backup.md).",
            doubtful=True,
        )  # fmt: skip
    old = [name for name, moment in made.items() if now - moment > OLD_BACKUP]
    told = ", ".join(f"{name} {_ago(now - made[name])}" for name in ("main", "keystore"))
    if old:
        return Check("backup", False, f"{told}. See why the timer no longer runs `gatepost backup`.")
    return Check("backup", True, f"{told}.")


def _ago(passed: timedelta) -> str:
    hours = passed.total_seconds() / 3600
    return f"{hours:.0f} hours ago" if hours < 48 else f"{hours / 24:.0f} days ago"


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
    for look in (server, clock, migrations, application_role, row_level_security, append_only, jobs):
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


def clock(connection: BaseDatabaseWrapper) -> Check:
    """Leases and heartbeats are compared across machines, by the database's clock and by ours."""
    (theirs,) = _row(connection, "SELECT clock_timestamp()")
    apart = abs(datetime.now(UTC) - theirs)
    if apart > MOST_SKEW:
        return Check(
            "clock", False,
            f"this machine's and the database's are {apart.total_seconds():.0f} s apart. "
            "Switch on time synchronisation (NTP) on both.",
        )  # fmt: skip
    return Check("clock", True, "agrees with the database's.")


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
    if failed:
        return Check("jobs", False, f"{failed} failed. docs/operate/jobs.md says how to see and clear them.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT figure, label, number FROM installation_figures(now())")
        figures = {(figure, label): number for figure, label, number in cursor.fetchall()}
    workers = figures["workers", ""]
    if workers:
        return Check("jobs", True, f"none failed; workers running: {workers:.0f}.")
    connected = figures.get(("mailboxes", "connected"), 0)
    if connected:
        return Check(
            "jobs", False,
            f"no worker runs, so nothing is sent from the connected mailboxes ({connected:.0f}) and no reply is noticed. "
            "Start `gatepost serve`, or `gatepost worker`.",
        )  # fmt: skip
    return Check("jobs", True, "none failed; no worker runs now.", doubtful=True)


def keystore(main: BaseDatabaseWrapper) -> Check:
    """The keys' database answers, is one of its own, and the installation key opens what lies in it."""
    if _holds_keys(main):
        return Check(
            "keystore", False,
            "lies in the main database, so an old backup would bring erased keys back. Give it a database of its own.",
        )  # fmt: skip
    try:
        keys.installation_index_key("connect-state")
        found = generations.all_generations()
    except (KeyUnavailable, InstallationKeyMissing) as error:
        return Check("keystore", False, error.message)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return Check("keystore", False, "has not the tables of this version. Run: gatepost migrate")
    return Check(
        "keystore",
        True,
        f"answers, and the installation key opens it. {_ages(found)}",
        doubtful=any(each.is_changing and each.age > LONG_CHANGE for each in found),
    )


def _ages(all_keys: list[Generation]) -> str:
    found = [each for each in all_keys if each.level in ("mailbox", "workspace")]
    if not found:
        return "No workspace or mailbox has a key yet."
    told = f"Keys of workspaces and mailboxes: {len(found)}, the oldest of {min(each.since for each in found):%Y-%m-%d}"
    changing = [each for each in all_keys if each.is_changing]
    if not changing:
        return f"{told}."
    since = min(each.since for each in changing)
    return (
        f"{told}; {len(changing)} are being changed since {since:%Y-%m-%d %H:%M} UTC. A worker goes on with it, "
        "or `gatepost keys carry-on`."
    )


def recovery(connection: BaseDatabaseWrapper) -> Check:
    """Whether sending is stopped since the database was restored or copied, and which installation this is."""
    try:
        instance, stopped = _row(
            connection, "SELECT (SELECT instance FROM gatepost_installation), count(*) FROM open_recoveries()"
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


def pages(settings: Environment) -> Check:
    """The public address leads to this installation's pages, through a proxy that says how the request came."""
    address, name = settings.public_url, "proxy"
    answered = ourselves.pages(address)
    expected = urlsplit(address)
    if answered.problem:
        return Check(
            name, False,
            f"{address}: {answered.problem}. Start `gatepost serve` or `gatepost web`, and let name server and "
            "proxy lead to it (docs/operate/production.md).",
        )  # fmt: skip
    if "installation" not in answered.said:
        return Check(
            name, False,
            f"{address} answers {answered.status}, and not as Gatepost does. Let the proxy lead to port {settings.port}, "
            "where `gatepost web` must run.",
        )  # fmt: skip
    if answered.said["installation"] != installation_mark():
        return Check(
            name, False,
            f"another installation answers at {address}, or its processes have another GATEPOST_SECRET_KEY.",
        )  # fmt: skip
    if urlsplit(f"//{answered.said.get('host', '')}").hostname != expected.hostname:
        return Check(
            name, False,
            f"the proxy asks for {answered.said.get('host')!r} instead of {expected.hostname}. "
            "Let it pass on the header Host.",
        )  # fmt: skip
    if expected.scheme == "https" and not answered.said.get("https"):
        return Check(
            name,
            False,
            "the proxy does not say that the request came by https. Let it set X-Forwarded-Proto: https.",
        )
    if expected.scheme == "https" and not answered.strict_transport:
        return Check(
            name,
            False,
            "the proxy drops the header Strict-Transport-Security. Let it pass on what Gatepost answers.",
        )
    return Check(name, True, f"{address} leads to this installation.")


def app_registration(*, offline: bool) -> list[Check]:
    """What is plain of the registration, and what Microsoft says of it where it may be asked."""
    given = registration.given()
    found = registration.of_settings(given, today=datetime.now(UTC).date())
    if not offline and registration.may_ask(given):
        found += registration.of_microsoft(registration.look(), given)
    checks = [Check(each.name, each.state != "bad", each.text, each.state == "unseen") for each in found]
    if given.sandbox_url:
        said = f"{given.sandbox_url} stands in for Microsoft; nothing reaches Microsoft itself."
        return [Check("sandbox", True, said, doubtful=True), *checks]
    return checks


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


def handshake(settings: Environment) -> Check:
    """The notification address passes Microsoft's own test, as far as this machine can see it from inside."""
    assert settings.hooks_url
    answered = ourselves.handshake(settings.hooks_url)
    if answered.problem:
        return Check(
            "notification address", False,
            f"Microsoft's test of {settings.hooks_url} would fail: {answered.problem}. Start `gatepost serve` or "
            f"`gatepost hooks`, and let the proxy lead {urlsplit(settings.hooks_url).path} to port {settings.hooks_port}.",
        )  # fmt: skip
    return Check("notification address", True, "passes Microsoft's test, asked from here.")


def mail(settings: Environment, *, offline: bool) -> Check:
    """The mail server takes us: connection, TLS and sign-in, and no letter."""
    parts = urlsplit(settings.smtp_url or "")
    if not settings.smtp_url:
        return Check("mail", True, "GATEPOST_SMTP_URL is not set: nobody is told by mail.", doubtful=True)
    if parts.scheme == "file":
        return Check("mail", True, "letters are put into a folder, and reach nobody.", doubtful=True)
    where = f"{parts.hostname}"
    if offline:
        return Check("mail", True, f"letters go by {where}.")
    try:
        with cast(EmailBackend, get_connection(timeout=8)) as mailer:
            if mailer.connection is not None:
                mailer.connection.ehlo_or_helo_if_needed()
            return Check("mail", True, f"{where} takes letters of {settings.mail_from}.")
    except smtplib.SMTPAuthenticationError:
        problem = "refuses name and password"
    except smtplib.SMTPNotSupportedError:
        problem = "offers no TLS (STARTTLS)"
    except ssl.SSLError as error:
        problem = f"has a certificate or TLS that is not accepted ({error.reason or 'SSL'})"
    except (OSError, smtplib.SMTPException) as error:
        problem = f"does not answer ({type(error).__name__})"
    return Check("mail", False, f"{where} {problem}. Correct GATEPOST_SMTP_URL.")


def _may_be_plain(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in OWN_HOSTS
