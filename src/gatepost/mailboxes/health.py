"""How a mailbox is: one word, since when, why, and what to do. Pure: facts and `now` in, a value with its reason out.

"Connected" means that its mail was read a moment ago. Whatever else there is to say is said by another word.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gatepost.errors import Who

Word = Literal[
    "connected", "limited", "waiting_for_approval", "needs_rep", "needs_it", "needs_operator", "paused",
    "disconnected",
]  # fmt: skip
Step = Literal["", "connect", "resume", "ask"]

NAMES: dict[Word, str] = {
    "connected": "Connected",
    "limited": "Limited",
    "waiting_for_approval": "Waiting for approval",
    "needs_rep": "Needs you",
    "needs_it": "Needs your IT",
    "needs_operator": "Needs Gatepost's operator",
    "paused": "Paused",
    "disconnected": "Disconnected",
}
SIGN_IN_FREQUENCY = "AADSTS70043"
# What the rep may do about a sign-in that ended; Microsoft's code by itself tells nobody anything.
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
WHY_SIGN_IN = {
    "AADSTS700082": "Nothing was asked of Microsoft for 90 days, and it ended the sign-in.",
    "AADSTS50173": "Your password was reset, or all your sign-ins were ended.",
    "AADSTS50133": "Your password was changed.",
    SIGN_IN_FREQUENCY: "Your organisation asks for a new sign-in every so often.",
    "AADSTS50076": "Your organisation asks for a second factor.",
    "AADSTS50079": "Your organisation asks for a second factor, and you have set up none yet.",
    "AADSTS65001": "The permissions were withdrawn.",
}
WHY_IT = {
    "AADSTS50057": "The account is disabled.",
    "AADSTS50105": "The account is not assigned to the app Gatepost.",
    "AADSTS53000": "A Conditional Access policy asks for a managed device.",
    "AADSTS53001": "A Conditional Access policy asks for a joined device.",
    "AADSTS53003": "A Conditional Access policy blocks Gatepost.",
    "AADSTS530032": "A security policy blocks Gatepost.",
    "AADSTS530035": "Security defaults block Gatepost.",
}
# Shorter ones mend themselves, and nobody is told.
BLIP = timedelta(minutes=15)
# A rep who signs in again at once needs no letter about it.
PATIENCE: dict[Word, timedelta] = {"needs_rep": timedelta(minutes=5), "needs_it": BLIP, "limited": BLIP}


@dataclass(frozen=True, slots=True)
class Problem:
    """What kept us from reading at the last try."""

    who: Who
    code: str
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a mailbox at this moment."""

    state: str  # Mailbox.State
    state_code: str
    state_since: datetime
    paused_at: datetime | None = None
    approval_asked_at: datetime | None = None  # an attempt to connect it again came back without permission
    registration_code: str = ""
    registration_since: datetime | None = None
    problem: Problem | None = None
    read_through: datetime | None = None
    reading_since: datetime | None = None  # since when a first walk, or that after a gap, is under way
    sync_every: timedelta = timedelta(minutes=5)
    calendar_problem: str = ""
    missing: tuple[str, ...] = ()  # what does not run, since its permission was not granted
    signed_out_often: int = 0  # how often, of late, the organisation asked for a new sign-in


@dataclass(frozen=True, slots=True)
class Health:
    word: Word
    since: datetime
    why: str = ""
    to_do: str = ""
    held_back: str = ""  # what does not happen meanwhile
    step: Step = ""  # the button that helps

    @property
    def name(self) -> str:
        return NAMES[self.word]


NOTHING_RUNS = "Nothing is sent and nothing is read. Steps that are due wait; none is lost."


def of(facts: Facts, *, now: datetime) -> Health:
    """The gravest thing that there is to say."""
    for judge in (_state, _registration, _refused, _paused, _unread, _missing):
        health = judge(facts, now)
        if health is not None:
            return health
    return Health("connected", facts.state_since)


def oldest_read(sync_every: timedelta) -> timedelta:
    """How old the last look at the mail may be before it counts as a gap."""
    return max(BLIP, 3 * sync_every)


def _state(facts: Facts, now: datetime) -> Health | None:
    if facts.state == "connected":
        return None
    if facts.state == "disconnected":
        return Health(
            "disconnected", facts.state_since, "", "Connect it again to go on.", NOTHING_RUNS, "connect"
        )
    if facts.approval_asked_at is not None and facts.approval_asked_at >= facts.state_since:
        return Health(
            "waiting_for_approval", facts.approval_asked_at,
            "Microsoft did not give the permissions: an administrator must approve, or the page was cancelled.",
            "Once your IT has approved, connect it again.", NOTHING_RUNS, "connect",
        )  # fmt: skip
    if facts.state_code in WHY_IT:
        return Health(
            "needs_it", facts.state_since, WHY_IT[facts.state_code],
            f"Ask your IT to allow Gatepost for this account ({facts.state_code}), then connect it again.",
            NOTHING_RUNS, "connect",
        )  # fmt: skip
    why = WHY_SIGN_IN.get(facts.state_code, "Microsoft asks for a new sign-in.")
    to_do = "Sign in with Microsoft again. Everything is kept, and what came meanwhile is read first."
    if facts.signed_out_often >= 2:
        to_do += (
            f" This was the {_ordinal(facts.signed_out_often)} time in 30 days. Your IT can leave Gatepost out of the "
            "policy “Sign-in frequency” (Entra admin center, Conditional Access)."
        )
    return Health("needs_rep", facts.state_since, why, to_do, NOTHING_RUNS, "connect")


def _registration(facts: Facts, now: datetime) -> Health | None:
    if facts.registration_since is None:
        return None
    return Health(
        "needs_operator", facts.registration_since,
        f"Microsoft refuses the app registration of this Gatepost ({facts.registration_code}). "
        "Your mailbox is in order.",
        "Whoever runs Gatepost was told; there is nothing for you to do.", NOTHING_RUNS,
    )  # fmt: skip


def _refused(facts: Facts, now: datetime) -> Health | None:
    problem = facts.problem
    if problem is None or problem.who != "it":
        return None
    return Health(
        "needs_it", problem.since, f"Microsoft refuses to let the mailbox be read ({problem.code}).",
        "Ask your IT whether the account still has an Exchange Online mailbox, and whether a policy keeps apps from it.",
        NOTHING_RUNS,
    )  # fmt: skip


def _paused(facts: Facts, now: datetime) -> Health | None:
    if facts.paused_at is None:
        return None
    return Health(
        "paused", facts.paused_at, "", "Resume it when it should send again.",
        "Nothing is sent. Replies and meetings are still found.", "resume",
    )  # fmt: skip


def _unread(facts: Facts, now: datetime) -> Health | None:
    """Mail was not read for too long, whatever the reason."""
    held_back = "Nothing is sent before the mail was read."
    if facts.problem is not None and now - facts.problem.since >= BLIP:
        return Health(
            "limited", facts.problem.since, facts.problem.text,
            "It is tried again every minute; there is nothing for you to do.", held_back,
        )  # fmt: skip
    last = facts.read_through or facts.reading_since
    if last is not None and now - last > oldest_read(facts.sync_every) and facts.problem is None:
        return Health(
            "limited", last, "Mail has not been read since then.",
            "If this stays so, ask whoever runs Gatepost whether its worker runs.", held_back,
        )  # fmt: skip
    if facts.calendar_problem:
        return Health(
            "limited", facts.state_since, f"Microsoft refuses to let the calendar be read ({facts.calendar_problem}).",
            "Ask your IT whether a policy keeps apps from it.", "Meetings are not found.",
        )  # fmt: skip
    return None


def _missing(facts: Facts, now: datetime) -> Health | None:
    if not facts.missing:
        return None
    return Health(
        "limited", facts.state_since, "Microsoft did not grant all that was asked for.",
        "Ask Microsoft again; an administrator may have to approve.", " ".join(facts.missing), "ask",
    )  # fmt: skip


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third", 4: "fourth", 5: "fifth"}.get(number, f"{number}th")


# When somebody is told


@dataclass(frozen=True, slots=True)
class Tell:
    """There is news: told in the app, and by letter where `by_letter`."""

    by_letter: bool


@dataclass(frozen=True, slots=True)
class LookAgain:
    """It may mend itself by then."""

    at: datetime


def news(told: str, health: Health, *, now: datetime) -> Tell | LookAgain | None:
    """Whether to tell. Once for each change, never for a blip, and not of what its owner did himself."""
    if health.word == told:
        return None
    patience = PATIENCE.get(health.word)
    if patience is None:
        return Tell(by_letter=False)
    if now - health.since < patience:
        return LookAgain(health.since + patience)
    return Tell(by_letter=True)


# Refusals of a kind that nobody documented: they wait at first, since most of them pass.
MANY_REFUSALS = 10
LONG_REFUSED = timedelta(hours=1)


def refused_for_good(refusals: int, since: datetime, *, now: datetime) -> bool:
    return refusals >= MANY_REFUSALS and now - since >= LONG_REFUSED


# Before a credential ends

STAGES = (30, 14, 7, 1)


def stage(days_left: int) -> int | None:
    """The stage of warning that is reached: 30, 14, 7 or 1 days before; 0 when it has ended; None before all of them."""
    if days_left <= 0:
        return 0
    reached = [days for days in STAGES if days_left <= days]
    return min(reached) if reached else None
