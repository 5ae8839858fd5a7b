"""GATEPOST_* environment variables, read once and typed.

A wrong value stops the start and names the variable, the value (unless it is a secret) and the accepted form.
Each variable has a row in docs/settings.md (tests/docs/test_settings.py compares them). A secret may also
come from a file: NAME_FILE.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from gatepost.errors import GatepostError

SANDBOX_SECRET_PREFIX = "sandbox-"


class WrongSetting(GatepostError):
    "A setting has a value that cannot be used; the message names it and the accepted form."

    who = "operator"


class Secret(str):
    """A text that does not show itself in logs, tracebacks and reprs. It is still a str for those who need it."""

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Setting:
    """How one variable is read: its parser, the accepted form in words, the default."""

    variable: str
    parse: Callable[[str], Any]
    form: str
    default: Any = None
    secret: bool = False

    def read(self, environment: Mapping[str, str]) -> Any:
        text = environment.get(self.variable, "").strip()
        if self.secret and not text and environment.get(f"{self.variable}_FILE"):
            text = _file_content(self.variable, environment[f"{self.variable}_FILE"])
        if not text:
            return self.default
        try:
            value = self.parse(text)
        except ValueError:
            shown = "(a secret)" if self.secret else repr(text)
            raise WrongSetting(f"{self.variable}={shown} is not accepted: it must be {self.form}.") from None
        return Secret(value) if self.secret else value


def _file_content(variable: str, name: str) -> str:
    try:
        return Path(name).read_text().strip()
    except OSError as error:
        raise WrongSetting(f"{variable}_FILE={name!r} cannot be read: {error.strerror}.") from None


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return value.rstrip("/")


def _database(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ValueError
    return value


def _smtp(value: str) -> str:
    if urlsplit(value).scheme not in ("smtp", "smtps"):
        raise ValueError
    return value


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return parse


def _yes_no(value: str) -> bool:
    try:
        return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[value.lower()]
    except KeyError:
        raise ValueError from None


def default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path(os.environ.get("HOME") or "/var/lib") / ".local/share"
    return Path(base) / "gatepost"


DATABASE_FORM = "a PostgreSQL address such as postgresql://user:password@host/database"
URL_FORM = "an http or https address without query, such as https://gatepost.example.com"

DATA_DIR = Setting("GATEPOST_DATA_DIR", _path, "a folder", default_data_dir())
DATABASE_URL = Setting("DATABASE_URL", _database, DATABASE_FORM, secret=True)
OWNER_DATABASE_URL = Setting("GATEPOST_OWNER_DATABASE_URL", _database, DATABASE_FORM, secret=True)
KEYSTORE_URL = Setting("GATEPOST_KEYSTORE_URL", _database, DATABASE_FORM, secret=True)
KEY_FILE = Setting("GATEPOST_KEY_FILE", _path, "a file that holds the installation's key")
INSTANCE = Setting("GATEPOST_INSTANCE", UUID, "the installation's id, as `gatepost doctor` shows it")
SECRET_KEY = Setting("GATEPOST_SECRET_KEY", _text, "at least 32 random characters", secret=True)
PUBLIC_URL = Setting("GATEPOST_PUBLIC_URL", _url, URL_FORM, "http://localhost:8000")
HOOKS_URL = Setting("GATEPOST_HOOKS_URL", _url, URL_FORM)
PORT = Setting("GATEPOST_PORT", _number(1, 65535), "a port from 1 to 65535", 8000)
HOOKS_PORT = Setting("GATEPOST_HOOKS_PORT", _number(1, 65535), "a port from 1 to 65535", 8001)
CLIENT_ID = Setting("GATEPOST_CLIENT_ID", _text, "the application (client) id of the app registration", "")
CLIENT_SECRET = Setting(
    "GATEPOST_CLIENT_SECRET", _text, "a client secret of the app registration", secret=True
)
TENANT = Setting("GATEPOST_TENANT", _text, "'organizations', or one tenant's id or domain", "organizations")
SANDBOX_URL = Setting("GATEPOST_SANDBOX_URL", _url, "the sandbox's address, such as http://127.0.0.1:8790")
SYNC_EVERY = Setting("GATEPOST_SYNC_EVERY", _number(5, 86_400), "seconds from 5 to 86400", 300)
WORKER_JOBS = Setting("GATEPOST_WORKER_JOBS", _number(1, 200), "jobs at once, from 1 to 200", 12)
SMTP_URL = Setting("GATEPOST_SMTP_URL", _smtp, "smtp://user:password@host:port or smtps://…", secret=True)
MAIL_FROM = Setting(
    "GATEPOST_MAIL_FROM", _text, "an address that our own mail comes from", "gatepost@localhost"
)
DEBUG = Setting("GATEPOST_DEBUG", _yes_no, "yes or no", False)
CLOCK_FILE = Setting("GATEPOST_CLOCK_FILE", _path, "a clock file; only for the demo and tests")

ALL: tuple[Setting, ...] = tuple(value for value in list(vars().values()) if isinstance(value, Setting))


@dataclass(frozen=True, slots=True)
class Environment:
    """Every setting, read and checked together."""

    data_dir: Path
    database_url: str | None
    owner_database_url: str | None
    keystore_url: str | None
    key_file: Path
    instance: UUID | None
    secret_key: str | None
    public_url: str
    hooks_url: str | None
    port: int
    hooks_port: int
    client_id: str
    client_secret: str | None
    tenant: str
    sandbox_url: str | None
    sync_every: int
    worker_jobs: int
    smtp_url: str | None
    mail_from: str
    debug: bool
    clock_file: Path | None


def read(environment: Mapping[str, str] = os.environ) -> Environment:
    """All settings from the environment. Raises WrongSetting for the first that cannot be used."""
    values = {field.name: globals()[field.name.upper()].read(environment) for field in fields(Environment)}
    values["key_file"] = values["key_file"] or values["data_dir"] / "installation.key"
    settings = Environment(**values)
    _check_together(settings)
    return settings


def _check_together(settings: Environment) -> None:
    real_secret = settings.client_secret and not settings.client_secret.startswith(SANDBOX_SECRET_PREFIX)
    if settings.sandbox_url and real_secret:
        # A real secret must never travel to a stand-in, nor a test run near a real tenant.
        raise WrongSetting(
            "GATEPOST_SANDBOX_URL and a real GATEPOST_CLIENT_SECRET are both set. "
            "Unset GATEPOST_SANDBOX_URL to work with Microsoft, or use the sandbox's own secret."
        )
    if settings.database_url and not settings.keystore_url:
        raise WrongSetting(
            "DATABASE_URL is set without GATEPOST_KEYSTORE_URL. Keys lie in a database of their own, with backups of "
            "their own: make a second, small database and set its address."
        )
    if settings.clock_file and not settings.sandbox_url:
        raise WrongSetting(
            "GATEPOST_CLOCK_FILE is set without GATEPOST_SANDBOX_URL. Real mail is sent by real time only: unset it."
        )
    if settings.secret_key and len(settings.secret_key) < 32:
        raise WrongSetting(
            "GATEPOST_SECRET_KEY=(a secret) is not accepted: it must be at least 32 random characters."
        )
