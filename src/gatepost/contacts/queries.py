"""Reads about contacts."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet

from gatepost.accounts.models import Member
from gatepost.contacts.models import Company, Contact, ContactField, Suppression
from gatepost.contacts.rules import domain_of
from gatepost.vault import names
from gatepost.vault.sealing import index, indexer
from gatepost.web.parameters import id_in

SUPPRESSION_KEY = "suppression"  # a key of its own, so that suppressions survive erasing


def search_indexes(workspace_id: UUID, text: str) -> list[str]:
    """The keyed hashes that a contact must hold to be found by `text`: one for each of its words."""
    hashed = search_indexer(workspace_id)
    return [hashed(word[:12]) for word in text.casefold().split() if len(word) >= 2]


def search_indexer(workspace_id: UUID) -> Callable[[str], str]:
    """The keyed hash of a beginning, for one contact or one search."""
    hashed = indexer(workspace_id, "search")
    # Eight bytes are enough to tell words apart; a false hit shows one contact too many.
    return lambda prefix: hashed(prefix)[:16]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which contacts a list shows. What is empty leaves nobody out."""

    text: str = ""
    owner: UUID | None = None
    stage: str = ""
    company: UUID | None = None
    imported: UUID | None = None

    def __bool__(self) -> bool:
        return any((self.text, self.owner, self.stage, self.company, self.imported))


def filter_in(given: Mapping[str, str]) -> Filter:
    """The filter that an address or a form names. What cannot be meant is as good as nothing."""
    stage = given.get("stage", "")
    return Filter(
        given.get("search", "").strip(),
        id_in(given, "owner"),
        stage if stage in Contact.Stage.values else "",
        id_in(given, "company"),
        id_in(given, "imported"),
    )


def found(workspace_id: UUID, text: "str | Filter" = "") -> QuerySet[Contact]:
    """The newest contacts first, all or those found by every word of `text` (or by a whole filter)."""
    wanted = text if isinstance(text, Filter) else Filter(text)
    contacts = (
        Contact.objects.filter(workspace_id=workspace_id)
        .select_related("company")
        .order_by("-created_at", "-id")
    )
    columns = ("owner_id", wanted.owner), ("stage", wanted.stage), ("company_id", wanted.company), ("imported_id", wanted.imported)  # fmt: skip
    contacts = contacts.filter(**{name: value for name, value in columns if value})
    indexes = search_indexes(workspace_id, wanted.text)
    return contacts.filter(search_indexes__contains=indexes) if indexes else contacts


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company as a list shows it."""

    company: Company
    name: str
    domain: str
    contacts: int


def companies(workspace_id: UUID, text: str = "") -> QuerySet[Company]:
    """Companies where somebody is known, found by the words of their people: name, address or company."""
    people = Contact.objects.filter(company=OuterRef("pk"))
    if indexes := search_indexes(workspace_id, text):
        people = people.filter(search_indexes__contains=indexes)
    return Company.objects.filter(Exists(people))


def company_rows(companies: Sequence[Company]) -> list[CompanyRow]:
    """With domain and number of people, in two queries however many there are."""
    ids = [each.pk for each in companies]
    counts = dict(
        Contact.objects.filter(company__in=ids).values_list("company").annotate(count=Count("id")).order_by()
    )
    somebody = {
        each.company_id: each
        for each in Contact.objects.filter(company__in=ids).order_by("company", "id").distinct("company")
    }
    return [
        CompanyRow(
            each,
            names.open(each, "name") or "",
            domain_of(names.open(somebody[each.pk], "email") or "") if each.pk in somebody else "",
            counts.get(each.pk, 0),
        )
        for each in companies
    ]


def fields() -> list[ContactField]:
    """The workspace's own fields, in the order in which they were made."""
    return list(ContactField.objects.order_by("created_at", "name"))


def members() -> list[Member]:
    """Who may own a contact."""
    return list(Member.objects.filter(removed_at__isnull=True).order_by("name"))


def is_suppressed(workspace_id: UUID, address: str) -> Suppression | None:
    """The suppression that forbids writing to this address, if any."""
    indexes = suppression_indexes(workspace_id, address)
    return _suppressions(workspace_id).filter(index__in=indexes).order_by("pk").first()


def suppressed_among(workspace_id: UUID, addresses: Collection[str]) -> set[str]:
    """Those of these addresses to which nothing may be written."""
    indexes = {address: suppression_indexes(workspace_id, address) for address in addresses}
    wanted = {index for pair in indexes.values() for index in pair}
    found = set(_suppressions(workspace_id).filter(index__in=wanted).values_list("index", flat=True))
    return {address for address, pair in indexes.items() if not found.isdisjoint(pair)}


def _suppressions(workspace_id: UUID) -> QuerySet[Suppression]:
    return Suppression.objects.filter(workspace_id=workspace_id, lifted_at__isnull=True)


def suppression_indexes(workspace_id: UUID, address: str) -> list[str]:
    return [
        index(workspace_id, Suppression.Kind.ADDRESS, address, purpose=SUPPRESSION_KEY),
        index(workspace_id, Suppression.Kind.DOMAIN, domain_of(address), purpose=SUPPRESSION_KEY),
    ]


def address_index(workspace_id: UUID, address: str) -> str:
    return index(workspace_id, "address", address)


def contact_with(workspace_id: UUID, address: str) -> UUID | None:
    """Whose address it is, if a contact's."""
    found = Contact.objects.filter(
        workspace_id=workspace_id, email_index=address_index(workspace_id, address)
    )
    return found.values_list("pk", flat=True).first()


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


def field_names() -> list[str]:
    """The fields of one's own: what a template may name besides the known fields."""
    return sorted(ContactField.objects.values_list("name", flat=True))


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
    """The values of the fields of one's own, by their names."""
    return json.loads(names.open(contact, "fields") or "{}")


def suppressions() -> QuerySet[Suppression]:
    return Suppression.objects.filter(lifted_at__isnull=True)


def labelled_fields(contact: Contact) -> dict[str, str]:
    """The values of the fields of one's own, by their labels."""
    labels = dict(ContactField.objects.values_list("name", "label"))
    return {labels.get(name, name): value for name, value in further_fields(contact).items()}


SUPPRESSION_HEADINGS = ("address or domain", "kind", "cause", "source", "since", "keyed hash")


def suppression_cells(each: Suppression) -> tuple[str, ...]:
    """A row of the exported list. An erased address is told by its keyed hash alone."""
    value = names.open(each, "value") or ""
    return (
        value,
        each.kind,
        each.cause,
        each.source,
        each.created_at.isoformat(),
        "" if value else each.index,
    )
