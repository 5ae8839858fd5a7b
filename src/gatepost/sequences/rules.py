"""When the next step is due, and what is done then. One planner, pure: facts and `now` in, a reason out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gatepost.sequences.windows import Hours, Opening, due_after

MAX_STEPS = 50
LONGEST_DELAY_MINUTES = 366 * 24 * 60
LONGEST_DELAY_BUSINESS_DAYS = 260
LONGEST_TASK_DAYS = 60
SEQUENCE_PAUSED = "the sequence is paused"
ASKED_TO_WAIT = "somebody at this company answered or asked to wait"


class Kind(StrEnum):
    """What a step is."""

    MAIL = "mail"  # leaves by itself
    APPROVAL = "approval"  # a mail that leaves when a person approved it
    CALL = "call"
    LINKEDIN = "linkedin"
    TASK = "task"  # anything else that a person does

    @property
    def is_mail(self) -> bool:
        return self in (Kind.MAIL, Kind.APPROVAL)


class Condition(StrEnum):
    """What must be so for a step to be taken; else it is skipped. Several of them must all be so."""

    STEP_DONE = "step_done"
    STEP_SKIPPED = "step_skipped"
    HAS_PHONE = "has_phone"
    HAS_TITLE = "has_title"
    HAS_COMPANY = "has_company"
    NEVER_REPLIED = "never_replied"
    NEVER_MET = "never_met"


# Why a step is skipped, by the condition that does not hold.
NOT_SO = {
    Condition.STEP_DONE: "the step before was skipped",
    Condition.STEP_SKIPPED: "the step before was not skipped",
    Condition.HAS_PHONE: "the contact has no phone number",
    Condition.HAS_TITLE: "the contact has no job title",
    Condition.HAS_COMPANY: "the contact has no company",
    Condition.NEVER_REPLIED: "the contact has replied before",
    Condition.NEVER_MET: "the contact has booked a meeting before",
}


@dataclass(frozen=True, slots=True)
class Send:
    """The step at this position goes out."""

    position: int


@dataclass(frozen=True, slots=True)
class Ask:
    """The step at this position becomes a task: it is none that leaves by itself, or its mailbox may not send it."""

    position: int
    kind: str = "follow_up"


@dataclass(frozen=True, slots=True)
class Skip:
    """The step at this position is left out, and the enrolment goes on."""

    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class PassOn:
    """The sender is away, and a colleague's mailbox writes to this contact from the first mail on."""


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The enrolment ends. `cause` is one of Enrolment.Cause."""

    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """All steps went out."""


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A step as the planner sees it."""

    kind: Kind = Kind.MAIL
    delay_minutes: int = 0
    business_days: int = 0
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    next_position: int
    last_position: int
    sequence_active: bool
    suppressed: bool
    internal: bool
    company_hold_until: datetime | None
    hours: Hours
    sends: bool = True  # its mailbox may send
    follows_up: bool = True  # its mailbox may write drafts and notice replies
    step: StepFacts = field(default=StepFacts())
    holds: Collection[Condition] = ()  # the conditions that are so
    approved: bool = False  # a person approved the mail of this step
    has_written: bool = False  # a mail of this enrolment has left or is on its way
    stand_in: bool = False  # the sender is away, and a colleague writes instead


def decide_next(facts: EnrolmentFacts, *, now: datetime) -> Send | Ask | Skip | PassOn | Wait | Stop | Finish:
    """What is to be done with an enrolment that is due."""
    if facts.suppressed:
        return Stop("suppressed", "on the do-not-contact list")
    if facts.internal:
        return Stop("suppressed", "an address of your own organisation")
    if facts.next_position > facts.last_position:
        return Finish()
    if not facts.sequence_active:
        return Wait(now + timedelta(hours=1), SEQUENCE_PAUSED)
    if facts.company_hold_until is not None and facts.company_hold_until > now:
        return Wait(facts.company_hold_until, ASKED_TO_WAIT)
    if reason := why_skipped(facts.step.conditions, facts.holds):
        return Skip(facts.next_position, reason)
    if facts.stand_in and not facts.has_written:
        return PassOn()
    opening = facts.hours.opening(now)
    if opening.at > now:
        return Wait(opening.at, opening.reason)
    kind = facts.step.kind
    if not kind.is_mail or (kind == Kind.APPROVAL and not facts.approved):
        return Ask(facts.next_position, kind)
    if facts.has_written and not facts.follows_up:
        return Ask(facts.next_position)
    if not facts.sends:
        return Wait(now + timedelta(hours=1), "Microsoft has not granted this mailbox to send")
    return Send(facts.next_position)


def why_skipped(conditions: Collection[Condition], holds: Collection[Condition]) -> str:
    """Why a step with these conditions is left out; "" where it is not."""
    return next((NOT_SO[condition] for condition in conditions if condition not in holds), "")


def due(step: StepFacts, hours: Hours, *, after: datetime) -> Opening:
    """When a step is due, counted from when the one before was taken or skipped (or from enrolling)."""
    return due_after(after, step.delay_minutes, hours, business_days=step.business_days)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a dry run says of one step: when it would be taken at the earliest, or why it would be skipped."""

    position: int
    kind: Kind
    at: datetime
    reason: str
    skipped: bool = False


def dry_run(
    steps: Sequence[StepFacts], hours: Hours, *, start: datetime, holds: Collection[Condition]
) -> list[Planned]:
    """The whole sequence for one contact who never answers, as it would go if each person did a task at once.

    `holds`: the conditions about the contact; those about the step before follow from the run itself.
    """
    run, before = [], start
    about_contact = set(holds) - {Condition.STEP_DONE, Condition.STEP_SKIPPED}
    said = {Condition.STEP_DONE}  # before the first step nothing was skipped
    for position, step in enumerate(steps, 1):
        opening = due(step, hours, after=before)
        skipped = why_skipped(step.conditions, about_contact | said)
        run.append(Planned(position, step.kind, opening.at, skipped or opening.reason, bool(skipped)))
        said = {Condition.STEP_SKIPPED if skipped else Condition.STEP_DONE}
        before = opening.at
    return run


# When a sequence is paused by itself

FEWEST_SENT = 20
FEWEST_BAD = 3


@dataclass(frozen=True, slots=True)
class Bill:
    """What became of the mails of a sequence within the last days."""

    sent: int
    bounced: int
    complained: int  # opted out, or refused any further contact


def too_many(bill: Bill, *, bounce_limit: int, complaint_limit: int) -> str:
    """Why the sequence must pause, or "". Limits are percent of the mails sent; 0 is no limit.

    A few mails prove nothing: neither the first twenty nor fewer than three bad ones pause a sequence.
    """
    if bill.sent < FEWEST_SENT:
        return ""
    for bad, limit, words in (
        (bill.bounced, bounce_limit, "bounced"),
        (bill.complained, complaint_limit, "were answered by an opt-out or a refusal"),
    ):
        if limit and bad >= FEWEST_BAD and bad * 100 > limit * bill.sent:
            return f"{bad} of its last {bill.sent} mails {words}, more than {limit} %"
    return ""
