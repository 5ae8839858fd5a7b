"""Ours or not? Decided on envelope fields, then on the sender. Pure: a value with its reason comes out.

A reference to our mail by Message-ID ties a mail to us; Microsoft's conversation id alone never does: it
collides for unrelated mail with the same subject (microsoft-graph-docs #869).
"""

import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

MAX_REFERENCES = 100
# What Exchange's own delivery reports come from.
EXCHANGE_REPORTS = "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e"
REPORT_SENDERS = ("mailer-daemon", "postmaster")
MESSAGE_ID = re.compile(r"<[^<>\s]{3,500}>")


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
