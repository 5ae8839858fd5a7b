"""The only door to mail content: first the entry, then the text."""

from django.db import models

from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.vault import content


def reveal(actor: Actor, row: models.Model, *columns: str, reason: str) -> dict[str, str | None]:
    """The texts in `columns` of `row`, after an entry says who opened them and why.

    Runs inside a transaction of the row's workspace; where the entry cannot be written, nothing is opened.
    """
    record(actor, tags.CONTENT_READ, row, what=row._meta.model_name, fields=sorted(columns), reason=reason)
    return {column: content.open(row, column) for column in columns}
