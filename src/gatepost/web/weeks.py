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


def span_in(parameters: Mapping[str, str], zone: ZoneInfo, *, prefix: str = "") -> Span | None:
    """What an address narrows a list to: one week (`week=`), or everything since a day (`since=`) until the end of
    another (`until=`). Spans of something else than the list's own moment have a `prefix` to these names."""
    if not prefix and "week" in parameters:
        return week_from(parameters["week"], zone)
    start = day_in(parameters, f"{prefix}since")
    if start is None:
        return None
    return days_from(start, day_in(parameters, f"{prefix}until"), zone)


def day_in(parameters: Mapping[str, str], name: str) -> date | None:
    """The day that an address gives; None for anything else."""
    try:
        found = date.fromisoformat(parameters.get(name, ""))
    except ValueError:
        return None
    return found if date(1970, 1, 1) <= found <= date(2999, 12, 31) else None


def days_from(first: date, last: date | None, zone: ZoneInfo) -> Span:
    """From the first day's midnight to the last one's end, there; without a last one, for good."""
    end = datetime.max.replace(tzinfo=UTC) if last is None else _midnight(last + timedelta(days=1), zone)
    return _midnight(first, zone), end


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
