"""Everything the sandbox keeps, in one SQLite file: messages on a shelf of their own, the rest in memory too.

What a request or a delivery changed is committed before its answer leaves, so a killed sandbox comes back
exactly where its last answer left it. Without a file nothing outlives the process: SQLite then keeps all in
memory, and puts what does not fit into a temporary file.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson

from m365_sandbox.entities import (
    KINDS,
    AccessToken,
    Action,
    App,
    Code,
    ConsentRequest,
    Contact,
    Event,
    Folder,
    Gone,
    Grant,
    Message,
    RefreshToken,
    Subscription,
    Tenant,
    Thing,
    User,
)
from m365_sandbox.shelf import SCHEMA as SHELF_SCHEMA
from m365_sandbox.shelf import Shelf

SCHEMA = """
CREATE TABLE IF NOT EXISTS entity (n INTEGER PRIMARY KEY, kind TEXT, id TEXT, json BLOB, UNIQUE (kind, id));
CREATE TABLE IF NOT EXISTS fact (n INTEGER PRIMARY KEY, kind TEXT, mailbox TEXT, json BLOB);
CREATE TABLE IF NOT EXISTS request (n INTEGER PRIMARY KEY, json BLOB);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, json BLOB);
"""
TABLES = ("entity", "message", "property", "fact", "request", "meta")
OF_KIND = "SELECT json FROM entity WHERE kind = ? ORDER BY n"
# What is changed keeps its number, so that everything is loaded in the order in which it was made.
KEEP = "INSERT INTO entity (kind, id, json) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json"
WELL_KNOWN = {
    "inbox": "Inbox", "drafts": "Drafts", "sentitems": "Sent Items", "deleteditems": "Deleted Items",
    "outbox": "Outbox", "junkemail": "Junk Email", "archive": "Archive",
}  # fmt: skip
HIDDEN = {
    "clutter": "Clutter", "conflicts": "Conflicts", "conversationhistory": "Conversation History",
    "localfailures": "Local Failures", "recoverableitemsdeletions": "Deletions", "scheduled": "Scheduled",
    "searchfolders": "Search Folders", "serverfailures": "Server Failures", "syncissues": "Sync Issues",
}  # fmt: skip
"""Every mailbox has these too, and lists them only when asked for what is hidden. Made when first asked for."""


CACHE_KIB = 64 * 1024


class Store:
    def __init__(self, path: str | Path | None = None) -> None:
        # Another thread may run the event loop than the one that built the app; only one uses it at a time.
        self._db = sqlite3.connect(path or "", isolation_level=None, check_same_thread=False)
        self.path = Path(path) if path else None
        self._kept: dict[str, sqlite3.Connection] = {}
        # A killed process loses nothing that was committed. A power cut could; this is a sandbox.
        self._db.execute(f"PRAGMA journal_mode={'WAL' if path else 'OFF'}")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self._db.executescript(SCHEMA + SHELF_SCHEMA)
        self._forget()
        self._load()

    def _forget(self) -> None:
        self._dirty: dict[tuple[str, str], Any] = {}
        self._rows: list[tuple[str, tuple[Any, ...]]] = []
        self.meta: dict[str, Any] = {}
        self.tenants: dict[str, Tenant] = {}
        self.users: dict[str, User] = {}
        self.apps: dict[str, App] = {}
        self.grants: dict[str, Grant] = {}
        self.codes: dict[str, Code] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.consent_requests: dict[str, ConsentRequest] = {}
        self.folders: dict[str, Folder] = {}
        self.messages = Shelf(self._db)
        self.gones: dict[str, Gone] = {}
        self.events: dict[str, Event] = {}
        self.contacts: dict[str, Contact] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.actions: dict[str, Action] = {}
        self.things: dict[str, Thing] = {}
        self._tables: dict[str, dict[str, Any]] = {
            "tenant": self.tenants, "user": self.users, "app": self.apps, "grant": self.grants,
            "code": self.codes, "refresh_token": self.refresh_tokens, "access_token": self.access_tokens,
            "consent_request": self.consent_requests, "folder": self.folders,
            "gone": self.gones, "event": self.events, "contact": self.contacts,
            "subscription": self.subscriptions, "action": self.actions, "thing": self.things,
        }  # fmt: skip
        self.user_by_address: dict[str, User] = {}
        self.tenant_by_domain: dict[str, Tenant] = {}
        self._folders_of: dict[str, dict[str, Folder]] = defaultdict(dict)
        self._events_of: dict[str, dict[str, Event]] = defaultdict(dict)
        self._events_by_uid: dict[str, dict[str, Event]] = defaultdict(dict)
        self._subscriptions_of: dict[str, dict[str, Subscription]] = defaultdict(dict)
        self._things_of: dict[tuple[str, str], dict[str, Thing]] = defaultdict(dict)
        self._seq: dict[str, int] = defaultdict(int)

    def _load(self) -> None:
        self.meta = {
            name: orjson.loads(json) for name, json in self._db.execute("SELECT name, json FROM meta")
        }
        for kind in self._tables:
            make, names = KINDS[kind], {field.name for field in fields(KINDS[kind])}
            for (json,) in self._db.execute(OF_KIND, (kind,)):
                values = orjson.loads(json)
                self._index(kind, make(**{name: value for name, value in values.items() if name in names}))
        for folder, seq in self.messages.last_changes():
            if folder in self.folders:
                self._went_on_to(self.folders[folder].mailbox, seq)
        self._last_fact = self._db.execute("SELECT coalesce(max(n), 0) FROM fact").fetchone()[0]
        self._last_request = self._db.execute("SELECT coalesce(max(n), 0) FROM request").fetchone()[0]

    def _index(self, kind: str, entity: Any) -> None:
        """Enter a loaded entity."""
        self._tables[kind][entity.id] = entity
        match entity:
            case Gone():
                self.messages.gones[entity.folder][entity.id] = entity
                self._went_on_to(self.folders[entity.folder].mailbox, entity.seq)
            case Event():
                self._went_on_to(entity.mailbox, entity.seq)
                self._index_small(entity)
            case _:
                self._index_small(entity)

    def _went_on_to(self, mailbox: str, seq: int) -> None:
        self._seq[mailbox] = max(self._seq[mailbox], seq)

    def _index_small(self, entity: Any) -> None:
        match entity:
            case User():
                for address in (entity.address, *entity.aliases):
                    self.user_by_address[address] = entity
            case Tenant():
                self.tenant_by_domain[entity.domain] = entity
            case Folder():
                self._folders_of[entity.mailbox][entity.id] = entity
            case Event():
                self._events_of[entity.mailbox][entity.id] = entity
                self._events_by_uid[entity.uid][entity.id] = entity
            case Subscription():
                self._subscriptions_of[entity.mailbox][entity.id] = entity
            case Thing():
                self._things_of[entity.mailbox, entity.kind][entity.id] = entity

    # Any entity but messages

    def save(self, entity: Any) -> None:
        """Keep `entity`, new or changed. Messages have verbs of their own below."""
        kind = _kind_of(entity)
        if isinstance(entity, Event):
            entity.seq = self.next_seq(entity.mailbox)
        self._tables[kind][entity.id] = entity
        self._index_small(entity)
        self._dirty[kind, entity.id] = entity

    def remove(self, entity: Any) -> None:
        kind = _kind_of(entity)
        self._tables[kind].pop(entity.id, None)
        match entity:
            case Folder():
                self._folders_of[entity.mailbox].pop(entity.id, None)
            case Event():
                self._events_of[entity.mailbox].pop(entity.id, None)
                self._events_by_uid[entity.uid].pop(entity.id, None)
            case Subscription():
                self._subscriptions_of[entity.mailbox].pop(entity.id, None)
            case Thing():
                self._things_of[entity.mailbox, entity.kind].pop(entity.id, None)
        self._dirty[kind, entity.id] = None

    # Messages

    def next_seq(self, mailbox: str) -> int:
        self._seq[mailbox] += 1
        return self._seq[mailbox]

    def add_message(self, message: Message) -> None:
        message.seq = message.created_seq = self.next_seq(message.mailbox)
        self._forget_that_it_left(message)
        self.messages.keep(message)

    def change_message(self, message: Message, **values: Any) -> None:
        """Set the named fields; the message shows up again in its folder's delta."""
        for name, value in values.items():
            setattr(message, name, value)
        message.version += 1
        message.seq = self.next_seq(message.mailbox)
        self.messages.keep(message)

    def move_message(self, message: Message, folder: Folder, new_id: str, **values: Any) -> None:
        """Move it, under a new `id`; the folder it leaves reports it as removed."""
        self._note_that_it_left(message, "changed")
        for name, value in values.items():
            setattr(message, name, value)
        message.folder, message.id = folder.id, new_id
        message.version += 1
        message.seq = message.created_seq = self.next_seq(message.mailbox)
        self._forget_that_it_left(message)
        self.messages.keep(message)

    def delete_message(self, message: Message) -> None:
        self._note_that_it_left(message, "deleted")
        self.messages.drop(message)

    def _forget_that_it_left(self, message: Message) -> None:
        back = self.gones.pop(f"{message.folder}:{message.key}", None)
        if back is not None:
            del self.messages.gones[back.folder][back.id]
            self._dirty["gone", back.id] = None

    def _note_that_it_left(self, message: Message, reason: str) -> None:
        gone = Gone(
            f"{message.folder}:{message.key}", message.folder, message.id, message.immutable_id,
            self.next_seq(message.mailbox), reason,
        )  # fmt: skip
        self.gones[gone.id] = gone
        self.messages.gones[gone.folder][gone.id] = gone
        self._dirty["gone", gone.id] = gone

    # Reading

    def folders_of(self, mailbox: str) -> list[Folder]:
        return list(self._folders_of[mailbox].values())

    def folder(self, mailbox: str, name: str) -> Folder | None:
        """By id or by well-known name."""
        known = self._folders_of[mailbox].get(name)
        return known or self._folders_of[mailbox].get(f"{mailbox}.{name.lower()}")

    def count(self, folder: str) -> int:
        return self.messages.count(folder=folder)

    def newest_first(self, folder: str, *, since: float = 0.0) -> Iterator[Message]:
        """The folder's messages from the newest down to those received at `since`."""
        return self.messages.newest_first(folder=folder, since=since)

    def mailbox_messages(self, mailbox: str, *, since: float = 0.0) -> list[Message]:
        """All messages of the mailbox, newest first."""
        return list(self.messages.newest_first(mailbox=mailbox, since=since))

    def changes(self, folder: str, after: int) -> Iterator[tuple[int, Message | Gone]]:
        """What changed in the folder after that change number: each item once, by time of its last change."""
        return self.messages.changes(folder, after)

    def changes_of_mailbox(self, mailbox: str, after: int) -> Iterator[tuple[int, Message | Gone]]:
        """The same for the whole mailbox; what was moved has left one folder and is there in another."""
        return self.messages.changes_anywhere(list(self._folders_of[mailbox]), mailbox, after)

    def seq(self, mailbox: str) -> int:
        return self._seq[mailbox]

    def message_by_id(self, name: str) -> Message | None:
        """By either of its ids."""
        return self.messages.by_id(name)

    def by_internet_id(self, mailbox: str, internet_id: str) -> list[Message]:
        return self.messages.by_internet_id(mailbox, internet_id)

    def by_conversation(self, mailbox: str, conversation: str) -> list[Message]:
        return self.messages.by_conversation(mailbox, conversation)

    def by_property(self, mailbox: str, name: str, value: str) -> list[Message]:
        return self.messages.by_property(mailbox, name, value)

    def events_of(self, mailbox: str) -> list[Event]:
        return list(self._events_of[mailbox].values())

    def copies(self, uid: str) -> list[Event]:
        return list(self._events_by_uid[uid].values())

    def subscriptions_of(self, mailbox: str) -> list[Subscription]:
        return list(self._subscriptions_of[mailbox].values())

    def things_of(self, mailbox: str, kind: str) -> list[Thing]:
        return list(self._things_of[mailbox, kind].values())

    # Facts and requests: append-only, kept in the database alone

    def record(self, kind: str, mailbox: str, fact: dict[str, Any]) -> None:
        """Add to the ground truth."""
        self._last_fact += 1
        row = (self._last_fact, kind, mailbox, orjson.dumps(fact))
        self._rows.append(("INSERT INTO fact VALUES (?, ?, ?, ?)", row))

    def facts(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(kind, mailbox, fact), oldest first."""
        self.commit()
        for kind, mailbox, json in self._db.execute("SELECT kind, mailbox, json FROM fact ORDER BY n"):
            yield kind, mailbox, orjson.loads(json)

    def count_facts(self, kind: str) -> int:
        self.commit()
        return self._db.execute("SELECT count(*) FROM fact WHERE kind = ?", (kind,)).fetchone()[0]

    def log(self, entry: dict[str, Any]) -> None:
        self._last_request += 1
        row = (self._last_request, orjson.dumps({"n": self._last_request, **entry}))
        self._rows.append(("INSERT INTO request VALUES (?, ?)", row))

    def logged(self, after: int, limit: int) -> list[dict[str, Any]]:
        self.commit()
        rows = self._db.execute(
            "SELECT json FROM request WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
        ).fetchall()
        return [orjson.loads(json) for (json,) in rows]

    def last_logged(self) -> int:
        return self._last_request

    # Keeping

    def set_meta(self, name: str, value: Any) -> None:
        self.meta[name] = value
        row = (name, orjson.dumps(value))
        self._rows.append(("INSERT OR REPLACE INTO meta VALUES (?, ?)", row))

    def commit(self) -> None:
        """Whatever was saved so far survives from here on, even a kill."""
        if not (self._dirty or self._rows or self.messages.changed):
            return
        if not self._db.in_transaction:
            self._db.execute("BEGIN")
        self.messages.commit()
        # Taken out first: a test saves from a thread of its own, and that stays for the next time.
        dirty, self._dirty = self._dirty, {}
        rows, self._rows = self._rows, []
        kept = [
            (kind, name, orjson.dumps(entity)) for (kind, name), entity in dirty.items() if entity is not None
        ]
        dropped = [key for key, entity in dirty.items() if entity is None]
        self._db.executemany(KEEP, kept)
        self._db.executemany("DELETE FROM entity WHERE kind = ? AND id = ?", dropped)
        for statement, row in rows:
            self._db.execute(statement, row)
        self._db.execute("COMMIT")

    def clear(self) -> None:
        """Empty, as when new."""
        self.commit()
        self._forget()
        for table in TABLES:
            self._db.execute(f"DELETE FROM {table}")
        self._last_fact = self._last_request = 0

    # Snapshots: the whole database, under a name

    def snapshot(self, name: str) -> None:
        """Keep all that is there. Beside the store's file where there is one, else as long as the process."""
        self.commit()
        with self._opened(name) as copy:
            self._db.backup(copy)

    def snapshots(self) -> list[str]:
        if self.path is None:
            return sorted(self._kept)
        return sorted(
            file.name.split(".")[-2] for file in self.path.parent.glob(f"{self.path.name}.*.snapshot")
        )

    def restore(self, name: str) -> None:
        """All as it was then; raises KeyError where there is no such snapshot."""
        if name not in self.snapshots():
            raise KeyError(name)
        self.commit()
        with self._opened(name) as copy:
            copy.backup(self._db)
        self._forget()
        self._load()

    @contextmanager
    def _opened(self, name: str) -> Iterator[sqlite3.Connection]:
        if self.path is None:
            if name not in self._kept:
                self._kept[name] = sqlite3.connect("", check_same_thread=False)
            yield self._kept[name]
            return
        copy = sqlite3.connect(self.path.with_name(f"{self.path.name}.{name}.snapshot"))
        try:
            yield copy
        finally:
            copy.close()

    def close(self) -> None:
        self.commit()
        self._db.close()


_KIND_OF = {make: kind for kind, make in KINDS.items()}


def _kind_of(entity: Any) -> str:
    return _KIND_OF[type(entity)]
