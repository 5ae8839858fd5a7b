"""How long Microsoft asks us to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=1)


def retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """The wait in a Retry-After header: seconds, also fractional ("2.128"), or a date. None where it says nothing.

    https://learn.microsoft.com/graph/throttling
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return timedelta(seconds=min(max(0.0, seconds), LONGEST.total_seconds()))
