"""What was asked of Microsoft, what was looked at and dropped, and who opened what: reads of the records."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.conversations.models import Reply
from gatepost.graph.shapes import SHAPES
from gatepost.intake.models import DropCount
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings.models import CalendarCount
from gatepost.vault import names

READS_TEXT = "reply"  # the one shape of request that returns the text of a mail


@dataclass(frozen=True, slots=True)
class Asked:
    """How often one kind of request was made on a day, and why."""

    local_date: date
    shape: str
    why: str
    count: int
    refused: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Envelopes of a day that were not ours, by reason: all that unrelated mail leaves behind."""

    local_date: date
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What a day's look into a mailbox came to."""

    envelopes: int  # looked at: ids and references
    replies: int  # texts of replies to our mail that were read
    others: int  # texts of any other mail: none, and counted so that it can be checked
    events: int  # calendar events dropped on their attendees


@dataclass(frozen=True, slots=True)
class Opened:
    """An entry of the record, with the name of whoever it was."""

    entry: AuditEntry
    who: str
    detail: str


def mailbox_ids(member: Member, chosen: UUID | None) -> list[UUID]:
    """The mailboxes whose records a member may see, or the chosen one of them."""
    found = Mailbox.objects.filter(member=member) if member.role == Member.Role.REP else Mailbox.objects.all()
    return list((found.filter(pk=chosen) if chosen else found).values_list("pk", flat=True))


def mailbox_names(member: Member) -> list[tuple[UUID, str]]:
    found = Mailbox.objects.filter(pk__in=mailbox_ids(member, None)).order_by("connected_at")
    return [(mailbox.pk, names.open(mailbox, "address") or "") for mailbox in found]


def asked_of_microsoft(mailboxes: list[UUID], zone: ZoneInfo, *, since: datetime) -> list[Asked]:
    rows = (
        LedgerRow.objects.filter(mailbox_id__in=mailboxes, at__gte=since)
        .annotate(day=TruncDate("at", tzinfo=zone))
        .values("day", "shape")
        .annotate(count=Count("id"), refused=Count("id", filter=Q(status__gte=400) | Q(status=0)))
        .order_by("-day", "-count")
    )
    return [
        Asked(
            row["day"],
            row["shape"],
            SHAPES[row["shape"]].why if row["shape"] in SHAPES else "",
            row["count"],
            row["refused"],
        )
        for row in rows
    ]


def dropped(mailboxes: list[UUID], *, since: date) -> list[Dropped]:
    rows = (
        DropCount.objects.filter(mailbox_id__in=mailboxes, local_date__gte=since)
        .values("local_date", "reason")
        .annotate(sum=Sum("count"))
        .order_by("-local_date", "-sum")
    )
    return [Dropped(row["local_date"], row["reason"], row["sum"]) for row in rows]


def looked_at(mailbox: Mailbox, *, now: datetime) -> LookedAt:
    """What was looked at in this mailbox today, by its own day."""
    today = now.astimezone(ZoneInfo(mailbox.time_zone)).date()
    midnight = datetime.combine(today, datetime.min.time(), ZoneInfo(mailbox.time_zone))
    drops = (
        DropCount.objects.filter(mailbox=mailbox, local_date=today).aggregate(sum=Sum("count"))["sum"] or 0
    )
    events = (
        CalendarCount.objects.filter(mailbox=mailbox, local_date=today).aggregate(sum=Sum("dropped"))["sum"]
        or 0
    )
    replies = Reply.objects.filter(mailbox=mailbox, created_at__gte=midnight).count()
    texts = LedgerRow.objects.filter(
        mailbox_id=mailbox.pk, at__gte=midnight, shape=READS_TEXT, status__lt=300, status__gte=200
    )
    others = max(texts.values("item_hash").distinct().count() - replies, 0)
    return LookedAt(drops + replies, replies, others, events)


def entries(mailboxes: list[UUID], *, everything: bool, member: Member) -> QuerySet[AuditEntry]:
    """Who opened texts; or everything that was done. A rep sees what concerns his own mailboxes."""
    rows = AuditEntry.objects.all() if everything else AuditEntry.objects.filter(tag=tags.CONTENT_READ)
    return rows.filter(mailbox_id__in=mailboxes) if member.role == Member.Role.REP else rows


def with_names(found: list[AuditEntry]) -> list[Opened]:
    people = {str(key): name for key, name in Member.objects.values_list("pk", "name")}
    return [
        Opened(entry, people.get(entry.actor_id) or entry.actor_id or entry.actor_kind, _said(entry.detail))
        for entry in found
    ]


def _said(detail: dict[str, Any]) -> str:
    def words(value: Any) -> str:
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    return " · ".join(f"{name}: {words(value)}" for name, value in detail.items())


LEDGER_DAYS = timedelta(days=7)
