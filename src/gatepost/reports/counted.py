"""Counts of the messages of weeks that are over, so that a report of a year need not read half a million rows.

Exact at every moment, without a lock. What changes a message of a week that is long over leaves a `LateChange` in the same
transaction, by a trigger (migrations/0023); a week in which one lies is read from the messages again until it is counted
anew. That happens in one statement, hence from one snapshot: it removes the late changes whose messages it saw as they are
now, and leaves one that is committed a moment later.

The trigger passes over what is younger than `NOTED_AFTER`, which is nearly all; no week is counted before `OVER_AFTER`. What
lies between the two is more than any transaction lasts. Both go by the database's clock, whatever time the program has.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Now

from gatepost.accounts.models import Workspace
from gatepost.isolation import inside
from gatepost.outbox import lists as outbox
from gatepost.outbox.models import Message
from gatepost.reports.models import CountedWeek, LateChange, WeekCount
from gatepost.web.weeks import Span, monday_of, span_of

NOTED_AFTER = timedelta(days=7)
OVER_AFTER = timedelta(days=8)
WEEKS = 160  # the longest report has 157
AT_ONCE = 10  # weeks, so that the worker's other ticks need not wait

COUNTS = ("planned", "sent", "confirmed", "bounced", "came_back")
_PARTS = ("sequence_id", "step_id", "variant_id", "mailbox_id")


def valid_weeks() -> QuerySet[CountedWeek]:
    """Those whose counts are what a count of the messages would say now."""
    late = LateChange.objects.filter(at__gte=OuterRef("starts_at"), at__lt=OuterRef("ends_at"))
    return CountedWeek.objects.filter(~Exists(late))


def count_weeks(workspace_id: UUID, *, at_once: int = AT_ONCE) -> int:
    """Some of the workspace's weeks that were not counted, or not since they changed, are; how many."""
    with inside(workspace_id):
        _one_at_a_time(workspace_id)
        wanted = list(_wanted(workspace_id))
        CountedWeek.objects.exclude(starts_at__in=[start for start, _end in wanted]).delete()
        valid = set(valid_weeks().values_list("starts_at", "ends_at"))
        # One that lies in no counted week is of no use: whoever counts its week sees what changed.
        LateChange.objects.filter(
            ~Exists(CountedWeek.objects.filter(starts_at__lte=OuterRef("at"), ends_at__gt=OuterRef("at")))
        ).delete()
    due = [each for each in wanted if each not in valid][:at_once]
    for each in due:
        _count(workspace_id, each)
    return len(due)


def _wanted(workspace_id: UUID) -> Iterator[Span]:
    """The weeks that are long over and have messages, the latest first."""
    zone = ZoneInfo(Workspace.objects.get(pk=workspace_id).time_zone)
    first = Message.objects.aggregate(first=Min("planned_at"))["first"]
    if first is None:
        return
    now = Workspace.objects.values_list(Now(), flat=True)[0]
    monday = monday_of(now - OVER_AFTER, zone)
    for _week in range(WEEKS):
        monday -= timedelta(days=7)
        start, end = span_of(monday, zone)
        if end <= first:
            return
        yield start, end


def _one_at_a_time(workspace_id: UUID) -> None:
    """Until the transaction ends: a late change is of no use only where no week that holds it is just being counted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"weeks {workspace_id}"])


def _count(workspace_id: UUID, week: Span) -> None:
    start, end = week
    with inside(workspace_id), connection.cursor() as cursor:
        _one_at_a_time(workspace_id)
        CountedWeek.objects.filter(starts_at=start).delete()
        counted = CountedWeek.objects.create(workspace_id=workspace_id, starts_at=start, ends_at=end)
        rows = [_compiled(each) for each in _rows(week)]
        cursor.execute(
            f"""
            WITH seen AS (DELETE FROM {LateChange._meta.db_table} WHERE at >= %s AND at < %s)
            INSERT INTO {WeekCount._meta.db_table} (id, workspace_id, week_id, {", ".join((*_PARTS, *COUNTS))})
            SELECT gen_random_uuid(), %s, %s, {", ".join((*_PARTS, *(f"sum({each})" for each in COUNTS)))}
            FROM ({" UNION ALL ".join(f"({sql})" for sql, _values in rows)}) AS counted ({", ".join((*_PARTS, *COUNTS))})
            GROUP BY GROUPING SETS (({", ".join(_PARTS)}), ({", ".join(_PARTS[:-1])}))
            """,
            [start, end, workspace_id, counted.pk, *(value for _sql, values in rows for value in values)],
        )


def _rows(week: Span) -> Sequence[QuerySet[Any]]:
    """By the same choice as the lists'."""
    confirmed = Q(state=Message.State.CONFIRMED)
    counts: list[tuple[outbox.Chosen, dict[str, Any]]] = [
        (outbox.Chosen(within=week, planned=True), {"planned": Count("*")}),
        (
            outbox.Chosen(within=week, part="sent"),
            {
                "sent": Count("*"),
                "confirmed": Count("pk", filter=confirmed),
                "came_back": Count("pk", filter=confirmed & Q(bounced_at__isnull=False)),
            },
        ),
        (outbox.Chosen(within=week, bounced=True), {"bounced": Count("*")}),
    ]
    return [
        outbox.chosen_messages(chosen)
        .values(*_PARTS)
        .annotate(**{f"n_{name}": count.get(name, Value(0)) for name in COUNTS})
        .order_by()
        for chosen, count in counts
    ]


def _compiled(rows: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    return rows.query.get_compiler(connection=connection).as_sql()
