"""Reads about mailboxes, by jobs and pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections
from django.db.models import Q

from gatepost.accounts.models import Member
from gatepost.accounts.rules import Ability
from gatepost.errors import NotAllowed
from gatepost.graph.errors import ReconnectNeeded
from gatepost.isolation import inside
from gatepost.mailboxes import rules
from gatepost.mailboxes.models import Mailbox
from gatepost.vault import names


@dataclass(frozen=True, slots=True)
class Found:
    """Where something is, as the SECURITY DEFINER functions say it: ids only."""

    workspace_id: UUID
    id: UUID


def across_workspaces(function: str, *values: str | int | datetime) -> list[Found]:
    """The ids that one of the functions of migrations/0002 returns."""
    marks = ", ".join(["%s"] * len(values))
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT workspace_id, id FROM {function}({marks})", list(values))
        return [Found(*row) for row in cursor.fetchall()]


def due_for_sync(now: datetime) -> list[Found]:
    return across_workspaces("mailboxes_due_for_sync", now)


def due_for_calendar(now: datetime) -> list[Found]:
    return across_workspaces("mailboxes_due_for_calendar", now)


def subscriptions_due(now: datetime) -> list[Found]:
    """Mailboxes with a subscription to renew."""
    return across_workspaces("mailboxes_with_subscription_due", now)


def require_connected(mailbox_ids: Iterable[UUID]) -> None:
    """Inside a transaction: the mailboxes stay connected until it ends. Raises ReconnectNeeded where one is not."""
    wanted = set(mailbox_ids)
    # In one order, so that two transactions never wait for each other's rows crosswise.
    rows = Mailbox.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    states = list(rows.values_list("state", flat=True))
    if states != [Mailbox.State.CONNECTED] * len(wanted):
        raise ReconnectNeeded("This mailbox is not connected.", code="not_connected")


def with_workspace(mailbox_ids: Iterable[UUID]) -> dict[UUID, Mailbox]:
    """The mailboxes and their workspace, whose limits they share. Inside the workspace."""
    return Mailbox.objects.select_related("workspace").in_bulk(set(mailbox_ids))


def load(workspace_id: UUID, mailbox_id: UUID) -> Mailbox | None:
    """The mailbox, or None when it is gone or not connected: its jobs then end quietly."""
    with inside(workspace_id):
        return load_each([mailbox_id])[0]


def load_each(mailbox_ids: Sequence[UUID]) -> list[Mailbox | None]:
    """The same for many of one workspace. Inside it."""
    found = with_workspace(mailbox_ids)
    connected = {each.pk: each for each in found.values() if each.is_connected}
    return [connected.get(mailbox_id) for mailbox_id in mailbox_ids]


def rest(mailbox: Mailbox, *timers: str) -> None:
    """These timers of the mailbox (`sync_due_at`, `calendar_due_at`) wake nobody: what they are for is off."""
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=mailbox.pk).update(**dict.fromkeys(timers))


def load_to_clean_up(workspace_id: UUID, mailbox_id: UUID) -> Mailbox | None:
    """The disconnected mailbox, while something of ours may still be at Microsoft and its tokens are here."""
    with inside(workspace_id):
        disconnected = Mailbox.objects.filter(pk=mailbox_id, state=Mailbox.State.DISCONNECTED)
        return disconnected.filter(clean_up_until__isnull=False).first()


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox with what a page says about it in words."""

    mailbox: Mailbox
    address: str
    name: str
    owner: str
    aliases: tuple[str, ...]
    missing: tuple[rules.Permission, ...]
    left: tuple[str, ...]  # what of ours may still be at Microsoft, and how to end it there

    @property
    def limited(self) -> list[str]:
        """What it is meant to do and does not, for want of a permission."""
        lacking = self.mailbox.wanted - self.mailbox.running
        return [feature.title for feature in rules.FEATURES if feature.name in lacking]


def rows_of_mailboxes() -> list[MailboxRow]:
    """Every mailbox of the workspace, connected ones first."""
    found = Mailbox.objects.select_related("member", "workspace").order_by("state", "connected_at")
    return [row_of(mailbox) for mailbox in found]


def row_of(mailbox: Mailbox) -> MailboxRow:
    return MailboxRow(
        mailbox,
        names.open(mailbox, "address") or "",
        names.open(mailbox, "name") or "",
        mailbox.member.name,
        tuple((names.open(mailbox, "aliases") or "").split()),
        rules.missing(mailbox.scopes, mailbox.wanted),
        tuple(rules.LEFT_AT_MICROSOFT[each] for each in mailbox.left_at_microsoft),
    )


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission, and whether this mailbox has it."""

    permission: rules.Permission
    granted: bool
    asked: bool


def grants_of(mailbox: Mailbox) -> list[Grant]:
    asked = rules.scopes_to_ask(mailbox.wanted)
    return [
        Grant(permission, rules.granted(permission.scope, mailbox.scopes), permission.scope in asked)
        for permission in rules.PERMISSIONS
    ]


def may_read(member: Member, mailbox: Mailbox) -> bool:
    """Whether a member may open the texts of a mailbox: its owner, team leads and administrators; no auditor."""
    if mailbox.member_id == member.pk:
        return member.may(Ability.READ_OWN)
    return member.may(Ability.READ_ALL)


def require_may_read(member: Member, mailbox: Mailbox) -> None:
    if not may_read(member, mailbox):
        raise NotAllowed("Only the mailbox's owner, team leads and administrators may open its texts.")


def may_change(member: Member, mailbox: Mailbox) -> bool:
    """Whether a member may pause, set or disconnect a mailbox: its owner and administrators."""
    return member.may_write and (member.may_administer or mailbox.member_id == member.pk)


def require_may_change(member: Member, mailbox: Mailbox) -> None:
    if not may_change(member, mailbox):
        raise NotAllowed("Only its owner or an administrator may change this mailbox.")


def require_may_send_from(member: Member, mailbox: Mailbox) -> None:
    if not may_read(member, mailbox):
        raise NotAllowed("Only the mailbox's owner, team leads and administrators may send from it.")


def seen_by(member: Member) -> Q:
    """Narrows rows of mailboxes to those that a member's lists show: a rep's own, everybody else's all."""
    return Q(mailbox__member=member) if member.role == Member.Role.REP else Q()
