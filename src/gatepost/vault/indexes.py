"""Columns of blind indexes: the program sees a keyed hash, the database stores it under a cover that can be changed.

The hash of a text (`sealing.index`) stays the same for ever: most have no text beside them any more, and records that are
chained name some of them. So that a stolen key does not go on telling what later dumps hold, what is stored is the hash
encrypted once more: one block of AES for the 16 bytes of a hash, with a key of its own that has generations as others do.
The same hash gives the same block, which is what look-ups need; it tells no more than the hash did: that two rows mean the
same.

    <32 hex digits>            no cover: the workspace's was never changed
    <letter><32 hex digits>    under the key that the letter names

While a cover is being changed, each hash has exactly one form at any moment: those whose former form begins with a byte
below `Cover.slices` lie under the next key, in every table, and all others under the one of now. So unique constraints,
joins and look-ups hold all the while. Lists of hashes, which are no constraint, are written under the next key at once
and looked for under both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher as AesCipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from tink import KeysetHandle, prf

from gatepost.isolation import Cover, cover
from gatepost.vault import keys

SLICES = 256
BLOCK_BYTES = 16
FORM_LENGTH = 1 + 2 * BLOCK_BYTES
LETTERS = "ghijklmnopqrstuvwxyz"  # no hex digits, and sorted behind them everywhere


def letter(key_id: int) -> str:
    return LETTERS[key_id % len(LETTERS)]


@dataclass(frozen=True, slots=True)
class Layer:
    """One key of a cover. `lay` and `lift` undo each other."""

    letter: str
    cipher: AesCipher[ECB]

    def lay(self, hashes: Iterable[str]) -> list[str]:
        # A beginning of a word has half a block (contacts.queries.search_indexer).
        blocks = b"".join(bytes.fromhex(each).ljust(BLOCK_BYTES, b"\0") for each in hashes)
        made = self.cipher.encryptor().update(blocks).hex()
        return [self.letter + made[at : at + 32] for at in range(0, len(made), 32)]

    def lift(self, forms: Iterable[str]) -> list[str]:
        blocks = b"".join(bytes.fromhex(each[1:]) for each in forms)
        made = self.cipher.decryptor().update(blocks).hex()
        return [made[at : at + 32].removesuffix("0" * 16) for at in range(0, len(made), 32)]


def layers(workspace_id: Any, *, anew: bool = False) -> Mapping[int, Layer]:
    """By the ids of their keys. Raises KeyErased where the workspace has no cover."""
    return keys.cover_key(workspace_id, _layers, anew=anew)


def _layers(handle: KeysetHandle) -> dict[int, Layer]:
    return {
        key_id: Layer(letter(key_id), AesCipher(AES256(each.compute(b"cover", 32)), ECB()))
        for key_id, each in handle.primitive(prf.PrfSet).all().items()
    }


def forms_now(connection: BaseDatabaseWrapper, hashes: Sequence[str]) -> list[str]:
    """How these hashes are stored at this moment, in the running transaction."""
    known = cover(connection)
    if known is None or (known.now is None and known.next is None):
        return list(hashes)
    before = _lay(known, known.now, hashes)
    if known.next is None:
        return before
    moved = [
        number
        for number, form in enumerate(before)
        if _is_hash(hashes[number]) and slice_of(form) < known.slices
    ]
    for number, form in zip(moved, _lay(known, known.next, [hashes[each] for each in moved]), strict=True):
        before[number] = form
    return before


def forms_in_lists(connection: BaseDatabaseWrapper, hashes: Sequence[str]) -> list[list[str]]:
    """How these hashes are stored in lists of them: all in one of these ways. The first is the one to write."""
    known = cover(connection)
    if known is None:
        return [list(hashes)]
    ways = [known.now] if known.next is None else [known.next, known.now]
    return [_lay(known, way, hashes) for way in ways]


def hashes_of(connection: BaseDatabaseWrapper, forms: Sequence[str]) -> list[str]:
    """The hashes that are stored like this, under whichever key. What no key opens stays as it is, and is like no hash."""
    covered = [number for number, form in enumerate(forms) if _is_covered(form)]
    hashes, known = list(forms), cover(connection)
    if not covered or known is None:
        return hashes
    by_letter = {each.letter: each for each in _all_layers(known, {forms[number][0] for number in covered})}
    for one, layer in by_letter.items():
        these = [number for number in covered if forms[number][0] == one]
        for number, each in zip(these, layer.lift(forms[number] for number in these), strict=True):
            hashes[number] = each
    return hashes


def slice_of(form: str) -> int:
    """In which of the 256 slices a hash lies that is stored like this under the key of now."""
    return int(form[-32:][:2], 16)


def _all_layers(known: Cover, wanted: set[str]) -> list[Layer]:
    for anew in (False, True):  # another process may have begun to use a key that we do not know yet
        try:
            found = layers(known.workspace_id, anew=anew).values()
        except keys.KeyErased:
            return []
        if wanted <= {each.letter for each in found}:
            break
    return list(found)


def _lay(known: Cover, key_id: int | None, hashes: Sequence[str]) -> list[str]:
    if key_id is None:
        return list(hashes)
    try:
        layer = layers(known.workspace_id).get(key_id) or layers(known.workspace_id, anew=True)[key_id]
    except KeyError as error:
        raise keys.KeyErased(
            "The key that covers the blind indexes of this workspace is not in the keystore: it was destroyed since this "
            "backup of the main database was made, or the keystore is older than the main database."
        ) from error
    laid = iter(layer.lay(filter(_is_hash, hashes)))
    return [next(laid) if _is_hash(each) else each for each in hashes]


def _is_hash(text: str) -> bool:
    """Not "", which says that there is none, and not what is covered already and no key opened."""
    return bool(text) and not _is_covered(text)


def _is_covered(form: str) -> bool:
    return len(form) == FORM_LENGTH and form[0] in LETTERS


class IndexField(models.CharField):
    """A blind index of a workspace (`sealing.index`), or "" where there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = FORM_LENGTH
        super().__init__(*args, **kwargs)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return forms_now(connection, [value])[0] if isinstance(value, str) else value

    def from_db_value(
        self, value: str | None, expression: object, connection: BaseDatabaseWrapper
    ) -> str | None:
        return value if value is None else hashes_of(connection, [value])[0]


class IndexesField(ArrayField):
    """A list of blind indexes of a workspace."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["base_field"] = models.CharField(max_length=FORM_LENGTH)
        super().__init__(**kwargs)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return forms_in_lists(connection, value)[0] if isinstance(value, list | tuple) else value

    def from_db_value(
        self, value: list[str] | None, expression: object, connection: BaseDatabaseWrapper
    ) -> list[str] | None:
        return value if value is None else hashes_of(connection, value)


@IndexesField.register_lookup
class ContainsAll(models.Lookup):
    """Every one of these is in the list."""

    lookup_name = "contains"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, given = self.process_lhs(compiler, connection)
        ways = forms_in_lists(connection, self.rhs)
        either = " OR ".join(f"{column} @> %s::varchar[]" for _ in ways)
        return f"({either})", [part for way in ways for part in (*given, way)]
