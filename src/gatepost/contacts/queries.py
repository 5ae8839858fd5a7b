"""Reads about contacts."""

import json
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from gatepost.contacts.models import Contact, ContactImport, Suppression
from gatepost.contacts.rules import domain_of
from gatepost.vault import names
from gatepost.vault.sealing import index

SUPPRESSION_KEY = "suppression"  # a key of its own, so that suppressions survive erasing


def search_indexes(workspace_id: UUID, text: str) -> list[str]:
    """The keyed hashes that a contact must hold to be found by `text`: one for each of its words."""
    return [search_index(workspace_id, word[:12]) for word in text.casefold().split() if len(word) >= 2]


def search_index(workspace_id: UUID, prefix: str) -> str:
    # Eight bytes are enough to tell words apart; a false hit shows one contact too many.
    return index(workspace_id, "search", prefix)[:16]


def found(workspace_id: UUID, text: str = "") -> QuerySet[Contact]:
    """The newest contacts first, all or those found by every word of `text`."""
    contacts = (
        Contact.objects.filter(workspace_id=workspace_id)
        .select_related("company")
        .order_by("-created_at", "-id")
    )
    wanted = search_indexes(workspace_id, text)
    return contacts.filter(search_indexes__contains=wanted) if wanted else contacts


def is_suppressed(workspace_id: UUID, address: str) -> Suppression | None:
    """The suppression that forbids writing to this address, if any."""
    return (
        Suppression.objects.filter(workspace_id=workspace_id, lifted_at__isnull=True)
        .filter(index__in=suppression_indexes(workspace_id, address))
        .first()
    )


def suppression_indexes(workspace_id: UUID, address: str) -> list[str]:
    return [
        index(workspace_id, Suppression.Kind.ADDRESS, address, purpose=SUPPRESSION_KEY),
        index(workspace_id, Suppression.Kind.DOMAIN, domain_of(address), purpose=SUPPRESSION_KEY),
    ]


def address_index(workspace_id: UUID, address: str) -> str:
    return index(workspace_id, "address", address)


def merge_fields(contact: Contact) -> dict[str, str | None]:
    """What a template may say about a contact."""
    company = names.open(contact.company, "name") if contact.company else None
    further: dict[str, str] = json.loads(names.open(contact, "fields") or "{}")
    return {
        **further,
        "first_name": names.open(contact, "first_name"),
        "last_name": names.open(contact, "last_name"),
        "email": names.open(contact, "email"),
        "title": names.open(contact, "title"),
        "company": company,
    }


def imported_columns() -> list[str]:
    """The further columns of all imports: what a template may name besides the known fields."""
    columns = ContactImport.objects.values_list("columns", flat=True)
    return sorted({column for each in columns for column in each})


def display_name(contact: Contact) -> str:
    parts = [names.open(contact, "first_name"), names.open(contact, "last_name")]
    return " ".join(part for part in parts if part) or (names.open(contact, "email") or "")


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact as a list shows it, with its names opened."""

    contact: Contact
    name: str
    email: str
    title: str
    company: str


def row_of(contact: Contact) -> ContactRow:
    return ContactRow(
        contact,
        display_name(contact),
        names.open(contact, "email") or "",
        names.open(contact, "title") or "",
        (names.open(contact.company, "name") or "") if contact.company else "",
    )


def further_fields(contact: Contact) -> dict[str, str]:
    """The columns of an import that have no place of their own."""
    return json.loads(names.open(contact, "fields") or "{}")


def rejected_rows(imported: ContactImport) -> str:
    """The bad rows of an import as they were, as CSV, or ""."""
    return names.open(imported, "rejected_rows") or ""


def suppressions() -> QuerySet[Suppression]:
    return Suppression.objects.filter(lifted_at__isnull=True)
