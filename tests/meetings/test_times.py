"""Clocks that change, zones all over the earth, whole days and series: what holds for all of them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as some

from gatepost.meetings.rules import (
    BRIEF_LENGTH,
    MORNING,
    Day,
    brief_slot,
    moments_of,
    next_telling,
    told_span,
    whole_days,
)

ZONES = (
    "Pacific/Pago_Pago", "Pacific/Honolulu", "Pacific/Marquesas", "America/Anchorage", "America/Los_Angeles",
    "America/Phoenix", "America/Denver", "America/Chicago", "America/Mexico_City", "America/New_York", "America/Bogota",
    "America/Halifax", "America/Santiago", "America/Asuncion", "America/St_Johns", "America/Sao_Paulo",
    "America/Nuuk", "Atlantic/South_Georgia", "Atlantic/Azores", "Atlantic/Reykjavik", "Europe/London",
    "Africa/Casablanca", "Europe/Berlin", "Africa/Lagos", "Africa/Cairo", "Asia/Beirut", "Europe/Moscow", "Asia/Tehran",
    "Asia/Dubai", "Asia/Kabul", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Yangon",
    "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Adelaide", "Australia/Sydney", "Australia/Lord_Howe",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati",
)  # fmt: skip
zones = some.sampled_from(ZONES).map(ZoneInfo)
days = some.dates(date(2024, 1, 1), date(2032, 12, 31))
times = some.times().map(lambda each: each.replace(second=0, microsecond=0))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone).astimezone(UTC)


@given(zones, days, some.integers(1, 14))
def test_whole_days_stay_those_days_wherever_the_rep_is_in_the_same_zone(
    zone: ZoneInfo, first: date, length: int
) -> None:
    starts, ends = midnight(first, zone), midnight(first + timedelta(days=length), zone)
    assert whole_days(starts, ends, zone) == (first, first + timedelta(days=length - 1))


@given(zones, zones, days)
def test_a_whole_day_of_somebody_elsewhere_stays_that_day(theirs: ZoneInfo, own: ZoneInfo, day: date) -> None:
    """As far as one can know: between 12 and 14 hours east and 10 and 12 west of Greenwich the same moment is
    midnight of two days."""
    starts, ends = midnight(day, theirs), midnight(day + timedelta(days=1), theirs)
    offset = starts.astimezone(theirs).utcoffset() or timedelta(0)
    if timedelta(hours=-10) < offset < timedelta(hours=12):
        assert whole_days(starts, ends, own) == (day, day)
    else:
        assert abs(whole_days(starts, ends, own)[0] - day) <= timedelta(days=1)


@given(zones, days)
def test_a_whole_day_that_is_told_as_midnight_in_greenwich_stays_that_day(zone: ZoneInfo, day: date) -> None:
    starts = datetime.combine(day, time(0), UTC)
    assert whole_days(starts, starts + timedelta(days=1), zone) == (day, day)


@given(zones, days, some.integers(1, 14))
def test_whole_days_last_from_midnight_to_midnight_also_where_clocks_change(
    zone: ZoneInfo, first: date, length: int
) -> None:
    last = first + timedelta(days=length - 1)
    starts, ends = moments_of(first, last, zone)
    assert whole_days(starts, ends, zone) == (first, last)
    assert abs((ends - starts) - timedelta(days=length)) <= timedelta(hours=1)


@given(zones, some.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=some.just(UTC)))
def test_a_brief_ends_when_its_meeting_begins_also_in_the_night_that_clocks_change(
    zone: ZoneInfo, starts: datetime
) -> None:
    assert brief_slot(starts, None, zone) == (starts - BRIEF_LENGTH, starts)


@given(zones, days)
def test_a_brief_of_a_whole_day_stands_in_its_morning(zone: ZoneInfo, day: date) -> None:
    starts, ends = brief_slot(midnight(day, zone), day, zone)
    assert (starts.astimezone(zone).date(), starts.astimezone(zone).time()) == (day, MORNING)
    assert ends - starts == BRIEF_LENGTH


@given(zones, times, some.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=some.just(UTC)))
def test_a_rep_is_told_once_a_day_at_the_time_of_choice(zone: ZoneInfo, at: time, now: datetime) -> None:
    told = [next_telling(at, zone, after=now)]
    for _ in range(5):
        told.append(next_telling(at, zone, after=told[-1]))
    assert told[0] > now
    assert told[0] - now <= timedelta(hours=26)
    local = [each.astimezone(zone) for each in told]
    assert len({each.date() for each in local}) == len(local), "never twice on one day"
    off = [abs((each.hour * 60 + each.minute) - (at.hour * 60 + at.minute)) for each in local]
    assert all(minutes in (0, 30, 60) or minutes > 23 * 60 for minutes in off), "a skipped hour comes later"


@given(zones, times, days)
def test_the_day_that_is_told_of_is_a_whole_day_there(zone: ZoneInfo, at: time, day: date) -> None:
    now = datetime.combine(day, at, zone).astimezone(UTC)
    today = now.astimezone(zone).date()
    for which, told in ((Day.SAME, today), (Day.BEFORE, today + timedelta(days=1))):
        start, end = told_span(which, zone, now=now)
        assert start <= midnight(told, zone) and end == midnight(told + timedelta(days=1), zone)
