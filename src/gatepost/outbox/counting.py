"""What counts against the limits: every mail that was accepted, or may have been."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections

from gatepost.accounts.models import Workspace
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import limits
from gatepost.outbox.limits import Counted, Limit
from gatepost.outbox.models import Message


def pause_of(mailbox: Mailbox) -> limits.Pause:
    return limits.Pause(
        mailbox.last_sent_at,
        timedelta(seconds=mailbox.gap_seconds),
        timedelta(seconds=mailbox.longest_gap_seconds),
        str(mailbox.pk),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A limit, and whose: what left `of` this mailbox, workspace, company or Microsoft tenant counts against it."""

    of: str
    its_id: UUID
    limit: Limit


def own(mailbox: Mailbox, now: datetime) -> list[Place]:
    """The mailbox's own limits, ours and Microsoft's."""
    zone = mailbox.time_zone
    today = limits.of_day(mailbox.daily_limit, mailbox.slow_start_days, mailbox.slow_start_at, now, zone)
    of = "mails a day from this mailbox"
    if today < mailbox.daily_limit:
        of += ", in its slow start,"
    found = [Limit("mailbox_day", today, of, time_zone=zone)]
    if mailbox.hourly_limit:
        found.append(
            Limit("mailbox_hour", mailbox.hourly_limit, "mails an hour from this mailbox", limits.HOUR)
        )
    found += [
        Limit(
            "microsoft_minute",
            limits.A_MINUTE_BY_MICROSOFT,
            "mails a minute that Microsoft sets",
            limits.MINUTE,
        ),
        Limit("microsoft_day", limits.A_DAY_BY_MICROSOFT, "mails a day that Microsoft sets", limits.DAY),
    ]
    return [Place("mailbox", mailbox.pk, each) for each in found]


def shared(workspace: Workspace, tenant: UUID, company_id: UUID | None) -> list[Place]:
    """The limits that a mailbox shares with others."""
    found = []
    if workspace.daily_limit:
        limit = Limit(
            "workspace_day", workspace.daily_limit, "mails a day from this workspace",
            time_zone=workspace.time_zone,
        )  # fmt: skip
        found.append(Place("workspace", workspace.pk, limit))
    if workspace.company_daily_limit and company_id:
        limit = Limit(
            "company_day", workspace.company_daily_limit, "mails a day to one company",
            time_zone=workspace.time_zone, whole_mailbox=False,
        )  # fmt: skip
        found.append(Place("company", company_id, limit))
    limit = Limit(
        "tenant_day", workspace.tenant_daily_limit, "mails a day from one Microsoft organisation", limits.DAY
    )
    return [*found, Place("tenant", tenant, limit)]


def count(places: Iterable[Place], now: datetime) -> dict[Place, Counted]:
    """What counts against each of these limits, by one statement for each kind. Inside the workspace."""
    return {place: Counted(place.limit, nth) for place, nth in _nth(set(places), now).items()}


def still_fit(messages: Sequence[Message], now: datetime) -> bool:
    """Whether the limits that several mailboxes share have room for all of these, which are of one workspace. Until the
    transaction ends no other mailbox takes the last place: each asks here in the moment in which it commits that it
    sends."""
    # Of a mailbox only the tenant is asked here, which never becomes another; the limits are read anew.
    workspace = Workspace.objects.get(pk=messages[0].workspace_id)
    tenants = [message.mailbox.microsoft_tenant for message in messages]
    locks = {f"tenant {each}" for each in tenants} | {f"workspace {workspace.pk}"}
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(of, 0)) FROM unnest(%s::text[]) AS of",
            [sorted(locks)],
        )
    wanted = Counter(
        place
        for tenant, message in zip(tenants, messages, strict=True)
        for place in shared(workspace, tenant, message.contact.company_id)
    )
    # Of several that take a place in the same limit the last one must fit too.
    tighter = [
        replace(place, limit=replace(place.limit, most=place.limit.most - others + 1))
        for place, others in wanted.items()
    ]
    if any(place.limit.most < 1 for place in tighter):
        return False
    return limits.next_leaves(list(count(tighter, now).values()), None, now=now) is None


# When the mail left that is as many back as the limit allows. A tenant's mailboxes may belong to several workspaces:
# of them only a moment comes back.
_FOUND = {
    "mailbox": "SELECT left_at FROM gatepost_message WHERE mailbox_id = its_id AND left_at >= since {nth}",
    "workspace": "SELECT left_at FROM gatepost_message WHERE workspace_id = its_id AND left_at >= since {nth}",
    "company": "SELECT left_at FROM gatepost_message JOIN gatepost_contact ON gatepost_contact.id = contact_id "
    "WHERE company_id = its_id AND left_at >= since {nth}",
    "tenant": "SELECT tenant_left_at(its_id, since, most)",
}
_NTH = "ORDER BY left_at DESC OFFSET most - 1 LIMIT 1"


def _nth(places: Collection[Place], now: datetime) -> dict[Place, datetime | None]:
    found: dict[Place, datetime | None] = {}
    for of, statement in _FOUND.items():
        those = [place for place in places if place.of == of]
        if not those:
            continue
        with connections["default"].cursor() as cursor:
            cursor.execute(
                f"SELECT ({statement.format(nth=_NTH)}) "
                "FROM unnest(%s::uuid[], %s::timestamptz[], %s::int[]) WITH ORDINALITY "
                "AS wanted (its_id, since, most, number) ORDER BY number",
                [
                    [place.its_id for place in those],
                    [place.limit.counts_from(now) for place in those],
                    [place.limit.most for place in those],
                ],
            )
            found |= {place: row[0] for place, row in zip(those, cursor.fetchall(), strict=True)}
    return found
