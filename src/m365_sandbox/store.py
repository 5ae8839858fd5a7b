"""Everything the sandbox keeps: in memory with indexes, and written through to one SQLite file.

What a request or a delivery changed is committed before its answer leaves, so a killed sandbox comes back
exactly where its last answer left it. Without a file nothing outlives the process.
"""

import bisect
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
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
    User,
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS entity (n INTEGER PRIMARY KEY, kind TEXT, id TEXT, json BLOB, UNIQUE (kind, id));
CREATE TABLE IF NOT EXISTS fact (n INTEGER PRIMARY KEY, kind TEXT, mailbox TEXT, json BLOB);
CREATE TABLE IF NOT EXISTS request (n INTEGER PRIMARY KEY, json BLOB);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, json BLOB);
"""
OF_KIND = "SELECT json FROM entity WHERE kind = ? ORDER BY n"
# What is changed keeps its number, so that everything is loaded in the order in which it was made.
KEEP = "INSERT INTO entity (kind, id, json) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json"
WELL_KNOWN = {
    "inbox": "Inbox", "drafts": "Drafts", "sentitems": "Sent Items", "deleteditems": "Deleted Items",
    "outbox": "Outbox", "junkemail": "Junk Email", "archive": "Archive",
}  # fmt: skip


class Store:
    def __init__(self, path: str | Path | None = None) -> None:
        # Another thread may run the event loop than the one that built the app; only one uses it at a time.
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        if path:
            # A killed process loses nothing that was committed. A power cut could; this is a sandbox.
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)
        self._in_file = path is not None
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
        self.messages: dict[str, Message] = {}
        self.gones: dict[str, Gone] = {}
        self.events: dict[str, Event] = {}
        self.contacts: dict[str, Contact] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.actions: dict[str, Action] = {}
        self._tables: dict[str, dict[str, Any]] = {
            "tenant": self.tenants, "user": self.users, "app": self.apps, "grant": self.grants,
            "code": self.codes, "refresh_token": self.refresh_tokens, "access_token": self.access_tokens,
            "consent_request": self.consent_requests, "folder": self.folders, "message": self.messages,
            "gone": self.gones, "event": self.events, "contact": self.contacts,
            "subscription": self.subscriptions, "action": self.actions,
        }  # fmt: skip
        self.user_by_address: dict[str, User] = {}
        self.tenant_by_domain: dict[str, Tenant] = {}
        self.message_by_id: dict[str, Message] = {}
        self._folders_of: dict[str, dict[str, Folder]] = defaultdict(dict)
        self._order: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self._log: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._by_internet_id: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._by_conversation: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._by_property: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._events_of: dict[str, dict[str, Event]] = defaultdict(dict)
        self._events_by_uid: dict[str, dict[str, Event]] = defaultdict(dict)
        self._subscriptions_of: dict[str, dict[str, Subscription]] = defaultdict(dict)
        self._seq: dict[str, int] = defaultdict(int)

    def _load(self) -> None:
        self.meta = {
            name: orjson.loads(json) for name, json in self._db.execute("SELECT name, json FROM meta")
        }
        for kind in KINDS:
            make, names = KINDS[kind], {field.name for field in fields(KINDS[kind])}
            for (json,) in self._db.execute(OF_KIND, (kind,)):
                values = orjson.loads(json)
                self._index(kind, make(**{name: value for name, value in values.items() if name in names}))
        for order in self._order.values():
            order.sort()
        for log in self._log.values():
            log.sort()
        self._last_fact = self._db.execute("SELECT coalesce(max(n), 0) FROM fact").fetchone()[0]
        self._last_request = self._db.execute("SELECT coalesce(max(n), 0) FROM request").fetchone()[0]

    def _index(self, kind: str, entity: Any) -> None:
        """Enter a loaded entity; the ordered lists are sorted once, after all of them."""
        self._tables[kind][entity.key if kind == "message" else entity.id] = entity
        match entity:
            case Message():
                self._index_message(entity)
                self._order[entity.folder].append((entity.received, entity.key))
                self._log[entity.folder].append((entity.seq, entity.key))
                self._seq[entity.mailbox] = max(self._seq[entity.mailbox], entity.seq)
            case Gone():
                self._log[entity.folder].append((entity.seq, entity.id))
                mailbox = self.folders[entity.folder].mailbox
                self._seq[mailbox] = max(self._seq[mailbox], entity.seq)
            case Event():
                self._seq[entity.mailbox] = max(self._seq[entity.mailbox], entity.seq)
                self._index_small(entity)
            case _:
                self._index_small(entity)

    def _index_small(self, entity: Any) -> None:
        match entity:
            case User():
                self.user_by_address[entity.address] = entity
            case Tenant():
                self.tenant_by_domain[entity.domain] = entity
            case Folder():
                self._folders_of[entity.mailbox][entity.id] = entity
            case Event():
                self._events_of[entity.mailbox][entity.id] = entity
                self._events_by_uid[entity.uid][entity.id] = entity
            case Subscription():
                self._subscriptions_of[entity.mailbox][entity.id] = entity

    def _index_message(self, message: Message) -> None:
        self.message_by_id[message.id] = message
        self.message_by_id[message.immutable_id] = message
        self._by_internet_id[message.mailbox, message.internet_id].add(message.key)
        self._by_conversation[message.mailbox, message.conversation].add(message.key)
        for name, value in message.properties.items():
            self._by_property[message.mailbox, name, value.casefold()].add(message.key)

    def _unindex_message(self, message: Message) -> None:
        self.message_by_id.pop(message.id, None)
        self.message_by_id.pop(message.immutable_id, None)
        self._by_internet_id[message.mailbox, message.internet_id].discard(message.key)
        self._by_conversation[message.mailbox, message.conversation].discard(message.key)
        for name, value in message.properties.items():
            self._by_property[message.mailbox, name, value.casefold()].discard(message.key)

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
        self._dirty[kind, entity.id] = None

    # Messages

    def next_seq(self, mailbox: str) -> int:
        self._seq[mailbox] += 1
        return self._seq[mailbox]

    def add_message(self, message: Message) -> None:
        message.seq = message.created_seq = self.next_seq(message.mailbox)
        self.messages[message.key] = message
        self._index_message(message)
        self._enter_folder(message)
        self._dirty["message", message.key] = message

    def change_message(self, message: Message, **values: Any) -> None:
        """Set the named fields; the message shows up again in its folder's delta."""
        self._unindex_message(message)
        moved_in_time = "received" in values and values["received"] != message.received
        if moved_in_time:
            self._leave_order(message)
        for name, value in values.items():
            setattr(message, name, value)
        message.version += 1
        message.seq = self.next_seq(message.mailbox)
        self._index_message(message)
        if moved_in_time:
            bisect.insort(self._order[message.folder], (message.received, message.key))
        self._log[message.folder].append((message.seq, message.key))
        self._dirty["message", message.key] = message

    def move_message(self, message: Message, folder: Folder, new_id: str, **values: Any) -> None:
        """Move it, under a new `id`; the folder it leaves reports it as removed."""
        self._unindex_message(message)
        self._leave_folder(message, "changed")
        for name, value in values.items():
            setattr(message, name, value)
        message.folder, message.id = folder.id, new_id
        message.version += 1
        message.seq = message.created_seq = self.next_seq(message.mailbox)
        self._index_message(message)
        self._enter_folder(message)
        self._dirty["message", message.key] = message

    def delete_message(self, message: Message) -> None:
        self._unindex_message(message)
        self._leave_folder(message, "deleted")
        del self.messages[message.key]
        self._dirty["message", message.key] = None

    def _enter_folder(self, message: Message) -> None:
        back = self.gones.pop(f"{message.folder}:{message.key}", None)
        if back is not None:
            self._dirty["gone", back.id] = None
        bisect.insort(self._order[message.folder], (message.received, message.key))
        self._log[message.folder].append((message.seq, message.key))

    def _leave_folder(self, message: Message, reason: str) -> None:
        self._leave_order(message)
        gone = Gone(
            f"{message.folder}:{message.key}", message.folder, message.id, message.immutable_id,
            self.next_seq(message.mailbox), reason,
        )  # fmt: skip
        self.gones[gone.id] = gone
        self._log[message.folder].append((gone.seq, gone.id))
        self._dirty["gone", gone.id] = gone

    def _leave_order(self, message: Message) -> None:
        order = self._order[message.folder]
        place = bisect.bisect_left(order, (message.received, message.key))
        if place < len(order) and order[place][1] == message.key:
            del order[place]

    # Reading

    def folders_of(self, mailbox: str) -> list[Folder]:
        return list(self._folders_of[mailbox].values())

    def folder(self, mailbox: str, name: str) -> Folder | None:
        """By id or by well-known name."""
        known = self._folders_of[mailbox].get(name)
        return known or self._folders_of[mailbox].get(f"{mailbox}.{name.lower()}")

    def count(self, folder: str) -> int:
        return len(self._order[folder])

    def newest_first(self, folder: str, *, since: float = 0.0) -> Iterator[Message]:
        """The folder's messages from the newest down to those received at `since`."""
        for received, key in reversed(self._order[folder]):
            if received < since:
                return
            yield self.messages[key]

    def mailbox_messages(self, mailbox: str, *, since: float = 0.0) -> list[Message]:
        """All messages of the mailbox, newest first."""
        found = [m for f in self._folders_of[mailbox] for m in self.newest_first(f, since=since)]
        return sorted(found, key=lambda message: message.received, reverse=True)

    def changes(self, folder: str, after: int) -> Iterator[tuple[int, Message | Gone]]:
        """What changed in the folder after that change number: each item once, by time of its last change."""
        log = self._log[folder]
        for place in range(bisect.bisect_left(log, (after + 1, "")), len(log)):
            seq, key = log[place]
            message = self.messages.get(key)
            if message is not None and message.folder == folder and message.seq == seq:
                yield seq, message
                continue
            gone = self.gones.get(key)
            if gone is not None and gone.seq == seq:
                yield seq, gone

    def seq(self, mailbox: str) -> int:
        return self._seq[mailbox]

    def by_internet_id(self, mailbox: str, internet_id: str) -> list[Message]:
        return self._of(self._by_internet_id.get((mailbox, internet_id), ()))

    def by_conversation(self, mailbox: str, conversation: str) -> list[Message]:
        return self._of(self._by_conversation.get((mailbox, conversation), ()))

    def by_property(self, mailbox: str, name: str, value: str) -> list[Message]:
        return self._of(self._by_property.get((mailbox, name, value.casefold()), ()))

    def _of(self, keys: Iterable[str]) -> list[Message]:
        return sorted(
            (self.messages[key] for key in keys), key=lambda message: message.received, reverse=True
        )

    def events_of(self, mailbox: str) -> list[Event]:
        return list(self._events_of[mailbox].values())

    def copies(self, uid: str) -> list[Event]:
        return list(self._events_by_uid[uid].values())

    def subscriptions_of(self, mailbox: str) -> list[Subscription]:
        return list(self._subscriptions_of[mailbox].values())

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
        if not self._dirty and not self._rows:
            return
        self._db.execute("BEGIN")
        if self._in_file:
            kept = [
                (kind, name, orjson.dumps(entity))
                for (kind, name), entity in self._dirty.items()
                if entity is not None
            ]
            dropped = [key for key, entity in self._dirty.items() if entity is None]
            self._db.executemany(KEEP, kept)
            self._db.executemany("DELETE FROM entity WHERE kind = ? AND id = ?", dropped)
        for statement, row in self._rows:
            self._db.execute(statement, row)
        self._db.execute("COMMIT")
        self._dirty.clear()
        self._rows.clear()

    def clear(self) -> None:
        """Empty, as when new."""
        for table in ("entity", "fact", "request", "meta"):
            self._db.execute(f"DELETE FROM {table}")
        self._forget()
        self._last_fact = self._last_request = 0

    def close(self) -> None:
        self.commit()
        self._db.close()


_KIND_OF = {make: kind for kind, make in KINDS.items()}


def _kind_of(entity: Any) -> str:
    return _KIND_OF[type(entity)]
