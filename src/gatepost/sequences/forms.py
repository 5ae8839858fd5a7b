"""The editor's form: any number of steps in one form, moved and removed without being stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.sequences.actions import BadTemplate, StepDraft

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
UNITS = (("days", _("days")), ("hours", _("hours")), ("minutes", _("minutes")))
MAX_DELAY = 365 * 1440
MIDNIGHT = "24:00"  # the end of a day as a window is stored; a browser's clock field says 00:00


@dataclass(slots=True)
class StepForm:
    """One step as it stands in the editor."""

    delay: int = 0
    unit: str = "days"
    subject: str = ""
    body: str = ""
    problems: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, draft: StepDraft) -> "StepForm":
        """In the largest unit that needs no fraction: 2880 minutes are 2 days."""
        unit = next(unit for unit in ("days", "hours", "minutes") if draft.delay_minutes % MINUTES[unit] == 0)
        return cls(draft.delay_minutes // MINUTES[unit], unit, draft.subject, draft.body)

    def draft(self) -> StepDraft:
        return StepDraft(min(self.delay * MINUTES[self.unit], MAX_DELAY), self.subject, self.body)


def steps_in(posted: Mapping[str, str]) -> list[StepForm]:
    """The steps of a posted editor, in order. What is not a number counts as none."""
    steps: list[StepForm] = []
    while f"body-{len(steps)}" in posted:
        number = len(steps)
        delay = posted.get(f"delay-{number}", "")
        unit = posted.get(f"unit-{number}", "days")
        steps.append(
            StepForm(
                delay=int(delay) if delay.isdecimal() and len(delay) < 7 else 0,
                unit=unit if unit in MINUTES else "days",
                subject=posted.get(f"subject-{number}", ""),
                body=posted[f"body-{number}"].replace("\r\n", "\n"),
            )
        )
    return steps


def rearranged(steps: list[StepForm], order: str) -> list[StepForm]:
    """The steps after "add", "remove-1", "up-1" or "down-1"; as they were after anything else."""
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
    return changed


def show_problems(steps: list[StepForm], error: BadTemplate) -> None:
    """Each problem stands at the field that it is about."""
    for number, column, problem in error.problems:
        name = "body" if column == "text" else "subject"
        text = _("Line %(line)s: %(message)s") % {"line": problem.line, "message": problem.message}
        steps[number - 1].problems.setdefault(name, []).append(text)


class NewSequence(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Seen by your team only. For example: Logistics, spring fair."),
    )


class Schedule(forms.Form):
    days = forms.MultipleChoiceField(label=_("On"), choices=DAYS, widget=forms.CheckboxSelectMultiple)
    opens = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    closes = forms.TimeField(label=_("Until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    time_zone = forms.CharField(
        label=_("Time zone"), max_length=64, help_text=_("For contacts whose own time zone is not known.")
    )

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in available_timezones():
            raise forms.ValidationError(_("Use a name such as Europe/Berlin."))
        return name

    def window(self) -> dict[str, list[list[str]]]:
        closes = f"{self.cleaned_data['closes']:%H:%M}"
        span = [f"{self.cleaned_data['opens']:%H:%M}", MIDNIGHT if closes == "00:00" else closes]
        return {day: [span] for day in self.cleaned_data["days"]}


def schedule_of(window: dict[str, list[list[str]]], time_zone: str) -> Schedule:
    """The form filled with a window as it is stored; where days differ, with the hours of the first."""
    days = [day for day, _name in DAYS if window.get(day)]
    opens, closes = window[days[0]][0] if days else ("08:00", "18:00")
    closes = "00:00" if closes == MIDNIGHT else closes
    return Schedule(initial={"days": days, "opens": opens, "closes": closes, "time_zone": time_zone})
