"""Adding, importing and suppressing contacts."""

import json
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.contacts import rules
from gatepost.contacts.models import Company, Contact, ContactImport, Suppression
from gatepost.contacts.queries import SUPPRESSION_KEY, address_index, search_index
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.vault import names
from gatepost.vault.sealing import index, seal
from gatepost.web.spreadsheets import as_csv

SEALED = ("first_name", "last_name", "title", "phone")
KEPT_PROBLEMS = 1_000


def add_contact(
    workspace_id: UUID, fields: dict[str, str], *, actor: Actor, source: str = "by hand"
) -> Contact:
    """A new contact. Raises BadInput for what is wrong with it, Conflict when the address is there already."""
    values = {key: rules.clean(value) for key, value in fields.items() if value and rules.clean(value)}
    problem = rules.check(values)
    if problem:
        raise BadInput(problem)
    with inside(workspace_id):
        if Contact.objects.filter(email_index=address_index(workspace_id, values["email"])).exists():
            raise Conflict("There is a contact with this address already. Search for it in the list.")
        try:
            with transaction.atomic():
                contact = _create(workspace_id, values, {}, source)
        except IntegrityError as error:
            raise Conflict(
                "There is a contact with this address already. Search for it in the list."
            ) from error
        record(actor, tags.CONTACT_ADD, contact, source=source)
    return contact


def import_csv(workspace_id: UUID, file_name: str, data: bytes, *, member: Member) -> ContactImport:
    """Every good row is a contact, new or completed; the bad ones are kept with what to change.

    A contact that is there already keeps what it has; only its empty fields are filled. One transaction.
    Raises BadInput when the file as a whole cannot be used; then nothing is stored.
    """
    return _import(workspace_id, rules.read_csv(data), file_name, member=member)


def import_people(workspace_id: UUID, sheet: rules.Sheet, source: str, *, member: Member) -> ContactImport:
    """Those that a member ticked of an Outlook list are contacts, as with a file."""
    return _import(workspace_id, sheet, source, member=member)


def _import(workspace_id: UUID, sheet: rules.Sheet, file_name: str, *, member: Member) -> ContactImport:
    with inside(workspace_id):
        _one_import_at_a_time(workspace_id)
        known = _known(workspace_id, sheet.rows)
        imported = ContactImport(
            workspace_id=workspace_id,
            member=member,
            file_name=rules.clean(file_name)[:200],
            created_at=clock.now(),
            encoding=sheet.encoding,
            columns=rules.further_columns(sheet.headings),
            problems=[{"line": p.line, "message": p.message} for p in sheet.problems[:KEPT_PROBLEMS]],
        )
        companies: dict[str, Company] = {}
        for row in sheet.rows:
            contact = known.get(address_index(workspace_id, row.values["email"]))
            if contact is None:
                _create(workspace_id, row.values, row.further, imported.file_name, companies)
                imported.added += 1
            elif _complete(contact, row.values, row.further):
                imported.updated += 1
            else:
                imported.unchanged += 1
        seal(imported, "rejected_rows", _as_csv(sheet) if sheet.problems and sheet.headings else None)
        imported.save()
        record(
            by(member), tags.CONTACT_IMPORT, imported,
            added=imported.added, updated=imported.updated, rejected=len(sheet.problems),
        )  # fmt: skip
    return imported


def suppress(
    workspace_id: UUID,
    text: str,
    *,
    cause: str,
    actor: Actor,
    kind: str = Suppression.Kind.ADDRESS,
    source: str = "",
) -> Suppression:
    """Nobody of this workspace writes to this address (or domain) again. A second time changes nothing."""
    value = rules.clean(text).casefold().lstrip("@")
    if kind == Suppression.Kind.ADDRESS and not rules.is_address(value):
        raise BadInput("This is not an email address. For a whole company choose “domain”.")
    if kind == Suppression.Kind.DOMAIN and not rules.is_address(f"x@{value}"):
        raise BadInput("This is not a domain. Write it like example.com.")
    with inside(workspace_id):
        key = index(workspace_id, kind, value, purpose=SUPPRESSION_KEY)
        suppression, new = Suppression.objects.get_or_create(
            workspace_id=workspace_id,
            kind=kind,
            index=key,
            lifted_at=None,
            defaults={"cause": cause, "source": source[:100], "created_at": clock.now()},
        )
        if new:
            record(actor, tags.CONTACT_SUPPRESS, suppression, cause=cause, kind=kind)
    return suppression


def lift(suppression_id: UUID, *, workspace_id: UUID, reason: str, actor: Actor) -> None:
    """This address may be written to again, for a reason that the record keeps. Raises BadInput without one."""
    if len(reason.strip()) < 5:
        raise BadInput("Say why this may be lifted, for example who asked for it and when.")
    with inside(workspace_id):
        suppression = Suppression.objects.select_for_update().get(pk=suppression_id)
        suppression.lifted_at = clock.now()
        suppression.save(update_fields=["lifted_at"])
        record(actor, tags.CONTACT_SUPPRESSION_LIFT, suppression, reason=reason.strip()[:200])


def _known(workspace_id: UUID, rows: list[rules.Row]) -> dict[str, Contact]:
    indexes = [address_index(workspace_id, row.values["email"]) for row in rows]
    contacts = Contact.objects.select_for_update(of=("self",)).filter(email_index__in=indexes)
    return {contact.email_index: contact for contact in contacts}


def _create(
    workspace_id: UUID,
    values: dict[str, str],
    further: dict[str, str],
    source: str,
    companies: dict[str, Company] | None = None,
) -> Contact:
    address = values["email"]
    contact = Contact(
        workspace_id=workspace_id,
        company=_company(workspace_id, values, {} if companies is None else companies),
        email_index=address_index(workspace_id, address),
        time_zone=values.get("time_zone", ""),
        country=values.get("country", "").upper(),
        source=source[:100],
        created_at=clock.now(),
    )
    seal(contact, "email", address)
    for name in SEALED:
        seal(contact, name, values.get(name))
    seal(contact, "fields", json.dumps(further) if further else None)
    contact.search_indexes = _search(workspace_id, values)
    contact.save(force_insert=True)
    return contact


def _complete(contact: Contact, values: dict[str, str], further: dict[str, str]) -> bool:
    """Fill what is empty; True when something was."""
    before = {
        name: getattr(contact, name) for name in (*SEALED, "time_zone", "country", "fields", "company_id")
    }
    for name in SEALED:
        if getattr(contact, name) is None and values.get(name):
            seal(contact, name, values[name])
    contact.time_zone = contact.time_zone or values.get("time_zone", "")
    contact.country = contact.country or values.get("country", "").upper()
    if contact.fields is None and further:
        seal(contact, "fields", json.dumps(further))
    if contact.company_id is None and values.get("company"):
        contact.company = _company(contact.workspace_id, values, {})
    if before == {name: getattr(contact, name) for name in before}:
        return False
    now = {name: names.open(contact, name) or "" for name in ("first_name", "last_name", "email")}
    contact.search_indexes = _search(contact.workspace_id, {**now, "company": values.get("company", "")})
    contact.save()
    return True


def _company(workspace_id: UUID, values: dict[str, str], known: dict[str, Company]) -> Company | None:
    """The company of this name at the address's domain: people at a mail provider share only the domain."""
    if not values.get("company"):
        return None
    key = index(workspace_id, "company", f"{rules.domain_of(values['email'])}\0{values['company']}")
    if key not in known:
        company = Company.objects.filter(workspace_id=workspace_id, identity_index=key).first()
        if company is None:
            company = Company(workspace_id=workspace_id, identity_index=key)
            seal(company, "name", values["company"])
            company.save(force_insert=True)
        known[key] = company
    return known[key]


def _search(workspace_id: UUID, values: dict[str, str]) -> list[str]:
    texts = (values.get(name, "") for name in ("first_name", "last_name", "email", "company"))
    return sorted({search_index(workspace_id, prefix) for prefix in rules.prefixes(*texts)})


def _as_csv(sheet: rules.Sheet) -> str:
    """The rejected rows, to correct and import again. The import takes the marks of disarmed cells off again."""
    rows = ([*problem.cells, problem.message] for problem in sheet.problems)
    return as_csv([*sheet.headings, "problem"], rows)


def _one_import_at_a_time(workspace_id: UUID) -> None:
    """Until the transaction ends: two files with the same new address would otherwise both add it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('contact-import'), hashtext(%s))", [str(workspace_id)]
        )
