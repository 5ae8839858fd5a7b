"""The only door to mail content: first the entry, then the text."""

from collections.abc import Sequence

from django.db import models

from gatepost.audit import tags
from gatepost.audit.record import Actor, entry, record_each
from gatepost.vault import content
from gatepost.vault.sealing import index


def reveal(actor: Actor, row: models.Model, *columns: str, reason: str) -> dict[str, str | None]:
    """The texts in `columns` of `row`, after an entry says who opened them and why.

    Runs inside a transaction of the row's workspace; where the entry cannot be written, nothing is opened.
    """
    return reveal_each(actor, [row], *columns, reason=reason)[0]


def reveal_each(
    actor: Actor, rows: Sequence[models.Model], *columns: str, reason: str
) -> list[dict[str, str | None]]:
    """The same for many rows, each with an entry of its own."""
    entries = []
    for row in rows:
        detail: dict[str, object] = {
            "what": row._meta.model_name,
            "fields": sorted(columns),
            "reason": reason,
        }
        if actor.network:
            detail["place"] = index(row.workspace_id, "network", actor.network)  # type: ignore[attr-defined]
        made = entry(actor, tags.CONTENT_READ, row)
        made.detail = detail
        entries.append(made)
    record_each(entries)
    return [{column: content.open(row, column) for column in columns} for row in rows]
