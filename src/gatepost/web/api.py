"""What every endpoint of the API shares: the form of a list."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from ninja import Schema

from gatepost.web.pages import page_of

T = TypeVar("T")


class Listing(Schema, Generic[T]):
    """Some rows, and what to give as `after` to get the following ones ("" on the last page)."""

    rows: list[T]
    following: str


def listing(
    found: "QuerySet[Any]",
    *,
    by: str,
    after: str,
    shown: Callable[[Any], dict[str, Any]],
    newest_first: bool = True,
) -> dict[str, Any]:
    page = page_of(found, by=by, after=after, newest_first=newest_first)
    return {"rows": [shown(row) for row in page], "following": page.following}
