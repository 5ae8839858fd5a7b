"""Figures as a page shows them: each number with the address of its rows, each share with how sure it is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from gatepost.meetings.models import Meeting
from gatepost.reports import charts
from gatepost.reports.choosing import NARROWS, Asked
from gatepost.reports.queries import Chosen, Figures, Part, Report
from gatepost.reports.rules import Difference, Rate, rate
from gatepost.web.labels import LABELS, Label

WORDS: dict[str, str | Promise] = {
    "planned": gettext_lazy("Planned"),
    "sent": gettext_lazy("Sent"),
    "confirmed": gettext_lazy("Confirmed"),
    "bounced": gettext_lazy("Bounced"),
    "replied": gettext_lazy("Replied"),
    "interested": gettext_lazy("Interested"),
    "unsure": gettext_lazy("Unsure"),
    "opted_out": gettext_lazy("Opted out"),
    "promises": gettext_lazy("Promises"),
    "meetings": gettext_lazy("Meetings"),
    "tasks": gettext_lazy("Tasks done"),
}
# Of what a number is a share.
WHOLES = {
    "bounced": "confirmed", "replied": "confirmed", "meetings": "confirmed", "interested": "labelled",
}  # fmt: skip
FUNNEL = ("planned", "sent", "confirmed", "replied", "interested", "meetings")
SERIES = ("sent", "bounced", "replied", "interested", "meetings")
_LISTS = {
    "planned": ("outbox:outbox", {"planned": "1"}),
    "sent": ("outbox:outbox", {"part": "sent"}),
    "confirmed": ("outbox:outbox", {"part": "confirmed"}),
    "bounced": ("outbox:outbox", {"bounced": "1"}),
    "replied": ("conversations:inbox", {"part": "all", "answered": "1"}),
    "interested": ("conversations:inbox", {"part": "all", "label": "interested"}),
    "unsure": ("conversations:inbox", {"part": "all", "label": "unsure"}),
    "opted_out": ("conversations:inbox", {"part": "all", "opted_out": "1"}),
    "promises": ("conversations:inbox", {"part": "all", "promised": "1"}),
    "meetings": ("meetings:meetings", {"part": "booked"}),
    "tasks": ("sequences:tasks", {"state": "done"}),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One number, where its rows are, and what share of its whole it is."""

    kind: str
    word: str
    value: int
    address: str
    rate: Rate | None = None

    @property
    def share(self) -> str:
        """In words: nothing for none, and no percentage of so few that it would say something else than it knows."""
        if self.rate is None or not self.value or not self.rate.whole:
            return ""
        return _("few") if self.rate.is_small else percent(self.rate.share)

    @property
    def exactly(self) -> str:
        return in_full(self.rate) if self.rate else ""


def in_full(rate: Rate) -> str:
    if rate.share is None:
        return _("of none")
    told = _("%(part)d of %(whole)d, %(share)s; the true share lies between %(low)s and %(high)s") % {
        "part": rate.part, "whole": rate.whole, "share": percent(rate.share), "low": percent(rate.low),
        "high": percent(rate.high),
    }  # fmt: skip
    return told + (_(" (these are few)") if rate.is_small else "")


def short(rate: Rate) -> str:
    """A share in a table: nothing for none, and no percentage of few."""
    if not rate.part:
        return ""
    return _("few") if rate.is_small else percent(rate.share)


def percent(share: float | None) -> str:
    if share is None:
        return "–"
    value = 100 * share
    return f"{value:.0f} %" if abs(value) >= 10 or not value else f"{value:.1f} %"


def cells(figures: Figures, chosen: Chosen, first: date, last: date) -> list[Cell]:
    """A row's numbers, in the order of `WORDS`."""
    return [cell(kind, figures, chosen, first, last) for kind in WORDS]


def cell(kind: str, figures: Figures, chosen: Chosen, first: date, last: date) -> Cell:
    value = getattr(figures, kind)
    whole = WHOLES.get(kind)
    return Cell(
        kind, _words(get_language())[kind], value, rows_of(kind, chosen, first, last),
        rate(value, getattr(figures, whole)) if whole else None,
    )  # fmt: skip


@lru_cache
def _words(_language: str | None) -> dict[str, str]:
    return {kind: str(word) for kind, word in WORDS.items()}


def rows_of(
    kind: str, chosen: Chosen, first: date, last: date, *, mailed: bool = False, **further: str
) -> str:
    """The address of the list that shows what was counted; where `mailed`, by the days on which our mails had left."""
    return _list(kind, chosen.label, **further) + _narrowed(chosen, first, last, mailed)


# A report has a thousand such addresses: the list is the same in each column, and what narrows it in each row.


@lru_cache(maxsize=512)
def _list(kind: str, answer: str, **further: str) -> str:
    name, which = _LISTS[kind]
    asked = which | further
    if answer:
        asked.setdefault("label" if name == "conversations:inbox" else "answer", answer)
    return f"{reverse(name)}?{urlencode(asked)}&"


@lru_cache(maxsize=512)
def _narrowed(chosen: Chosen, first: date, last: date, mailed: bool) -> str:
    narrows = {parameter: getattr(chosen, column) for parameter, column in NARROWS.items()}
    prefix = "mailed_" if mailed else ""
    days = {f"{prefix}since": first.isoformat(), f"{prefix}until": last.isoformat()}
    return urlencode({parameter: str(value) for parameter, value in narrows.items() if value} | days)


@dataclass(frozen=True, slots=True)
class Line:
    """A cell beside a bar."""

    cell: Cell
    length: float


@dataclass(frozen=True, slots=True)
class LabelLine:
    label: Label
    value: int
    address: str
    length: float


def funnel(figures: Figures, asked: Asked) -> list[Line]:
    found = [cell(kind, figures, asked.chosen, asked.first, asked.last) for kind in FUNNEL]
    lengths = charts.lengths([each.value for each in found], width=100)
    return [Line(each, length) for each, length in zip(found, lengths, strict=True)]


def labels(figures: Figures, asked: Asked) -> list[LabelLine]:
    """What was answered, most frequent first."""
    found = sorted(figures.labels.items(), key=lambda item: (-item[1], item[0]))
    lengths = charts.lengths([value for _name, value in found], width=100)
    chosen = replace(asked.chosen, label="")
    return [
        LabelLine(
            LABELS[name], value,
            rows_of("unsure", chosen, asked.first, asked.last, label=name), length,
        )
        for (name, value), length in zip(found, lengths, strict=True)
    ]  # fmt: skip


def rungs(figures: Figures, asked: Asked) -> list[dict[str, Any]]:
    """The meetings by how surely they are one."""
    words = dict(Meeting.Rung.choices)
    return [
        {
            "rung": rung, "word": words[rung], "value": value,
            "address": rows_of("meetings", asked.chosen, asked.first, asked.last, part="counted", rung=rung),
        }
        for rung, value in figures.rungs.items()
    ]  # fmt: skip


def series(report: Report, asked: Asked) -> list[dict[str, Any]]:
    """One row of columns for each kind, each with its own scale: a hundred mails bring one meeting."""
    found = []
    for kind in SERIES:
        of_weeks = [cell(kind, week.figures, asked.chosen, week.first, week.last) for week in report.weeks]
        values = [each.value for each in of_weeks]
        bars = [
            {"bar": bar, "first": week.first, "address": each.address}
            for bar, week, each in zip(charts.columns(values), report.weeks, of_weeks, strict=True)
        ]
        whole = cell(kind, report.whole, asked.chosen, asked.first, asked.last)
        found.append(
            {
                "kind": kind,
                "word": WORDS[kind],
                "bars": bars,
                "highest": max(values, default=0),
                "whole": whole,
            }
        )
    return found


def by_week(report: Report, asked: Asked) -> list[dict[str, Any]]:
    return [
        {"first": week.first, "cells": cells(week.figures, asked.chosen, week.first, week.last)}
        for week in report.weeks
    ]


def parts(found: Iterable[Part], asked: Asked) -> list[dict[str, Any]]:
    return [_part(part, asked, asked.by) for part in found]


def _part(part: Part, asked: Asked, by: str) -> dict[str, Any]:
    narrowed: dict[str, Any] = {NARROWS[by]: part.id}
    chosen = replace(asked.chosen, **narrowed)
    return {
        "name": part.name,
        "address": "?" + replace(asked, chosen=chosen).address,
        "cells": cells(part.figures, chosen, asked.first, asked.last),
        # A step says its sequence; and a meeting whose enrolment is gone has the step alone.
        "below": [_part(each, asked, "step") for each in part.below],
    }


def days(value: float | None) -> str:
    """A median of days, as one says it."""
    if value is None:
        return "–"
    if value < 1:
        hours = round(value * 24)
        return ngettext("%d hour", "%d hours", hours) % hours
    return _("%(days).1f days") % {"days": value}


def verdict(found: Difference, first: str, second: str) -> str:
    """What a comparison means, in a sentence."""
    low, high = (f"{100 * abs(each):.1f}" for each in (found.low, found.high))
    if found.verdict == "nothing":
        return _("Nothing to compare: one of them has no mail.")
    if found.verdict == "small":
        return _("Too few to say: at least 30 of each are needed.")
    if found.verdict == "open":
        return _("No difference is shown: it may lie between %(low)+.1f and %(high)+.1f points.") % {
            "low": 100 * found.low, "high": 100 * found.high,
        }  # fmt: skip
    higher = second if found.verdict == "second" else first
    least, most = (low, high) if found.verdict == "second" else (high, low)
    return _("%(name)s is higher, by %(least)s to %(most)s points.") % {
        "name": higher, "least": least, "most": most,
    }  # fmt: skip


def side(name: str, kind: str, found: Rate, asked: Asked, scale: int) -> dict[str, Any]:
    """One of two that are compared: its share with the interval, as words, and as places of a drawing that is 100 wide
    and reaches to `scale` percent."""
    if kind == "bounced":
        address = rows_of("confirmed", asked.chosen, asked.first, asked.last, came_back="1")
    else:
        person = {"answered": "1"} if kind != "meetings" else {}
        address = rows_of(kind, asked.chosen, asked.first, asked.last, mailed=True, **person)
    of_drawing = 100 * 100 / scale
    return {
        "name": name,
        "rate": found,
        "share": percent(found.share),
        "interval": f"{percent(found.low)} – {percent(found.high)}",
        "in_full": in_full(found),
        "low": round(found.low * of_drawing, 2),
        "width": round(max((found.high - found.low) * of_drawing, 0.5), 2),
        "middle": round((found.share or 0) * of_drawing, 2),
        "address": address,
    }
