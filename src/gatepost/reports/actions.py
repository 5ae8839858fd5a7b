"""Keeping a view of the reports, having it by mail, and looking at a sending domain."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.post.letters import send
from gatepost.reports import nameservers
from gatepost.reports.choosing import asked_in
from gatepost.reports.deliverability import Answer, findings
from gatepost.reports.models import DomainCheck, SavedView
from gatepost.reports.queries import sending_domains
from gatepost.web.weeks import monday_of, span_of

MOST_VIEWS = 30
WEEKLY = "reports.weekly"
MAILED_AFTER = timedelta(hours=7)  # on Monday, there


def save_view(member: Member, name: str, parameters: dict[str, str], *, weekly: bool) -> SavedView:
    """The report that these parameters ask for is kept under the name. Raises BadInput and Conflict."""
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise BadInput("Give the view a name of at most 60 letters.")
    now, zone = clock.now(), ZoneInfo(member.workspace.time_zone)
    address = asked_in(parameters, zone, now=now).address
    with inside(member.workspace_id):
        # Two requests at once count each other.
        Member.objects.select_for_update().get(pk=member.pk)
        own = SavedView.objects.filter(member=member)
        if own.filter(name=name).exists():
            raise Conflict("You have a view of this name already. Choose another one.")
        if own.count() >= MOST_VIEWS:
            raise BadInput("You have 30 views. Remove one first.")
        view = SavedView.objects.create(
            workspace_id=member.workspace_id, member=member, name=name, address=address, created_at=now,
            mail_due_at=next_monday(zone, now) if weekly else None,
        )  # fmt: skip
        record(by(member), tags.VIEW_SAVE, view, weekly=weekly)
    return view


def switch_mail(member: Member, view_id: UUID, *, weekly: bool) -> None:
    """The member's view comes by mail from next Monday on, or no more."""
    with inside(member.workspace_id):
        view = SavedView.objects.select_for_update().get(pk=view_id, member=member)
        zone = ZoneInfo(member.workspace.time_zone)
        view.mail_due_at = next_monday(zone, clock.now()) if weekly else None
        view.save(update_fields=["mail_due_at"])
        record(by(member), tags.VIEW_MAIL, view, weekly=weekly)


def remove_view(member: Member, view_id: UUID) -> None:
    with inside(member.workspace_id):
        view = SavedView.objects.select_for_update().get(pk=view_id, member=member)
        record(by(member), tags.VIEW_REMOVE, view)
        view.delete()


def mail_due(workspace_id: UUID, view_id: UUID) -> bool:
    """A view that is due leaves as a letter, once for each week; a week in which nothing ran is not made up for."""
    now = clock.now()
    with inside(workspace_id):
        due = SavedView.objects.filter(pk=view_id, mail_due_at__lte=now).select_related("member__workspace")
        view = due.select_for_update(of=("self",)).first()
        if view is None:
            return False
        view.mail_due_at = next_monday(ZoneInfo(view.member.workspace.time_zone), now)
        if view.member.removed_at is not None:
            view.mail_due_at = None
        view.save(update_fields=["mail_due_at"])
        return view.mail_due_at is not None and send(WEEKLY, workspace_id=workspace_id, about=view.pk)


def next_monday(zone: ZoneInfo, now: datetime) -> datetime:
    """Monday morning, there: of this week while it is still to come."""
    monday = monday_of(now, zone)
    for first in (monday, monday + timedelta(days=7)):
        moment = span_of(first, zone)[0] + MAILED_AFTER
        if moment > now:
            return moment
    raise AssertionError("one of two Mondays lies ahead")


def check_domain(
    workspace_id: UUID, domain: str, *, actor: Actor, ask: Callable[[str], Answer] = nameservers.texts_at
) -> DomainCheck:
    """What the name servers say of the domain now is noted. Only a domain from which a mailbox here sends is looked at."""
    with inside(workspace_id):
        if domain not in sending_domains():
            raise BadInput("No mailbox of this workspace sends from that domain.")
    found = findings(nameservers.look_up(domain, ask=ask))
    with inside(workspace_id):
        check, _new = DomainCheck.objects.update_or_create(
            workspace_id=workspace_id, domain=domain,
            defaults={"looked_at": clock.now(), "findings": [asdict(each) for each in found]},
        )  # fmt: skip
        record(actor, tags.DOMAIN_CHECK, check, levels=[each.level for each in found])
    return check
