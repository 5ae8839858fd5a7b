"""What every endpoint of the API shares: the form of a list."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from ninja import Schema

from gatepost.errors import BadInput
from gatepost.web.pages import page_of, place_in

T = TypeVar("T")


class Listing(Schema, Generic[T]):
    """Some rows, and what to give as `after` to get the following ones ("" on the last page)."""

    rows: list[T]
    following: str


def one_of(value: str, known: Iterable[str], name: str) -> str:
    """The value, where it is known or left out. Raises BadInput: a list that ignores a filter would mislead."""
    if value and value not in (known := list(known)):
        raise BadInput(f"“{name}” is one of: {', '.join(known)}.")
    return value


def listing(
    found: "QuerySet[Any]",
    *,
    by: str,
    after: str,
    shown: Callable[[Any], dict[str, Any]],
    rows_of: Callable[[list[Any]], list[Any]] = list,
    newest_first: bool = True,
) -> dict[str, Any]:
    """One page of `found` as its caller gets it. `rows_of` reads for the whole page what each row shows besides.

    Raises BadInput for a place that no page handed out: starting over would let a program turn pages for ever.
    """
    if after and place_in(after) is None:
        raise BadInput("“after” is what the page before gave as “following”. Leave it out to begin.")
    page = page_of(found, by=by, after=after, newest_first=newest_first)
    return {"rows": [shown(row) for row in rows_of(page.rows)], "following": page.following}
