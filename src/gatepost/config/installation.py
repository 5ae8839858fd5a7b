"""Making an installation ready: folder, keys, database, tables. Everything here may be run again at any time."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gatepost.config import environment, schema
from gatepost.config.environment import Environment
from gatepost.config.postgres import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Running:
    """A database that answers, with the settings to reach it. `postgres`: the one that came along, if we run it."""

    settings: Environment
    postgres: EmbeddedPostgres | None

    def watch(self) -> list[str]:
        """The database is started again if it ended by itself. Returns what was."""
        return ["database"] if self.postgres is not None and self.postgres.keep_running() else []


@contextmanager
def ready() -> Iterator[Running]:
    """A data folder, a secret key, a running database: with these in the environment, every process can start."""
    settings = environment.read()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir / "postgres")
    try:
        if postgres is not None:
            addresses = postgres.start()
            os.environ["DATABASE_URL"] = addresses.app
            os.environ["GATEPOST_OWNER_DATABASE_URL"] = addresses.owner
            os.environ["GATEPOST_KEYSTORE_URL"] = addresses.keystore
        if not settings.secret_key:
            os.environ["GATEPOST_SECRET_KEY"] = _kept_secret(settings.data_dir / "secret.key")
        yield Running(environment.read(), postgres)
    finally:
        if postgres is not None:
            postgres.stop()


def set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatepost.config.settings")
    import django

    django.setup()


def migrate() -> None:
    """Every table, key and right is there: for a new installation and for an upgraded one."""
    set_up_django()
    from django.conf import settings
    from django.core.management import call_command

    from gatepost.vault import keys

    if not Path(settings.GATEPOST_KEY_FILE).exists():
        keys.create_installation_key(Path(settings.GATEPOST_KEY_FILE))
    keys.prepare_keystore(settings.GATEPOST_KEYSTORE_URL)
    given = environment.read()
    schema.lay_out(given.owner_database_url or given.database_url or "")
    call_command("migrate", database="owner", verbosity=0, skip_checks=True)


def _kept_secret(path: Path) -> str:
    """The secret in this file; made when there is none."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
