"""The only door to mail content: first the entry, then the text."""

from collections.abc import Sequence

from django.db import models

from gatepost.audit import tags
from gatepost.audit.record import Actor, entry, record_each
from gatepost.vault import content


def reveal(actor: Actor, row: models.Model, *columns: str, reason: str) -> dict[str, str | None]:
    """The texts in `columns` of `row`, after an entry says who opened them and why.

    Runs inside a transaction of the row's workspace; where the entry cannot be written, nothing is opened.
    """
    return reveal_each(actor, [row], *columns, reason=reason)[0]


def reveal_each(
    actor: Actor, rows: Sequence[models.Model], *columns: str, reason: str
) -> list[dict[str, str | None]]:
    """The same for many rows, each with an entry of its own."""
    record_each(
        entry(actor, tags.CONTENT_READ, row, what=row._meta.model_name, fields=sorted(columns), reason=reason)
        for row in rows
    )
    return [{column: content.open(row, column) for column in columns} for row in rows]
