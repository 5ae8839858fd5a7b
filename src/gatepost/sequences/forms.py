"""The editor's form: any number of steps in one form, moved and removed without being stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.sequences.actions import MOST, BadTemplate
from gatepost.sequences.edits import StepDraft, Wording
from gatepost.sequences.models import Sequence, Step
from gatepost.sequences.rules import Condition, Kind
from gatepost.sequences.variants import MOST as MOST_WORDINGS
from gatepost.sequences.windows import Window, check_time_zone, check_window

DAYS = (
    ("mon", _("Monday")),
    ("tue", _("Tuesday")),
    ("wed", _("Wednesday")),
    ("thu", _("Thursday")),
    ("fri", _("Friday")),
    ("sat", _("Saturday")),
    ("sun", _("Sunday")),
)
MINUTES = {"minutes": 1, "hours": 60, "days": 1440}
BUSINESS_DAYS = "business_days"
UNITS = (
    (BUSINESS_DAYS, _("business days")),
    ("days", _("days")),
    ("hours", _("hours")),
    ("minutes", _("minutes")),
)
KINDS = Step.Kind.choices
CONDITIONS = (
    (Condition.STEP_DONE, _("the step before was sent or done")),
    (Condition.STEP_SKIPPED, _("the step before was skipped")),
    (Condition.HAS_PHONE, _("the contact has a phone number")),
    (Condition.HAS_TITLE, _("the contact has a job title")),
    (Condition.HAS_COMPANY, _("the contact has a company")),
    (Condition.NEVER_REPLIED, _("the contact never replied in any sequence")),
    (Condition.NEVER_MET, _("the contact never booked a meeting")),
)
MAX_DELAY = 365 * 1440
MIDNIGHT = "24:00"  # the end of a day as a window is stored


@dataclass(slots=True)
class WordingForm:
    """A further wording as it stands in the editor."""

    subject: str = ""
    body: str = ""
    weight: int = 1


@dataclass(slots=True)
class StepForm:
    """One step as it stands in the editor."""

    delay: int = 0
    unit: str = "days"
    subject: str = ""
    body: str = ""
    kind: str = Kind.MAIL
    conditions: list[str] = field(default_factory=list)
    task_days: int = 1
    weight: int = 1
    others: list[WordingForm] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, draft: StepDraft) -> "StepForm":
        """In the largest unit that needs no fraction: 2880 minutes are 2 days."""
        delay, unit = draft.business_days, BUSINESS_DAYS
        if not draft.business_days:
            unit = next(
                unit for unit in ("days", "hours", "minutes") if draft.delay_minutes % MINUTES[unit] == 0
            )
            delay = draft.delay_minutes // MINUTES[unit]
        return cls(
            delay,
            unit,
            draft.subject,
            draft.body,
            kind=draft.kind,
            conditions=list(draft.conditions),
            task_days=draft.task_days,
            weight=draft.weight,
            others=[WordingForm(each.subject, each.body, each.weight) for each in draft.others],
        )

    def draft(self) -> StepDraft:
        in_business_days = self.unit == BUSINESS_DAYS
        return StepDraft(
            0 if in_business_days else min(self.delay * MINUTES[self.unit], MAX_DELAY),
            self.subject,
            self.body,
            kind=self.kind,
            business_days=self.delay if in_business_days else 0,
            conditions=tuple(self.conditions),
            task_days=self.task_days,
            weight=self.weight,
            others=tuple(Wording(each.subject, each.body, each.weight) for each in self.others),
        )

    @property
    def is_mail(self) -> bool:
        return Kind(self.kind).is_mail

    @property
    def asks_a_person(self) -> bool:
        return self.kind != Kind.MAIL

    @property
    def may_vary(self) -> bool:
        return len(self.others) + 1 < MOST_WORDINGS

    @property
    def further(self) -> list[tuple[int, str, WordingForm, list[str], list[str]]]:
        """The further wordings: place, letter, wording, and the problems of its subject and text."""
        return [
            (n, chr(65 + n), each, self.problems.get(f"subject-{n}", []), self.problems.get(f"body-{n}", []))
            for n, each in enumerate(self.others, 1)
        ]


def steps_in(posted: Mapping[str, str]) -> list[StepForm]:
    """The steps of a posted editor, in order. What is not a number counts as none."""
    steps: list[StepForm] = []
    while f"body-{len(steps)}" in posted:
        number = len(steps)
        unit = posted.get(f"unit-{number}", "days")
        kind = posted.get(f"kind-{number}", Kind.MAIL)
        step = StepForm(
            delay=_number(posted.get(f"delay-{number}", ""), 0),
            unit=unit if unit in MINUTES or unit == BUSINESS_DAYS else "days",
            subject=posted.get(f"subject-{number}", ""),
            body=posted[f"body-{number}"].replace("\r\n", "\n"),
            kind=kind if kind in Step.Kind.values else Kind.MAIL,
            conditions=[each.value for each in Condition if f"if-{number}-{each.value}" in posted],
            task_days=_number(posted.get(f"task-days-{number}", ""), 1),
            weight=_number(posted.get(f"weight-{number}", ""), 1),
        )
        while f"body-{number}-{len(step.others) + 1}" in posted:
            place = len(step.others) + 1
            step.others.append(
                WordingForm(
                    posted.get(f"subject-{number}-{place}", ""),
                    posted[f"body-{number}-{place}"].replace("\r\n", "\n"),
                    _number(posted.get(f"weight-{number}-{place}", ""), 1),
                )
            )
        steps.append(step)
    return steps


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else otherwise


def rearranged(steps: list[StepForm], order: str) -> list[StepForm]:
    """The steps after "add", "remove-1", "up-1", "down-1", or a wording more ("vary-1") or less ("drop-1-2") of one.

    As they were after anything else.
    """
    word, _, number = order.partition("-")
    place = int(number) if number.isdecimal() else -1
    changed = list(steps)
    if word == "add":
        changed.append(StepForm(delay=3 if steps else 0))
    elif word == "remove" and 0 <= place < len(steps):
        del changed[place]
    elif word == "up" and 0 < place < len(steps):
        changed[place - 1 : place + 1] = [steps[place], steps[place - 1]]
    elif word == "down" and 0 <= place < len(steps) - 1:
        changed[place : place + 2] = [steps[place + 1], steps[place]]
    elif word == "vary" and 0 <= place < len(steps) and steps[place].may_vary:
        changed[place].others.append(WordingForm(steps[place].subject, steps[place].body))
    elif word == "drop":
        step, _dash, other = number.partition("-")
        if step.isdecimal() and other.isdecimal() and int(step) < len(steps):
            others = changed[int(step)].others
            if 0 < int(other) <= len(others):
                del others[int(other) - 1]
    return changed


def show_problems(steps: list[StepForm], error: BadTemplate) -> None:
    """Each problem stands at the field that it is about."""
    for number, column, problem in error.problems:
        name = column.replace("text", "body")
        text = _("Line %(line)s: %(message)s") % {"line": problem.line, "message": problem.message}
        steps[number - 1].problems.setdefault(name, []).append(text)


class NewSequence(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Seen by your team only. For example: Logistics, spring fair."),
    )


class Schedule(forms.Form):
    """The hours of each weekday as one writes them: “08:00–12:00, 13:00–18:00”; empty is closed."""

    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("For contacts of whom neither time zone nor country is known."),
    )

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for day, name in DAYS:
            self.fields[day] = forms.CharField(label=name, required=False, max_length=120)
        self.order_fields([*(day for day, _name in DAYS), "time_zone"])

    def days(self) -> list[forms.BoundField]:
        return [self[day] for day, _name in DAYS]

    def clean(self) -> dict[str, Any]:
        window: Window = {}
        for day, name in DAYS:
            try:
                spans = [_span(text) for text in self.cleaned_data.get(day, "").split(",") if text.strip()]
            except ValueError:
                self.add_error(day, _("%(day)s: write it like 08:00–12:00, 13:00–18:00.") % {"day": name})
                continue
            if spans:
                window[day] = spans
        problem = check_time_zone(self.cleaned_data.get("time_zone", ""))
        if problem:
            self.add_error("time_zone", problem)
        if not self.errors and (problem := check_window(window)):
            self.add_error(None, problem)
        return {**self.cleaned_data, "window": window}

    def window(self) -> Window:
        found: Window = self.cleaned_data["window"]
        return found


def _span(text: str) -> list[str]:
    """From “8:00 – 18:00” to ["08:00", "18:00"]. Raises ValueError."""
    opens, closes = (part.strip().zfill(5) for part in text.replace("–", "-").split("-"))
    return [opens, MIDNIGHT if closes == "00:00" else closes]


def schedule_of(window: Window, time_zone: str) -> Schedule:
    """The form filled with a window as it is stored."""
    written = {day: ", ".join("–".join(span) for span in sorted(window.get(day, []))) for day, _name in DAYS}
    return Schedule(initial={**written, "time_zone": time_zone})


class Life(forms.Form):
    """When the sequence waits and pauses, whom it leaves alone, and how it words its mails."""

    spintax = forms.BooleanField(
        label=_(
            "Choose among alternatives: {Hi|Hello} becomes one of the two, always the same for a contact"
        ),
        required=False,
    )

    skips_holidays = forms.BooleanField(
        label=_("No mail on public holidays of the contact's country"), required=False
    )
    absence_buffer_days = forms.IntegerField(
        label=_("Working days after an absence"),
        min_value=0,
        max_value=MOST["absence_buffer_days"],
        help_text=_("An out-of-office answer pauses until the return and so many working days more."),
    )
    cool_off_days = forms.IntegerField(
        label=_("Days since another sequence"),
        min_value=0,
        max_value=MOST["cool_off_days"],
        help_text=_("Whoever was in another one until a shorter while ago cannot be enrolled."),
    )
    hold_company_days = forms.IntegerField(
        label=_("Days that colleagues wait after a reply"),
        min_value=0,
        max_value=MOST["hold_company_days"],
        help_text=_(
            "Others at the same company get nothing so long. 0: a reply is no matter for colleagues."
        ),
    )
    bounce_limit = forms.IntegerField(
        label=_("Pause above so many percent bounced"), min_value=0, max_value=MOST["bounce_limit"]
    )
    complaint_limit = forms.IntegerField(
        label=_("Pause above so many percent opted out or refused"),
        min_value=0,
        max_value=MOST["complaint_limit"],
        help_text=_("Of the mails of the last 30 days, from 20 mails and 3 such answers on. 0: never."),
    )


def life_of(sequence: Sequence) -> Life:
    return Life(initial={name: getattr(sequence, name) for name in Life.base_fields})


class DaysOff(forms.Form):
    first = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}))
    stand_in = forms.UUIDField(required=False)
