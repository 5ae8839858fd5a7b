"""Which events are meetings with a contact, what changed, and what a brief says. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

PAST, FUTURE = timedelta(days=7), timedelta(days=60)
# The brief stands in the calendar just before the meeting.
BRIEF_LENGTH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Known:
    """A meeting as we keep it."""

    starts: datetime
    ends: datetime
    change_key: str
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Drop:
    reason: str


@dataclass(frozen=True, slots=True)
class Book:
    """A meeting with a contact that was not known before."""


@dataclass(frozen=True, slots=True)
class Move:
    """The meeting has another time."""


@dataclass(frozen=True, slots=True)
class Cancel:
    reason: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing changed."""


@dataclass(frozen=True, slots=True)
class EventFacts:
    starts: datetime
    ends: datetime
    is_cancelled: bool
    with_contact: bool
    contact_declined: bool
    rep_declined: bool
    known: Known | None


def decide_event(facts: EventFacts) -> Book | Move | Cancel | Keep | Drop:
    """What an event of the calendar window means."""
    if not facts.with_contact:
        return Drop("no enrolled contact")
    off = facts.is_cancelled or facts.contact_declined or facts.rep_declined
    if facts.known is None:
        return Drop("cancelled before it was seen") if off else Book()
    if off and not facts.known.cancelled:
        return Cancel("declined" if facts.contact_declined or facts.rep_declined else "cancelled")
    if not off and facts.known.cancelled:
        return Book()  # it stands again
    if (facts.starts, facts.ends) != (facts.known.starts, facts.known.ends):
        return Move()
    return Keep()


@dataclass(frozen=True, slots=True)
class BriefFacts:
    """All that a brief may say: what Gatepost knows anyway."""

    name: str
    company: str
    title: str
    sequence: str
    steps_sent: int
    last_reply: str
    last_label: str
    promise: str
    meeting_subject: str


def brief_text(facts: BriefFacts) -> str:
    """The brief, as lines of plain text; what is not known has no line."""
    who = ", ".join(part for part in (facts.name, facts.title, facts.company) if part)
    lines = [f"Who: {who}"]
    if facts.sequence:
        mails = "1 mail" if facts.steps_sent == 1 else f"{facts.steps_sent} mails"
        lines.append(f"How it came about: sequence “{facts.sequence}”, {mails} sent")
    if facts.last_reply:
        label = f" ({facts.last_label})" if facts.last_label else ""
        lines += [f"Last reply{label}:", facts.last_reply.strip()]
    else:
        lines.append("No reply by mail: booked directly.")
    if facts.promise:
        lines.append(f"Open promise: {facts.promise}")
    return "\n".join(lines)
