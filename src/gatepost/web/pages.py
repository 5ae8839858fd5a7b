"""Pages of long lists, newest first. Turning a page costs the same on the first and on the thousandth."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

SIZE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order, and where the following ones begin ("" on the last page)."""

    rows: list[Any]
    following: str = ""
    is_first: bool = True

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def page_of(
    rows: "models.QuerySet[Any]",
    *,
    by: str,
    after: str = "",
    newest_first: bool = True,
    size: int = SIZE,
    rank: str = "",
) -> Page:
    """The page after the row that `after` names, ordered by the moment in column `by`, then by id.

    `rank`: a column of small numbers that comes before both, the least first. A place that nobody handed out starts
    at the beginning.
    """
    number, after = _rank_in(after) if rank else (0, after)
    place = place_in(after)
    if place is not None:
        moment, row_id = place
        beyond = "lt" if newest_first else "gt"
        later = Q((f"{by}__{beyond}", moment)) | Q((by, moment), (f"pk__{beyond}", row_id))
        if rank:
            # The first condition follows from the second; by it an index is entered at the right place.
            rows = rows.filter(Q((f"{rank}__gte", number)))
            later = Q((f"{rank}__gt", number)) | Q(Q((rank, number)), later)
        rows = rows.filter(later)
    sign = "-" if newest_first else ""
    order = [*([rank] if rank else []), f"{sign}{by}", f"{sign}pk"]
    # The page is chosen without what its rows are joined with: PostgreSQL takes a table of few rows, of which it has
    # no statistics, for one of one row, and would rather join the whole list than enter its index.
    alone = rows.prefetch_related(None)  # values are joined with nothing that they do not name
    places = list(alone.order_by(*order).values_list("pk", by, *([rank] if rank else []))[: size + 1])
    chosen = [row_id for row_id, *_ in places[:size]]
    read = {row.pk: row for row in rows.filter(pk__in=chosen)}
    found = [read[row_id] for row_id in chosen if row_id in read]  # one may have left the list just now
    following = ""
    if len(places) > size:
        row_id, moment, *number_of = places[size - 1]
        following = "_".join([*map(str, number_of), moment.isoformat(), str(row_id)])
    return Page(found, following, is_first=place is None)


def _rank_in(text: str) -> tuple[int, str]:
    """The rank that a place begins with, and the rest of it."""
    number, _, rest = text.partition("_")
    return (int(number), rest) if number.isdecimal() else (0, "")


def place_in(text: str) -> tuple[datetime, UUID] | None:
    moment, _, row_id = text.partition("_")
    try:
        return datetime.fromisoformat(moment), UUID(row_id)
    except ValueError:
        return None
