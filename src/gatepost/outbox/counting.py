"""What counts against the limits: every mail that was accepted, or may have been."""

from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.db import connections

from gatepost.accounts.models import Workspace
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import with_workspace
from gatepost.outbox import limits
from gatepost.outbox.limits import Counted, Limit
from gatepost.outbox.models import Message
from gatepost.prepared import Prepared


def pause_of(mailbox: Mailbox) -> limits.Pause:
    return limits.Pause(
        mailbox.last_sent_at,
        timedelta(seconds=mailbox.gap_seconds),
        timedelta(seconds=mailbox.longest_gap_seconds),
        str(mailbox.pk),
    )


def of_mailbox(mailbox: Mailbox, now: datetime) -> tuple[Counted, ...]:
    """The mailbox's own limits, ours and Microsoft's. Inside its workspace."""
    zone = mailbox.time_zone
    today = limits.of_day(mailbox.daily_limit, mailbox.slow_start_days, mailbox.slow_start_at, now, zone)
    of = "mails a day from this mailbox"
    if today < mailbox.daily_limit:
        of += ", in its slow start,"
    own = [Limit("mailbox_day", today, of, time_zone=zone)]
    if mailbox.hourly_limit:
        own.append(
            Limit("mailbox_hour", mailbox.hourly_limit, "mails an hour from this mailbox", limits.HOUR)
        )
    own += [
        Limit(
            "microsoft_minute",
            limits.A_MINUTE_BY_MICROSOFT,
            "mails a minute that Microsoft sets",
            limits.MINUTE,
        ),
        Limit("microsoft_day", limits.A_DAY_BY_MICROSOFT, "mails a day that Microsoft sets", limits.DAY),
    ]
    return tuple(Counted(each, _nth("mailbox_id", mailbox.pk, each, now)) for each in own)


def shared(workspace: Workspace, tenant: UUID, company_id: UUID | None, now: datetime) -> tuple[Counted, ...]:
    """The limits that the mailbox shares with others. Inside the workspace."""
    counted = []
    if workspace.daily_limit:
        limit = Limit(
            "workspace_day", workspace.daily_limit, "mails a day from this workspace",
            time_zone=workspace.time_zone,
        )  # fmt: skip
        counted.append(Counted(limit, _nth("workspace_id", workspace.pk, limit, now)))
    if workspace.company_daily_limit and company_id:
        limit = Limit(
            "company_day", workspace.company_daily_limit, "mails a day to one company",
            time_zone=workspace.time_zone, whole_mailbox=False,
        )  # fmt: skip
        counted.append(Counted(limit, _nth("contact__company_id", company_id, limit, now)))
    limit = Limit(
        "tenant_day", workspace.tenant_daily_limit, "mails a day from one Microsoft organisation", limits.DAY
    )
    with connections["default"].cursor() as cursor:
        # Its mailboxes may belong to several workspaces; only a moment comes back.
        cursor.execute("SELECT tenant_left_at(%s, %s, %s)", [tenant, limit.counts_from(now), limit.most])
        counted.append(Counted(limit, cursor.fetchone()[0]))
    return tuple(counted)


def still_fits(message: Message, now: datetime) -> bool:
    """Whether the limits that several mailboxes share still have room. Until the transaction ends no other mailbox
    takes the last place: each asks here in the moment in which it commits that it sends."""
    mailbox = with_workspace(message.mailbox_id)
    with connections["default"].cursor() as cursor:
        for of in sorted((f"tenant {mailbox.microsoft_tenant}", f"workspace {mailbox.workspace_id}")):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [of])
    counted = shared(mailbox.workspace, mailbox.microsoft_tenant, message.contact.company_id, now)
    return limits.next_leaves(counted, None, now=now) is None


def _nth(of: str, its_id: UUID, limit: Limit, now: datetime) -> datetime | None:
    """When the mail left that is as many back as the limit allows; None where there were fewer."""
    found = _left(of, limit.most).values(its_id, limit.counts_from(now))
    return found[0][0] if found else None


@lru_cache(maxsize=500)  # a query for each size of a limit: there are few
def _left(of: str, nth: int) -> Prepared[Message]:
    return Prepared(
        lambda its_id, since: (
            Message.objects.filter(**{of: its_id}, left_at__gte=since)
            .order_by("-left_at")
            .values_list("left_at")[nth - 1 : nth]
        )
    )
