"""What follows from a labelled reply. Pure."""

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
# An absence without a date: look again after this.
ABSENCE_WITHOUT_DATE = timedelta(days=7)
SOFT_BOUNCE_PAUSE = timedelta(days=2)
# A temporary bounce so many times is no longer temporary.
MOST_SOFT_BOUNCES = 3


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a reply changes. `stop` is one of Enrolment.Cause, `suppress` one of Suppression.Cause."""

    reason: str
    stop: str = ""
    suppress: str = ""
    pause_until: date | None = None
    promise: bool = False


def consequence(
    label: str,
    labels: tuple[str, ...],
    *,
    bounce: str,
    return_date: date | None,
    today: date,
    soft_bounces: int = 1,
) -> Consequence:
    """What follows. Any human reply stops the enrolment; a machine's only where it says so.

    An opt-out stops and suppresses wherever it stands among the labels: when in doubt, stop.
    `soft_bounces`: how many temporary ones the contact's mails had, this one included.
    """
    every = {label, *labels}
    if label == "bounce":
        if bounce == "hard":
            return Consequence("the address does not exist", stop="bounce", suppress="bounce")
        if bounce == "blocked":
            return Consequence("the mail was blocked", stop="bounce")
        if soft_bounces >= MOST_SOFT_BOUNCES:
            return Consequence(f"{soft_bounces} temporary bounces", stop="bounce")
        return Consequence("a temporary bounce", pause_until=today + SOFT_BOUNCE_PAUSE)
    if "unsubscribe" in every:
        return Consequence("asked not to be written to", stop="opt_out", suppress="unsubscribe")
    if "hard_no" in every:
        return Consequence("refused any further contact", stop="opt_out", suppress="hard_no")
    if label == "out_of_office":
        return Consequence("out of office", pause_until=return_date or today + ABSENCE_WITHOUT_DATE)
    if label == "auto_reply":
        return Consequence("an automatic reply")
    if label == "circle_back_later":
        return Consequence("asked to be contacted later", stop="reply", promise=return_date is not None)
    return Consequence(f"replied: {LABELS.get(label, label).lower()}", stop="reply")


# How mail programs begin the subject of an answer; one of these is enough.
ANSWERS = ("re:", "aw:", "sv:", "antw:", "odp:", "ref:", "res:", "rif:", "vs:", "回复:", "答复:")


def answer_subject(subject: str) -> str:
    """The subject of an answer to a mail with this one."""
    subject = " ".join(subject.split())
    answered = subject.casefold().startswith(ANSWERS)
    return (subject if answered else f"Re: {subject}".rstrip())[:MAX_SUBJECT]
