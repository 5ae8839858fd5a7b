"""Contacts over the API."""

from datetime import datetime
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import AwareDatetime

from gatepost.accounts.tokens import caller, reads, writer
from gatepost.contacts import actions, imports, queries
from gatepost.contacts.models import Contact, ContactField, ContactImport, Suppression
from gatepost.isolation import inside
from gatepost.vault import names
from gatepost.web.api import Listing, listing, one_of

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
    stage: str = Contact.Stage.NEW
    fields: dict[str, str] = {}  # fields of your own, by name


class ContactOut(NewContact):
    id: UUID
    source: str
    owner: UUID | None


class Changes(Schema):
    """What is to change; what is not named stays."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    title: str | None = None
    phone: str | None = None
    time_zone: str | None = None
    country: str | None = None
    stage: str | None = None
    owner: UUID | None = None
    fields: dict[str, str] = {}


class Merge(Schema):
    other: UUID  # this contact's mails, replies and meetings move here, and it is gone


class NewField(Schema):
    label: str
    kind: str = ContactField.Kind.TEXT
    choices: list[str] = []


class FieldOut(NewField):
    id: UUID
    name: str


class CompanyOut(Schema):
    id: UUID
    name: str
    domain: str
    contacts: int
    hold_until: datetime | None


class HoldIn(Schema):
    until: AwareDatetime | None = None


class ImportOut(Schema):
    id: UUID
    what: str
    state: str
    file_name: str
    mapping: list[str]
    percent: int
    rows: int
    added: int
    updated: int
    unchanged: int
    rejected: int
    problems: list[dict[str, Any]]  # the first 1,000: line and message


class SuppressionOut(Schema):
    id: UUID
    value: str  # "" where somebody was erased: then only the hash is kept
    kind: str
    cause: str
    source: str
    since: datetime
    keyed_hash: str


class NewSuppression(Schema):
    value: str  # an address, or a domain
    kind: str = Suppression.Kind.ADDRESS
    reason: str = ""


@router.get("/contacts", response=Listing[ContactOut], summary="List or search contacts, newest first")
@reads
def contacts(
    request: HttpRequest,
    search: str = "",
    owner: UUID | None = None,
    stage: str = "",
    company: UUID | None = None,
    imported: UUID | None = None,
    after: str = "",
) -> dict[str, Any]:
    wanted = queries.Filter(
        search.strip(), owner, one_of(stage, Contact.Stage.values, "stage"), company, imported
    )
    found = queries.found(caller(request).workspace_id, wanted)
    return listing(found, by="created_at", after=after, shown=_shown)


@router.post("/contacts", response={201: ContactOut}, summary="Add a contact")
def add(request: HttpRequest, new: NewContact) -> Status[dict[str, Any]]:
    who = writer(request)
    known = new.dict(exclude={"fields"})
    contact = actions.add_contact(
        who.workspace_id, known, actor=who.actor, source="API", further=new.fields, owner=who.member
    )
    return Status(201, _shown(contact))


@router.get("/contacts/{uuid:contact_id}", response=ContactOut, summary="One contact")
@reads
def contact(request: HttpRequest, contact_id: UUID) -> dict[str, Any]:
    return _shown(get_object_or_404(Contact.objects.select_related("company"), pk=contact_id))


@router.patch("/contacts/{uuid:contact_id}", response=ContactOut, summary="Change a contact")
def change(request: HttpRequest, contact_id: UUID, changes: Changes) -> dict[str, Any]:
    who = writer(request)
    known = changes.dict(exclude={"fields", "owner"}, exclude_none=True)
    if known or changes.fields:
        actions.change_contact(
            contact_id, known, workspace_id=who.workspace_id, actor=who.actor, further=changes.fields
        )
    if changes.owner is not None:
        actions.assign([contact_id], workspace_id=who.workspace_id, actor=who.actor, owner_id=changes.owner)
    return contact(request, contact_id)


@router.post("/contacts/{uuid:contact_id}/merge", response=ContactOut, summary="Merge another one into it")
def merge(request: HttpRequest, contact_id: UUID, given: Merge) -> dict[str, Any]:
    who = writer(request)
    actions.merge(contact_id, given.other, workspace_id=who.workspace_id, actor=who.actor)
    return contact(request, contact_id)


@router.get("/fields", response=list[FieldOut], summary="Fields of your own")
@reads
def fields(request: HttpRequest) -> list[ContactField]:
    return queries.fields()


@router.post("/fields", response={201: FieldOut}, summary="Add a field of your own")
def add_field(request: HttpRequest, new: NewField) -> Status[ContactField]:
    who = writer(request)
    made = actions.save_field(
        who.workspace_id, new.label, kind=new.kind, choices=new.choices, actor=who.actor
    )
    return Status(201, made)


@router.get("/companies", response=Listing[CompanyOut], summary="List or search companies, newest first")
@reads
def companies(request: HttpRequest, search: str = "", after: str = "") -> dict[str, Any]:
    found = queries.companies(caller(request).workspace_id, search)
    return listing(found, by="created_at", after=after, shown=_company, rows_of=queries.company_rows)


@router.put(
    "/companies/{uuid:company_id}/hold", response={204: None}, summary="Nobody there is written to before"
)
def hold(request: HttpRequest, company_id: UUID, given: HoldIn) -> Status[None]:
    who = writer(request)
    actions.hold_company(company_id, given.until, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


@router.post("/imports", response={202: ImportOut}, summary="Import a list in the background")
def start_import(
    request: HttpRequest,
    file: File[UploadedFile],
    what: Form[str] = "contacts",
    mapping: Form[str] = "",
    dry_run: Form[bool] = False,
) -> Status[dict[str, Any]]:
    """`mapping`: what each column holds, parted by commas ("email,first_name,field:city,"); "" goes by the headings."""
    who = writer(request)
    one_of(what, ContactImport.What.values, "what")
    columns = mapping.split(",") if mapping else None
    kept = imports.upload(
        who.workspace_id,
        file.name or "API",
        cast(BinaryIO, file),
        member=who.member,
        what=what,
        may_ask=columns is not None,
    )
    begun = imports.start(
        kept.pk, columns or kept.mapping, workspace_id=who.workspace_id, dry=dry_run, actor=who.actor
    )
    return Status(202, _import(begun))


@router.post(
    "/imports/{uuid:import_id}/start", response=ImportOut, summary="Import what was checked by a dry run"
)
def go_on(request: HttpRequest, import_id: UUID) -> dict[str, Any]:
    who = writer(request)
    with inside(who.workspace_id):
        mapping = get_object_or_404(ContactImport, pk=import_id).mapping
    return _import(
        imports.start(import_id, mapping, workspace_id=who.workspace_id, dry=False, actor=who.actor)
    )


@router.get("/imports/{uuid:import_id}", response=ImportOut, summary="How far an import is")
@reads
def get_import(request: HttpRequest, import_id: UUID) -> dict[str, Any]:
    return _import(get_object_or_404(ContactImport, pk=import_id))


@router.get("/imports/{uuid:import_id}/rejected", summary="The rows left out, as CSV")
@reads
def rejected(request: HttpRequest, import_id: UUID) -> HttpResponse:
    found = get_object_or_404(ContactImport, pk=import_id)
    text = "".join(imports.rejected_text(found.workspace_id, found.pk))
    return HttpResponse(text, content_type="text/csv; charset=utf-8")


@router.get(
    "/suppressions", response=Listing[SuppressionOut], summary="The do-not-contact list, newest first"
)
@reads
def suppressions(request: HttpRequest, after: str = "") -> dict[str, Any]:
    return listing(queries.suppressions(), by="created_at", after=after, shown=_suppression)


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
    return {
        "id": contact.pk,
        **actions.values_of(contact),
        "source": contact.source,
        "owner": contact.owner_id,
        "fields": queries.further_fields(contact),
    }


def _company(row: queries.CompanyRow) -> dict[str, Any]:
    return {
        "id": row.company.pk,
        "name": row.name,
        "domain": row.domain,
        "contacts": row.contacts,
        "hold_until": row.company.hold_until,
    }


def _import(imported: ContactImport) -> dict[str, Any]:
    same = (
        "what",
        "state",
        "file_name",
        "mapping",
        "rows",
        "added",
        "updated",
        "unchanged",
        "rejected",
        "problems",
    )
    percent = min(100 * imported.at_line // max(imported.lines, 1), 100)
    return {"id": imported.pk, "percent": percent, **{name: getattr(imported, name) for name in same}}


def _suppression(each: Suppression) -> dict[str, Any]:
    return {
        "id": each.pk,
        "value": names.open(each, "value") or "",
        "kind": each.kind,
        "cause": each.cause,
        "source": each.source,
        "since": each.created_at,
        "keyed_hash": each.index,
    }
