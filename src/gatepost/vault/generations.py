"""Generations of a key: the newest one seals, former ones still open.

They lie in the keystore under one name, as one set of keys, so that erasing destroys all of them at once. Each sealed value
begins with the mark of the generation that made it, so that what is left of a former one can be counted.

A process remembers keys for `REMEMBERED_SECONDS`. Until then one that runs may seal with the generation before, and
until then what was counted is not the last word.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from django.conf import settings
from psycopg.rows import class_row
from tink import KeysetHandle, aead, new_keyset_handle

from gatepost.errors import GatepostError
from gatepost.vault import indexes, keys
from gatepost.vault.fields import SealedField

MARK_BYTES = 5
# The prefix that Tink writes before what it seals: its version, and the id of the key (tink.proto, OutputPrefixType.TINK).
TINK = b"\x01"
STATE = (
    "name, generation, coalesce(changed_at, created_at) AS since, resealed_at, keep_former, now() AS read_at"
)


class TooManyFormer(GatepostError):
    "A key was changed more often than keys can be told apart, and backups may need them all."

    who = "operator"


@dataclass(frozen=True, slots=True)
class Generation:
    """How far a key in the keystore has come, by the keystore's clock."""

    name: str
    generation: int  # 1 for one that was never changed
    since: datetime  # from when on the newest one seals
    resealed_at: datetime | None  # since when nothing is left that a former one made
    keep_former: timedelta | None  # for how long former ones are kept from then on; None: there are none
    read_at: datetime

    @property
    def level(self) -> str:
        """What keys like this one are for: "mailbox", "workspace", "index", "factors" or "marks"."""
        kind = self.name.partition(":")[0]
        seals = self.name.endswith(":seal")
        if kind == "installation":
            return "factors" if seals else "marks"
        return kind if seals else "index"

    @property
    def owner(self) -> str:
        """Such as "workspace:<id>"."""
        return self.name.rpartition(":")[0]

    @property
    def is_cover(self) -> bool:
        return self.name.endswith(":cover")

    @property
    def age(self) -> timedelta:
        return self.read_at - self.since

    @property
    def keeps_former(self) -> bool:
        return self.keep_former is not None

    @property
    def is_changing(self) -> bool:
        """Whether values of a former generation may be left."""
        return self.keeps_former and self.resealed_at is None

    @property
    def former_until(self) -> datetime | None:
        """When former ones are destroyed, as far as that is known. Backups that were made while the last value was being
        sealed anew are as old as that value, and not as the change."""
        if self.keep_former is None or self.resealed_at is None:
            return None
        return self.resealed_at + self.keep_former


@dataclass(frozen=True, slots=True)
class Covering:
    """The cover of a workspace's blind indexes as the keystore holds it now: the ids of its keys."""

    newest: int
    former: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sealer:
    """A key as the keystore holds it now, with the marks of what its generations make."""

    key: aead.Aead
    newest: bytes
    former: tuple[bytes, ...]


def all_generations() -> list[Generation]:
    """Of every key in the keystore."""
    with _keystore() as connection, connection.cursor(row_factory=class_row(Generation)) as cursor:
        cursor.execute(f"SELECT {STATE} FROM wrapped_key ORDER BY name")
        return cursor.fetchall()


def unfinished() -> list[Generation]:
    """Of each key with which there is something to do: values to seal anew, or former generations whose time has come."""
    with _keystore() as connection, connection.cursor(row_factory=class_row(Generation)) as cursor:
        cursor.execute(
            f"SELECT {STATE} FROM wrapped_key "
            "WHERE keep_former IS NOT NULL AND (resealed_at IS NULL OR resealed_at + keep_former <= now()) ORDER BY name"
        )
        return cursor.fetchall()


def begin(name: str, *, keep_former: timedelta) -> bool:
    """The key has a newer generation, which seals from now on. False where one is being changed already, or there is none.

    Former ones are kept for so long after nothing is left that they made, for backups of the main database.
    """
    with _changing(name) as (connection, handle, state):
        if handle is None or state is None:
            return False
        begun = not state.is_changing
        if begun:
            _add(connection, name, keys.with_a_new_key(handle))
        _keep(connection, name, keep_former)
        return begun


def begin_cover(workspace_id: UUID, *, keep_former: timedelta) -> bool:
    """The same for what covers a workspace's blind indexes, which has none at first. False where it has no indexes yet."""
    name = keys.cover_name(workspace_id)
    with _changing(name) as (connection, handle, state):
        if handle is None or state is None:
            # Together with the look at the index key, so that a workspace that was closed gets no key again.
            made = keys.wrap(name, new_keyset_handle(keys.INDEX_TEMPLATE), keys.installation_aead())
            added = connection.execute(
                "INSERT INTO wrapped_key (name, wrapped, generation, changed_at, keep_former) "
                "SELECT %s, %s, 2, now(), %s FROM wrapped_key WHERE name = %s FOR UPDATE ON CONFLICT DO NOTHING",
                [name, made, keep_former, keys.index_name(workspace_id)],
            )
            return bool(added.rowcount)
        begun = not state.is_changing
        if begun:
            if len(handle.keyset_info().key_info) == len(indexes.LETTERS):
                raise TooManyFormer(
                    f"The blind indexes of the workspace {workspace_id} have {len(indexes.LETTERS)} keys that backups may need. "
                    "They were not changed: wait until former ones end (`gatepost keys` says when)."
                )
            newer = keys.with_a_new_key(handle, keys.INDEX_TEMPLATE, told_apart_by=indexes.letter)
            _add(connection, name, newer)
        _keep(connection, name, keep_former)
        return begun


def _add(connection: psycopg.Connection, name: str, newer: KeysetHandle) -> None:
    """The key has a newer generation, and what former ones made is yet to be found."""
    _store(connection, name, newer)
    connection.execute(
        "UPDATE wrapped_key SET generation = generation + 1, changed_at = now(), resealed_at = NULL WHERE name = %s",
        [name],
    )


def _keep(connection: psycopg.Connection, name: str, former: timedelta) -> None:
    connection.execute("UPDATE wrapped_key SET keep_former = %s WHERE name = %s", [former, name])


def covering(workspace_id: UUID) -> tuple[Generation, Covering] | None:
    """What covers a workspace's blind indexes, as it is now; None where there never was any, or it was erased."""
    with _changing(keys.cover_name(workspace_id)) as (_, handle, state):
        if handle is None or state is None:
            return None
        info = handle.keyset_info()
        former = tuple(each.key_id for each in info.key_info if each.key_id != info.primary_key_id)
        return state, Covering(info.primary_key_id, former)


def sealer(name: str) -> tuple[Generation, Sealer] | None:
    """The key as it is now; None where it was erased."""
    with _changing(name) as (_, handle, state):
        if handle is None or state is None:
            return None
        info = handle.keyset_info()
        newest = _mark(info.primary_key_id)
        former = tuple(_mark(each.key_id) for each in info.key_info if each.key_id != info.primary_key_id)
        return state, Sealer(handle.primitive(aead.Aead), newest, former)


def note_resealed(known: Generation) -> None:
    """Nothing is left that a former generation made. Says nothing where the key was changed again meanwhile."""
    _note(
        known,
        "UPDATE wrapped_key SET resealed_at = coalesce(resealed_at, now()) WHERE name = %s AND generation = %s",
    )


def note_found(known: Generation) -> None:
    """Something was left that a former generation made: also backups of today may hold it."""
    _note(known, "UPDATE wrapped_key SET resealed_at = NULL WHERE name = %s AND generation = %s")


def _note(known: Generation, statement: LiteralString) -> None:
    with _keystore() as connection:
        connection.execute(statement, [known.name, known.generation])


def destroy_former(known: Generation) -> bool:
    """Only the newest generation is left; what a former one sealed opens nowhere any more. False where the key was
    changed again or erased meanwhile, or its time has not come."""
    with _changing(known.name) as (connection, handle, state):
        if handle is None or state is None or state.generation != known.generation:
            return False
        if state.former_until is None or state.former_until > state.read_at:
            return False
        _store(connection, known.name, keys.only_the_primary(handle))
        connection.execute("UPDATE wrapped_key SET keep_former = NULL WHERE name = %s", [known.name])
        return True


def sealed_columns(model: Any) -> list[str]:
    return [field.name for field in model._meta.local_fields if isinstance(field, SealedField)]


def _mark(key_id: int) -> bytes:
    return TINK + key_id.to_bytes(MARK_BYTES - len(TINK), "big")


@contextmanager
def _changing(name: str) -> Iterator[tuple[psycopg.Connection, KeysetHandle | None, Generation | None]]:
    """A transaction in which nobody else changes this key; the same lock as where keys are made (`Keys._create`), so
    that the installation's key stays what it is."""
    with _keystore() as connection, connection.transaction():
        connection.execute("LOCK TABLE wrapped_key IN ROW EXCLUSIVE MODE")
        row = connection.execute(
            "SELECT wrapped FROM wrapped_key WHERE name = %s FOR UPDATE", [name]
        ).fetchone()
        if row is None:
            yield connection, None, None
            return
        with connection.cursor(row_factory=class_row(Generation)) as cursor:
            state = cursor.execute(f"SELECT {STATE} FROM wrapped_key WHERE name = %s", [name]).fetchone()
        yield connection, keys.unwrap(name, bytes(row[0]), keys.installation_aead()), state


def _store(connection: psycopg.Connection, name: str, handle: KeysetHandle) -> None:
    wrapped = keys.wrap(name, handle, keys.installation_aead())
    connection.execute("UPDATE wrapped_key SET wrapped = %s WHERE name = %s", [wrapped, name])


def _keystore() -> psycopg.Connection:
    """A connection of our own: the one that all threads share has no transactions that last."""
    try:
        return psycopg.connect(settings.GATEPOST_KEYSTORE_URL, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise keys.KeyUnavailable(
            "The keystore does not answer. Start its database, or correct GATEPOST_KEYSTORE_URL."
        ) from error
