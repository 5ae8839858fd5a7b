"""Sealing a text into a row, and finding a row by a text without storing it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import models
from tink import TinkError, aead

from gatepost.errors import GatepostError
from gatepost.vault import keys
from gatepost.vault.fields import Sealed, SealedField

INDEX_BYTES = 16


class NotReadable(GatepostError):
    "The sealed value does not belong to this row, or its key was erased."

    who = "operator"


def seal(row: models.Model, column: str, text: str | None) -> None:
    """`row.column` holds `text` sealed with the row's key (`sealed_with`) and bound to this table, column and row.

    A ciphertext copied into another row or column does not open there.
    """
    seal_all(row, {column: text})


def seal_all(row: models.Model, texts: Mapping[str, str | None]) -> None:
    """The same for several columns of a row."""
    key = _key(row) if any(text is not None for text in texts.values()) else None
    for column, text in texts.items():
        if text is None or key is None:
            setattr(row, column, None)
        else:
            setattr(row, column, Sealed(key.encrypt(text.encode(), _place(row, column))))


def open_sealed(row: models.Model, column: str, *, holds: str) -> str | None:
    """The text in `row.column`. For names, content and tokens only: each has its own door."""
    field = row._meta.get_field(column)
    if not isinstance(field, SealedField) or field.holds != holds:
        raise TypeError(f"{row._meta.label}.{column} is not a sealed {holds}")
    ciphertext = getattr(row, column)
    if ciphertext is None:
        return None
    try:
        try:
            return _key(row, create=False).decrypt(bytes(ciphertext), _place(row, column)).decode()
        except TinkError:
            # Another process may seal with a generation of the key that we do not know yet.
            key = _key(row, create=False, anew=True)
            return key.decrypt(bytes(ciphertext), _place(row, column)).decode()
    except keys.KeyErased as error:
        raise NotReadable(f"{row._meta.label}.{column} cannot be opened: its key was erased.") from error
    except TinkError as error:
        raise NotReadable(
            f"{row._meta.label}.{column} cannot be opened: it was not sealed for this place, or by a former key that was "
            "destroyed since, which only a backup from before then needs."
        ) from error


def reseal(row: models.Model, column: str, key: aead.Aead) -> Sealed | None:
    """The same text, sealed with the newest generation of the row's key, for the same place. Changes nothing. None
    where it does not open, and so belongs to no generation that is left.

    The text shows itself to nobody.
    """
    place = _place(row, column)
    try:
        return Sealed(key.encrypt(key.decrypt(bytes(getattr(row, column)), place), place))
    except TinkError:
        return None


def index(workspace_id: UUID, kind: str, text: str, *, purpose: str = "index") -> str:
    """A keyed hash that is the same for the same text in a workspace, for look-ups and unique constraints.

    `kind` keeps an address, a Message-ID and a domain apart. Compared without case and outer white space.
    """
    return indexer(workspace_id, kind, purpose=purpose)(text)


def indexer(workspace_id: UUID, kind: str, *, purpose: str = "index") -> Callable[[str], str]:
    """`index` for many texts in a row, with the key fetched once. To be thrown away with the batch: an erased key must
    stop working soon."""
    compute, before = keys.index_key(workspace_id, purpose).primary().compute, f"{kind}\0"
    return lambda text: compute(f"{before}{text.strip().casefold()}".encode(), INDEX_BYTES).hex()


def installation_index(kind: str, text: str) -> str:
    """Like `index`, for what must be found before the workspace is known: a sign-in state, a tenant's user."""
    return keys.installation_index_key(kind).primary().compute(text.encode(), INDEX_BYTES).hex()


def _key(row: Any, *, create: bool = True, anew: bool = False) -> Any:
    owner = row.sealed_with
    owner_id = row.pk if row._meta.model_name == owner else getattr(row, f"{owner}_id")
    return keys.sealing_key(owner, owner_id, create=create, anew=anew)


def _place(row: models.Model, column: str) -> bytes:
    return f"{row._meta.db_table}|{column}|{row.pk}".encode()
