"""Mailboxes over the API. Connecting one takes a person at Microsoft's page, so it is not here."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema

from gatepost.accounts.models import Workspace
from gatepost.accounts.tokens import administrator, caller, reads, writer
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes import actions, features, letterhead, queries, watch
from gatepost.mailboxes.health import Health
from gatepost.mailboxes.models import Mailbox
from gatepost.vault import names

router = Router(tags=["mailboxes"])


class MailboxOut(Schema):
    id: UUID
    address: str
    state: str
    reason: str
    health: str
    health_since: str
    health_why: str
    health_to_do: str
    held_back: str
    scopes: list[str]
    send_only: bool
    outreach_only: bool
    running: list[str]
    missing: list[str]
    read_through: str | None


@router.get("/mailboxes", response=list[MailboxOut], summary="List mailboxes")
@reads
def mailboxes(request: HttpRequest) -> list[dict[str, Any]]:
    found = list(Mailbox.objects.select_related("workspace").order_by("connected_at"))
    health = watch.health_of_all(found)
    return [_shown(each, health[each.pk]) for each in found]


class LetterheadIO(Schema):
    signature: str = ""
    signature_html: str = ""
    postal_address: str = ""
    sends_as: str = ""  # one of the mailbox's addresses; empty: its own


@router.get("/mailboxes/{uuid:mailbox_id}/letterhead", response=LetterheadIO, summary="Signature and sender")
@reads
def letterhead_of(request: HttpRequest, mailbox_id: UUID) -> letterhead.Letterhead:
    return letterhead.of(get_object_or_404(Mailbox, pk=mailbox_id))


@router.put(
    "/mailboxes/{uuid:mailbox_id}/letterhead", response=LetterheadIO, summary="Set signature and sender"
)
def change_letterhead(request: HttpRequest, mailbox_id: UUID, given: LetterheadIO) -> letterhead.Letterhead:
    """What is not named is emptied. The HTML comes back as it was stored: without what runs, loads or hides."""
    who = writer(request)
    with inside(who.workspace_id):
        queries.require_may_change(who.member, get_object_or_404(Mailbox, pk=mailbox_id))
    new = letterhead.Letterhead(**given.dict())
    letterhead.change(mailbox_id, new, workspace_id=who.workspace_id, actor=who.actor)
    with inside(who.workspace_id):
        return letterhead.of(Mailbox.objects.get(pk=mailbox_id))


class MailboxLimits(Schema):
    """How much a mailbox sends. In a change, what is left out stays; null: no limit of its own."""

    daily_limit: int | None = None
    hourly_limit: int | None = None
    gap_seconds: int | None = None
    longest_gap_seconds: int | None = None
    slow_start_days: int | None = None


@router.get("/mailboxes/{uuid:mailbox_id}/limits", response=MailboxLimits, summary="How much a mailbox sends")
@reads
def limits_of_mailbox(request: HttpRequest, mailbox_id: UUID) -> Mailbox:
    return get_object_or_404(Mailbox, pk=mailbox_id)


@router.patch(
    "/mailboxes/{uuid:mailbox_id}/limits", response=MailboxLimits, summary="Change how much a mailbox sends"
)
def change_limits_of_mailbox(request: HttpRequest, mailbox_id: UUID, given: MailboxLimits) -> Mailbox:
    who = writer(request)
    with inside(who.workspace_id):
        found = get_object_or_404(Mailbox, pk=mailbox_id)
        queries.require_may_change(who.member, found)
        now = {name: getattr(found, name) for name in MailboxLimits.model_fields}
    new = now | given.dict(exclude_unset=True)
    if new["daily_limit"] is None or new["gap_seconds"] is None:
        raise BadInput("A mailbox has always a limit a day and a pause between two mails: give numbers.")
    actions.change_settings(
        mailbox_id, workspace_id=who.workspace_id, actor=who.actor, briefs_on_calendar=found.briefs_on_calendar, **new
    )  # fmt: skip
    with inside(who.workspace_id):
        return Mailbox.objects.get(pk=mailbox_id)


class WorkspaceLimits(Schema):
    """Mails a day: of all mailboxes together, to one company, from one Microsoft organisation. In a change, what is
    left out stays; null: no limit, or Microsoft's lowest for an organisation."""

    daily_limit: int | None = None
    company_daily_limit: int | None = None
    tenant_daily_limit: int | None = None


@router.get("/limits", response=WorkspaceLimits, summary="How much the workspace sends")
@reads
def limits(request: HttpRequest) -> Workspace:
    return Workspace.objects.get(pk=caller(request).workspace_id)


@router.patch("/limits", response=WorkspaceLimits, summary="Change how much the workspace sends")
def change_limits(request: HttpRequest, given: WorkspaceLimits) -> Workspace:
    who = administrator(request)
    with inside(who.workspace_id):
        found = Workspace.objects.get(pk=who.workspace_id)
    new = features.limits_of(found) | given.dict(exclude_unset=True)
    features.limit(who.workspace_id, actor=who.actor, **new)
    with inside(who.workspace_id):
        return Workspace.objects.get(pk=who.workspace_id)


@router.post("/mailboxes/{uuid:mailbox_id}/pause", response=MailboxOut, summary="Send nothing for now")
def pause(request: HttpRequest, mailbox_id: UUID) -> dict[str, Any]:
    return _change(request, mailbox_id, watch.pause)


@router.post("/mailboxes/{uuid:mailbox_id}/resume", response=MailboxOut, summary="Send again")
def resume(request: HttpRequest, mailbox_id: UUID) -> dict[str, Any]:
    return _change(request, mailbox_id, watch.resume)


def _change(request: HttpRequest, mailbox_id: UUID, action: Any) -> dict[str, Any]:
    who = writer(request)
    with inside(who.workspace_id):
        found = get_object_or_404(Mailbox.objects.select_related("workspace"), pk=mailbox_id)
        queries.require_may_change(who.member, found)
    action(mailbox_id, workspace_id=who.workspace_id, actor=who.actor)
    with inside(who.workspace_id):
        found.refresh_from_db()
        return _shown(found, watch.health_of(found))


def _shown(mailbox: Mailbox, health: Health) -> dict[str, Any]:
    return {
        "id": mailbox.pk,
        "address": names.open(mailbox, "address") or "",
        "state": mailbox.state,
        "reason": mailbox.state_reason or mailbox.sync_problem,
        "health": health.word,
        "health_since": health.since.isoformat(),
        "health_why": health.why,
        "health_to_do": health.to_do,
        "held_back": health.held_back,
        "scopes": mailbox.scopes,
        "send_only": mailbox.send_only,
        "outreach_only": mailbox.outreach_only,
        "running": sorted(mailbox.running - {"sign-in"}),
        "missing": sorted(mailbox.wanted - mailbox.running),
        "read_through": mailbox.read_through.isoformat() if mailbox.read_through else None,
    }
