"""May this message leave now, and what does Microsoft's answer mean? Pure: facts and `now` in, a reason out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gatepost.outbox.limits import Counted, Pause, next_leaves


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. `whole_mailbox`: nothing else of this mailbox may leave before then either."""

    until: datetime
    reason: str
    whole_mailbox: bool = False
    read_first: bool = False  # the mailbox's mail must be looked at before


@dataclass(frozen=True, slots=True)
class Cancel:
    """Never."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must decide."""

    reason: str


Verdict = Send | Wait | Cancel | Hold


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """A mailbox at this moment."""

    connected: bool
    not_before: datetime | None
    read_through: datetime | None
    max_age: timedelta  # how old `read_through` may be before a follow-up
    paused: bool = False  # by its owner
    max_gap: timedelta = timedelta.max  # how old it may be before anything at all
    calendar_read: bool = True  # the meetings of the last gap are known, or no calendar is read
    compared: bool = True  # with this database, since the last start
    limits: tuple[Counted, ...] = ()  # its own, and those that it shares with others
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class GateFacts:
    """All that the last gate looks at, read a moment ago. The concept above hands in what only it knows."""

    mailbox: MailboxFacts
    is_follow_up: bool
    stopped: str  # why this contact is no longer written to; "" while he is
    suppressed: bool
    paused_until: datetime | None  # datetime.max: until somebody resumes it
    pause_reason: str
    window_opens: datetime  # the next moment, from now on, at which the sending window is open
    closed_reason: str = "outside the sending window"  # why it is not open now
    recovery: str = ""  # why all sending is stopped; "" while it is not
    sent_before: datetime | None = None  # when the mailbox sent this step already, unknown to the database
    postponed_until: datetime | None = None  # by a member
    may_have_left: bool = False  # before a restore, from a mailbox that cannot be looked into


POSTPONED = "postponed by a member"
PAUSED = "the mailbox is paused"
CALENDAR_FIRST = "reading the calendar first"
NOT_COMPARABLE = (
    "the database was restored, and this mailbox may not be looked into: look whether this mail was sent"
)


def may_send(facts: GateFacts, *, now: datetime) -> Verdict:
    """The gate in front of every send."""
    if facts.stopped:
        return Cancel(facts.stopped)
    if facts.suppressed:
        return Cancel("on the do-not-contact list")
    if facts.recovery:
        return Wait(now + timedelta(minutes=5), f"all sending is stopped: {facts.recovery}", True)
    if facts.sent_before is not None and facts.sent_before > now - CONFLICT_DAYS:
        return Hold(
            f"this contact got this step on {facts.sent_before:%d %B %Y}, before the database was restored"
        )
    if facts.may_have_left:
        return Hold(NOT_COMPARABLE)
    if facts.paused_until is not None and facts.paused_until > now:
        return Wait(facts.paused_until, facts.pause_reason)
    if facts.postponed_until is not None and facts.postponed_until > now:
        return Wait(facts.postponed_until, POSTPONED)
    if facts.window_opens > now:
        return Wait(facts.window_opens, facts.closed_reason)
    return _mailbox_may_send(facts.mailbox, is_follow_up=facts.is_follow_up, now=now)


def _mailbox_may_send(box: MailboxFacts, *, is_follow_up: bool, now: datetime) -> Send | Wait:
    if not box.compared:
        return Wait(
            now + timedelta(minutes=1), "comparing the mailbox with the records first", whole_mailbox=True
        )
    if not box.connected:
        return Wait(now + timedelta(minutes=15), "the mailbox is not connected", whole_mailbox=True)
    if box.paused:
        return Wait(now + timedelta(minutes=15), PAUSED, whole_mailbox=True)
    if box.not_before is not None and box.not_before > now:
        return Wait(box.not_before, "Microsoft asked us to wait", whole_mailbox=True)
    full = next_leaves(box.limits, box.pause, now=now)
    if full is not None:
        return Wait(full.until, full.reason, whole_mailbox=full.whole_mailbox)
    oldest = box.max_age if is_follow_up else box.max_gap
    if box.read_through is None or now - box.read_through > oldest:
        # A reply may lie in the mailbox already: look before writing again.
        return Wait(
            now + timedelta(minutes=1), "reading the mailbox first", whole_mailbox=True, read_first=True
        )
    if not box.calendar_read:
        # A meeting may stand there already: whoever booked one is not written to again.
        return Wait(now + timedelta(minutes=1), CALENDAR_FIRST, whole_mailbox=True)
    return Send()


# A mail that only the mailbox remembers speaks against the same step for so long.
CONFLICT_DAYS = timedelta(days=30)

# Between the commit that a send is tried and the send lies at most this, in real time: a worker that was stopped
# in between does not send when it wakes, since another one may have looked and sent meanwhile.
SEND_DEADLINE_SECONDS = 5.0

# Refusals that would meet every other mail of the mailbox too (Graph documentation, errors; Exchange limits).
DAY_LIMIT = "ErrorExceededMessageLimit"
MAILBOX_REFUSALS = frozenset(
    {"ErrorSendAsDenied", "ErrorQuotaExceeded", "ErrorMessageSubmissionBlocked", "ErrorAccountSuspend"}
)


def after_refusal(code: str, *, now: datetime) -> Wait | Hold:
    """What follows from a definite no of Microsoft to a send: the draft stays as it was."""
    if code == DAY_LIMIT:
        return Wait(
            now + timedelta(hours=24),
            "Microsoft's daily limit of this mailbox is reached",
            whole_mailbox=True,
        )
    return Hold(f"Microsoft refused to send it: {code}")


# Was the database restored?

# No request of an old worker is under way any more, and no old worker lives (docs/operate/run.md tells to stop them).
RECOVERY_QUIET = timedelta(minutes=30)
OVERLAP = timedelta(
    hours=1
)  # what is compared begins so much before the last moment that the database knows of


@dataclass(frozen=True, slots=True)
class Witness:
    """Which installation, and how far it had come; as the database says it, or somebody outside it."""

    instance: UUID
    beat: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Sending must stop. `copied`: it may run beside its original."""

    reason: str
    copied: bool = False


def sees_a_restore(known: Witness, outside: list[Witness], *, mark: str, mark_now: str) -> Stop | None:
    """What a worker that starts concludes from the database's own words and from those outside it."""
    if any(witness.instance != known.instance for witness in outside):
        return Stop("this database belongs to another installation, so it is a copy", copied=True)
    if any(witness.beat > known.beat for witness in outside):
        return Stop("the database is older than it was: it was restored from a backup")
    if mark and mark_now and mark != mark_now:
        return Stop("the database was moved to another server, or its tables were made anew")
    return None
