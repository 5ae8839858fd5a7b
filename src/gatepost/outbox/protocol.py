"""The protocol of exactly one send: its states, its transitions, and what is asked next. Pure, and without I/O.

One table, `TRANSITIONS`, says which event leads from which states to which. The database refuses any other change
(a trigger), docs/decisions/0004-exactly-once-sends.md prints it, and the model that is searched exhaustively
(tests/outbox/model/) moves by it. `step` is the rest: a generator that yields what to do and is sent what came of it.
`outbox.sending` carries that out with Microsoft and the database; the model does with an imagined one.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from gatepost.outbox import rules


class State(StrEnum):
    PLANNED = "planned"
    DRAFTED = "drafted"
    SENDING = "sending"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    HELD = "held"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What was learnt or decided about a message."""

    DRAFT = "a draft with its key is in the mailbox"
    TRY = "a send is about to be tried"
    TAKEN = "Microsoft answered 202"
    NOT_TAKEN = "it certainly did not leave"
    STAYED = "still a draft after the quiet time"
    SEEN = "seen in the mailbox, and no draft any more"
    HOLD = "it cannot be found out, or Microsoft refuses it"
    CANCEL = "it must not leave"
    SAID_SENT = "a person says that it was sent"
    SEND_NOW = "a person says: send this draft now"
    WRITE_NOW = "a person says: send it now, and no draft was written yet"
    TRY_AT_ONCE = "the one request that writes and sends is about to be made"
    NEVER_LEFT = "that request certainly sent nothing"
    REMOVED = "its draft was removed when the mailbox was disconnected"
    RESTORED = "the database was restored, and all drafts of ours were removed"


@dataclass(frozen=True, slots=True)
class Transition:
    before: frozenset[State]
    after: State


def _from(*before: State, to: State) -> Transition:
    return Transition(frozenset(before), to)


TRANSITIONS: dict[Event, Transition] = {
    Event.DRAFT: _from(State.PLANNED, to=State.DRAFTED),
    Event.TRY: _from(State.DRAFTED, to=State.SENDING),
    Event.TAKEN: _from(State.SENDING, to=State.ACCEPTED),
    Event.NOT_TAKEN: _from(State.SENDING, to=State.DRAFTED),
    Event.STAYED: _from(State.SENDING, State.ACCEPTED, to=State.DRAFTED),
    Event.SEEN: _from(
        State.PLANNED, State.DRAFTED, State.SENDING, State.ACCEPTED, State.HELD, to=State.CONFIRMED
    ),
    Event.HOLD: _from(State.PLANNED, State.DRAFTED, State.SENDING, State.ACCEPTED, to=State.HELD),
    Event.CANCEL: _from(State.PLANNED, State.DRAFTED, State.HELD, to=State.CANCELLED),
    Event.SAID_SENT: _from(State.HELD, to=State.CONFIRMED),
    Event.SEND_NOW: _from(State.HELD, to=State.DRAFTED),
    Event.WRITE_NOW: _from(State.HELD, to=State.PLANNED),
    # Of mailboxes that only send (outbox.send_only): nothing can be looked for, so what is unclear is held.
    Event.TRY_AT_ONCE: _from(State.PLANNED, to=State.SENDING),
    Event.NEVER_LEFT: _from(State.SENDING, to=State.PLANNED),
    Event.REMOVED: _from(State.DRAFTED, to=State.PLANNED),
    Event.RESTORED: _from(State.DRAFTED, State.SENDING, State.ACCEPTED, to=State.PLANNED),
}

# States in which something still happens by itself, and those that nothing leaves.
OPEN = (State.PLANNED, State.DRAFTED, State.SENDING, State.ACCEPTED)
CLOSED = (State.CONFIRMED, State.CANCELLED)


class Route(StrEnum):
    """How the mail is written. MIME takes headers such as List-Unsubscribe; JSON stamps our key at once; where no
    drafts were granted, one request writes and sends at once."""

    JSON = "json"
    MIME = "mime"
    AT_ONCE = "at_once"


# Microsoft is given this long before a draft that did not leave is sent again: longer than any late request.
QUIESCENCE = timedelta(minutes=15)
MAX_ATTEMPTS = 3
GIVE_UP = timedelta(minutes=60)
LOOKS = (timedelta(seconds=2), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), QUIESCENCE)
# A draft written so long ago needs no second look before it is sent.
FRESH = timedelta(seconds=10)
# How often a draft that is not where it was is looked for: a search may lag behind.
LOOKS_FOR_A_LOST_DRAFT = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the database has it, and the time."""

    state: State
    now: datetime
    route: Route = Route.JSON
    graph_id: str = ""
    change_key: str = ""  # "": whatever it says by now is what shall be sent
    draft_hash: str = ""
    drafted_at: datetime | None = None
    sending_at: datetime | None = None
    attempts: int = 0
    looks: int = 0
    bounced: bool = False  # a delivery report cites it


@dataclass(frozen=True, slots=True)
class Item:
    """A mail of ours as the mailbox shows it. `submitted`: Exchange has taken it over; None where that cannot be read."""

    graph_id: str
    is_draft: bool
    submitted: bool | None = None
    stamped: bool = True  # it carries our key
    change_key: str = ""
    content: str = ""  # a hash of subject, text and recipient
    created: str = ""
    internet_message_id: str = ""
    conversation_id: str = ""


# What a step yields, and what it is sent back


@dataclass(frozen=True, slots=True)
class Gate:
    """May it leave now? ← rules.Send, rules.Wait, rules.Cancel or rules.Hold"""


@dataclass(frozen=True, slots=True)
class FindByKey:
    """← every item of the mailbox with our key, as a tuple"""


@dataclass(frozen=True, slots=True)
class FindByMessageId:
    """← every item with our Message-ID, as a tuple"""


@dataclass(frozen=True, slots=True)
class Look:
    """← the item with this id, or None"""

    graph_id: str


@dataclass(frozen=True, slots=True)
class Read:
    """← that item with the hash of its content and whether it is stamped, or None"""

    graph_id: str


@dataclass(frozen=True, slots=True)
class Create:
    """Write the draft. ← Item, Unclear or Refused"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Put our key on the draft (MIME). ← True, or False when unclear"""

    graph_id: str


@dataclass(frozen=True, slots=True)
class SendDraft:
    """Send this one draft. ← Taken, NotTaken, Unclear or Refused"""

    graph_id: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The row changes by the table, if nobody changed it since it was read. ← whether it did"""

    event: Event
    item: Item | None = None
    reason: str = ""
    until: datetime | None = None  # nothing is done with it before then


@dataclass(frozen=True, slots=True)
class PutOff:
    """The row stays in its state until then, if nobody changed it since it was read."""

    until: datetime
    reason: str
    looked: bool = False


@dataclass(frozen=True, slots=True)
class Sweep:
    """Drafts with our key that this message does not need are removed, now or later."""


@dataclass(frozen=True, slots=True)
class Taken:
    """202."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """It never left us, or Microsoft refused before doing anything and it may be tried anew."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Done or not done, now or later."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no with Microsoft's code."""

    code: str


Effect = (
    Gate | FindByKey | FindByMessageId | Look | Read | Create | Stamp | SendDraft | Commit | PutOff | Sweep
)
Step = Generator[Effect, Any, rules.Wait | None]


def step(row: Row) -> Step:
    """From one committed state to the next. Returns a Wait where the message or its mailbox must wait.

    Between two writes to Microsoft stands always a commit, and whoever is overtaken finds that its commit fails.
    """
    match row.state:
        case State.PLANNED:
            return (yield from _write(row))
        case State.DRAFTED:
            return (yield from _send(row))
        case State.SENDING | State.ACCEPTED:
            return (yield from _find_out(row))
    return None


def _write(row: Row) -> Step:
    """PLANNED: the message's one draft exists and its id is committed. Nothing creates for its key afterwards."""
    verdict = yield from _gate()
    if not isinstance(verdict, rules.Send):
        return verdict if isinstance(verdict, rules.Wait) else None
    found = yield FindByKey()
    if not found and row.route == Route.MIME:
        found = yield FindByMessageId()  # written, and not stamped yet
    if sent := _sent(found):
        # The mailbox remembers what our database does not.
        yield Commit(Event.SEEN, sent)
        return None
    draft = min(found, key=lambda item: item.created, default=None)
    if draft is None:
        draft = yield Create()
        if isinstance(draft, Refused):
            yield Commit(Event.HOLD, reason=f"Microsoft refused the draft: {draft.code}")
            return None
    if isinstance(draft, Item) and not draft.stamped and not (yield Stamp(draft.graph_id)):
        draft = Unclear()
    if isinstance(draft, Item) and not (draft.stamped and draft.content):
        draft = (yield Read(draft.graph_id)) or Unclear()
    if not isinstance(draft, Item) or not draft.stamped:
        # It may exist: the next try looks first. Nothing was sent.
        yield PutOff(row.now + LOOKS[1], "finding out whether the draft exists")
        yield Sweep()
        return None
    if not (yield Commit(Event.DRAFT, draft)) or len(found) > 1:
        yield Sweep()
    return None


def _send(row: Row) -> Step:
    """DRAFTED: it is committed that this draft is tried, then it is sent, then the answer is committed."""
    verdict = yield from _gate()
    if not isinstance(verdict, rules.Send):
        return verdict if isinstance(verdict, rules.Wait) else None
    just_written = row.drafted_at is not None and row.now - row.drafted_at <= FRESH
    if not (just_written and row.attempts == 0):
        draft = yield Look(row.graph_id)
        if draft is None:
            yield from _gone(row)
            return None
        if not draft.is_draft:
            yield Commit(Event.SEEN, draft)  # the rep sent it by hand, or an earlier try came late
            return None
        if draft.submitted:
            yield PutOff(row.now + LOOKS[2], "Exchange is sending it")
            return None
        if row.change_key and draft.change_key != row.change_key:
            now_says = yield Read(row.graph_id)
            if now_says is None or now_says.content != row.draft_hash:
                yield Commit(Event.HOLD, reason=EDITED)
                return None
    if not (yield Commit(Event.TRY)):
        return None
    answer = yield SendDraft(row.graph_id)
    match answer:
        case Taken():
            yield Commit(Event.TAKEN, until=row.now + QUIESCENCE)
        case NotTaken():
            yield Commit(Event.NOT_TAKEN, until=row.now + LOOKS[0])
        case Refused(code):
            return (yield from _refused(row, code))
        case _:
            yield PutOff(row.now + LOOKS[0], LOOKING)
    return None


EDITED = "the draft was edited in Outlook: look at it there, then send it as it is now, or drop it"
DELETED = "its draft was deleted in the mailbox by hand"
LOOKING = "finding out whether it was sent"


def _gone(row: Row) -> Step:
    """The draft is not where it was: sent by hand, deleted by hand, or the search lags."""
    if sent := _sent((yield from _everywhere(row, also_by_id=False))):
        yield Commit(Event.SEEN, sent)
    elif row.looks < LOOKS_FOR_A_LOST_DRAFT:
        yield PutOff(row.now + LOOKS[row.looks], "looking for its draft", looked=True)
    elif row.attempts == 0:
        yield Commit(Event.CANCEL, reason=DELETED)
    else:
        yield Commit(Event.HOLD, reason=NOT_FOUND)
    return None


def _refused(row: Row, code: str) -> Step:
    """A definite no to a send. What an earlier try may have sent is looked for before anything is concluded."""
    verdict = rules.after_refusal(code, now=row.now)
    if isinstance(verdict, rules.Wait):
        yield Commit(Event.NOT_TAKEN, reason=verdict.reason, until=verdict.until)
        return verdict
    found = yield from _everywhere(row)
    if sent := _sent(found):
        yield Commit(Event.SEEN, sent)
        return None
    if row.attempts > 0 or any(item.submitted for item in found):
        yield PutOff(row.now + LOOKS[0], LOOKING)  # perhaps refused since an earlier try is under way
        return None
    yield Commit(Event.HOLD, reason=verdict.reason)
    if code in rules.MAILBOX_REFUSALS:
        return rules.Wait(row.now + GIVE_UP, f"Microsoft lets this mailbox send nothing: {code}", True)
    return None


def _find_out(row: Row) -> Step:
    """SENDING, ACCEPTED: what became of it, by looking."""
    seen = yield from _everywhere(row)
    match resolve(row, seen):
        case Commit() as commit:
            yield commit
        case PutOff() as later:
            yield later
    return None


NOT_FOUND = "not found in the mailbox: perhaps deleted by hand, perhaps sent"


def resolve(row: Row, seen: tuple[Item, ...]) -> Commit | PutOff:
    """What follows from what the mailbox shows of a send whose outcome is open."""
    if sent := _sent(seen):
        return Commit(Event.SEEN, sent)
    if row.bounced:
        return Commit(Event.SEEN)  # what came back was sent
    waited = row.now - (row.sending_at or row.now)
    draft = next((item for item in seen if item.graph_id == row.graph_id), None)
    if draft is not None and not draft.submitted and waited >= QUIESCENCE:
        if row.attempts < MAX_ATTEMPTS:
            return Commit(Event.STAYED)
        return Commit(Event.HOLD, reason="Microsoft did not send it in three tries")
    if (draft is None or draft.submitted) and waited >= GIVE_UP:
        taken = "Microsoft took it over an hour ago and has not sent it yet"
        return Commit(Event.HOLD, reason=taken if draft else NOT_FOUND)
    return PutOff(row.now + LOOKS[min(row.looks, len(LOOKS) - 1)], LOOKING, looked=True)


def _everywhere(row: Row, *, also_by_id: bool = True) -> Generator[Effect, Any, tuple[Item, ...]]:
    """By id, by our key, by Message-ID, in this order."""
    by_id = (yield Look(row.graph_id)) if also_by_id and row.graph_id else None
    if by_id is not None and not by_id.is_draft:
        return (by_id,)
    found: tuple[Item, ...] = yield FindByKey()
    if _sent(found) is None:
        found += yield FindByMessageId()
    others = tuple(item for item in found if by_id is None or item.graph_id != by_id.graph_id)
    return others if by_id is None or _sent(found) else (by_id, *others)


def _gate() -> Generator[Effect, Any, rules.Verdict]:
    """What the gate says, recorded where it is not "send"."""
    verdict = yield Gate()
    match verdict:
        case rules.Wait(until, reason):
            yield PutOff(until, reason)
        case rules.Cancel(reason):
            yield Commit(Event.CANCEL, reason=reason)
        case rules.Hold(reason):
            yield Commit(Event.HOLD, reason=reason)
    return verdict


def _sent(items: tuple[Item, ...]) -> Item | None:
    return next((item for item in items if not item.is_draft), None)
