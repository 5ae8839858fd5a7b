"""Erasing over the API, and receipts. It asks for the same confirmation as the page, and the same roles."""

import json
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status

from gatepost.accounts.tokens import Caller, caller, reads, writer
from gatepost.contacts.models import Contact
from gatepost.erasure import actions, export, queries
from gatepost.erasure.models import Erasure
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.web.api import Listing, listing

router = Router(tags=["erasures"])


class NewErasure(Schema):
    kind: Literal["mailbox", "contact", "workspace"]
    subject_id: UUID
    confirm: str  # the address, or the name of the workspace


class ErasureOut(Schema):
    id: UUID
    kind: str
    subject_id: UUID
    ordered_at: str
    finished_at: str | None
    rows: dict[str, int]
    left_at_microsoft: list[str]


class Times(Schema):
    days: dict[str, int]


@router.post("/erasures", response={202: ErasureOut}, summary="Erase a mailbox, a person or the workspace")
def erase(request: HttpRequest, new: NewErasure) -> Status[dict[str, Any]]:
    who = writer(request)
    workspace_id, confirm, actor = who.workspace_id, new.confirm, who.actor
    if new.kind == "mailbox":
        _require_may_erase_mailbox(who, new.subject_id)
        erasure = actions.erase_mailbox(
            new.subject_id, workspace_id=workspace_id, confirm=confirm, actor=actor
        )
    elif new.kind == "contact":
        actions.require_administrator(who.member)
        _require_there(who, Contact, new.subject_id)
        erasure = actions.erase_contact(
            new.subject_id, workspace_id=workspace_id, confirm=confirm, actor=actor
        )
    else:
        actions.require_owner(who.member)
        erasure = actions.close_workspace(workspace_id, confirm=confirm, actor=actor)
    return Status(202, _shown(erasure))


@router.get("/erasures", response=Listing[ErasureOut], summary="List erasures, newest first")
@reads
def erasures(request: HttpRequest, after: str = "") -> dict[str, Any]:
    return listing(queries.erasures(), by="ordered_at", after=after, shown=_shown)


@router.get("/erasures/{uuid:erasure_id}/receipt", summary="The signed receipt")
@reads
def receipt(request: HttpRequest, erasure_id: UUID) -> Any:
    return json.loads(get_object_or_404(Erasure.objects.exclude(receipt=""), pk=erasure_id).receipt)


@router.post("/contacts/{uuid:contact_id}/export", summary="Everything that is kept of a person")
def export_contact(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    who = writer(request)
    actions.require_administrator(who.member)
    _require_there(who, Contact, contact_id)
    said = export.export_contact(contact_id, workspace_id=who.workspace_id, actor=who.actor)
    return HttpResponse(said, content_type="application/json")


@router.get("/retention", response=Times, summary="How many days each kind of data is kept")
@reads
def retention(request: HttpRequest) -> dict[str, Any]:
    return {"days": {row.kind.kind: row.days for row in queries.kinds(caller(request).member.workspace)}}


@router.put("/retention", response={204: None}, summary="Choose how many days kinds of data are kept")
def choose_retention(request: HttpRequest, given: Times) -> Status[None]:
    who = writer(request)
    actions.require_administrator(who.member)
    actions.choose_retention(who.workspace_id, given.days, actor=who.actor)
    return Status(204, None)


def _require_may_erase_mailbox(who: Caller, mailbox_id: UUID) -> None:
    with inside(who.workspace_id):
        queries.require_may_erase(who.member, get_object_or_404(Mailbox, pk=mailbox_id))


def _require_there(who: Caller, model: Any, subject_id: UUID) -> None:
    with inside(who.workspace_id):
        get_object_or_404(model, pk=subject_id)


def _shown(erasure: Erasure) -> dict[str, Any]:
    return {
        "id": erasure.pk,
        "kind": erasure.kind,
        "subject_id": erasure.subject_id,
        "ordered_at": erasure.ordered_at.isoformat(),
        "finished_at": erasure.finished_at.isoformat() if erasure.finished_at else None,
        "rows": erasure.counts,
        "left_at_microsoft": erasure.left_at_microsoft,
    }
