"""What follows from a labelled reply. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from gatepost.text.templates import MAX_SUBJECT

LABELS = {
    "interested": "Interested",
    "question": "Question",
    "circle_back_later": "Circle back later",
    "not_interested": "Not interested",
    "hard_no": "Hard no",
    "unsubscribe": "Unsubscribe",
    "not_the_right_person": "Not the right person",
    "referral": "Referral",
    "out_of_office": "Out of office",
    "left_company": "Left the company",
    "auto_reply": "Automatic reply",
    "bounce": "Bounced",
    "other": "Other",
    "unsure": "Unsure",
}
# Sent by machines: they count as no reply.
AUTOMATIC = frozenset({"out_of_office", "auto_reply", "bounce"})
OPT_OUTS = frozenset({"unsubscribe", "hard_no"})
# An absence without a date: look again after this.
ABSENCE_WITHOUT_DATE = timedelta(days=7)
SOFT_BOUNCE_PAUSE = timedelta(days=2)
# A temporary bounce so many times is no longer temporary.
MOST_SOFT_BOUNCES = 3


# What becomes of the sequence, from the mildest to the strictest.
COURSES = ("go_on", "pause", "end")
MOST_COOL_OFF_DAYS = 730


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a label, as a workspace has it."""

    course: str  # of the sequence: one of COURSES
    task: bool = False  # its rep is asked at once
    suppress: bool = False  # the address is never written to again
    cool_off_days: int = 0  # the contact can be enrolled nowhere for so long
    hold_company: bool = False  # until the day that the contact named, nobody writes to his company


DEFAULTS: dict[str, Rule] = {
    "interested": Rule("end", task=True),
    "question": Rule("end", task=True),
    "circle_back_later": Rule("end", hold_company=True),
    "not_interested": Rule("end", cool_off_days=90),
    "hard_no": Rule("end", suppress=True),
    "unsubscribe": Rule("end", suppress=True),
    "not_the_right_person": Rule("end", task=True),
    "referral": Rule("end", task=True),
    "out_of_office": Rule("pause"),
    "left_company": Rule("end", suppress=True),
    "auto_reply": Rule("go_on"),
    "bounce": Rule("end", suppress=True),
    "other": Rule("end"),
    "unsure": Rule("pause", task=True),
}
# Nobody can weaken these: a no is a no, and an address that does not exist is none.
FIXED = frozenset({"hard_no", "unsubscribe", "bounce"})


def courses_of(label: str) -> tuple[str, ...]:
    """What a workspace may choose for the sequence: whoever answered himself is not written to by a machine again."""
    if label in FIXED:
        return ("end",)
    return COURSES if label in AUTOMATIC else ("pause", "end")


def check(label: str, rule: Rule) -> str:
    """Why a workspace may not have this rule, or ""."""
    if label not in LABELS:
        return f"There is no label {label!r}. Use one of: {', '.join(LABELS)}."
    if label in FIXED and (rule.course, rule.suppress) != ("end", True):
        return (
            f"“{LABELS[label]}” always ends the sequence and suppresses the address; this cannot be weakened."
        )
    if rule.course not in courses_of(label):
        return f"After “{LABELS[label]}” the sequence can: {', '.join(courses_of(label))}."
    if not 0 <= rule.cool_off_days <= MOST_COOL_OFF_DAYS:
        return f"A cool-off lasts between 0 and {MOST_COOL_OFF_DAYS} days."
    return ""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a reply changes, and by which of its labels.

    `stop` is one of Enrolment.Cause, `suppress` one of Suppression.Cause.
    """

    reason: str
    label: str
    stop: str = ""
    suppress: str = ""
    pause: bool = False  # until `until`, or for good: until a person lets it go on
    until: date | None = None
    promise: bool = False
    hold_company: bool = False
    task: bool = False
    cool_off_days: int = 0


def consequence(
    label: str,
    labels: tuple[str, ...],
    *,
    bounce: str,
    return_date: date | None,
    today: date,
    soft_bounces: int = 1,
    table: Mapping[str, Rule] = DEFAULTS,
) -> Consequence:
    """What follows by the workspace's table.

    An opt-out stops and suppresses wherever it stands among the labels: when in doubt, stop.
    `soft_bounces`: how many temporary ones the contact's mails had, this one included.
    """
    if label == "bounce":
        return _after_bounce(bounce, soft_bounces, today, task=table["bounce"].task)
    for refusal, reason in (
        ("unsubscribe", "asked not to be written to"),
        ("hard_no", "refused any further contact"),
    ):
        if refusal in {label, *labels}:
            return Consequence(reason, refusal, stop="opt_out", suppress=refusal, task=table[refusal].task)
    rule = table[label]
    dated = label == "circle_back_later" and return_date is not None
    return Consequence(
        REASONS.get(label) or f"replied: {LABELS[label].lower()}",
        label,
        stop="reply" if rule.course == "end" else "",
        suppress=label if rule.suppress else "",
        pause=rule.course == "pause",
        until=(return_date or today + ABSENCE_WITHOUT_DATE) if label == "out_of_office" else None,
        promise=dated,
        hold_company=dated and rule.hold_company,
        # A "later" without a day is nothing that the program could keep in mind.
        task=rule.task or (label == "circle_back_later" and not dated),
        cool_off_days=rule.cool_off_days,
    )


REASONS = {
    "out_of_office": "out of office",
    "auto_reply": "an automatic reply",
    "circle_back_later": "asked to be contacted later",
    "left_company": "left the company",
    "unsure": "a person must say what the reply means",
}


def _after_bounce(bounce: str, soft_bounces: int, today: date, *, task: bool) -> Consequence:
    if bounce == "hard":
        return Consequence(
            "the address does not exist", "bounce", stop="bounce", suppress="bounce", task=task
        )
    if bounce == "blocked":
        return Consequence("the mail was blocked", "bounce", stop="bounce", task=task)
    if soft_bounces >= MOST_SOFT_BOUNCES:
        return Consequence(f"{soft_bounces} temporary bounces", "bounce", stop="bounce", task=task)
    return Consequence("a temporary bounce", "bounce", pause=True, until=today + SOFT_BOUNCE_PAUSE)


# The inbox


def urgency(label: str, *, promised: bool = False) -> int:
    """Where a conversation stands in the inbox; 0 comes first."""
    if promised:
        return 0
    return URGENCY.get(label, LEAST_URGENT)


LEAST_URGENT = 4
URGENCY = {
    "interested": 0,
    "question": 0,
    "unsure": 1,
    "referral": 1,
    "not_the_right_person": 2,
    "circle_back_later": 2,
    "other": 2,
    "not_interested": 3,
    "hard_no": 3,
    "unsubscribe": 3,
}
LONGEST_SNOOZE = timedelta(days=366)


# How mail programs begin the subject of an answer; one of these is enough.
ANSWERS = ("re:", "aw:", "sv:", "antw:", "odp:", "ref:", "res:", "rif:", "vs:", "回复:", "答复:")


def answer_subject(subject: str) -> str:
    """The subject of an answer to a mail with this one."""
    subject = " ".join(subject.split())
    answered = subject.casefold().startswith(ANSWERS)
    return (subject if answered else f"Re: {subject}".rstrip())[:MAX_SUBJECT]
