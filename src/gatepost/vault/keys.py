"""Keys: made once, kept wrapped in the keystore, unwrapped in memory for a minute at a time."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import tink
from django.conf import settings
from tink import aead, prf, proto_keyset_format, secret_key_access

from gatepost.errors import GatepostError

aead.register()
prf.register()

AEAD_TEMPLATE = aead.aead_key_templates.AES256_GCM
INDEX_TEMPLATE = prf.prf_key_templates.HMAC_SHA256
# An erased key must stop working in every process soon after its row is gone.
REMEMBERED_SECONDS = 60.0


class KeyUnavailable(GatepostError):
    "The key of this data is not in the keystore: it was erased, or the keystore cannot be reached."

    who = "operator"


class InstallationKeyMissing(GatepostError):
    "GATEPOST_KEY_FILE names no readable key. Restore it from its backup; without it nothing sealed can be read."

    who = "operator"


def create_installation_key(path: Path) -> None:
    """A new installation key at `path`, readable by its owner only. Refuses to overwrite one."""
    handle = tink.new_keyset_handle(AEAD_TEMPLATE)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def sealing_key(owner: str, owner_id: UUID) -> aead.Aead:
    """The key that seals for a "workspace" or a "mailbox"; made on first use."""
    return _keys.primitive(f"{owner}:{owner_id}:seal", AEAD_TEMPLATE, lambda h: h.primitive(aead.Aead))


def index_key(workspace_id: UUID, purpose: str = "index") -> prf.PrfSet:
    """The key for blind look-ups in a workspace. Purpose "suppression" has one of its own that survives erase."""
    name = f"workspace:{workspace_id}:{purpose}"
    return _keys.primitive(name, INDEX_TEMPLATE, lambda h: h.primitive(prf.PrfSet))


def installation_index_key(purpose: str) -> prf.PrfSet:
    """A key of the whole installation, for what must be found before the workspace is known."""
    return _keys.primitive(f"installation:{purpose}", INDEX_TEMPLATE, lambda h: h.primitive(prf.PrfSet))


def destroy(owner: str, owner_id: UUID) -> int:
    """Every key of this workspace or mailbox is gone for good. Returns how many there were."""
    return _keys.destroy(f"{owner}:{owner_id}:")


def note_beat(instance: UUID, beat: int) -> None:
    """The keystore knows how far the main database had come: a witness that does not lie in its backups."""
    _keys._run(
        "INSERT INTO beat (instance, beat) VALUES (%s, %s) "
        "ON CONFLICT (instance) DO UPDATE SET beat = greatest(beat.beat, excluded.beat)",
        [instance, beat],
    )


def noted_beat(instance: UUID) -> int:
    row = _keys._run("SELECT beat FROM beat WHERE instance = %s", [instance]).fetchone()
    return int(row[0]) if row else 0


class Keys:
    """Wrapped keys in the keystore, and a short memory of unwrapped ones."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._connection: psycopg.Connection | None = None
        self._installation: aead.Aead | None = None
        self._remembered: dict[str, tuple[float, object]] = {}

    def primitive(self, name: str, template: object, make: Callable[[tink.KeysetHandle], Any]) -> Any:
        with self._lock:
            known = self._remembered.get(name)
            if known and time.monotonic() - known[0] < REMEMBERED_SECONDS:
                return known[1]
            primitive = make(self._load_or_create(name, template))
            self._remembered[name] = (time.monotonic(), primitive)
            return primitive

    def destroy(self, prefix: str) -> int:
        with self._lock:
            for name in [name for name in self._remembered if name.startswith(prefix)]:
                del self._remembered[name]
            return self._run("DELETE FROM wrapped_key WHERE starts_with(name, %s)", [prefix]).rowcount

    def forget(self) -> None:
        """Drop connection and memory, as after a fork or when the keystore moved."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = self._installation = None
            self._remembered.clear()

    def _load_or_create(self, name: str, template: object) -> tink.KeysetHandle:
        row = self._run("SELECT wrapped FROM wrapped_key WHERE name = %s", [name]).fetchone()
        if row is None:
            handle = tink.new_keyset_handle(template)
            wrapped = proto_keyset_format.serialize_encrypted(handle, self._installation_key(), name.encode())
            # Two processes may meet here: the first row stands, and both use it.
            self._run(
                "INSERT INTO wrapped_key (name, wrapped) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [name, wrapped],
            )
            row = self._run("SELECT wrapped FROM wrapped_key WHERE name = %s", [name]).fetchone()
        if row is None:
            raise KeyUnavailable(f"The key {name} could not be stored in the keystore.")
        try:
            return proto_keyset_format.parse_encrypted(bytes(row[0]), self._installation_key(), name.encode())
        except tink.TinkError as error:
            raise KeyUnavailable(
                f"The key {name} cannot be unwrapped: GATEPOST_KEY_FILE is not the key that this keystore was made with."
            ) from error

    def _installation_key(self) -> aead.Aead:
        if self._installation is None:
            path = Path(settings.GATEPOST_KEY_FILE)
            try:
                handle = proto_keyset_format.parse(path.read_bytes(), secret_key_access.TOKEN)
            except (OSError, tink.TinkError) as error:
                raise InstallationKeyMissing(
                    f"GATEPOST_KEY_FILE={path} holds no readable key ({type(error).__name__}). "
                    "Restore the file from its backup."
                ) from error
            self._installation = handle.primitive(aead.Aead)
        return self._installation

    def _run(self, statement: LiteralString, values: list[object]) -> psycopg.Cursor:
        """Run a statement on the keystore; a connection that died meanwhile is opened anew, once."""
        try:
            return self._open().execute(statement, values)
        except psycopg.OperationalError:
            with contextlib.suppress(Exception):
                self._open().close()
            self._connection = None
            try:
                return self._open().execute(statement, values)
            except psycopg.OperationalError as error:
                raise KeyUnavailable(
                    "The keystore does not answer. Start its database, or correct GATEPOST_KEYSTORE_URL."
                ) from error

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                settings.GATEPOST_KEYSTORE_URL, autocommit=True, connect_timeout=5
            )
        return self._connection


def prepare_keystore(url: str) -> None:
    """The keystore's tables exist."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS wrapped_key "
            "(name text PRIMARY KEY, wrapped bytea NOT NULL, created_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS beat (instance uuid PRIMARY KEY, beat bigint NOT NULL)"
        )


_keys = Keys()
os.register_at_fork(after_in_child=_keys.forget)
