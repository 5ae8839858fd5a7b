"""The outbox over the API: what waits, with its time and reason, and what a person may do about it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from pydantic import AwareDatetime

from gatepost.accounts.tokens import caller, reads, writer
from gatepost.isolation import inside
from gatepost.mailboxes.queries import require_may_send_from, seen_by
from gatepost.outbox import actions, lists
from gatepost.outbox.models import Message
from gatepost.web.api import Listing, listing, one_of

router = Router(tags=["outbox"])


class MessageOut(Schema):
    id: UUID
    contact_id: UUID
    mailbox_id: UUID
    sequence_id: UUID
    step: int
    state: str
    reason: str
    hurry: str
    not_before: str | None
    planned_at: str
    sent_at: str | None


class Until(Schema):
    until: AwareDatetime


class Decision(Schema):
    decision: str


@router.get("/messages", response=Listing[MessageOut], summary="List the outbox")
@reads
def messages(request: HttpRequest, part: str = "", after: str = "") -> dict[str, Any]:
    found = lists.chosen_messages(lists.Chosen(part=one_of(part, lists.PARTS, "part"))).filter(
        seen_by(caller(request).member)
    )
    return listing(found, by="planned_at", after=after, shown=_shown)


@router.post("/messages/{uuid:message_id}/send-now", response=MessageOut, summary="Send it as the next")
def send_now(request: HttpRequest, message_id: UUID) -> dict[str, Any]:
    return _change(request, message_id, actions.send_now)


@router.post(
    "/messages/{uuid:message_id}/prioritise", response=MessageOut, summary="Before others that are due"
)
def prioritise(request: HttpRequest, message_id: UUID) -> dict[str, Any]:
    return _change(request, message_id, actions.prioritise)


@router.post("/messages/{uuid:message_id}/postpone", response=MessageOut, summary="Not before a moment")
def postpone(request: HttpRequest, message_id: UUID, asked: Until) -> dict[str, Any]:
    return _change(request, message_id, actions.postpone, asked.until)


@router.post("/messages/{uuid:message_id}/skip", response=MessageOut, summary="Go on without it")
def skip(request: HttpRequest, message_id: UUID) -> dict[str, Any]:
    return _change(request, message_id, actions.skip)


@router.post("/messages/{uuid:message_id}/decide", response=MessageOut, summary="Decide about a held one")
def decide(request: HttpRequest, message_id: UUID, asked: Decision) -> dict[str, Any]:
    return _change(request, message_id, actions.resolve, asked.decision)


def _change(request: HttpRequest, message_id: UUID, action: Any, *values: Any) -> dict[str, Any]:
    who = writer(request)
    with inside(who.workspace_id):
        found = get_object_or_404(Message.objects.select_related("mailbox"), pk=message_id)
        require_may_send_from(who.member, found.mailbox)
    action(message_id, *values, workspace_id=who.workspace_id, actor=who.actor)
    with inside(who.workspace_id):
        return _shown(Message.objects.get(pk=message_id))


def _shown(message: Message) -> dict[str, Any]:
    left = message.accepted_at
    return {
        "id": message.pk,
        "contact_id": message.contact_id,
        "mailbox_id": message.mailbox_id,
        "sequence_id": message.sequence_id,
        "step": message.position,
        "state": message.state,
        "reason": message.reason,
        "hurry": Message.Hurry(message.hurry).name.lower(),
        "not_before": message.not_before.isoformat() if message.not_before else None,
        "planned_at": message.planned_at.isoformat(),
        "sent_at": left.isoformat() if left else None,
    }
