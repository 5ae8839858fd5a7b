"""Which folders are looked at, and when; which mail is ours. Pure: a value with its reason comes out.

Ours or not is decided on envelope fields, then on the sender. A reference to our mail by Message-ID ties a mail to us; Microsoft's conversation id alone never does: it
collides for unrelated mail with the same subject (microsoft-graph-docs #869).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from gatepost.graph.messages import FolderSeen

# Looked at in every round, in this order: what we sent is known when its answer is looked at.
FIRST = ("sentitems", "inbox", "junkemail")
# Looked at like the rep's own folders, which have no name that we ask for.
ARCHIVE = "archive"
# Never looked at, nor what lies below them.
LEFT_OUT = {
    "drafts": "nothing in it was received",
    "outbox": "nothing in it was received",
    "deleteditems": "the rep threw it away",
    "conversationhistory": "chats, not mail",
    "syncissues": "Outlook's own reports",
}
REFUSED = "Microsoft refuses to list it"
NAMED = (*FIRST, ARCHIVE, *LEFT_OUT)
# A folder is read when the number of its mails changed. One came and another went: the number stands still. So each is
# read again after a while; one in which nothing came or went for long, more seldom.
AGAIN_AFTER, QUIET_AGAIN_AFTER, QUIET_AFTER = timedelta(hours=1), timedelta(days=1), timedelta(days=14)
AGAIN_AT_ONCE = 10  # so many of these in one round, that hundreds of folders hold up nothing

MAX_REFERENCES = 100
# What Exchange's own delivery reports come from.
EXCHANGE_REPORTS = "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e"
REPORT_SENDERS = ("mailer-daemon", "postmaster")
MESSAGE_ID = re.compile(r"<[^<>\s]{3,500}>")


@dataclass(frozen=True, slots=True)
class Receives:
    """Mail may lie in this folder."""


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """This folder is not looked at."""

    reason: str


def decide_folders(
    folders: Mapping[str, FolderSeen], named: Mapping[str, str]
) -> dict[str, Receives | LeaveOut]:
    """Of each folder, by id. `named`: the well-known names of those that have one, by id."""
    return {graph_id: _decide_folder(graph_id, folders, named) for graph_id in folders}


def _decide_folder(
    graph_id: str, folders: Mapping[str, FolderSeen], named: Mapping[str, str]
) -> Receives | LeaveOut:
    if folders[graph_id].hidden:
        return LeaveOut("hidden")
    if folders[graph_id].is_search:
        return LeaveOut("a search, of mails that lie elsewhere")
    seen: set[str] = set()  # no folder lies below itself; whoever says so shall not hold us up
    at = graph_id
    while at in folders and at not in seen:
        seen.add(at)
        if (name := named.get(at)) in LEFT_OUT:
            return LeaveOut(LEFT_OUT[name])
        at = folders[at].parent_id
    return Receives()


@dataclass(frozen=True, slots=True)
class FolderFacts:
    unfinished: bool  # it was never read to its end, or not since its position was lost
    count_changed: bool  # other numbers of mails than when it was last read
    catching_up: bool  # the mailbox reads before it speaks
    synced_at: datetime | None
    changed_at: datetime | None  # when its numbers last changed; None: not since it is known


@dataclass(frozen=True, slots=True)
class Look:
    """It is read in this round; with `may_wait`, in one of the next if there are many."""

    reason: str
    may_wait: bool = False


@dataclass(frozen=True, slots=True)
class LookLater:
    until: datetime
    reason: str


def decide_look(facts: FolderFacts, now: datetime) -> Look | LookLater:
    """Whether a folder is read that is not read in every round."""
    if facts.unfinished or facts.synced_at is None:
        return Look("not read to its end")
    if facts.count_changed:
        return Look("the number of its mails changed")
    if facts.catching_up:
        return Look("the mailbox reads before it speaks")
    quiet = facts.changed_at is None or now - facts.changed_at > QUIET_AFTER
    again = facts.synced_at + (QUIET_AGAIN_AFTER if quiet else AGAIN_AFTER)
    if again <= now:
        return Look("its number may stand still while mails come and go", may_wait=True)
    return LookLater(again, "nothing came or went")


@dataclass(frozen=True, slots=True)
class Drop:
    """Not ours. The reason is counted; nothing else is kept."""

    reason: str


@dataclass(frozen=True, slots=True)
class OwnSent:
    """One of our own messages, seen in the mailbox as sent."""

    message_id: UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """It refers to this message of ours: its sender may be asked for."""

    message_id: UUID


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Tied to this message by Microsoft's conversation id alone: not read until a member says so."""

    message_id: UUID


@dataclass(frozen=True, slots=True)
class EnvelopeFacts:
    removed: bool
    in_sent_items: bool
    own_message: UUID | None  # it is this message of ours
    stored: bool  # it was stored or quarantined before
    answers: UUID | None  # the newest message of this mailbox that it refers to
    answers_colleague: bool  # it refers to a message of another mailbox of ours
    conversation_of: UUID | None


def decide_envelope(facts: EnvelopeFacts) -> OwnSent | Candidate | Doubtful | Drop:
    """Stage 1."""
    if facts.removed:
        return Drop("removed")
    if facts.own_message is not None:
        return OwnSent(facts.own_message) if facts.in_sent_items else Drop("our own mail")
    if facts.in_sent_items:
        return Drop("sent by hand")
    if facts.stored:
        return Drop("seen before")
    if facts.answers is not None:
        return Candidate(facts.answers)
    if facts.answers_colleague:
        return Drop("answers a colleague's mailbox")
    if facts.conversation_of is not None:
        return Doubtful(facts.conversation_of)
    return Drop("unrelated")


@dataclass(frozen=True, slots=True)
class Matched:
    """It is ours to read."""

    kind: Literal["reply", "bounce"]
    someone_else: bool  # the sender is not the contact himself


@dataclass(frozen=True, slots=True)
class SenderFacts:
    address: str
    is_draft: bool
    is_own_address: bool
    is_internal: bool
    is_contact: bool


def decide_sender(facts: SenderFacts) -> Matched | Drop:
    """Stage 1b, for a mail that refers to one of ours."""
    if facts.is_draft:
        return Drop("a draft")
    if is_delivery_report(facts.address):
        return Matched("bounce", someone_else=True)
    if facts.is_own_address:
        return Drop("our own mail")
    if facts.is_internal:
        # A colleague's answer to a forwarded reply carries our references too. It is none of our business.
        return Drop("internal sender")
    if not facts.address:
        return Drop("no sender")
    return Matched("reply", someone_else=not facts.is_contact)


def is_delivery_report(address: str) -> bool:
    local = address.partition("@")[0].casefold()
    return local == EXCHANGE_REPORTS or local in REPORT_SENDERS


def references(text: str) -> tuple[str, ...]:
    """Every Message-ID in In-Reply-To and References, newest last, each once."""
    return tuple(dict.fromkeys(MESSAGE_ID.findall(text)))[-MAX_REFERENCES:]
