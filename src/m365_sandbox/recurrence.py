"""On which dates a series takes place: Graph's recurrencePattern and recurrenceRange, without any I/O.

https://learn.microsoft.com/graph/api/resources/recurrencepattern
"""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, islice, takewhile
from typing import Any

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEX = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_FURTHEST = date(2100, 1, 1)
"""A series without an end is followed to here."""


class NotARecurrence(ValueError):
    """The pattern or the range lacks something, or says something that there is not."""


def dates(recurrence: dict[str, Any]) -> Iterator[date]:
    """Every date of the series, in order."""
    try:
        pattern, limits = recurrence["pattern"], recurrence["range"]
        first = date.fromisoformat(limits["startDate"])
        every = max(int(pattern.get("interval") or 1), 1)
        found = _PATTERNS[pattern["type"].lower()](pattern, first, every)
        match limits["type"].lower():
            case "noend":
                last, most = _FURTHEST, None
            case "enddate":
                last, most = date.fromisoformat(limits["endDate"]), None
            case "numbered":
                last, most = _FURTHEST, int(limits["numberOfOccurrences"])
            case other:
                raise NotARecurrence(f"range.type {other!r}")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotARecurrence(str(error)) from None
    return islice(takewhile(lambda day: day <= last, (day for day in found if day >= first)), most)


def checked(recurrence: dict[str, Any]) -> dict[str, Any]:
    """The recurrence, if it says at least one date."""
    try:
        next(dates(recurrence))
    except StopIteration:
        raise NotARecurrence("it has no date") from None
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise NotARecurrence(str(error)) from None
    return recurrence


def _daily(pattern: dict[str, Any], first: date, every: int) -> Iterator[date]:
    return (first + timedelta(days=every * step) for step in count())


def _weekly(pattern: dict[str, Any], first: date, every: int) -> Iterator[date]:
    days = _weekdays(pattern)
    week_begins = _DAYS.index((pattern.get("firstDayOfWeek") or "sunday").lower())
    start = first - timedelta(days=(first.weekday() - week_begins) % 7)
    for step in count():
        week = start + timedelta(weeks=every * step)
        yield from (
            day for day in (week + timedelta(days=place) for place in range(7)) if day.weekday() in days
        )


def _monthly(pattern: dict[str, Any], first: date, every: int) -> Iterator[date]:
    for year, month in _months(first, every):
        yield date(year, month, min(int(pattern["dayOfMonth"]), calendar.monthrange(year, month)[1]))


def _relative_monthly(pattern: dict[str, Any], first: date, every: int) -> Iterator[date]:
    for year, month in _months(first, every):
        yield _nth(pattern, year, month)


def _yearly(pattern: dict[str, Any], first: date, every: int) -> Iterator[date]:
    month = int(pattern["month"])
    for year in range(first.year, _FURTHEST.year + every, every):
        yield date(year, month, min(int(pattern["dayOfMonth"]), calendar.monthrange(year, month)[1]))


def _relative_yearly(pattern: dict[str, Any], first: date, every: int) -> Iterator[date]:
    for year in range(first.year, _FURTHEST.year + every, every):
        yield _nth(pattern, year, int(pattern["month"]))


_PATTERNS = {
    "daily": _daily, "weekly": _weekly, "absolutemonthly": _monthly, "relativemonthly": _relative_monthly,
    "absoluteyearly": _yearly, "relativeyearly": _relative_yearly,
}  # fmt: skip


def _weekdays(pattern: dict[str, Any]) -> set[int]:
    days = {_DAYS.index(day.lower()) for day in pattern["daysOfWeek"]}
    if not days:
        raise NotARecurrence("daysOfWeek is empty")
    return days


def _months(first: date, every: int) -> Iterator[tuple[int, int]]:
    for step in count():
        months = first.year * 12 + first.month - 1 + every * step
        if months // 12 > _FURTHEST.year:
            return
        yield months // 12, months % 12 + 1


def _nth(pattern: dict[str, Any], year: int, month: int) -> date:
    """The first, … or last of the named weekdays in the month."""
    days, length = _weekdays(pattern), calendar.monthrange(year, month)[1]
    fitting = [d for d in (date(year, month, n) for n in range(1, length + 1)) if d.weekday() in days]
    return fitting[_INDEX[(pattern.get("index") or "first").lower()]]
