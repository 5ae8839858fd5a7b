"""GATEPOST_* environment variables, read once and typed.

A wrong value stops the start and names the variable, the value (unless it is a secret) and the accepted form.
Each variable has a row in docs/settings.md (tests/docs/test_settings.py compares them). A secret may also
come from a file: NAME_FILE.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
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
    parts = urlsplit(value)
    if not (parts.scheme in ("smtp", "smtps") and parts.hostname) and not (
        parts.scheme == "file" and parts.path
    ):
        raise ValueError
    return value


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError
        return value.lower()

    return parse


def _yes_no(value: str) -> bool:
    try:
        return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[value.lower()]
    except KeyError:
        raise ValueError from None


def _log_level(value: str) -> str:
    if value.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError
    return value.upper()


def default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path(os.environ.get("HOME") or "/var/lib") / ".local/share"
    return Path(base) / "gatepost"


DATABASE_FORM = "a PostgreSQL address such as postgresql://user:password@host/database"
URL_FORM = "an http or https address without query, such as https://gatepost.example.com"

SMTP_FORM = "smtp://user:password@host:port, smtps://…, or file:///folder to only look at it"

DATA_DIR = Setting("GATEPOST_DATA_DIR", _path, "a folder", default_data_dir())
DATABASE_URL = Setting("DATABASE_URL", _database, DATABASE_FORM, secret=True)
OWNER_DATABASE_URL = Setting("GATEPOST_OWNER_DATABASE_URL", _database, DATABASE_FORM, secret=True)
KEYSTORE_URL = Setting("GATEPOST_KEYSTORE_URL", _database, DATABASE_FORM, secret=True)
KEY_FILE = Setting("GATEPOST_KEY_FILE", _path, "a file that holds the installation's key")
ANCHOR_FILE = Setting("GATEPOST_ANCHOR_FILE", _path, "a file that anchors are added to")
BACKUP_DAYS = Setting("GATEPOST_BACKUP_DAYS", _number(1, 3650), "days from 1 to 3650", 30)
KEYSTORE_BACKUP_DAYS = Setting("GATEPOST_KEYSTORE_BACKUP_DAYS", _number(1, 7), "days from 1 to 7", 7)
INSTANCE = Setting("GATEPOST_INSTANCE", UUID, "the installation's id, as `gatepost doctor` shows it")
SECRET_KEY = Setting("GATEPOST_SECRET_KEY", _text, "at least 32 random characters", secret=True)
PUBLIC_URL = Setting("GATEPOST_PUBLIC_URL", _url, URL_FORM, "http://localhost:8000")
HOOKS_URL = Setting("GATEPOST_HOOKS_URL", _url, URL_FORM)
PORT = Setting("GATEPOST_PORT", _number(1, 65535), "a port from 1 to 65535", 8000)
HOOKS_PORT = Setting("GATEPOST_HOOKS_PORT", _number(1, 65535), "a port from 1 to 65535", 8001)
METRICS_PORT = Setting("GATEPOST_METRICS_PORT", _number(1, 65535), "a port from 1 to 65535")
CLIENT_ID = Setting("GATEPOST_CLIENT_ID", _text, "the application (client) id of the app registration", "")
CLIENT_SECRET = Setting(
    "GATEPOST_CLIENT_SECRET", _text, "a client secret of the app registration", secret=True
)
CLIENT_SECRET_EXPIRES = Setting(
    "GATEPOST_CLIENT_SECRET_EXPIRES", date.fromisoformat, "a day such as 2027-03-31"
)
CLIENT_SECRET_SPARE = Setting(
    "GATEPOST_CLIENT_SECRET_SPARE", _text, "a second client secret of the app registration", secret=True
)
CLIENT_CERTIFICATE = Setting(
    "GATEPOST_CLIENT_CERTIFICATE", _path, "a PEM file with a certificate and its private key"
)
TENANT = Setting("GATEPOST_TENANT", _text, "'organizations', or one tenant's id or domain", "organizations")
PUBLISHER = Setting(
    "GATEPOST_PUBLISHER", _text, "the organisation that registered the app, as Microsoft shows it", ""
)
SIGN_IN_WITH_MICROSOFT = Setting("GATEPOST_SIGN_IN_WITH_MICROSOFT", _yes_no, "yes or no", False)
SIGN_IN_CLIENT_ID = Setting(
    "GATEPOST_SIGN_IN_CLIENT_ID", _text, "the application (client) id of the app registration", ""
)
SIGN_IN_CLIENT_SECRET = Setting(
    "GATEPOST_SIGN_IN_CLIENT_SECRET", _text, "a client secret of the app registration", secret=True
)
OIDC_ISSUER = Setting("GATEPOST_OIDC_ISSUER", _url, URL_FORM)
OIDC_CLIENT_ID = Setting("GATEPOST_OIDC_CLIENT_ID", _text, "the client id that the provider gave", "")
OIDC_CLIENT_SECRET = Setting(
    "GATEPOST_OIDC_CLIENT_SECRET", _text, "the client secret that the provider gave", secret=True
)
OIDC_NAME = Setting("GATEPOST_OIDC_NAME", _text, "a name for the button", "OpenID")
TRUSTED_PROXIES = Setting("GATEPOST_TRUSTED_PROXIES", _number(0, 9), "a number from 0 to 9", 0)
SANDBOX_URL = Setting("GATEPOST_SANDBOX_URL", _url, "the sandbox's address, such as http://127.0.0.1:8790")
SYNC_EVERY = Setting("GATEPOST_SYNC_EVERY", _number(5, 86_400), "seconds from 5 to 86400", 300)
WORKER_JOBS = Setting("GATEPOST_WORKER_JOBS", _number(1, 200), "jobs at once, from 1 to 200", 120)
SMTP_URL = Setting("GATEPOST_SMTP_URL", _smtp, SMTP_FORM, secret=True)
MAIL_FROM = Setting(
    "GATEPOST_MAIL_FROM", _text, "an address that our own mail comes from", "gatepost@localhost"
)
LOGS = Setting("GATEPOST_LOGS", _one_of("lines", "json"), "lines or json", "lines")
LOG_LEVEL = Setting(
    "GATEPOST_LOG_LEVEL", _log_level, "debug, info, warning or error; it changes every part's log"
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
    anchor_file: Path
    backup_days: int
    keystore_backup_days: int
    instance: UUID | None
    secret_key: str | None
    public_url: str
    hooks_url: str | None
    port: int
    hooks_port: int
    metrics_port: int | None
    client_id: str
    client_secret: str | None
    client_secret_expires: date | None
    client_secret_spare: str | None
    client_certificate: Path | None
    tenant: str
    publisher: str
    sign_in_with_microsoft: bool
    sign_in_client_id: str
    sign_in_client_secret: str | None
    oidc_issuer: str | None
    oidc_client_id: str
    oidc_client_secret: str | None
    oidc_name: str
    trusted_proxies: int
    sandbox_url: str | None
    sync_every: int
    worker_jobs: int
    smtp_url: str | None
    mail_from: str
    logs: str
    log_level: str | None
    debug: bool
    clock_file: Path | None

    @property
    def sign_in_registration(self) -> tuple[str, str | None]:
        """Client id and secret that people sign in with: those of the mailboxes unless sign-in has its own."""
        if self.sign_in_client_id:
            return self.sign_in_client_id, self.sign_in_client_secret
        return self.client_id, self.client_secret


def read(environment: Mapping[str, str] = os.environ) -> Environment:
    """All settings from the environment. Raises WrongSetting for the first that cannot be used."""
    values = {field.name: globals()[field.name.upper()].read(environment) for field in fields(Environment)}
    values["key_file"] = values["key_file"] or values["data_dir"] / "installation.key"
    values["anchor_file"] = values["anchor_file"] or values["data_dir"] / "anchors.jsonl"
    settings = Environment(**values)
    _check_together(settings)
    return settings


def _check_together(settings: Environment) -> None:
    secrets = filter(
        None, (settings.client_secret, settings.client_secret_spare, settings.sign_in_client_secret)
    )
    real_secret = any(not secret.startswith(SANDBOX_SECRET_PREFIX) for secret in secrets)
    certificate = settings.client_certificate
    if settings.sandbox_url and certificate and not certificate.name.startswith(SANDBOX_SECRET_PREFIX):
        # What it signs for a stand-in would be good at Microsoft too.
        raise WrongSetting(
            "GATEPOST_SANDBOX_URL and a real GATEPOST_CLIENT_CERTIFICATE are both set. "
            f"Unset one; a certificate for the sandbox has a file name that begins with {SANDBOX_SECRET_PREFIX!r}."
        )
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
    client_id, secret = settings.sign_in_registration
    by_certificate = bool(settings.client_certificate) and not settings.sign_in_client_id
    if settings.sign_in_with_microsoft and not (client_id and (secret or by_certificate)):
        raise WrongSetting(
            "GATEPOST_SIGN_IN_WITH_MICROSOFT=yes needs an app registration: set GATEPOST_CLIENT_ID and "
            "GATEPOST_CLIENT_SECRET, or GATEPOST_SIGN_IN_CLIENT_ID and GATEPOST_SIGN_IN_CLIENT_SECRET for one of its own."
        )
    if settings.oidc_issuer and not (settings.oidc_client_id and settings.oidc_client_secret):
        raise WrongSetting(
            "GATEPOST_OIDC_ISSUER is set without GATEPOST_OIDC_CLIENT_ID and GATEPOST_OIDC_CLIENT_SECRET. Set what the "
            "provider gave for Gatepost."
        )
    if settings.secret_key and len(settings.secret_key) < 32:
        raise WrongSetting(
            "GATEPOST_SECRET_KEY=(a secret) is not accepted: it must be at least 32 random characters."
        )
