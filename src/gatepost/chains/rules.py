"""What a record's print and a link's hash are, and which breaks a chain has. Pure, and small enough to write anew."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import Struct
from typing import Any
from uuid import UUID

import orjson

FIRST = "0" * 64  # what the first link names as the one before it
# The database removes no request that is younger, whatever it is asked (migrations/0005_erasure.py).
LEDGER_KEPT_AT_LEAST = timedelta(days=30)
_PRINT = Struct(">c16sq32s")  # kind, id, its time in microseconds, hash: in the order of the records' numbers


@dataclass(frozen=True, slots=True)
class Record:
    """An audit entry or a ledger row as it is stored: its columns by name, `number` among them; `at` in microseconds."""

    kind: str  # "audit" or "ledger"
    values: dict[str, Any]

    @property
    def id(self) -> UUID:
        return self.values["id"]

    @property
    def number(self) -> int:
        return int(self.values["number"])


@dataclass(frozen=True, slots=True)
class Print:
    """What stays of a record in its chain, also when the record is gone."""

    kind: str
    id: UUID
    at: datetime
    hash: bytes


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """One link as it is stored."""

    workspace_id: UUID
    position: int  # 1, 2, 3 …
    at: datetime
    through: int  # the number of the last record that it holds
    prints: bytes
    previous: str
    hash: str
    mark: str  # keyed: only this installation makes it


@dataclass(frozen=True, slots=True)
class AnchorFacts:
    """What an anchor says: at that moment this was the chain's last link."""

    workspace_id: UUID
    at: datetime
    position: int
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the records are not what they were. `where` names it."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Removals:
    """What was removed as it should be, and may be missing while its print stays."""

    requests_before: datetime | None = None  # of the ledger, by its time
    requests: int = 0  # how many
    everything: bool = False  # the workspace was closed, and a signed receipt says so


def written(record: Record) -> bytes:
    """The one way to write a record: JSON with names in order and without white space; `at` in microseconds since 1970."""
    try:
        return orjson.dumps([record.kind, record.values], option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a number of more than 64 bits, which nothing of ours writes
        return json.dumps([record.kind, record.values], sort_keys=True, default=str).encode()


def print_of(record: Record) -> bytes:
    kind, at = record.kind[:1].encode(), record.values["at"]
    return _PRINT.pack(kind, record.id.bytes, at, sha256(written(record)).digest())


def prints_in(packed: bytes) -> list[Print]:
    """Whole ones only: a cut or lengthened text no longer has its link's hash anyway."""
    kinds = {b"a": "audit", b"l": "ledger"}
    whole = packed[: len(packed) - len(packed) % _PRINT.size]
    return [
        Print(kinds.get(kind, "?"), UUID(bytes=id_), _moment(at), hash_)
        for kind, id_, at, hash_ in _PRINT.iter_unpack(whole)
    ]


def hash_of(
    workspace_id: UUID, position: int, at: datetime, through: int, prints: bytes, previous: str
) -> str:
    said = [str(workspace_id), position, _microseconds(at), through, sha256(prints).hexdigest(), previous]
    return sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()


def breaks_of_link(link: LinkFacts, before: LinkFacts | None, *, mark: str) -> Iterator[Break]:
    """Whether it is whole, made here, and follows the one before. `mark`: what this installation makes of its hash."""
    where = f"link {link.position}"
    position, previous = (before.position + 1, before.hash) if before else (1, FIRST)
    if link.position != position:
        yield Break("links are missing", f"{where} comes after link {position - 1}")
    elif link.previous != previous:
        yield Break("a link does not follow the one before it", where)
    if (
        link.hash
        != hash_of(link.workspace_id, link.position, link.at, link.through, link.prints, link.previous)
        or len(link.prints) % _PRINT.size
    ):
        yield Break("a link was changed", where)
    elif link.mark != mark:
        yield Break("a link was not made by this installation", where)


def breaks_of_records(link: LinkFacts, stored: Iterable[Record], gone: Removals) -> tuple[list[Break], int]:
    """What of the link's records is not as it was chained; and how many of them were removed as they should be.

    `stored`: the records whose numbers belong to this link, and any other that its prints name.
    """
    found: list[Break] = []
    known = {(each.kind, each.id): each for each in stored}
    removed = 0
    for chained in prints_in(link.prints):
        where = f"{chained.kind} {chained.id} of link {link.position}"
        record = known.pop((chained.kind, chained.id), None)
        if record is None:
            is_old = gone.requests_before is not None and chained.at < gone.requests_before
            if gone.everything or (chained.kind == "ledger" and is_old):
                removed += 1
                continue
            found.append(Break("a record was removed", where))
        elif sha256(written(record)).digest() != chained.hash:
            found.append(Break("a record was changed", where))
    found += [
        Break("a record was added afterwards", f"{kind} {id_}, by its number in link {link.position}")
        for kind, id_ in known
    ]
    return found, removed


def breaks_of_anchors(
    anchors: Sequence[AnchorFacts], hashes: dict[int, str], *, restored_at: datetime | None
) -> tuple[list[Break], list[Break]]:
    """Anchors that the chain does not hold; and those of them that a restored database explains.

    `hashes`: of the anchored positions, as the chain has them now. What was chained after the backup that was put back
    is gone with the database that it was in; the record itself says when that was.
    """
    broken: list[Break] = []
    explained: list[Break] = []
    for anchor in anchors:
        if hashes.get(anchor.position) == anchor.hash:
            continue
        what = "the chain was cut off" if anchor.position not in hashes else "the chain was made anew"
        said = Break(what, f"link {anchor.position}, anchored {anchor.at:%Y-%m-%d %H:%M} UTC")
        (explained if restored_at is not None and anchor.at <= restored_at else broken).append(said)
    return broken, explained


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
