"""When somebody is back, or wants to hear from us again. No date is better than a wrong one: a false date sends
mail into an absence.

Rules find the words that can be a date and reject those that speak of something else; a date before the mail was
received is none.
"""

import calendar
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, timedelta
from functools import partial
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
    text = plain(text)[:6_000].translate(_FULL_WIDTH).replace("einschl.", "einschl ")
    today = received.date()
    month_first = _is_american(received, text)
    best: tuple[int, ReturnDate] | None = None
    sentences = _sentences(text)[:_SENTENCES_READ]
    for place, (start, end) in enumerate(sentences):
        sentence = text[start:end]
        candidates = [c for c in _candidates(sentence, today, month_first) if c.date >= today]
        if not candidates:
            continue
        rank = _rank(sentence, about_return)
        if rank < 3 and place + 1 < len(sentences) and _THEN.search(text[slice(*sentences[place + 1])]):
            rank = 2
        chosen = _chosen(sentence, candidates)
        if chosen.date == today and chosen.precision != "day":
            rank = min(rank, 2)  # “in January”, said in January, is hardly when to come back
        # Of two sentences alike, a wish to talk later comes after its reasons.
        if best is None or rank > best[0] or (rank == best[0] and rank >= 3 and not about_return):
            best = (rank, chosen)
    return best[1] if best and best[0] > 0 else None


def _is_american(received: datetime, text: str) -> bool:
    """Whether `12/4` is in December: where the sender's clock is that of North America, and the words are English."""
    offset = received.utcoffset()
    return offset is not None and -10 <= offset / timedelta(hours=1) <= -4 and bool(_ENGLISH.search(text))


_ENGLISH = compiled(
    r"(?i)(?:^|[^\pL])(?:back|until|till|thru|through|return(?:ing)?|again|after|leave|vacation|ooo|the)(?:$|[^\pL])"
)
_SENTENCES_READ = 100  # a reply has fewer; a wall of short lines costs no more than these
_FULL_WIDTH = {ord("０") + digit: ord("0") + digit for digit in range(10)}


def _sentences(text: str) -> list[tuple[int, int]]:
    """Sentences, where a full stop after a number or a short word is none (`12. Mai`, `Sept. 3`)."""
    borders = [0]
    for found in _SENTENCE_END.finditer(text):
        borders.append(found.end())
    borders.append(len(text))
    return [(a, b) for a, b in itertools.pairwise(borders) if b > a]


_SENTENCE_END = compiled(r"[!?\n]|[^\d\s.]{4,}\.\s|\d (?:May|Mai|maj|mei)\.\s|\d{4}\.\s|\s(?i:yet)\.\s")

_THEN = compiled(rf"(?i)(?:^|[^\pL])(?:{words.THEN})(?:$|[^\pL])")
_RETURN = compiled(rf"(?i)(?:^|[^\pL])({words.RETURN})|(復帰|出社|恢复|恢復)")
_ABSENCE = compiled(rf"(?i)(?:^|[^\pL])({words.ABSENCE})|まで|不在|休假")
_LATER = compiled(rf"(?i)(?:^|[^\pL])({words.LATER})|連絡|联系|聯絡|来信|來信")
_ELSEWHERE = compiled(rf"(?i)({words.ELSEWHERE})")
_DUE = compiled(rf"(?i)({words.DUE})")


def _rank(sentence: str, about_return: bool) -> int:
    if _RETURN.search(sentence):
        return 4
    if about_return:
        if _ABSENCE.search(sentence):
            return 3
        return 0 if _ELSEWHERE.search(sentence) or _DUE.search(sentence) else 1
    if _LATER.search(sentence):
        return 3
    return 0 if _ELSEWHERE.search(sentence) else 1


def _chosen(sentence: str, candidates: list[_Candidate]) -> ReturnDate:
    """The last day of a range, a day later where the range includes it."""
    returning = _RETURN.search(sentence)
    after = [c for c in candidates if returning and c.start >= returning.start()]
    chosen = after[0] if after else _last(candidates)
    day = chosen.date
    if not after and _is_included(sentence, chosen):
        if chosen.precision == "month":
            day = _month_start(day, day.month + 1)
        else:
            day += timedelta(days={"day": 1, "week": 7 - day.weekday()}.get(chosen.precision, 0))
    return ReturnDate(day, chosen.precision, sentence[chosen.start : chosen.end].strip(" .,"))


def _last(candidates: list[_Candidate]) -> _Candidate:
    """The last day; the month that runs only where nothing later is named."""
    return max(candidates, key=lambda c: (c.precision == "day", c.date))


def _is_included(sentence: str, day: _Candidate) -> bool:
    """Whether the day itself, or the week or month, still belongs to what ends with it."""
    before, behind = sentence[max(0, day.start - 30) : day.start], sentence[day.end : day.end + 20]
    return bool(_THROUGH.search(before) or _INCLUDING.search(before) or _INCLUDED.search(behind))


_THROUGH = compiled(rf"(?i)(?:^|[^\pL]){words.THROUGH}\s*$")
_INCLUDING = compiled(rf"(?i)(?:^|[^\pL])(?:{words.INCLUDING})")
_INCLUDED = compiled(rf"(?i)(?:{words.INCLUDED})")

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
_ORDINAL = compiled(r"(?i)(?:^|[^\pL\pN])((\d{1,2})(?:st|nd|rd|th))(?:$|[^\pL\pN])")
_DAY_ALONE = compiled(
    rf"(?i)(?:^|[^\pL\pN])((?:{words.DAY_ALONE}|(?:{'|'.join(words.WEEKDAYS)}) )(\d{{1,2}}))(?:$|[^\pL\pN])"
)
# What follows a number that is no day: a thing that is counted, a time, a price, a further number.
_COUNTED = compiled(
    r"(?i)(?:\.\s(?:standort|stock|platz|quartal|mal|versuch|tag|etage|stelle|jahr)|[\s-]*(?:\pL{4,}|h\b|km|uhr|%|€|\$|floor|st\.|de \pL)|[\s:/\-,]\d|\.\d|\s?[%€$]|(?:st|nd|rd|th) (?:floor|century|anniversary|birthday|edition|street|avenue|time|year|grade))"
)
_DAY_CJK = compiled(r"(?:^|[^月\d])((\d{1,2})日)")
_CJK = compiled(r"((\d{1,2})月(\d{1,2})日)")
_MONTH_ONLY = compiled(rf"(?i)(?:^|[^\pL\pN])(({_MONTHS})(?: (?:de )?(\d{{4}}))?)(?:$|[^\pL\pN])")
_QUARTER = compiled(r"(?i)(?:^|[^\pL\pN])((?:q|t|k)\s?([1-4])(?:[ /]*(?:of |de )?(\d{4}))?)(?:$|[^\pL\pN])")
_QUARTER_WORDS = compiled(rf"(?i)({words.QUARTER_WORDS})")
_QUARTER_ROMAN = compiled(
    r"(?:^|[^\pL\pN])((I{1,3}|IV) (?:kwarta\pL+|trimestre|quartal)(?: (\d{4}))?)(?:$|[^\pL\pN])"
)
_QUARTER_CJK = compiled(r"((明年|来年|來年)?第([一二三四1-4])(?:季|四半期))")
_HALF = compiled(rf"(?i)(?:^|[^\pL\pN])((?:h2|s2)|{words.SECOND_HALF})(?:$|[^\pL\pN])")
_WEEK = compiled(
    r"(?i)(?:^|[^\pL\pN])((?:kw|week|wk|woche|týden|calendar week|semaine|semana|settimana|uge|vecka|v\.|uke|tydzień|tygodni\w*) ?(\d{1,2}))(?:$|[^\pL\pN])"
)
_IN_SPAN = compiled(
    rf"(?i)(?:^|[^\pL\pN])((?:{words.IN}) (?:(?:{words.ABOUT}) )?((?:{words.NUMBER_WORDS}|\d{{1,2}})(?: or (?:two|three|so)| (?:à|bis|a|o|tot) (?:\d|zwei|drei|trois|tre|dos|tres|twee|drie))?) ({words.UNITS}))(?:$|[^\pL\pN])"
)
_FROM_NOW = compiled(
    rf"(?i)(?:^|[^\pL\pN])(({words.NUMBER_WORDS}|\d{{1,2}}) ({words.UNITS})(?: from now|\s*\?| later| später))(?:$|[^\pL\pN])"
)
_SPAN_ALONE = compiled(
    rf"(?i)^\s*((?:{words.ABOUT} )?({words.NUMBER_WORDS}|\d{{1,2}}) ({words.UNITS})(?: please| bitte)?)\s*[.!]*\s*$"
)  # "Two weeks."
_IN_HALF_A_YEAR = compiled(
    rf"(?i)(?:^|[^\pL\pN])((?:{words.IN}) (?:(?:{words.ABOUT}) )?(?:{words.HALF_YEAR}))(?:$|[^\pL\pN])"
)
_WEEKS_CJK = compiled(r"(([一二三四五六\d])(週間|周|か月|ヶ月|ヵ月|个月|個月)[後后])")
_WEEK_AFTER_NEXT = compiled(
    r"(?i)(?:^|[^\pL])(the week after next|übernächste[nr]? woche|over twee weken|dans quinze jours)(?:$|[^\pL])"
)
_NEXT_UNIT = compiled(rf"(?i)(?:^|[^\pL\pN])({words.NEXT_UNIT})(?:$|[^\pL\pN])")
_ALL_WEEKDAYS = "|".join(sorted(words.WEEKDAYS, key=len, reverse=True))
_WEEKDAY = compiled(rf"(?i)(?:^|[^\pL\pN])((?:(?:{words.NEXT}) )?({_ALL_WEEKDAYS})( week)?)(?:$|[^\pL\pN])")
_IN_NEXT_WEEK = compiled(
    rf"(?i)(?:^|[^\pL\pN])((?:{words.NEXT_WEEK}),? (?:on |from |am |von |op |van |på |le |el |de |da |w )?({_ALL_WEEKDAYS})|({_ALL_WEEKDAYS}) (?:of |in )?(?:{words.NEXT_WEEK}))(?:$|[^\pL\pN])"
)
_TOMORROW = compiled(rf"(?i)(?:^|[^\pL\pN])({words.TOMORROW})(?:$|[^\pL\pN])")
_SEASON = compiled(
    rf"(?i)(?:^|[^\pL\pN])(({'|'.join(words.SEASONS)})(?: (?:of |de |del )?(\d{{4}}))?)(?:$|[^\pL\pN])"
)


def _candidates(sentence: str, today: Date, month_first: bool) -> list[_Candidate]:
    """Every date the sentence names, exact ones first; a vaguer one counts only where none is more exact."""
    for read in (partial(_days, month_first=month_first), _weeks, _months, _quarters, _seasons):
        if found := read(sentence, today):
            if all(_YEAR.search(sentence[c.start : c.end]) for c in found):
                return (
                    _months(sentence, today)
                    or _quarters(sentence, today)
                    or _seasons(sentence, today)
                    or found
                )
            return found
    return []


# “Next year in autumn”: the year alone is the vaguest.
_YEAR = compiled(r"(?i)(?:^|[^\pL])(?:year|jahre?s?|l'an|l'année|año|ano|anno|jaar|år|rok|roku)$")


def _days(sentence: str, today: Date, *, month_first: bool) -> list[_Candidate]:
    found: list[_Candidate] = []

    def add(day: Date | None, span: tuple[int, int]) -> None:
        if (
            day is not None
            and len(found) < _DAYS_READ
            and not any(c.start < span[1] and span[0] < c.end for c in found)
        ):
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
        add(_numeric(today, *m.group(2, 3, 4, 5), month_first=month_first), m.span(1))
    for reader in (_ORDINAL, _DAY_ALONE):
        for m in reader.finditer(sentence):
            if not _COUNTED.match(sentence[m.end(2) :]) and not _begins_a_range(sentence, m.end(1), found):
                add(_coming_day(today, int(m.group(2))), m.span(1))
    for m in _DAY_CJK.finditer(sentence):
        add(_coming_day(today, int(m.group(2))), m.span(1))
    if not found:
        for m in _TOMORROW.finditer(sentence):
            if m.group(1) != "Morgen" or m.start(1) == 0:  # `Guten Morgen` is a greeting
                add(today + timedelta(days=1), m.span(1))
        for m in _IN_NEXT_WEEK.finditer(sentence):
            weekday = words.WEEKDAYS[(m.group(2) or m.group(3)).lower()]
            add(_start_of_next(today, "week") + timedelta(days=weekday), m.span(1))
        for m in _WEEKDAY.finditer(sentence):
            said = m.group(2)
            if said.lower() in words.SHORT_WEEKDAYS and not (said[0].isupper() and m.start(2) > 0):
                continue
            weekday = words.WEEKDAYS[said.lower()]
            if found and found[0].start < m.start(1) and _IN_NEXT_WEEK.search(sentence):
                # “next week, Monday through Friday” ends in that week too.
                add(_start_of_next(today, "week") + timedelta(days=weekday), m.span(1))
            else:
                add(_weekday(today, weekday) + timedelta(days=7 if m.group(3) else 0), m.span(1))
    return found


_DAYS_READ = 30  # in one sentence


def _begins_a_range(sentence: str, end: int, days: list[_Candidate]) -> bool:
    """Whether a number is the first day of a range whose last one has a month: "dal 10 al 23 agosto"."""
    until = _TO.match(sentence[end : end + 20])
    return until is not None and any(abs(c.start - end - until.end()) <= 1 for c in days)


_TO = compiled(rf"(?i)\s*(?:{words.TO})\s*(?:the |le |el |o |il |den |dem )?")


def _is_a_year(said: str | None) -> bool:
    """Whether these four digits can be the year of something to come; none said is this one or the next."""
    return said is None or "1900" <= said <= "2199"


def _day(year: int, month: int, day: int) -> Date | None:
    year += 2000 if year < 100 else 0
    if not _is_a_year(f"{year:04}"):
        return None
    try:
        return Date(year, month, day)
    except ValueError:
        return None


def _coming_day(today: Date, day: int) -> Date | None:
    """The next day of that number, in this month or one of the next."""
    months = (_month_start(today, today.month + ahead) for ahead in range(3))
    days = (_day(first.year, first.month, day) for first in months)
    return next((d for d in days if d is not None and d >= today), None)


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


def _numeric(
    today: Date, first: str, mark: str, second: str, year: str | None, *, month_first: bool
) -> Date | None:
    """Day and month by the mark and by what is possible; the reading in the future where both are."""
    a, b = int(first), int(second)
    if mark == "-" and year is None:
        return None
    orders = [(b, a)] if a > 12 or mark == "." else [(a, b)] if b > 12 else [(b, a), (a, b)]
    if month_first and len(orders) == 2:
        orders.reverse()
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
    for reader in (_IN_SPAN, _FROM_NOW, _SPAN_ALONE):
        for m in reader.finditer(sentence):
            if reader is _SPAN_ALONE and words.unit_of(m.group(3)) not in ("week", "month"):
                continue  # "One day!", "Six years."
            found.append(_after(today, m))
    for m in _IN_HALF_A_YEAR.finditer(sentence):
        found.append(_Candidate(today + timedelta(days=182), "month", *m.span(1)))
    for m in _WEEKS_CJK.finditer(sentence):
        days = _cjk(m.group(2)) * (7 if m.group(3) in ("週間", "周") else 30)
        found.append(_Candidate(today + timedelta(days=days), "week" if days < 30 else "month", *m.span(1)))
    for m in _WEEK_AFTER_NEXT.finditer(sentence):
        found.append(_Candidate(_start_of_next(today, "week") + timedelta(days=7), "week", *m.span(1)))
    for m in _NEXT_UNIT.finditer(sentence):
        unit = words.unit_of(m.group(1))
        before = sentence[max(0, m.start(1) - 25) : m.start(1)]
        if unit == "year" and (_MID_YEAR.search(before) or _END.search(before)):
            day = Date(today.year + 1, 6, 15) if _MID_YEAR.search(before) else Date(today.year + 1, 12, 1)
            found.append(_Candidate(day, "month", *m.span(1)))
        elif unit is not None:
            found.append(_Candidate(_start_of_next(today, unit), _PRECISION[unit], *m.span(1)))
    return found


def _cjk(said: str) -> int:
    """A number below twenty in digits or as 一 to 十二."""
    if said.isdigit():
        return int(said)
    tens, _, ones = said.rpartition("十")
    return ("十" in said) * 10 * ("一二三四五六七八九".find(tens) + 1 if tens else 1) + (
        "一二三四五六七八九".find(ones) + 1 if ones else 0
    )


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
    said = m.group(2).lower()
    first = said.split()[0]
    pair = any(word in f"{said} " for word in words.PAIR)
    count = 2 if pair else int(first) if first.isdigit() else words.NUMBERS.get(first, 2)
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
_MID_YEAR = compiled(
    r"(?i)(?:^|[^\pL])(?:mid|middle of|mitte|mediados del?|meados d[eo]|metà|medio)[\s-]+(?:of |de |dell'|di |d')?$"
)
_WEEK_OF = compiled(rf"(?i)(?:^|[^\pL\pN])(?:{words.WEEK_OF})")
_END = compiled(rf"(?i)(?:^|[^\pL])({words.END})[\s-]+(?:of |de |di |d')?$")


def _months(sentence: str, today: Date) -> list[_Candidate]:
    found = []
    for m in _MONTH_ONLY.finditer(sentence):
        if not _is_a_year(m.group(3)):
            continue
        before = sentence[max(0, m.start(1) - 45) : m.start(1)]
        if m.group(2).lower() in words.ALSO_WORDS and not (
            (m.group(2)[0].isupper() and m.start(2) > 0) or _BEFORE_MONTH.search(before)
        ):
            continue
        first = _coming_month(today, words.MONTHS[m.group(2).lower()], m.group(3))
        if week := _WEEK_OF.search(before):
            start = m.start(1) - len(before) + week.start()
            found += _week_of(first, week.groups(), today, sentence, (start, m.end(1)))
            continue
        if m.group(2).lower() == "jul" and not m.group(3) and _SCANDINAVIAN.search(sentence):
            continue  # Christmas
        day = first + timedelta(days=_days_into(before, first))
        found.append(_Candidate(max(day, today) if first <= today else day, "month", *m.span(1)))
    for m in _WEEK_IN_GERMAN.finditer(sentence):
        first = _coming_month(today, words.MONTHS[m.group(6).lower()], None)
        found += _week_of(first, m.groups()[1:5], today, sentence, m.span(1))
    for m in _MONTH_CJK.finditer(sentence):
        if 1 <= (number := _cjk(m.group(2))) <= 12:
            found.append(_Candidate(max(_coming_month(today, number, None), today), "month", *m.span(1)))
    for m in _END_OF_MONTH.finditer(sentence):
        last = calendar.monthrange(today.year, today.month)[1]
        found.append(_Candidate(today.replace(day=last), "month", *m.span(1)))
    return [c for c in found if c.date > today] or found


_SCANDINAVIAN = compiled(
    r"(?i)(?:^|[^\pL])(?:och|og|är|er|jag|jeg|dig|deg|mig|meg|på|inte|ikke|efter|etter|före|innan|før|över|hör|hør|av|till|til|vi)(?:$|[^\pL])"
)
_AFTER = compiled(rf"(?i)(?:^|[^\pL])(?:{words.AFTER})\s(?:the |der |dem |la |le |el |il |de |den )?$")
_WEEK_IN_GERMAN = compiled(
    rf"(?i)(?:^|[^\pL\pN])((?:(erste[nr]?)|(zweite[nr]?)|(dritte[nr]?)|(vierte[nr]?)) ({_MONTHS})woche)(?:$|[^\pL])"
)


def _week_of(
    first: Date, ordinals: tuple[str | None, ...], today: Date, sentence: str, span: tuple[int, int]
) -> list[_Candidate]:
    """The Monday nearest to where that week of the month begins, a week later "after" it; none where it is over."""
    begins = first + timedelta(days=7 * next(number for number, word in enumerate(ordinals) if word))
    weekday = begins.weekday()
    monday = max(first, begins + timedelta(days=-weekday if weekday <= 3 else 7 - weekday))
    if _AFTER.search(sentence[max(0, span[0] - 25) : span[0]].rstrip() + " "):
        monday += timedelta(days=7 - monday.weekday())
    return [_Candidate(max(monday, today), "week", *span)] if monday + timedelta(days=6) >= today else []


_MONTH_CJK = compiled(r"((\d{1,2}|[一二三四五六七八九十]{1,2})月)(?:$|[^\d日])")
_END_OF_MONTH = compiled(rf"(?i)(?:^|[^\pL])({words.END_OF_THIS_MONTH})(?:$|[^\pL])")
# In front of a month whose name is also a word: `i mars`, `half mei`, `in may`.
_BEFORE_MONTH = compiled(
    r"(?:^|[^\pL])(?:i|(?i:in|im|en|half|mid|begin|eind|av|af|fin|début|mi|until|till|tot|w))[\s-]$"
)


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
        if _is_a_year(m.group(3)):
            found.append(_Candidate(_quarter(today, int(m.group(2)), m.group(3)), "quarter", *m.span(1)))
    for m in _QUARTER_WORDS.finditer(sentence):
        if number := words.quarter_of(m.group(1)):
            found.append(_Candidate(_quarter(today, number, None), "quarter", *m.span(1)))
    for m in _QUARTER_ROMAN.finditer(sentence):
        number = {"I": 1, "II": 2, "III": 3, "IV": 4}[m.group(2)]
        if _is_a_year(m.group(3)):
            found.append(_Candidate(_quarter(today, number, m.group(3)), "quarter", *m.span(1)))
    for m in _QUARTER_CJK.finditer(sentence):
        year = str(today.year + 1) if m.group(2) else None
        found.append(_Candidate(_quarter(today, _cjk(m.group(3)), year), "quarter", *m.span(1)))
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
    found = _feasts(sentence, today)
    for m in _SEASON.finditer(sentence):
        if not _is_a_year(m.group(3)):
            continue
        month, day = words.SEASONS[m.group(2).lower()]
        start = Date(int(m.group(3) or today.year), month, day)
        runs = not m.group(3) and start < today <= start + _SEASON_RUNS
        if runs and not _AHEAD.search(sentence):
            continue  # “in summer”, said in summer, is why, and hardly when
        if start < today and not m.group(3):
            start = Date(today.year + 1, month, day)
        found.append(_Candidate(start, "season", *m.span(1)))
    return found


_SEASON_RUNS = timedelta(days=60)
_AHEAD = compiled(
    r"(?i)next|nächste|kommende|prochain|próxim|que viene|que vem|prossim|volgend|nästa|næste|neste|przyszł|year|jahr|année|año|\bano|anno|jaar|år\b|rok"
)


_FEAST_NAMES = "|".join(
    sorted([*words.FEASTS, *words.FEASTS_BY_THE_MOON, *words.FIXED_FEASTS], key=len, reverse=True)
)
_FEAST = compiled(
    rf"(?i)(?:^|[^\pL])((?:{words.AFTER})\s(?:the |l'|la |las |el |o |il |de |den )?({_FEAST_NAMES}))(?:$|[^\pL])|((春节|春節)[后後])"
)


def _feasts(sentence: str, today: Date) -> list[_Candidate]:
    """The first working day after a feast that the sentence waits for."""
    found = []
    for m in _FEAST.finditer(sentence):
        after = next(
            (day for day in _days_after((m.group(2) or m.group(4)).lower(), today) if day >= today), None
        )
        if after is not None:
            found.append(_Candidate(after, "season", *m.span(1 if m.group(2) else 3)))
    return found


def _days_after(feast: str, today: Date) -> Iterable[Date]:
    """When work goes on after it, in this year and the next."""
    if by_the_moon := words.FEASTS_BY_THE_MOON.get(feast):
        return by_the_moon
    years = (today.year, today.year + 1)
    if feast in words.FEASTS:
        return [_easter(year) + timedelta(days=words.FEASTS[feast]) for year in years]
    return [Date(year, *words.FIXED_FEASTS[feast]) for year in years]


def _easter(year: int) -> Date:
    """Easter Sunday by the Gregorian rule (Meeus, Jones and Butcher)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    to_sunday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return Date(year, month, day + 1)
