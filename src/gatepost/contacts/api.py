"""Contacts over the API."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status

from gatepost.accounts.tokens import caller, reads, writer
from gatepost.contacts import actions, queries
from gatepost.contacts.models import Contact, Suppression
from gatepost.vault import names
from gatepost.web.api import Listing, listing

router = Router(tags=["contacts"])


class NewContact(Schema):
    email: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    phone: str = ""
    time_zone: str = ""
    country: str = ""


class ContactOut(NewContact):
    id: UUID
    source: str


class NewSuppression(Schema):
    value: str  # an address, or a domain
    kind: str = Suppression.Kind.ADDRESS
    reason: str = ""


@router.get("/contacts", response=Listing[ContactOut], summary="List or search contacts, newest first")
@reads
def contacts(request: HttpRequest, search: str = "", after: str = "") -> dict[str, Any]:
    found = queries.found(caller(request).workspace_id, search)
    return listing(found, by="created_at", after=after, shown=_shown)


@router.post("/contacts", response={201: ContactOut}, summary="Add a contact")
def add(request: HttpRequest, new: NewContact) -> Status[dict[str, Any]]:
    who = writer(request)
    contact = actions.add_contact(who.workspace_id, new.dict(), actor=who.actor, source="API")
    return Status(201, _shown(contact))


@router.post("/suppressions", response={204: None}, summary="Never write to an address or domain again")
def suppress(request: HttpRequest, new: NewSuppression) -> Status[None]:
    who = writer(request)
    actions.suppress(
        who.workspace_id,
        new.value,
        kind=new.kind,
        cause=Suppression.Cause.BY_HAND,
        actor=who.actor,
        source=new.reason,
    )
    return Status(204, None)


def _shown(contact: Contact) -> dict[str, Any]:
    company = names.open(contact.company, "name") if contact.company else ""
    opened = {
        name: names.open(contact, name) or ""
        for name in ("email", "first_name", "last_name", "title", "phone")
    }
    return {
        "id": contact.pk,
        **opened,
        "company": company or "",
        "time_zone": contact.time_zone,
        "country": contact.country,
        "source": contact.source,
    }
