"""Keys: made once, kept wrapped in the keystore, unwrapped in memory for a minute at a time."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString, TypeVar, cast
from uuid import UUID

import psycopg
import tink
from django.conf import settings
from tink import aead, prf, proto_keyset_format, secret_key_access
from tink.proto import tink_pb2

from gatepost.errors import GatepostError

aead.register()
prf.register()

T = TypeVar("T")

AEAD_TEMPLATE = aead.aead_key_templates.AES256_GCM
INDEX_TEMPLATE = prf.prf_key_templates.HMAC_SHA256
# An erased key must stop working in every process soon after its row is gone.
REMEMBERED_SECONDS = 60.0


class KeyUnavailable(GatepostError):
    "The key of this data is not in the keystore: it was erased, or the keystore cannot be reached."

    who = "operator"


class KeyErased(KeyUnavailable):
    "The key is not in the keystore: what it sealed was erased, or the keystore was restored from another installation."


class InstallationKeyMissing(GatepostError):
    "GATEPOST_KEY_FILE names no readable key. Restore it from its backup; without it nothing sealed can be read."

    who = "operator"


def create_installation_key(path: Path) -> None:
    """A new installation key at `path`, readable by its owner only. Refuses to overwrite one."""
    handle = tink.new_keyset_handle(AEAD_TEMPLATE)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def read_installation_key(path: Path) -> tink.KeysetHandle:
    try:
        return proto_keyset_format.parse(path.read_bytes(), secret_key_access.TOKEN)
    except (OSError, tink.TinkError) as error:
        raise _no_key(path, error) from error


def sealing_key(owner: str, owner_id: UUID, *, create: bool = True, anew: bool = False) -> aead.Aead:
    """The key that seals for a "workspace" or a "mailbox"; made on first use. Without `create` raises KeyErased.

    It seals with its newest generation and opens with all of them. `anew`: as it is in the keystore now, since one that
    we remember may not know a generation that another process has begun to use.
    """
    name = sealing_name(owner, owner_id)
    return _keys.primitive(name, AEAD_TEMPLATE, lambda h: h.primitive(aead.Aead), create=create, anew=anew)


def sealing_name(owner: str, owner_id: UUID) -> str:
    return f"{owner}:{owner_id}:seal"


def installation_aead() -> aead.Aead:
    """What wraps the other keys, as the file holds it now."""
    with _keys._lock:
        return _keys._installation_key()


def index_key(workspace_id: UUID, purpose: str = "index") -> prf.PrfSet:
    """The key for blind look-ups in a workspace. Purpose "suppression" has one of its own that survives erase."""
    name = index_name(workspace_id, purpose)
    return _keys.primitive(name, INDEX_TEMPLATE, lambda h: h.primitive(prf.PrfSet))


def index_name(workspace_id: UUID, purpose: str = "index") -> str:
    return f"workspace:{workspace_id}:{purpose}"


def cover_name(workspace_id: UUID) -> str:
    return f"workspace:{workspace_id}:cover"


def cover_key(workspace_id: UUID, make: Callable[[tink.KeysetHandle], T], *, anew: bool = False) -> T:
    """What `make` makes of the keys that cover a workspace's blind indexes. Raises KeyErased where there are none."""
    name = cover_name(workspace_id)
    return cast(T, _keys.primitive(name, INDEX_TEMPLATE, make, create=False, anew=anew))


def installation_index_key(purpose: str) -> prf.PrfSet:
    """A key of the whole installation, for what must be found before the workspace is known."""
    return _keys.primitive(f"installation:{purpose}", INDEX_TEMPLATE, lambda h: h.primitive(prf.PrfSet))


def installation_sealing_key(purpose: str, *, anew: bool = False) -> aead.Aead:
    """A key of the whole installation, for secrets of people, who belong to no one workspace. `anew`: as above."""
    name = installation_sealing_name(purpose)
    return _keys.primitive(name, AEAD_TEMPLATE, lambda h: h.primitive(aead.Aead), anew=anew)


def installation_sealing_name(purpose: str) -> str:
    return f"installation:{purpose}:seal"


def destroy(owner: str, owner_id: UUID | str) -> int:
    """Every key of this workspace or mailbox is gone for good. Returns how many there were."""
    return _keys.destroy(f"{owner}:{owner_id}:")


def destroy_again(owners: list[str]) -> int:
    """Keys of these owners ("mailbox:<id>") that a backup brought back are gone once more. Returns how many."""
    return _keys.destroy_again(owners)


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
        self._installation: tuple[tuple[int, int, int], aead.Aead] | None = None
        self._remembered: dict[str, tuple[float, object]] = {}

    def primitive(
        self,
        name: str,
        template: object,
        make: Callable[[tink.KeysetHandle], Any],
        *,
        create: bool = True,
        anew: bool = False,
    ) -> Any:
        with self._lock:
            known = None if anew else self._remembered.get(name)
            if known and time.monotonic() - known[0] < REMEMBERED_SECONDS:
                return known[1]
            primitive = make(self._load(name, template, create=create))
            self._remembered[name] = (time.monotonic(), primitive)
            return primitive

    def destroy(self, prefix: str) -> int:
        with self._lock:
            for name in [name for name in self._remembered if name.startswith(prefix)]:
                del self._remembered[name]
            return self._run("DELETE FROM wrapped_key WHERE starts_with(name, %s)", [prefix]).rowcount

    def destroy_again(self, owners: list[str]) -> int:
        with self._lock:
            owner = "split_part(name, ':', 1) || ':' || split_part(name, ':', 2)"
            gone = self._run(f"DELETE FROM wrapped_key WHERE {owner} = ANY (%s)", [owners]).rowcount
            if gone:
                self._remembered.clear()
            return gone

    def forget(self) -> None:
        """Drop connection and memory, as after a fork or when the keystore moved."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = self._installation = None
            self._remembered.clear()

    def _load(self, name: str, template: object, *, create: bool) -> tink.KeysetHandle:
        wrapped = self._wrapped(name)
        if wrapped is None and not create:
            raise KeyErased(f"The key {name} is not in the keystore: what it sealed was erased.")
        if wrapped is None:
            self._create(name, template)
            wrapped = self._wrapped(name)
        if wrapped is None:
            raise KeyUnavailable(f"The key {name} could not be stored in the keystore.")
        try:
            return unwrap(name, wrapped, self._installation_key())
        except tink.TinkError:
            pass
        # Between the row and the file the installation's key may have been changed: both are read once more.
        try:
            return unwrap(name, self._wrapped(name) or b"", self._installation_key())
        except tink.TinkError as error:
            raise KeyUnavailable(
                f"The key {name} cannot be unwrapped: GATEPOST_KEY_FILE is not the key that this keystore was made with."
            ) from error

    def _wrapped(self, name: str) -> bytes | None:
        row = self._run("SELECT wrapped FROM wrapped_key WHERE name = %s", [name]).fetchone()
        return None if row is None else bytes(row[0])

    def _create(self, name: str, template: object) -> None:
        """A row of that name exists. Two processes may meet here: the first row stands, and both use it.

        The lock comes before the file is read: `change_installation_key` holds a stronger one, so no row is
        wrapped by a key that is about to go.
        """
        connection = self._open()  # the look before has just used it
        with connection.transaction():
            connection.execute("LOCK TABLE wrapped_key IN ROW EXCLUSIVE MODE")
            connection.execute(
                "INSERT INTO wrapped_key (name, wrapped) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [name, wrap(name, tink.new_keyset_handle(template), self._installation_key())],
            )

    def _installation_key(self) -> aead.Aead:
        """What the file holds now: it may be changed while we run."""
        path = Path(settings.GATEPOST_KEY_FILE)
        try:
            found = path.stat()
            mark = (found.st_mtime_ns, found.st_ino, found.st_size)
            if self._installation is None or self._installation[0] != mark:
                self._installation = mark, read_installation_key(path).primitive(aead.Aead)
        except OSError as error:
            raise _no_key(path, error) from error
        return self._installation[1]

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


def change_installation_key(path: Path, keystore_url: str) -> int:
    """The file holds a new key, every key in the keystore is wrapped by it, and the old one opens nothing any more.

    Returns how many keys were wrapped anew. It may be killed at any moment and run again: until the last step the
    file opens what either key wrapped. Running processes notice the new file by themselves.
    """
    with psycopg.connect(keystore_url, connect_timeout=5) as connection:
        # Reading goes on; a key that is to be made waits (`_create`).
        connection.execute("LOCK TABLE wrapped_key IN SHARE ROW EXCLUSIVE MODE")
        both = read_installation_key(path)
        begun_before = len(both.keyset_info().key_info) > 1
        if not begun_before:
            both = with_a_new_key(both)
        by = both.primitive(aead.Aead)
        rows = connection.execute("SELECT name, wrapped FROM wrapped_key").fetchall()
        try:
            handles = {name: unwrap(name, bytes(wrapped), by) for name, wrapped in rows}
        except tink.TinkError as error:
            raise KeyUnavailable(
                f"{path} is not the key that this keystore was made with. Nothing was changed."
            ) from error
        if not begun_before:
            _replace(path, both)
        for name, handle in handles.items():
            connection.execute(
                "UPDATE wrapped_key SET wrapped = %s WHERE name = %s", [wrap(name, handle, by), name]
            )
        connection.commit()
        _replace(path, only_the_primary(both))
    return len(rows)


def wrap(name: str, handle: tink.KeysetHandle, by: aead.Aead) -> bytes:
    return proto_keyset_format.serialize_encrypted(handle, by, name.encode())


def unwrap(name: str, wrapped: bytes, by: aead.Aead) -> tink.KeysetHandle:
    return proto_keyset_format.parse_encrypted(wrapped, by, name.encode())


def with_a_new_key(
    old: tink.KeysetHandle, template: object = AEAD_TEMPLATE, *, told_apart_by: Callable[[int], object] = int
) -> tink.KeysetHandle:
    """The old keys still open; the new one seals. Their ids differ in what `told_apart_by` takes of them."""
    keys, new = _proto(old), _proto(tink.new_keyset_handle(template))
    if told_apart_by(new.primary_key_id) in {told_apart_by(key.key_id) for key in keys.key}:
        return with_a_new_key(old, template, told_apart_by=told_apart_by)
    keys.key.extend(new.key)
    keys.primary_key_id = new.primary_key_id
    return proto_keyset_format.parse(keys.SerializeToString(), secret_key_access.TOKEN)


def only_the_primary(handle: tink.KeysetHandle) -> tink.KeysetHandle:
    keys = _proto(handle)
    kept = [key for key in keys.key if key.key_id == keys.primary_key_id]
    del keys.key[:]
    keys.key.extend(kept)
    return proto_keyset_format.parse(keys.SerializeToString(), secret_key_access.TOKEN)


def _proto(handle: tink.KeysetHandle) -> tink_pb2.Keyset:
    return tink_pb2.Keyset.FromString(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def _replace(path: Path, handle: tink.KeysetHandle) -> None:
    """The file is the old one or the new one, also after a crash of the machine."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
        file.flush()
        os.fsync(file.fileno())
    # Started by root, the command must not take the key away from the user that runs Gatepost.
    with contextlib.suppress(PermissionError):
        os.chown(draft, path.stat().st_uid, path.stat().st_gid)
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _no_key(path: Path, error: Exception) -> InstallationKeyMissing:
    return InstallationKeyMissing(
        f"GATEPOST_KEY_FILE={path} holds no readable key ({type(error).__name__}). Restore the file from its backup."
    )


def prepare_keystore(url: str) -> None:
    """The keystore's tables exist."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS wrapped_key "
            "(name text PRIMARY KEY, wrapped bytea NOT NULL, created_at timestamptz NOT NULL DEFAULT now())"
        )
        # What gatepost.vault.generations notes of each key.
        connection.execute(
            "ALTER TABLE wrapped_key ADD COLUMN IF NOT EXISTS generation integer NOT NULL DEFAULT 1, "
            "ADD COLUMN IF NOT EXISTS changed_at timestamptz, ADD COLUMN IF NOT EXISTS resealed_at timestamptz, "
            "ADD COLUMN IF NOT EXISTS keep_former interval"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS beat (instance uuid PRIMARY KEY, beat bigint NOT NULL)"
        )


_keys = Keys()
os.register_at_fork(after_in_child=_keys.forget)
