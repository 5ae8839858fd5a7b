"""Reading records, links and anchors. `using`: the database's owner sees every row, the application its workspace's."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import JSONField

from gatepost.audit import tags
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.chains.models import Anchor, Link
from gatepost.chains.rules import LEDGER_KEPT_AT_LEAST, LinkFacts, Record, Removals
from gatepost.erasure import commands as erasures
from gatepost.erasure.models import Erasure
from gatepost.errors import BadInput
from gatepost.mailboxes.queries import across_workspaces

KINDS = {"audit": AuditEntry, "ledger": LedgerRow}
LINKS_AT_ONCE = 200
# One number has one way to be written, whatever the time zone; and a moment takes longer to read than all the rest.
MICROSECONDS = "(extract(epoch FROM at) * 1000000)::bigint"

# The database gives each record its number when it is written. Whether one with a lower number may still come is told
# by the transactions that are under way: each had its own number (xid) before it took one for a record.
HIGHEST = "SELECT last_value FROM gatepost_record_number"
UNDER_WAY = """
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
           coalesce((SELECT min(x::text::bigint) FROM pg_snapshot_xip(pg_current_snapshot()) x), 9223372036854775807)
"""
_noticed: tuple[int, int] | None = None  # a number, and the first transaction that began after it


def settled() -> int:
    """Every record up to this number is committed, or never will be. 0 where that is not known yet.

    Asked again a moment later, it is: no transaction of ours lasts.
    """
    global _noticed
    with connections["default"].cursor() as cursor:
        cursor.execute(HIGHEST)
        (highest,) = cursor.fetchone()
        cursor.execute(UNDER_WAY)
        next_transaction, oldest = cursor.fetchone()
    if oldest >= next_transaction:
        _noticed = None
        return int(highest)
    if _noticed is None:
        _noticed = highest, next_transaction
        return 0
    number, first_after = _noticed
    if oldest < first_after:
        return 0
    _noticed = highest, next_transaction
    return number


def workspaces_to_chain(through: int) -> list[UUID]:
    return [each.workspace_id for each in across_workspaces("workspaces_to_chain", through)]


def all_workspaces() -> list[UUID]:
    """Closed ones too: their chains stay."""
    return [each.workspace_id for each in across_workspaces("workspace_ids")]


def records(
    workspace_id: UUID, *, after: int | None, through: int | None, using: str = "default"
) -> list[Record]:
    """Those whose numbers lie after the one and up to the other, in their order. None: without that limit."""
    condition, values = _between(workspace_id, after, through)
    found = [each for kind in KINDS for each in _rows(kind, condition, values, using=using)]
    return sorted(found, key=lambda each: each.number)


def number_of(nth: int, workspace_id: UUID, *, after: int | None, through: int) -> int:
    """Up to which number there are so many records of the workspace; or `through`, where there are fewer."""
    condition, values = _between(workspace_id, after, through)
    numbers = " UNION ALL ".join(
        f"(SELECT number FROM {model._meta.db_table} WHERE {condition} ORDER BY number LIMIT {nth:d})"
        for model in KINDS.values()
    )
    with connections["default"].cursor() as cursor:
        cursor.execute(f"{numbers} ORDER BY number OFFSET {nth - 1:d} LIMIT 1", values * len(KINDS))
        found = cursor.fetchone()
    return int(found[0]) if found else through


def _between(workspace_id: UUID, after: int | None, through: int | None) -> tuple[str, list[Any]]:
    condition = "workspace_id = %s"
    values: list[Any] = [workspace_id]
    for sign, limit in ((">", after), ("<=", through)):
        if limit is not None:
            condition, values = f"{condition} AND number {sign} %s", [*values, limit]
    return condition, values


def records_by_id(kind: str, ids: Iterable[UUID], *, using: str = "default") -> list[Record]:
    """Wherever their numbers, or their workspaces, have gone to."""
    return list(_rows(kind, "id = ANY(%s)", [list(ids)], using=using)) if kind in KINDS else []


def last_link(workspace_id: UUID) -> Link | None:
    return Link.objects.filter(workspace_id=workspace_id).order_by("-position").first()


def last_anchor(workspace_id: UUID) -> Anchor | None:
    return Anchor.objects.filter(workspace_id=workspace_id).order_by("-at", "-id").first()


def links(workspace_id: UUID, *, using: str = "default") -> Iterator[LinkFacts]:
    """From the first to the last, some at a time."""
    rows = Link.objects.using(using).filter(workspace_id=workspace_id).order_by("position", "id")
    for link in rows.iterator(chunk_size=LINKS_AT_ONCE):
        yield LinkFacts(
            link.workspace_id, link.position, link.at, link.through, bytes(link.prints), link.previous, link.hash,
            link.mark,
        )  # fmt: skip


def anchors(workspace_id: UUID, *, using: str = "default") -> list[str]:
    """What each said, the oldest first."""
    rows = Anchor.objects.using(using).filter(workspace_id=workspace_id).order_by("at", "id")
    return list(rows.values_list("said", flat=True))


def removals(workspace_id: UUID, *, using: str = "default") -> Removals:
    """What was removed as it should be, by entries that are in the chain themselves and by signed receipts."""
    entries = AuditEntry.objects.using(using).filter(workspace_id=workspace_id, tag=tags.RETENTION_LEDGER)
    before, requests = None, 0
    for at, detail in entries.values_list("at", "detail"):
        # Whoever makes such an entry up gains nothing: of the last thirty days nothing may be missing.
        limit = min(datetime.fromisoformat(detail["before"]), at - LEDGER_KEPT_AT_LEAST)
        before = limit if before is None else max(before, limit)
        requests += int(detail["removed"])
    receipts = Erasure.objects.using(using).filter(
        workspace_id=workspace_id, kind=Erasure.Kind.WORKSPACE, finished_at__isnull=False
    )
    closed = any(_is_genuine(receipt, workspace_id) for receipt in receipts.values_list("receipt", flat=True))
    return Removals(before, requests, closed)


def _is_genuine(receipt: str, workspace_id: UUID) -> bool:
    try:
        checked = erasures.check(receipt)
    except BadInput:
        return False
    return checked.is_signed and checked.is_ours and checked.said["workspace"] == str(workspace_id)


def restored_at(workspace_id: UUID, *, using: str = "default") -> datetime | None:
    """When the database was last put back from a backup, by the record."""
    entries = AuditEntry.objects.using(using).filter(workspace_id=workspace_id, tag=tags.RECOVERY_BEGIN)
    return entries.order_by("-at").values_list("at", flat=True).first()


def _rows(kind: str, condition: str, values: list[Any], *, using: str) -> Iterator[Record]:
    model = KINDS[kind]
    # `number` is the database's own: no way of storing a row need know of it.
    names = [*(field.attname for field in model._meta.local_concrete_fields), "number"]
    texts = {field.attname for field in model._meta.local_concrete_fields if isinstance(field, JSONField)}
    columns = ", ".join(MICROSECONDS if name == "at" else name for name in names)
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {model._meta.db_table} WHERE {condition} ORDER BY number", values
        )
        for row in cursor.fetchall():
            given = dict(zip(names, row, strict=True))
            for name in texts:
                given[name] = json.loads(given[name])
            yield Record(kind, given)
