"""When mail may reach a contact: hours of the week, the contact's time zone, holidays, and the sender's days off. Pure."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import holidays

Window = dict[str, list[list[str]]]
Span = tuple[datetime, datetime]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 6  # of one day
# No country keeps a weekday closed for so long: a window that is open once a week opens within it.
LONGEST_CLOSED = 70

OUTSIDE = "outside the sending window"
AWAY = "the sender is away"


@dataclass(frozen=True, slots=True)
class Opening:
    """The first moment at which mail may leave, and why it may not before; "" where it may at once."""

    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """When mail of one sender may reach one contact.

    `country`: two letters; its public holidays are closed. "" where it is not known, or holidays do not matter.
    `away`: when the sender has days off, each from its first moment to the first one after it.
    """

    window: Window
    time_zone: str
    country: str = ""
    away: tuple[Span, ...] = ()

    def opening(self, moment: datetime) -> Opening:
        """When mail may leave, from `moment` on."""
        at, reason = next_open(self.window, self.time_zone, moment, closed=Holidays(self.country)), ""
        if at > moment:
            reason = self._closed_because(moment)
        while True:
            until = max((end for start, end in self.away if start <= at < end), default=None)
            if until is None:
                return Opening(at, reason)
            at, reason = next_open(self.window, self.time_zone, until, closed=Holidays(self.country)), AWAY

    def next_open(self, moment: datetime) -> datetime:
        return self.opening(moment).at

    def is_working_day(self, local_date: date) -> bool:
        """Monday to Friday, and no public holiday where the contact is."""
        return local_date.weekday() < 5 and local_date not in Holidays(self.country)

    def working_days_after(self, local_date: date, days: int) -> date:
        while days > 0:
            local_date += timedelta(days=1)
            days -= self.is_working_day(local_date)
        return local_date

    def _closed_because(self, moment: datetime) -> str:
        name = holiday(self.country, moment.astimezone(zone_called(self.time_zone)).date())
        return f"a public holiday where the contact is: {name}" if name else OUTSIDE


def next_open(window: Window, time_zone: str, moment: datetime, *, closed: Container[date] = ()) -> datetime:
    """The first moment from `moment` on at which the window is open, in the zone of who receives the mail.

    Local wall times are turned into moments day by day, so that a day of 23 or 25 hours is neither skipped nor
    sent twice. A window that is never open is refused when it is saved.
    """
    zone = zone_called(time_zone)
    first = moment.astimezone(zone).date()
    for day in range(LONGEST_CLOSED):
        local_date = first + timedelta(days=day)
        if local_date in closed:
            continue
        for opens, closes in spans(window, local_date, zone):
            if moment < closes:
                return max(moment, opens)
    raise ValueError("the sending window is never open")


@cache
def zone_called(name: str) -> ZoneInfo:
    """The zone, read once: zoneinfo itself keeps only eight of them, and reads the others anew each time."""
    return ZoneInfo(name)


def spans(window: Window, local_date: date, zone: ZoneInfo) -> list[Span]:
    """The open spans of one day, as moments."""
    found = []
    for opens, closes in sorted(window.get(DAYS[local_date.weekday()], [])):
        # In UTC, since Python compares two moments of one zone by their wall times, also across a change of the clock.
        # A time that the clock leaves out or shows twice has two readings: opening means the later, closing the earlier.
        start = max(_readings(local_date, opens, zone))
        end = min(_readings(local_date, closes, zone))
        if start < end:
            found.append((start, end))
    return found


def _readings(local_date: date, text: str, zone: ZoneInfo) -> Span:
    first = datetime.combine(local_date, _wall(text), zone)
    return first.astimezone(UTC), first.replace(fold=1).astimezone(UTC)


@lru_cache(maxsize=2_000)
def _wall(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


# Public holidays


@dataclass(frozen=True, slots=True)
class Holidays:
    """The public holidays of a country, of any year; none where the country is not known."""

    country: str

    def __contains__(self, local_date: object) -> bool:
        return isinstance(local_date, date) and bool(holiday(self.country, local_date))


def holiday(country: str, local_date: date) -> str:
    """The name of the nationwide public holiday on this day, or ""."""
    return _of_year(country, local_date.year).get(local_date, "") if country else ""


@lru_cache(maxsize=2_000)
def _of_year(country: str, year: int) -> dict[date, str]:
    try:
        return dict(holidays.country_holidays(country, years=year))
    except NotImplementedError:  # a country that the package does not know
        return {}


# A country alone says the time zone: its only one, or that of most people who live there.
ZONES = {
    "AD": "Europe/Andorra", "AE": "Asia/Dubai", "AL": "Europe/Tirane", "AM": "Asia/Yerevan",
    "AR": "America/Argentina/Buenos_Aires", "AT": "Europe/Vienna", "AU": "Australia/Sydney", "AZ": "Asia/Baku",
    "BA": "Europe/Sarajevo", "BD": "Asia/Dhaka", "BE": "Europe/Brussels", "BG": "Europe/Sofia", "BH": "Asia/Bahrain",
    "BO": "America/La_Paz", "BR": "America/Sao_Paulo", "BY": "Europe/Minsk", "CA": "America/Toronto",
    "CH": "Europe/Zurich", "CL": "America/Santiago", "CN": "Asia/Shanghai", "CO": "America/Bogota",
    "CR": "America/Costa_Rica", "CY": "Asia/Nicosia", "CZ": "Europe/Prague", "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen", "DO": "America/Santo_Domingo", "DZ": "Africa/Algiers", "EC": "America/Guayaquil",
    "EE": "Europe/Tallinn", "EG": "Africa/Cairo", "ES": "Europe/Madrid", "ET": "Africa/Addis_Ababa",
    "FI": "Europe/Helsinki", "FR": "Europe/Paris", "GB": "Europe/London", "GE": "Asia/Tbilisi", "GH": "Africa/Accra",
    "GR": "Europe/Athens", "GT": "America/Guatemala", "HK": "Asia/Hong_Kong", "HN": "America/Tegucigalpa",
    "HR": "Europe/Zagreb", "HU": "Europe/Budapest", "ID": "Asia/Jakarta", "IE": "Europe/Dublin",
    "IL": "Asia/Jerusalem", "IN": "Asia/Kolkata", "IS": "Atlantic/Reykjavik", "IT": "Europe/Rome",
    "JM": "America/Jamaica", "JO": "Asia/Amman", "JP": "Asia/Tokyo", "KE": "Africa/Nairobi", "KR": "Asia/Seoul",
    "KW": "Asia/Kuwait", "KZ": "Asia/Almaty", "LB": "Asia/Beirut", "LI": "Europe/Vaduz", "LK": "Asia/Colombo",
    "LT": "Europe/Vilnius", "LU": "Europe/Luxembourg", "LV": "Europe/Riga", "MA": "Africa/Casablanca",
    "MC": "Europe/Monaco", "MD": "Europe/Chisinau", "ME": "Europe/Podgorica", "MK": "Europe/Skopje",
    "MT": "Europe/Malta", "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur", "NG": "Africa/Lagos",
    "NL": "Europe/Amsterdam", "NO": "Europe/Oslo", "NP": "Asia/Kathmandu", "NZ": "Pacific/Auckland",
    "OM": "Asia/Muscat", "PA": "America/Panama", "PE": "America/Lima", "PH": "Asia/Manila", "PK": "Asia/Karachi",
    "PL": "Europe/Warsaw", "PR": "America/Puerto_Rico", "PT": "Europe/Lisbon", "PY": "America/Asuncion",
    "QA": "Asia/Qatar", "RO": "Europe/Bucharest", "RS": "Europe/Belgrade", "RU": "Europe/Moscow",
    "SA": "Asia/Riyadh", "SE": "Europe/Stockholm", "SG": "Asia/Singapore", "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava", "SN": "Africa/Dakar", "SV": "America/El_Salvador", "TH": "Asia/Bangkok",
    "TN": "Africa/Tunis", "TR": "Europe/Istanbul", "TW": "Asia/Taipei", "TZ": "Africa/Dar_es_Salaam",
    "UA": "Europe/Kyiv", "UG": "Africa/Kampala", "US": "America/New_York", "UY": "America/Montevideo",
    "UZ": "Asia/Tashkent", "VE": "America/Caracas", "VN": "Asia/Ho_Chi_Minh", "ZA": "Africa/Johannesburg",
}  # fmt: skip


def zone_of(known: str, country: str, otherwise: str) -> str:
    """The contact's own time zone, else that of his country, else the sequence's."""
    return known or ZONES.get(country.upper(), "") or otherwise


# What can be saved


def check_time_zone(name: str) -> str:
    """What is wrong with a time zone, or ""."""
    known = name in available_timezones()
    return "" if known else f"The time zone “{name[:40]}” is not known. Use a name such as Europe/Berlin."


def check_window(window: Window) -> str:
    """What is wrong with a sending window, or ""."""
    for day, opening in window.items():
        if day not in DAYS:
            return f"“{day}” is no weekday."
        if len(opening) > MOST_SPANS:
            return f"On {day} the window opens more than {MOST_SPANS} times."
        for span in opening:
            try:
                start, end = (_wall(text) for text in span)
            except ValueError:
                return f"The times of {day} must look like 08:00 and 18:00."
            if start >= end:
                return f"On {day} the window closes before it opens."
        ordered = sorted(opening)
        if any(
            _wall(later[0]) < _wall(earlier[1]) for earlier, later in zip(ordered, ordered[1:], strict=False)
        ):
            return f"On {day} two times overlap. Make one of them."
    return "" if any(window.values()) else "The sending window is never open: choose at least one day."


# After a step, an absence, a gap


def due_after(left_at: datetime, delay_minutes: int, hours: Hours, *, business_days: int = 0) -> Opening:
    """When the following step is due: its delay after the last one left, moved to when mail may leave.

    A delay in business days counts Mondays to Fridays that are no holiday where the contact is, and keeps the hour.
    """
    wanted = left_at + timedelta(minutes=delay_minutes)
    if business_days:
        zone = zone_called(hours.time_zone)
        local = left_at.astimezone(zone)
        day = hours.working_days_after(local.date(), business_days)
        wanted = datetime.combine(day, local.timetz(), zone).astimezone(UTC)
    return hours.opening(wanted)


def resume_after(return_local_date: date, hours: Hours, *, buffer_days: int = 1) -> datetime:
    """When to go on after an absence: working days after the return, since nobody reads strangers' mail on the first."""
    day = hours.working_days_after(return_local_date, buffer_days)
    return hours.next_open(datetime.combine(day, time.min, zone_called(hours.time_zone)).astimezone(UTC))


# What waited during a gap goes out over a working day's worth of the mailbox's limit, not in one burst.
WORKING_DAY = timedelta(hours=8)


def pace(daily_limit: int, gap: timedelta) -> timedelta:
    """The pause between two steps that waited."""
    return max(gap, WORKING_DAY / max(daily_limit, 1))


def spread(waiting: Sequence[Hours], *, start: datetime, pace: timedelta) -> list[datetime]:
    """When each step that waited goes out, the oldest first: one for each pace, when its own window is open.

    A window that is closed for days holds up its own contact and nobody else.
    """
    taken: dict[int, int] = {}  # a slot in use, and one behind it from which to look on

    def free(slot: int) -> int:
        way = []
        while slot in taken:
            way.append(slot)
            slot = taken[slot]
        for each in way:  # the next one need not go this way again
            taken[each] = slot
        return slot

    due = []
    for hours in waiting:
        opens = hours.next_open(start)
        while True:
            slot = free(-((start - opens) // pace))
            moment = max(opens, start + slot * pace)
            opens = hours.next_open(moment)
            if opens == moment:
                break
        taken[slot] = slot + 1
        due.append(moment)
    return due
