"""Mailboxes over the API. Connecting one takes a person at Microsoft's page, so it is not here."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from gatepost.accounts.tokens import reads
from gatepost.mailboxes.models import Mailbox
from gatepost.vault import names

router = Router(tags=["mailboxes"])


class MailboxOut(Schema):
    id: UUID
    address: str
    state: str
    reason: str
    scopes: list[str]
    send_only: bool
    outreach_only: bool
    running: list[str]
    missing: list[str]
    read_through: str | None


@router.get("/mailboxes", response=list[MailboxOut], summary="List mailboxes")
@reads
def mailboxes(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "id": each.pk,
            "address": names.open(each, "address") or "",
            "state": each.state,
            "reason": each.state_reason or each.sync_problem,
            "scopes": each.scopes,
            "send_only": each.send_only,
            "outreach_only": each.outreach_only,
            "running": sorted(each.running - {"sign-in"}),
            "missing": sorted(each.wanted - each.running),
            "read_through": each.read_through.isoformat() if each.read_through else None,
        }
        for each in Mailbox.objects.select_related("workspace").order_by("connected_at")
    ]
