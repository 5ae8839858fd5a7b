"""The counts of each sequence, kept as a sum, so that the list of sequences need not read every enrolment and mail.

Exact at every moment, without a lock. Triggers (migrations/0029) add a row for what a change makes more or less, in the
transaction of the change. What was counted, and these differences, are one sum of one statement. Whoever counts or sums up
removes, in the statement that reads them, the rows whose changes it sees; one that is committed a moment later stays.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BoolOr
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum, Value

from gatepost.isolation import inside
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment, Sequence, Tally

COLUMNS = ("enrolled", "running", "replied", "met", "bounced", "sent")
TABLE = Tally._meta.db_table
MANY = 100  # differences that are summed up
AT_ONCE = 10  # sequences that are counted, so that the worker's other ticks need not wait
Counts = dict[str, int]


def counts_of(ids: Iterable[UUID]) -> dict[UUID, Counts]:
    """What became of each sequence so far. One that was not counted yet is counted now."""
    asked = list(ids)
    sums = {f"sum_{name}": Sum(name) for name in COLUMNS}
    kept: Any = (
        Tally.objects.filter(sequence_id__in=asked)
        .values("sequence_id")
        .annotate(was=BoolOr("counted"), **sums)
    )
    found = {
        row["sequence_id"]: {name: row[f"sum_{name}"] for name in COLUMNS}
        for row in kept.filter(was=True).order_by()
    }
    return found | _counted([each for each in asked if each not in found])


def sum_up(workspace_id: UUID, *, at_once: int = AT_ONCE) -> int:
    """Sequences that were not counted are, and many differences become one row; how many sequences that were."""
    with inside(workspace_id), connection.cursor() as cursor:
        # One at a time: two that count the same sequence would leave two counts of it.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"tallies {workspace_id}"])
        Tally.objects.filter(~Exists(Sequence.objects.filter(pk=OuterRef("sequence_id")))).delete()
        counted = Tally.objects.filter(sequence_id=OuterRef("pk"), counted=True)
        new = list(Sequence.objects.filter(~Exists(counted)).values_list("pk", flat=True)[:at_once])
        if new:
            _count(cursor, workspace_id, new)
        rows = Tally.objects.values_list("sequence_id", flat=True).annotate(rows=Count("*"))
        long = list(rows.filter(rows__gt=MANY).order_by())
        if long:
            _shorten(cursor, long)
    return len(new) + len(long)


def _counted(ids: list[UUID]) -> dict[UUID, Counts]:
    found = {each: dict.fromkeys(COLUMNS, 0) for each in ids}
    for rows in _rows(ids) if ids else ():
        for sequence_id, *counts in rows.values_list("sequence_id", *(f"n_{name}" for name in COLUMNS)):
            for name, count in zip(COLUMNS, counts, strict=True):
                found[sequence_id][name] += count
    return found


def _count(cursor: Any, workspace_id: UUID, ids: list[UUID]) -> None:
    rows = [each.query.get_compiler(connection=connection).as_sql() for each in _rows(ids)]
    cursor.execute(
        f"""
        WITH seen AS (DELETE FROM {TABLE} WHERE sequence_id = ANY (%s))
        INSERT INTO {TABLE} (id, workspace_id, sequence_id, counted, {", ".join(COLUMNS)})
        SELECT gen_random_uuid(), %s, sequence_id, true, {", ".join(f"sum({each})" for each in COLUMNS)}
        FROM (
            SELECT unnest(%s), {", ".join("0" for _ in COLUMNS)}
            {"".join(f" UNION ALL ({sql})" for sql, _values in rows)}
        ) AS counted (sequence_id, {", ".join(COLUMNS)})
        GROUP BY sequence_id
        """,
        [ids, workspace_id, ids, *(value for _sql, values in rows for value in values)],
    )


def _shorten(cursor: Any, ids: list[UUID]) -> None:
    cursor.execute(
        f"""
        WITH gone AS (DELETE FROM {TABLE} WHERE sequence_id = ANY (%s) RETURNING *)
        INSERT INTO {TABLE} (id, workspace_id, sequence_id, counted, {", ".join(COLUMNS)})
        SELECT gen_random_uuid(), workspace_id, sequence_id, bool_or(counted), {", ".join(f"sum({each})" for each in COLUMNS)}
        FROM gone GROUP BY workspace_id, sequence_id
        """,
        [ids],
    )


def _rows(ids: list[UUID]) -> list[QuerySet[Any]]:
    """The counts as they are; those of one table after those of the other."""
    cause, state = Enrolment.Cause, Enrolment.State
    of_enrolments = {
        "enrolled": Count("*"),
        "running": Count("state", filter=Q(state__in=(state.ACTIVE, state.PAUSED))),
        "replied": Count("cause", filter=Q(cause=cause.REPLY)),
        "met": Count("cause", filter=Q(cause=cause.MEETING)),
        "bounced": Count("cause", filter=Q(cause=cause.BOUNCE)),
    }
    left = Message.objects.filter(state__in=LEFT, reply_id__isnull=True)
    return [
        rows.filter(sequence_id__in=ids)
        .values("sequence_id")
        .annotate(**{f"n_{name}": counts.get(name, Value(0)) for name in COLUMNS})
        .order_by()
        for rows, counts in ((Enrolment.objects.all(), of_enrolments), (left, {"sent": Count("*")}))
    ]
