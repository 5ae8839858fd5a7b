"""Reading who opened which texts, and the alerts that came of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections
from django.db.models import Q, QuerySet

from gatepost.accounts.models import ApiToken, Member, Workspace
from gatepost.alerts.models import Alert
from gatepost.alerts.rules import AT_ONCE, Read, Reader
from gatepost.audit import tags
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces

AT_A_TIME = 5000
# The words of the two partial indexes (migrations/0021): both serve where a condition repeats them.
BY_SOMEBODY = f"tag = '{tags.CONTENT_READ}' AND actor_kind IN ('member', 'token')"
COLUMNS = "at, subject_id, mailbox_id, coalesce(detail->>'place', '')"


@dataclass(frozen=True, slots=True)
class Opened:
    """Texts that one reader opened, oldest first."""

    kind: str  # "member" or "token"
    id: UUID
    reads: list[Read]


def workspaces_with_reads() -> list[UUID]:
    """Where texts were opened that nobody has judged yet."""
    return [each.workspace_id for each in across_workspaces("workspaces_with_reads")]


def opened(workspace_id: UUID, *, after: int, through: int) -> tuple[list[Opened], int]:
    """By reader, what was opened with a number after the one and up to the other; and up to which number that is all."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"SELECT number, actor_kind, actor_id, {COLUMNS} FROM gatepost_auditentry "
            f"WHERE workspace_id = %s AND number > %s AND number <= %s AND {BY_SOMEBODY} ORDER BY number LIMIT %s",
            [workspace_id, after, through, AT_A_TIME],
        )
        rows = cursor.fetchall()
    readers: dict[tuple[str, str], list[Read]] = {}
    for _number, kind, reader, *read in rows:
        readers.setdefault((kind, reader), []).append(Read(*read))
    found = [
        Opened(kind, UUID(reader), sorted(reads, key=lambda r: r.at))
        for (kind, reader), reads in readers.items()
    ]
    return found, rows[-1][0] if len(rows) == AT_A_TIME else through


def reader_of(by: Opened, member: Member, workspace: Workspace, *, before: int) -> Reader:
    """What is known of this reader from the records up to that number."""
    places = sorted({each.place for each in by.reads if each.place})
    mine = f"workspace_id = %s AND actor_id = %s AND number <= %s AND {BY_SOMEBODY}"
    values: list[Any] = [workspace.pk, str(by.id), before]
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM gatepost_auditentry WHERE {mine} AND at > %s",
            [*values, by.reads[0].at - AT_ONCE],
        )
        lately = tuple(Read(*row) for row in cursor.fetchall())
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM gatepost_auditentry WHERE {mine}), "
            f"EXISTS (SELECT 1 FROM gatepost_auditentry WHERE {mine} AND detail ? 'place'), "
            f"ARRAY(SELECT place FROM unnest(%s::text[]) place WHERE EXISTS "
            f"(SELECT 1 FROM gatepost_auditentry WHERE {mine} AND detail->>'place' = place))",
            [*values, *values, places, *values],
        )
        has_read, was_anywhere, known = cursor.fetchone()
    return Reader(
        by.kind == "token", zone_of(member, workspace), lately, frozenset(known), was_anywhere, has_read
    )


def zone_of(member: Member, workspace: Workspace) -> ZoneInfo:
    """Where the reader lives: as his own mailbox says, else as the workspace does."""
    own = (
        Mailbox.objects.filter(member=member)
        .order_by("connected_at")
        .values_list("time_zone", flat=True)
        .first()
    )
    return ZoneInfo(own or workspace.time_zone)


def member_of(by: Opened) -> tuple[Member, ApiToken | None]:
    """Who it was, or whose token. Inside the workspace."""
    if by.kind == "token":
        token = ApiToken.objects.select_related("member__user").get(pk=by.id)
        return token.member, token
    return Member.objects.select_related("user").get(pk=by.id), None


def to_tell(mailbox_ids: Sequence[UUID]) -> Iterable[Member]:
    """The owners, and whose mailboxes these are."""
    whose = Q(role=Member.Role.OWNER) | Q(mailbox__in=list(mailbox_ids))
    return (
        Member.objects.select_related("user").filter(whose, removed_at__isnull=True).distinct().order_by("pk")
    )


def alerts(member: Member) -> QuerySet[Alert]:
    """What this member may see: a rep those about himself and about his own mailboxes."""
    found = Alert.objects.select_related("member", "token")
    if member.role != Member.Role.REP:
        return found
    own = list(Mailbox.objects.filter(member=member).values_list("pk", flat=True))
    return found.filter(Q(member=member) | Q(mailbox_ids__overlap=own))
