"""Calendar weeks in a zone: how reports count and how lists are narrowed down to what was counted."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]


def monday_of(moment: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week that `moment` falls into, there."""
    local = moment.astimezone(zone).date()
    return local - timedelta(days=local.weekday())


def span_of(monday: date, zone: ZoneInfo) -> Span:
    """From this Monday's midnight to the next one's, there: 167 hours in spring, 169 in autumn."""
    return _midnight(monday, zone), _midnight(monday + timedelta(days=7), zone)


def week_from(text: str, zone: ZoneInfo) -> Span | None:
    """The week that an address asks for (`?week=2026-11-23`, any day of it); None for anything else."""
    try:
        day = date.fromisoformat(text)
        return span_of(day - timedelta(days=day.weekday()), zone)
    except (ValueError, OverflowError):
        return None


def span_in(parameters: Mapping[str, str], zone: ZoneInfo) -> Span | None:
    """What an address narrows a list to: one week (`week=`), or everything since a day (`since=`)."""
    if "week" in parameters:
        return week_from(parameters["week"], zone)
    try:
        start = _midnight(date.fromisoformat(parameters.get("since", "")), zone)
    except (ValueError, OverflowError):
        return None
    return start, datetime.max.replace(tzinfo=UTC)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
