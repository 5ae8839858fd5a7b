"""What Gatepost does with the mailboxes of a workspace, which of them may be connected, and who changes that."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gatepost import clock
from gatepost.accounts.models import Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import letterhead, rules
from gatepost.mailboxes.models import Mailbox
from gatepost.vault import names

MOST_A_DAY = 10_000_000
MOST_A_DAY_TO_A_COMPANY = 10_000
LIMITS = (
    "mailbox_domains", "mailbox_tenants", "sender_domains", "only_outreach_mailboxes", "daily_limit",
    "company_daily_limit", "tenant_daily_limit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OnMailbox:
    """One feature, as it stands for one mailbox."""

    feature: rules.Feature
    state: str  # "runs", "missing" (Microsoft has not granted it), "left out" (of this mailbox) or "off"
    missing: tuple[rules.Permission, ...]

    @property
    def instead(self) -> str:
        """What happens while it does not run."""
        return " ".join(dict.fromkeys(permission.without for permission in self.missing))


def on_mailbox(mailbox: Mailbox) -> list[OnMailbox]:
    """Sending, and every feature that can be chosen: what runs on this mailbox and what does not."""
    return [
        OnMailbox(
            feature,
            _state(feature.name, mailbox),
            tuple(
                p for p in rules.permissions_of(feature.needs) if not rules.granted(p.scope, mailbox.scopes)
            ),
        )
        for feature in rules.FEATURES
        if feature.name != "sign-in"
    ]


def _state(name: str, mailbox: Mailbox) -> str:
    if name in mailbox.running:
        return "runs"
    if name in mailbox.wanted:
        return "missing"
    return "left out" if name in mailbox.workspace.features else "off"


@dataclass(frozen=True, slots=True)
class Switch:
    """One feature with its switch, and how many connected mailboxes wait for its permission."""

    feature: rules.Feature
    on: bool
    permissions: tuple[rules.Permission, ...]
    together_with: tuple[str, ...]
    waiting: int


def switches(workspace: Workspace) -> list[Switch]:
    """The features that an administrator can switch."""
    titles = {feature.name: feature.title for feature in rules.FEATURES}
    connected = list(Mailbox.objects.filter(state=Mailbox.State.CONNECTED).select_related("workspace"))
    return [
        Switch(
            feature,
            feature.name in workspace.features,
            rules.permissions_of(feature.needs[-1:]),
            tuple(titles[name] for name in feature.together_with),
            sum(feature.name in each.wanted - each.running for each in connected),
        )
        for feature in rules.CHOICES
    ]


def switch(workspace_id: UUID, name: str, on: bool, *, actor: Actor) -> None:
    """The feature is in use, or not. Raises BadInput for one that does not exist.

    Switched on, its permission is asked for the next time a mailbox goes to Microsoft. Switched off, what it left
    at Microsoft is tidied first (briefs leave the calendars), and nothing of it is asked for any more.
    """
    if name not in {feature.name for feature in rules.CHOICES}:
        raise BadInput(f"There is no feature {name!r} to switch.")
    with inside(workspace_id):
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        workspace.features = sorted(rules.switched(workspace.features, name, on=on))
        workspace.save(update_fields=["features"])
        record(
            actor, tags.WORKSPACE_FEATURES, workspace,
            workspace_id=workspace_id, feature=name, on=on, features=workspace.features,
        )  # fmt: skip
        for mailbox in Mailbox.objects.filter(state=Mailbox.State.CONNECTED).select_related("workspace"):
            look_again(mailbox)


def look_again(mailbox: Mailbox) -> None:
    """What the mailbox does may have changed: each of its jobs begins, or finds that it has nothing to do.
    Inside the caller's transaction."""
    now = clock.now()
    Mailbox.objects.filter(pk=mailbox.pk).update(
        sync_due_at=now if "replies" in mailbox.running else None,
        calendar_due_at=now,
        sending_not_before=None,
    )
    for job in ("mailboxes.subscribe", "meetings.sync", "sequences.send"):
        enqueue(job, once_for=mailbox.pk, workspace=str(mailbox.workspace_id), mailbox=str(mailbox.pk))


def limits_of(workspace: Workspace) -> dict[str, Any]:
    """What `limit` set, by the names that it takes."""
    return {name: getattr(workspace, name) for name in LIMITS}


def limit(
    workspace_id: UUID,
    *,
    mailbox_domains: Iterable[str],
    mailbox_tenants: Iterable[str],
    sender_domains: Iterable[str],
    only_outreach_mailboxes: bool,
    daily_limit: int | None = None,
    company_daily_limit: int | None = None,
    tenant_daily_limit: int | None = None,
    actor: Actor,
) -> None:
    """Which mailboxes may be connected, from which mail may leave, and how much a day. What is connected already stays
    connected. Raises BadInput."""
    for most, what in ((daily_limit, "all mailboxes"), (tenant_daily_limit, "one Microsoft organisation")):
        if most is not None and not 1 <= most <= MOST_A_DAY:
            raise BadInput(f"Mails a day from {what} must be between 1 and {MOST_A_DAY:,}, or empty.")
    if company_daily_limit is not None and not 1 <= company_daily_limit <= MOST_A_DAY_TO_A_COMPANY:
        raise BadInput(
            f"Mails a day to one company must be between 1 and {MOST_A_DAY_TO_A_COMPANY:,}, or empty for no limit."
        )
    with inside(workspace_id):
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        workspace.mailbox_domains = sorted(mailbox_domains)
        workspace.mailbox_tenants = sorted(mailbox_tenants)
        workspace.sender_domains = sorted(sender_domains)
        workspace.only_outreach_mailboxes = only_outreach_mailboxes
        workspace.daily_limit, workspace.company_daily_limit = daily_limit, company_daily_limit
        workspace.tenant_daily_limit = tenant_daily_limit or 10_000
        workspace.save(update_fields=LIMITS)
        record(
            actor, tags.WORKSPACE_LIMITS, workspace, workspace_id=workspace_id,
            mailbox_domains=len(workspace.mailbox_domains), mailbox_tenants=len(workspace.mailbox_tenants),
            sender_domains=len(workspace.sender_domains), only_outreach_mailboxes=only_outreach_mailboxes,
            daily_limit=daily_limit, company_daily_limit=company_daily_limit,
            tenant_daily_limit=workspace.tenant_daily_limit,
        )  # fmt: skip
        connected = Mailbox.objects.filter(state=Mailbox.State.CONNECTED)
        connected.update(sending_not_before=None)
        for mailbox_id in connected.values_list("pk", flat=True):
            # What waits for a limit is looked at anew; the gate says whether it may go now.
            enqueue(
                "sequences.send", once_for=mailbox_id, workspace=str(workspace_id), mailbox=str(mailbox_id)
            )


def mark(mailbox_id: UUID, outreach_only: bool, *, workspace_id: UUID, actor: Actor) -> None:
    """The mailbox is a dedicated one for outreach, or an ordinary one."""
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        mailbox.outreach_only, mailbox.sending_not_before = outreach_only, None
        mailbox.save(update_fields=["outreach_only", "sending_not_before"])
        record(actor, tags.MAILBOX_SETTINGS, mailbox, mailbox_id=mailbox.id, outreach_only=outreach_only)


def connected_tenants(mailboxes: Collection[Mailbox]) -> list[tuple[str, str]]:
    """The Microsoft tenants of these mailboxes, each with the domains of its mailboxes."""
    domains: dict[str, set[str]] = {}
    for mailbox in mailboxes:
        address = names.open(mailbox, "address") or ""
        domains.setdefault(str(mailbox.microsoft_tenant), set()).add(address.rpartition("@")[2])
    return [(tenant, ", ".join(sorted(domains[tenant]))) for tenant in sorted(domains)]


def why_it_may_not_send(mailbox: Mailbox) -> str:
    """Why no mail may leave from this mailbox by the workspace's limits, or "". Reads its workspace."""
    workspace = mailbox.workspace
    if not workspace.sender_domains and not workspace.only_outreach_mailboxes:
        return ""
    domain = letterhead.sender_address(mailbox).rpartition("@")[2]
    if not rules.may_send_as(domain, workspace.sender_domains):
        return f"mail may not leave from addresses of {domain}: an administrator allows it under Mailboxes"
    if workspace.only_outreach_mailboxes and not mailbox.outreach_only:
        return "only outreach-only mailboxes may send: an administrator marks this one under Mailboxes"
    return ""
