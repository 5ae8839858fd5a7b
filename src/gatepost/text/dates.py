"""When somebody is back, or wants to hear from us again. No date is better than a wrong one: a false date sends
mail into an absence.

Rules find the words that can be a date and reject those that speak of something else; a date before the mail was
received is none.
"""

import calendar
import itertools
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, timedelta
from typing import Literal

import re2

from .lexicon import calendar_words as words
from .patterns import compiled, plain

Precision = Literal["day", "week", "month", "quarter", "season"]


@dataclass(frozen=True, slots=True)
class ReturnDate:
    """The first day on which to write again, how exactly it was said, and the words that say it."""

    date: Date
    precision: Precision
    quote: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    date: Date
    precision: Precision
    start: int
    end: int


def find(text: str, received: datetime, *, about_return: bool) -> ReturnDate | None:
    """The day named in the sentence that speaks of return (or, for a later talk, of writing again)."""
    text = plain(text)[:6_000]
    today = received.date()
    best: tuple[int, ReturnDate] | None = None
    for start, end in _sentences(text):
        sentence = text[start:end]
        candidates = [c for c in _candidates(sentence, today) if c.date >= today]
        if not candidates:
            continue
        rank = _rank(sentence, about_return)
        chosen = _chosen(sentence, candidates)
        if best is None or rank > best[0]:
            best = (rank, chosen)
    return best[1] if best and best[0] > 0 else None


def _sentences(text: str) -> list[tuple[int, int]]:
    """Sentences, where a full stop after a number or a short word is none (`12. Mai`, `Sept. 3`)."""
    borders = [0]
    for found in _SENTENCE_END.finditer(text):
        borders.append(found.end())
    borders.append(len(text))
    return [(a, b) for a, b in itertools.pairwise(borders) if b > a]


_SENTENCE_END = compiled(r"[!?\n]|[^\d\s]{4,}\.\s|\d{4}\.\s")

_RETURN = compiled(rf"(?i)({words.RETURN})")
_ABSENCE = compiled(rf"(?i)({words.ABSENCE})")
_LATER = compiled(rf"(?i)({words.LATER})")
_ELSEWHERE = compiled(rf"(?i)({words.ELSEWHERE})")


def _rank(sentence: str, about_return: bool) -> int:
    if _RETURN.search(sentence):
        return 4
    if about_return:
        return 3 if _ABSENCE.search(sentence) else 0 if _ELSEWHERE.search(sentence) else 1
    if _LATER.search(sentence):
        return 3
    return 0 if _ELSEWHERE.search(sentence) else 1


def _chosen(sentence: str, candidates: list[_Candidate]) -> ReturnDate:
    """The last day of a range, a day later where the range includes it."""
    returning = _RETURN.search(sentence)
    after = [c for c in candidates if returning and c.start >= returning.start()]
    chosen = after[0] if after else max(candidates, key=lambda c: (c.precision == "day", c.date))
    day = chosen.date
    if _INCLUSIVE.search(sentence) and chosen.precision == "day" and not after:
        day += timedelta(days=1)
    return ReturnDate(day, chosen.precision, sentence[chosen.start : chosen.end].rstrip(" .,"))


_INCLUSIVE = compiled(rf"(?i)({words.INCLUSIVE})")

_MONTHS = "|".join(sorted(words.MONTHS, key=len, reverse=True))
_DAY_MONTH = compiled(
    rf"(?i)(?:^|[^\pL\pN])((\d{{1,2}})(?:st|nd|rd|th|er|º|°|ª|\.|:e|-?е|-?го)?\s?(?:of |de |d')?\s?({_MONTHS})\.?(?:,? (?:de |del )?(\d{{4}}))?)(?:$|[^\pL\pN])"
)
_MONTH_DAY = compiled(
    rf"(?i)(?:^|[^\pL\pN])(({_MONTHS})\.? (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?)(?:$|[^\pL\pN:])"
)
_ISO = compiled(r"(?:^|\D)((\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?)(?:$|\D)")
_NUMBERS = compiled(
    r"(?:^|[^\d.,/\-])((\d{1,2})([./\-])(\d{1,2})(?:[./\-](\d{4}|\d{2})|\.)?)(?:$|[^\d/\-%€$])"
)
_CJK = compiled(r"((\d{1,2})月(\d{1,2})日)")
_MONTH_ONLY = compiled(rf"(?i)(?:^|[^\pL\pN])(({_MONTHS})(?: (?:de )?(\d{{4}}))?)(?:$|[^\pL\pN])")
_QUARTER = compiled(r"(?i)(?:^|[^\pL\pN])((?:q|t|k)\s?([1-4])(?:[ /]*(?:of |de )?(\d{4}))?)(?:$|[^\pL\pN])")
_QUARTER_WORDS = compiled(rf"(?i)({words.QUARTER_WORDS})")
_HALF = compiled(rf"(?i)(?:^|[^\pL\pN])((?:h2|s2)|{words.SECOND_HALF})(?:$|[^\pL\pN])")
_WEEK = compiled(
    r"(?i)(?:^|[^\pL\pN])((?:kw|week|wk|calendar week|semaine|semana|settimana|uge|vecka|v\.|uke|tydzień|tygodni\w*) ?(\d{1,2}))(?:$|[^\pL\pN])"
)
_IN_SPAN = compiled(
    rf"(?i)(?:^|[^\pL\pN])((?:{words.IN}) ((?:{words.NUMBER_WORDS}|\d{{1,2}})(?: or (?:two|three|so)| (?:à|bis|a|o|tot) (?:\d|zwei|drei|trois|tre|dos|tres|twee|drie))?) ({words.UNITS}))(?:$|[^\pL\pN])"
)
_NEXT_UNIT = compiled(rf"(?i)(?:^|[^\pL\pN])({words.NEXT_UNIT})(?:$|[^\pL\pN])")
_WEEKDAY = compiled(
    rf"(?i)(?:^|[^\pL\pN])((?:(?:{words.NEXT}) )?({'|'.join(words.WEEKDAYS)}))(?:$|[^\pL\pN])"
)
_TOMORROW = compiled(rf"(?i)(?:^|[^\pL\pN])({words.TOMORROW})(?:$|[^\pL\pN])")
_SEASON = compiled(rf"(?i)(?:^|[^\pL\pN])({'|'.join(words.SEASONS)})(?:$|[^\pL\pN])")


def _candidates(sentence: str, today: Date) -> list[_Candidate]:
    """Every date the sentence names, exact ones first; a vaguer one counts only where none is more exact."""
    for read in (_days, _weeks, _months, _quarters, _seasons):
        if found := read(sentence, today):
            return found
    return []


def _days(sentence: str, today: Date) -> list[_Candidate]:
    found: list[_Candidate] = []

    def add(day: Date | None, span: tuple[int, int]) -> None:
        if day is not None and not any(c.start < span[1] and span[0] < c.end for c in found):
            found.append(_Candidate(day, "day", *span))

    for m in _ISO.finditer(sentence):
        add(_day(int(m.group(2)), int(m.group(3)), int(m.group(4))), m.span(1))
    for m in _CJK.finditer(sentence):
        add(_coming(today, int(m.group(2)), int(m.group(3))), m.span(1))
    for m in _DAY_MONTH.finditer(sentence):
        add(_said(today, m.group(4), words.MONTHS[m.group(3).lower()], int(m.group(2))), m.span(1))
    for m in _MONTH_DAY.finditer(sentence):
        add(_said(today, m.group(4), words.MONTHS[m.group(2).lower()], int(m.group(3))), m.span(1))
    for m in _NUMBERS.finditer(sentence):
        add(_numeric(today, m.group(2), m.group(3), m.group(4), m.group(5)), m.span(1))
    if not found:
        for m in _TOMORROW.finditer(sentence):
            add(today + timedelta(days=1), m.span(1))
        for m in _WEEKDAY.finditer(sentence):
            add(_weekday(today, words.WEEKDAYS[m.group(2).lower()]), m.span(1))
    return found


def _day(year: int, month: int, day: int) -> Date | None:
    year += 2000 if year < 100 else 0
    try:
        return Date(year, month, day)
    except ValueError:
        return None


def _coming(today: Date, month: int, day: int) -> Date | None:
    """Without a year: the next such day that is not past. Weeks ago is past, not next year's."""
    this_year = _day(today.year, month, day)
    if this_year is None or this_year >= today:
        return this_year
    if (today - this_year).days < 120:
        return this_year  # it just went by: the caller drops it
    return _day(today.year + 1, month, day)


def _said(today: Date, year: str | None, month: int, day: int) -> Date | None:
    return _day(int(year), month, day) if year else _coming(today, month, day)


def _numeric(today: Date, first: str, mark: str, second: str, year: str | None) -> Date | None:
    """Day and month by the mark and by what is possible; the reading in the future where both are."""
    a, b = int(first), int(second)
    if mark == "-" and year is None:
        return None
    orders = [(b, a)] if a > 12 or mark == "." else [(a, b)] if b > 12 else [(b, a), (a, b)]
    if year is None and mark == "." and not (1 <= b <= 12):
        return None
    days = [d for m, d_ in orders if (d := _said(today, year, m, d_)) is not None]
    near = [d for d in days if today <= d <= today + timedelta(days=400)]
    return near[0] if near else None


def _weekday(today: Date, weekday: int) -> Date:
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _weeks(sentence: str, today: Date) -> list[_Candidate]:
    found = []
    for m in _WEEK.finditer(sentence):
        if (day := _iso_week(today, int(m.group(2)))) is not None:
            found.append(_Candidate(day, "week", *m.span(1)))
    for m in _IN_SPAN.finditer(sentence):
        found.append(_after(today, m))
    for m in _NEXT_UNIT.finditer(sentence):
        unit = words.unit_of(m.group(1))
        if unit is not None:
            found.append(_Candidate(_start_of_next(today, unit), _PRECISION[unit], *m.span(1)))
    return found


def _iso_week(today: Date, week: int) -> Date | None:
    for year in (today.year, today.year + 1):
        try:
            monday = Date.fromisocalendar(year, week, 1)
        except ValueError:
            continue
        if monday >= today - timedelta(days=6):
            return max(monday, today)
    return None


_PRECISION: dict[str, Precision] = {
    "day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "quarter"
}  # fmt: skip


def _after(today: Date, m: "re2._Match") -> _Candidate:
    said = m.group(2).lower().split()[0]
    count = int(said) if said.isdigit() else words.NUMBERS.get(said, 2)
    unit = words.unit_of(m.group(3)) or "week"
    days = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}[unit]
    return _Candidate(today + timedelta(days=count * days), _PRECISION[unit], *m.span(1))


def _start_of_next(today: Date, unit: str) -> Date:
    if unit == "week":
        return today + timedelta(days=7 - today.weekday())
    if unit == "quarter":
        return _month_start(today, 3 * ((today.month - 1) // 3 + 1) + 1)
    if unit == "year":
        return Date(today.year + 1, 1, 1)
    return _month_start(today, today.month + 1)


def _month_start(today: Date, month: int) -> Date:
    return Date(today.year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


_MID = compiled(rf"(?i)(?:^|[^\pL])({words.MID})[\s-]+(?:of |de |di |d')?$")
_END = compiled(rf"(?i)(?:^|[^\pL])({words.END})[\s-]+(?:of |de |di |d')?$")


def _months(sentence: str, today: Date) -> list[_Candidate]:
    found = []
    for m in _MONTH_ONLY.finditer(sentence):
        if m.group(2).lower() in words.ALSO_WORDS and not (m.group(2)[0].isupper() and m.start(2) > 0):
            continue
        first = _coming_month(today, words.MONTHS[m.group(2).lower()], m.group(3))
        day = first + timedelta(days=_days_into(sentence[max(0, m.start(1) - 25) : m.start(1)], first))
        found.append(_Candidate(max(day, today) if first <= today else day, "month", *m.span(1)))
    return found


def _coming_month(today: Date, month: int, year: str | None) -> Date:
    """The first day of that month: this year's until it is over, unless a year is named."""
    if year:
        return Date(int(year), month, 1)
    return Date(today.year + (month < today.month), month, 1)


def _days_into(before: str, first: Date) -> int:
    """How far into the month “mid” or “end of” in front of its name leads."""
    if _MID.search(before):
        return 14
    return calendar.monthrange(first.year, first.month)[1] - 4 if _END.search(before) else 0


def _quarters(sentence: str, today: Date) -> list[_Candidate]:
    found = []
    for m in _QUARTER.finditer(sentence):
        found.append(_Candidate(_quarter(today, int(m.group(2)), m.group(3)), "quarter", *m.span(1)))
    for m in _QUARTER_WORDS.finditer(sentence):
        if number := words.quarter_of(m.group(1)):
            found.append(_Candidate(_quarter(today, number, None), "quarter", *m.span(1)))
    for m in _HALF.finditer(sentence):
        found.append(_Candidate(_quarter(today, 3, None), "quarter", *m.span(1)))
    return found


def _quarter(today: Date, number: int, year: str | None) -> Date:
    month = 3 * number - 2
    if year:
        return Date(int(year), month, 1)
    over = month + 2 < today.month
    return max(Date(today.year + over, month, 1), today)


def _seasons(sentence: str, today: Date) -> list[_Candidate]:
    found = []
    for m in _SEASON.finditer(sentence):
        month, day = words.SEASONS[m.group(1).lower()]
        start = Date(today.year, month, day)
        found.append(
            _Candidate(start if start >= today else Date(today.year + 1, month, day), "season", *m.span(1))
        )
    return found
