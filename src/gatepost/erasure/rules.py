"""How long each kind of data is kept, and what a receipt says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Retention:
    """How long one kind of data is kept: usually `days`, and by an administrator's choice from `least` to `most`."""

    kind: str
    what: str
    since: str
    days: int
    least: int
    most: int
    why: str


# The one table: the page, docs/privacy.md and the jobs are made from it.
RETENTION = (
    Retention(
        "disconnected", "Everything of a mailbox that is not connected", "when it was disconnected", 30, 1, 180,
        "Long enough to connect it again after a holiday. Then the mailbox is erased, with a receipt.",
    ),
    Retention(
        "texts", "Subject and text of mails, replies, promises, meetings and briefs", "when each was sent, received or took place",
        730, 30, 1825,
        "A deal may take two years. What was sent when, and how it was labelled, stays.",
    ),
    Retention(
        "contacts", "Contacts to whom nothing was sent and who wrote nothing", "the last mail, or when they were added",
        1095, 90, 3650,
        "Three years after the last contact, authorities expect that prospects are forgotten.",
    ),
    Retention(
        "rejected", "Rows that an import could not use", "the import", 30, 1, 90,
        "To correct them and import them again.",
    ),
    Retention(
        "doubtful", "Ids of mail that only might answer ours", "when it arrived", 90, 7, 365,
        "To decide whether it is an answer. Nothing of it was read.",
    ),
    Retention(
        "attempts", "Attempts to connect a mailbox", "when the attempt began", 30, 30, 90,
        "An administrator may take weeks to approve.",
    ),
    Retention(
        "counts", "Daily numbers of mails and events that were looked at and dropped", "that day", 400, 30, 1095,
        "To compare with the year before.",
    ),
    Retention(
        "requests", "The ledger of requests to Microsoft", "the request", 180, 30, 730,
        "To compare it with Microsoft's own log.",
    ),
)  # fmt: skip
BY_KIND = {each.kind: each for each in RETENTION}


@dataclass(frozen=True, slots=True)
class Kept:
    """What no time ends while the workspace is open, and why."""

    what: str
    why: str


KEPT = (
    Kept(
        "The do-not-contact list, as keyed hashes",
        "Nobody who asked not to be written to is written to again.",
    ),
    Kept(
        "The record of who did and opened what", "It holds ids and times. Proof must outlive what it proves."
    ),
    Kept("Receipts", "They hold no personal data, and say that the rest is gone."),
    Kept(
        "Numbers for reports", "How many mails, answers and meetings in a week; nobody can be told from them."
    ),
)


def days_kept(kind: str, chosen: Mapping[str, int]) -> int:
    """How many days a kind is kept in a workspace that chose so; a choice outside the limits counts as the limit."""
    usual = BY_KIND[kind]
    return min(max(int(chosen.get(kind, usual.days)), usual.least), usual.most)


def kept_since(kind: str, chosen: Mapping[str, int], *, now: datetime) -> datetime:
    """What is older than this has been kept long enough."""
    return now - timedelta(days=days_kept(kind, chosen))


def problem_with(kind: str, days: int) -> str:
    """What is wrong with a chosen time, or ""."""
    known = BY_KIND.get(kind)
    if known is None:
        return f"There is no kind of data {kind!r}. Use one of: {', '.join(BY_KIND)}."
    if known.least <= days <= known.most:
        return ""
    return f"{known.what}: choose from {known.least} to {known.most} days."


# How often a workspace is looked through for what has been kept long enough.
LOOK_EVERY = timedelta(hours=6)

RECEIPT_FORMAT = "gatepost-receipt-1"
# What is not erased, and why, in the words of the receipt.
STAYS = {
    "mailbox": (
        "the contacts, which belong to the workspace",
        "the do-not-contact list, as keyed hashes",
        "numbers for reports, without persons",
        "the record of who did what and the ledger of requests, with ids and keyed hashes",
        "mail in the mailbox itself, at Microsoft",
    ),
    "contact": (
        "a keyed hash of the address on the do-not-contact list, so that nobody writes to it again",
        "numbers for reports, without persons",
        "the record of who did what, with ids",
        "what other people wrote about this person in replies of their own",
        "mail in the mailboxes themselves, at Microsoft",
    ),
    "workspace": (
        "this receipt",
        "hashes of the records that there were, without the records",
        "mail in the mailboxes themselves, at Microsoft",
    ),
}


@dataclass(frozen=True, slots=True)
class ErasureFacts:
    """What is known about an erasure when all of it is done."""

    id: str
    kind: str
    subject: str
    workspace: str
    ordered_at: datetime
    ordered_by: str
    finished_at: datetime
    counts: Mapping[str, int]
    keys: tuple[str, ...]
    keys_destroyed_at: datetime | None
    left_at_microsoft: tuple[str, ...]
    public_url: str
    backup_days: int
    keystore_backup_days: int


def receipt(facts: ErasureFacts) -> dict[str, Any]:
    """What is signed: ids, numbers and times; no address and no name."""
    destroyed = facts.keys_destroyed_at
    return {
        "format": RECEIPT_FORMAT,
        "id": facts.id,
        "erased": facts.kind,
        "subject": facts.subject,
        "workspace": facts.workspace,
        "installation": facts.public_url,
        "ordered_at": _written(facts.ordered_at),
        "ordered_by": facts.ordered_by,
        "finished_at": _written(facts.finished_at),
        "rows": dict(sorted(facts.counts.items())),
        "rows_in": "the main database",
        "keys_destroyed": list(facts.keys),
        "keys_destroyed_in": "the keystore" if facts.keys else "",
        "keys_destroyed_at": _written(destroyed) if destroyed else "",
        "not_erased": list(STAYS[facts.kind]),
        "left_at_microsoft": list(facts.left_at_microsoft),
        "backups": {
            "of_the_main_database_expire": _written(facts.finished_at + timedelta(days=facts.backup_days)),
            "of_the_keystore_expire": _written(
                (destroyed or facts.finished_at) + timedelta(days=facts.keystore_backup_days)
            ),
        },
    }


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
