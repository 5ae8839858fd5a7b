"""Messages at rest. They lie in the database, with its indexes; only those in use are in memory.

A million messages cost a process little: what nobody holds is read again when somebody asks.
"""

import heapq
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from operator import itemgetter
from typing import Any
from weakref import WeakValueDictionary

import orjson

from m365_sandbox.entities import Gone, Message

TABLES = """
CREATE TABLE IF NOT EXISTS message (
    key TEXT UNIQUE, mailbox TEXT, folder TEXT, id TEXT, immutable_id TEXT, internet_id TEXT, conversation TEXT,
    received REAL, is_read INTEGER, seq INTEGER, json BLOB);
CREATE TABLE IF NOT EXISTS property (mailbox TEXT, name TEXT, value TEXT, key TEXT);
CREATE INDEX IF NOT EXISTS property_value ON property (mailbox, name, value);
CREATE INDEX IF NOT EXISTS property_key ON property (key);
"""
_INDEXED = {
    "message_id": "id", "message_immutable_id": "immutable_id", "message_internet_id": "internet_id",
    "message_conversation": "conversation", "message_time": "folder, received, is_read",
    "message_mailbox_time": "mailbox, received", "message_change": "folder, seq",
}  # fmt: skip
INDEXES = "".join(
    f"CREATE INDEX IF NOT EXISTS {name} ON message ({columns});" for name, columns in _INDEXED.items()
)
SCHEMA = TABLES + INDEXES
_COLUMNS = (
    "key", "mailbox", "folder", "id", "immutable_id", "internet_id", "conversation", "received", "is_read", "seq",
)  # fmt: skip
_KEEP = (
    f"INSERT INTO message ({', '.join(_COLUMNS)}, json) VALUES ({', '.join('?' * (len(_COLUMNS) + 1))}) "
    "ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS[2:], "json"))
)
_NAMES = frozenset(field.name for field in fields(Message))
_AT_ONCE = 128


class Shelf:
    """The store's messages by key, as a mapping, and the questions that an index answers.

    Two who ask for the same message get the same object as long as one of them holds it.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._in_use: WeakValueDictionary[str, Message] = WeakValueDictionary()
        self.changed: dict[str, Message | None] = {}
        """Since the last commit; None: deleted."""
        self._unwritten: set[str] = set()
        self.gones: dict[str, dict[str, Gone]] = defaultdict(dict)
        """By folder: what left it."""

    # Keeping

    def keep(self, message: Message) -> None:
        self._in_use[message.key] = message
        self.changed[message.key] = message
        self._unwritten.add(message.key)

    def drop(self, message: Message) -> None:
        self._in_use.pop(message.key, None)
        self.changed[message.key] = None
        self._unwritten.add(message.key)

    def commit(self) -> None:
        """Write what was changed since the last commit: also what changed after a question had it written."""
        self._write(self.changed)
        self.changed.clear()
        self._unwritten.clear()

    def _write_unwritten(self) -> None:
        """So that a question sees what this request has changed so far."""
        if self._unwritten:
            self._write({key: self.changed[key] for key in self._unwritten})
            self._unwritten.clear()

    def _write(self, messages: dict[str, Message | None]) -> None:
        if not messages:
            return
        if not self._db.in_transaction:
            self._db.execute("BEGIN")
        kept = [message for message in messages.values() if message is not None]
        dropped = [(key,) for key, message in messages.items() if message is None]
        self._db.executemany("DELETE FROM property WHERE key = ?", [(key,) for key in messages])
        self._db.executemany("DELETE FROM message WHERE key = ?", dropped)
        self._db.executemany(_KEEP, map(_row, kept))
        self._db.executemany(
            "INSERT INTO property VALUES (?, ?, ?, ?)",
            [
                (m.mailbox, name, value.casefold(), m.key)
                for m in kept
                for name, value in m.properties.items()
            ],
        )

    @contextmanager
    def many_at_once(self) -> Iterator[None]:
        """To put in a million and ask nothing meanwhile: the indexes are made at the end, at a tenth of the cost."""
        self._db.executescript("".join(f"DROP INDEX IF EXISTS {name};" for name in _INDEXED))
        yield
        self._db.executescript(INDEXES)

    # As a mapping by key

    def get(self, key: str) -> Message | None:
        if key in self.changed:
            return self.changed[key]
        return self._in_use.get(key) or next(self._ask("key = ?", (key,)), None)

    def __getitem__(self, key: str) -> Message:
        message = self.get(key)
        if message is None:
            raise KeyError(key)
        return message

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        return self._number("SELECT count(*) FROM message", ())

    def values(self) -> Iterator[Message]:
        return self._ask("true ORDER BY rowid", ())

    # Questions

    def by_id(self, name: str) -> Message | None:
        """By either of its ids."""
        return next(self._ask("id = ?", (name,)), None) or next(self._ask("immutable_id = ?", (name,)), None)

    def by_internet_id(self, mailbox: str, internet_id: str) -> list[Message]:
        asked = "internet_id = ? AND +mailbox = ? ORDER BY received DESC"
        return list(self._ask(asked, (internet_id, mailbox)))

    def by_conversation(self, mailbox: str, conversation: str) -> list[Message]:
        asked = "conversation = ? AND +mailbox = ? ORDER BY received DESC"
        return list(self._ask(asked, (conversation, mailbox)))

    def by_property(self, mailbox: str, name: str, value: str) -> list[Message]:
        asked = (
            "key IN (SELECT key FROM property WHERE mailbox = ? AND name = ? AND value = ?) "
            "ORDER BY received DESC"
        )
        return list(self._ask(asked, (mailbox, name, value.casefold())))

    def newest_first(self, *, since: float, folder: str = "", mailbox: str = "") -> Iterator[Message]:
        where, of = ("folder", folder) if folder else ("mailbox", mailbox)
        asked = f"{where} = ? AND received >= ? ORDER BY received DESC, rowid DESC"
        return self._ask(asked, (of, since))

    def page(self, skip: int, top: int, *, folder: str = "", mailbox: str = "") -> list[Message]:
        """The newest `top` after the newest `skip`, without touching the others."""
        where, of = ("folder", folder) if folder else ("mailbox", mailbox)
        asked = f"{where} = ? ORDER BY received DESC, rowid DESC LIMIT ? OFFSET ?"
        return list(self._ask(asked, (of, top, skip)))

    def count(self, *, folder: str = "", mailbox: str = "") -> int:
        where, of = ("folder", folder) if folder else ("mailbox", mailbox)
        return self._number(f"SELECT count(*) FROM message WHERE {where} = ?", (of,))

    def unread(self, folder: str) -> int:
        return self._number("SELECT count(*) FROM message WHERE folder = ? AND NOT is_read", (folder,))

    def changes(self, folder: str, after: int) -> Iterator[tuple[int, Message | Gone]]:
        """What changed in the folder after that change number, and what left it: each once, by that number."""
        left = sorted((gone.seq, gone) for gone in self.gones[folder].values() if gone.seq > after)
        there = self._ask("folder = ? AND seq > ? ORDER BY seq", (folder, after))
        return heapq.merge(left, ((message.seq, message) for message in there), key=itemgetter(0))

    def changes_anywhere(
        self, folders: Iterable[str], mailbox: str, after: int
    ) -> Iterator[tuple[int, Message | Gone]]:
        """The same for all folders of the mailbox."""
        gone = (gone for folder in folders for gone in self.gones[folder].values())
        left = sorted((item.seq, item) for item in gone if item.seq > after)
        there = self._ask("mailbox = ? AND seq > ? ORDER BY seq", (mailbox, after))
        return heapq.merge(left, ((message.seq, message) for message in there), key=itemgetter(0))

    def last_changes(self) -> Iterator[tuple[str, int]]:
        """(folder, its last change number)"""
        yield from self._db.execute("SELECT folder, max(seq) FROM message GROUP BY folder")

    def _ask(self, where: str, values: Iterable[Any]) -> Iterator[Message]:
        self._write_unwritten()
        rows = self._db.execute(f"SELECT key, json FROM message WHERE {where}", tuple(values))
        while block := rows.fetchmany(_AT_ONCE):
            for key, json in block:
                yield self._in_use.get(key) or self._wake(json)

    def _wake(self, json: bytes) -> Message:
        values = orjson.loads(json)
        if not values.keys() <= _NAMES:  # a file of an earlier version
            values = {name: value for name, value in values.items() if name in _NAMES}
        message = Message(**values)
        self._in_use[message.key] = message
        return message

    def _number(self, statement: str, values: tuple[Any, ...]) -> int:
        self._write_unwritten()
        return self._db.execute(statement, values).fetchone()[0]


def _row(message: Message) -> tuple[Any, ...]:
    return (
        message.key, message.mailbox, message.folder, message.id, message.immutable_id, message.internet_id,
        message.conversation, message.received, message.is_read, message.seq, orjson.dumps(message),
    )  # fmt: skip
