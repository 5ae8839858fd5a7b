"""Steps as they are written, and what an edit changes. Pure."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.sequences.rules import Condition, Kind

EVERYBODY, ONLY_NEW = "everybody", "new"
WHO = (EVERYBODY, ONLY_NEW)
KINDS = {
    Kind.MAIL: "mail",
    Kind.APPROVAL: "mail for approval",
    Kind.CALL: "call",
    Kind.LINKEDIN: "LinkedIn",
    Kind.TASK: "task",
}
CONDITIONS = {
    Condition.STEP_DONE: "the step before was sent or done",
    Condition.STEP_SKIPPED: "the step before was skipped",
    Condition.HAS_PHONE: "the contact has a phone number",
    Condition.HAS_TITLE: "the contact has a job title",
    Condition.HAS_COMPANY: "the contact has a company",
    Condition.NEVER_REPLIED: "the contact has never replied in any sequence",
    Condition.NEVER_MET: "the contact has never booked a meeting",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A further wording of a step, with its share."""

    subject: str
    body: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class StepDraft:
    """A step as it is written on the page or sent to the API. Of a task, the subject says what to do, the text how."""

    delay_minutes: int
    subject: str
    body: str
    kind: str = Kind.MAIL
    business_days: int = 0  # instead of minutes
    conditions: tuple[str, ...] = ()
    task_days: int = 1  # working days that a person has for it
    weight: int = 1
    others: tuple[Wording, ...] = ()

    @property
    def wordings(self) -> tuple[Wording, ...]:
        return (Wording(self.subject, self.body, self.weight), *self.others)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, what in words, and for texts the lines that went and came."""

    step: int
    what: str
    lines: tuple[str, ...] = ()


def difference(before: Sequence[StepDraft], after: Sequence[StepDraft]) -> list[Change]:
    """What an edit changes, step by step. Nothing: an empty list."""
    changes = []
    for number in range(1, max(len(before), len(after)) + 1):
        if number > len(before):
            changes.append(Change(number, "is new", _lines("", after[number - 1].body)))
        elif number > len(after):
            changes.append(Change(number, "is removed", _lines(before[number - 1].body, "")))
        else:
            changes += _of_step(number, before[number - 1], after[number - 1])
    return changes


def _of_step(number: int, before: StepDraft, after: StepDraft) -> list[Change]:
    changes = []
    for name, show in (
        ("kind", _kind), ("delay", delay_in_words), ("conditions", _conditions), ("days for the task", _task_days),
    ):  # fmt: skip
        if show(before) != show(after):
            changes.append(Change(number, f"{name}: {show(before)} → {show(after)}"))
    most = max(len(before.wordings), len(after.wordings))
    for place in range(most):
        name = f"wording {chr(65 + place)}" if most > 1 else "wording"
        old = before.wordings[place] if place < len(before.wordings) else None
        new = after.wordings[place] if place < len(after.wordings) else None
        if old is None or new is None:
            was, is_now = (old or Wording("", "")), (new or Wording("", ""))
            what = f"{name} is new" if old is None else f"{name} is removed"
            changes.append(Change(number, what, _lines(was.body, is_now.body)))
            continue
        if old.weight != new.weight:
            changes.append(Change(number, f"{name}, weight: {old.weight} → {new.weight}"))
        if old.subject.strip() != new.subject.strip():
            changes.append(Change(number, f"{name}, subject", _lines(old.subject, new.subject)))
        if old.body.strip() != new.body.strip():
            changes.append(Change(number, f"{name}, text", _lines(old.body, new.body)))
    return changes


def _lines(before: str, after: str) -> tuple[str, ...]:
    """The lines that went, with “-”, and those that came, with “+”."""
    compared = difflib.ndiff(before.strip().splitlines(), after.strip().splitlines())
    return tuple(line for line in compared if line[:1] in "+-")


def _kind(draft: StepDraft) -> str:
    return KINDS[Kind(draft.kind)]


AT_ONCE = "at once"


def delay_in_words(draft: StepDraft) -> str:
    return delay_of(draft.delay_minutes, draft.business_days)


def delay_of(delay_minutes: int, business_days: int) -> str:
    """A delay as one says it: "3 business days", "2 hours", "at once"."""
    if business_days:
        return _count(business_days, "business day")
    for minutes, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if delay_minutes and delay_minutes % minutes == 0:
            return _count(delay_minutes // minutes, unit)
    return AT_ONCE


def _conditions(draft: StepDraft) -> str:
    return " and ".join(CONDITIONS[Condition(each)] for each in draft.conditions) or "always"


def _task_days(draft: StepDraft) -> str:
    return "" if Kind(draft.kind) == Kind.MAIL else _count(draft.task_days, "working day")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
