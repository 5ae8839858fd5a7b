"""What a report's address asks for: `?weeks=12&sequence=…&by=member`, and back. A saved view is such an address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from gatepost.reports.queries import DIVISIONS, SEQUENCE, Chosen
from gatepost.web.labels import LABELS
from gatepost.web.parameters import id_in
from gatepost.web.weeks import Span, day_in, days_from, monday_of

PERIODS = (4, 12, 26, 52)
USUAL_PERIOD = 12
LONGEST = timedelta(days=3 * 366)
# By parameter, the column of `Chosen`.
NARROWS = {
    "sequence": "sequence_id", "step": "step_id", "variant": "variant_id", "member": "member_id",
    "company": "company_id",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A report as one asks for it: what it is narrowed to, from which day to which, and how it is divided."""

    chosen: Chosen
    first: date
    last: date
    zone: ZoneInfo
    by: str = SEQUENCE
    weeks: int | None = USUAL_PERIOD  # None: days of one's own

    @property
    def span(self) -> Span:
        return days_from(self.first, self.last, self.zone)

    @property
    def before(self) -> "Asked":
        """The same of as many days that end where this begins."""
        days = (self.last - self.first).days + 1
        return replace(self, first=self.first - timedelta(days=days), last=self.first - timedelta(days=1))

    @property
    def parameters(self) -> dict[str, str]:
        """What makes this report again, of a moving period where it is one."""
        found = {name: getattr(self.chosen, column) for name, column in NARROWS.items()}
        told = {name: str(value) for name, value in found.items() if value}
        if self.chosen.label:
            told["label"] = self.chosen.label
        if self.weeks is None:
            told |= {"since": self.first.isoformat(), "until": self.last.isoformat()}
        elif self.weeks != USUAL_PERIOD:
            told["weeks"] = str(self.weeks)
        return told | ({"by": self.by} if self.by != SEQUENCE else {})

    @property
    def address(self) -> str:
        return urlencode(self.parameters)


def asked_in(parameters: Mapping[str, str], zone: ZoneInfo, *, now: datetime) -> Asked:
    """What cannot be meant is left out: a link may be old or cut off. No period reaches beyond this week's Sunday."""
    sunday = monday_of(now, zone) + timedelta(days=6)
    by, label = parameters.get("by", ""), parameters.get("label", "")
    chosen = Chosen(
        **{column: id_in(parameters, name) for name, column in NARROWS.items()},
        label=label if label in LABELS else "",
    )
    by = by if by in DIVISIONS else SEQUENCE
    since = day_in(parameters, "since")
    if since is not None and since <= sunday:
        until = min(day_in(parameters, "until") or sunday, sunday)
        if since <= until and until - since < LONGEST:
            return Asked(chosen, since, until, zone, by, weeks=None)
    text = parameters.get("weeks", "")
    weeks = int(text) if text in map(str, PERIODS) else USUAL_PERIOD
    return Asked(chosen, sunday - timedelta(days=7 * weeks - 1), sunday, zone, by, weeks)


def days_of(asked: Asked, first: date, last: date) -> Asked:
    """The same report of these days."""
    return replace(asked, first=first, last=last, weeks=None)
