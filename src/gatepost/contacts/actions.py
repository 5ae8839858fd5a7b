"""Adding, changing, merging and suppressing contacts, their fields and their companies. Lists: imports.py."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from gatepost import clock
from gatepost.accounts.models import Member, Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.contacts import rules
from gatepost.contacts.models import (
    Company,
    Contact,
    ContactField,
    ContactImport,
    OtherAddress,
    Suppression,
)
from gatepost.contacts.queries import SUPPRESSION_KEY, address_index, is_suppressed, search_indexer
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.vault import names
from gatepost.vault.sealing import index, seal, seal_all

SEALED = ("first_name", "last_name", "title", "phone")
ALL_FIELDS = ("email", *SEALED, "company", "time_zone", "country", "stage")
MAX_FIELDS = 100
AT_ONCE = 10_000


def add_contact(
    workspace_id: UUID,
    fields: dict[str, str],
    *,
    actor: Actor,
    source: str = "by hand",
    further: Mapping[str, str] | None = None,
    owner: Member | None = None,
) -> Contact:
    """A new contact. Raises BadInput for what is wrong with it, Conflict when the address is there already."""
    values = {key: rules.clean(value) for key, value in fields.items() if value and rules.clean(value)}
    problem = rules.check(values)
    if problem:
        raise BadInput(problem)
    with inside(workspace_id):
        own = _own_fields(further or {})
        if Contact.objects.filter(email_index=address_index(workspace_id, values["email"])).exists():
            raise Conflict("There is a contact with this address already. Search for it in the list.")
        try:
            with transaction.atomic():
                companies = companies_of(workspace_id, [values])
                company = companies.get(company_key(workspace_id, values))
                contact = new_contact(
                    workspace_id, values, own, source, company=company, owner_id=owner.pk if owner else None
                )
                contact.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(
                "There is a contact with this address already. Search for it in the list."
            ) from error
        record(actor, tags.CONTACT_ADD, contact, source=source)
    return contact


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
            if cause != Suppression.Cause.ERASED:
                seal(suppression, "value", value)
                suppression.save(update_fields=["value"])
            record(actor, tags.CONTACT_SUPPRESS, suppression, cause=cause, kind=kind)
    return suppression


def lift(suppression_id: UUID, *, workspace_id: UUID, reason: str, actor: Actor) -> None:
    """This address may be written to again, for a reason that the record keeps. Raises BadInput without one."""
    if len(reason.strip()) < 5:
        raise BadInput("Say why this may be lifted, for example who asked for it and when.")
    with inside(workspace_id):
        suppression = Suppression.objects.select_for_update().get(pk=suppression_id)
        suppression.lifted_at, suppression.value = clock.now(), None
        suppression.save(update_fields=["lifted_at", "value"])
        record(actor, tags.CONTACT_SUPPRESSION_LIFT, suppression, reason=reason.strip()[:200])


def note_export(workspace: Workspace, *, actor: Actor) -> None:
    """The record says who took the do-not-contact list along."""
    with inside(workspace.pk):
        count = Suppression.objects.filter(lifted_at__isnull=True).count()
        record(actor, tags.SUPPRESSION_EXPORT, workspace, workspace_id=workspace.pk, rows=count)


def change_contact(
    contact_id: UUID,
    fields: Mapping[str, str],
    *,
    workspace_id: UUID,
    actor: Actor,
    further: Mapping[str, str] | None = None,
) -> Contact:
    """The named fields hold what is given; an empty text empties one. Raises BadInput, or Conflict for a known address."""
    with inside(workspace_id):
        contact = Contact.objects.select_for_update(of=("self",)).select_related("company").get(pk=contact_id)
        before = values_of(contact)
        given = {name: rules.clean(text) for name, text in fields.items() if name in ALL_FIELDS}
        values = {name: text for name, text in {**before, **given}.items() if text}
        if problem := rules.check(values):
            raise BadInput(problem)
        own = {
            **json.loads(names.open(contact, "fields") or "{}"),
            **_own_fields(further or {}, emptied=True),
        }
        contact.email_index = address_index(workspace_id, values["email"])
        if Contact.objects.filter(email_index=contact.email_index).exclude(pk=contact.pk).exists():
            raise Conflict("Another contact has this address. Open that one, and merge the two.")
        company = companies_of(workspace_id, [values]).get(company_key(workspace_id, values))
        _fill(contact, values, {name: text for name, text in own.items() if text}, company)
        contact.save()
        changed = sorted(
            {name for name in ALL_FIELDS if before.get(name, "") != values.get(name, "")} | {*(further or {})}
        )
        record(actor, tags.CONTACT_CHANGE, contact, fields=changed)
    return contact


def merge(kept_id: UUID, other_id: UUID, *, workspace_id: UUID, actor: Actor) -> Contact:
    """One contact has what both had; the other is gone. What the kept one knows wins, empty fields are filled.

    Whoever of them must not be written to, neither is afterwards. Raises Conflict while both are in a sequence.
    """
    if kept_id == other_id:
        raise BadInput("Choose another contact: this is the same one.")
    with inside(workspace_id):
        both = {
            each.pk: each
            for each in Contact.objects.select_for_update(of=("self",)).filter(pk__in=(kept_id, other_id))
        }
        if len(both) < 2:
            raise Contact.DoesNotExist
        kept, other = both[kept_id], both[other_id]
        values, address = values_of(other), names.open(other, "email") or ""
        note_address(kept, address)
        refusal = is_suppressed(workspace_id, address)
        if refusal is not None:
            suppress(
                workspace_id, names.open(kept, "email") or "", cause=refusal.cause, actor=actor,
                source="merged with a contact who is on the list",
            )  # fmt: skip
        further = {**json.loads(names.open(other, "fields") or "{}"), "other_address": address}
        complete(kept, values, further, other.company)
        kept.owner_id = kept.owner_id or other.owner_id
        kept.created_at = min(kept.created_at, other.created_at)
        kept.save()
        try:
            with transaction.atomic():
                _hand_over(other, kept)
        except IntegrityError as error:
            raise Conflict(
                "Both are in a sequence, or were in one step of it. Stop one of them first."
            ) from error
        other.delete()
        record(actor, tags.CONTACT_MERGE, kept, merged=str(other_id))
    return kept


def note_address(contact: Contact, address: str) -> None:
    """The contact is known by this address too. One that belongs to another contact stays theirs. Inside the caller's
    transaction."""
    key = index(contact.workspace_id, "address", address)
    if key != contact.email_index:
        OtherAddress.objects.get_or_create(
            workspace_id=contact.workspace_id, address_index=key,
            defaults={"contact": contact, "created_at": clock.now()},
        )  # fmt: skip


def _hand_over(other: Contact, kept: Contact) -> None:
    """Whatever hangs on `other` hangs on `kept`, also what higher concepts keep: their tables name the contact."""
    for relation in Contact._meta.related_objects:
        column = relation.field.name
        relation.related_model._default_manager.filter(**{column: other.pk}).update(**{column: kept.pk})
    ContactField.objects.get_or_create(
        workspace_id=kept.workspace_id,
        name="other_address",
        defaults={"label": "Other address", "created_at": clock.now()},
    )


def assign(
    contact_ids: Collection[UUID],
    *,
    workspace_id: UUID,
    actor: Actor,
    owner_id: UUID | None = None,
    stage: str = "",
) -> int:
    """These contacts have this owner, this stage, or both. Returns how many there were. Raises BadInput."""
    if len(contact_ids) > AT_ONCE:
        raise BadInput(f"At most {AT_ONCE:,} contacts are changed at once.")
    if stage and stage not in Contact.Stage.values:
        raise BadInput(f"The stage “{stage[:40]}” is not known. Use one of: {', '.join(rules.STAGES)}.")
    with inside(workspace_id):
        if owner_id is not None and not Member.objects.filter(pk=owner_id, removed_at__isnull=True).exists():
            raise BadInput("The owner is no member of this workspace.")
        changes: dict[str, object] = {"stage": stage} if stage else {}
        changes |= {"owner_id": owner_id} if owner_id else {}
        if not changes:
            raise BadInput("Choose an owner or a stage.")
        found = Contact.objects.filter(pk__in=contact_ids)
        count = found.update(**changes)
        first = found.first()
        if first is not None:
            owner = str(owner_id or "")
            record(actor, tags.CONTACT_CHANGE, first, contacts=count, owner=owner, stage=stage)
    return count


def save_field(
    workspace_id: UUID, label: str, *, kind: str, choices: Iterable[str] = (), actor: Actor, name: str = ""
) -> ContactField:
    """The workspace has this field. With the `name` of one that exists, its label and choices are changed."""
    label = rules.clean(label)[:60]
    chosen = list(dict.fromkeys(text for each in choices if (text := rules.clean(each)[:60])))
    if not label:
        raise BadInput("Give the field a name.")
    if kind not in ContactField.Kind.values:
        raise BadInput(
            f"The kind “{kind[:20]}” is not known. Use one of: {', '.join(ContactField.Kind.values)}."
        )
    if kind == ContactField.Kind.CHOICE and not chosen:
        raise BadInput("Write the choices, one a line.")
    with inside(workspace_id):
        called = name or rules.field_name(label)
        if called in rules.TAKEN:
            raise BadInput(f"“{called}” is a field that every contact has. Choose another name.")
        found = ContactField.objects.filter(name=called).first()
        if found is not None and not name:
            raise Conflict("There is a field of this name already.")
        if found is None and ContactField.objects.count() >= MAX_FIELDS:
            raise BadInput(f"A workspace has at most {MAX_FIELDS} fields of its own.")
        field = found or ContactField(workspace_id=workspace_id, name=called, created_at=clock.now())
        field.label, field.kind, field.choices = label, kind, chosen
        field.save()
        record(actor, tags.CONTACT_FIELD, field, kind=kind, new=found is None)
    return field


def remove_field(field_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """Templates cannot name it any more. Values that contacts hold stay until they are changed."""
    with inside(workspace_id):
        field = ContactField.objects.get(pk=field_id)
        record(actor, tags.CONTACT_FIELD, field, removed=True)
        field.delete()


def hold_company(company_id: UUID, until: datetime | None, *, workspace_id: UUID, actor: Actor) -> None:
    """Nobody there is written to before `until`; None: the wait is over."""
    if until is not None and until <= clock.now():
        raise BadInput("Choose a day that is still to come.")
    with inside(workspace_id):
        company = Company.objects.select_for_update().get(pk=company_id)
        company.hold_until = until
        company.save(update_fields=["hold_until"])
        record(actor, tags.COMPANY_HOLD, company, until=until.isoformat() if until else "")


def values_of(contact: Contact) -> dict[str, str]:
    """What is known of a contact, by the names that a list uses."""
    values = {name: names.open(contact, name) or "" for name in ("email", *SEALED)}
    values |= {"time_zone": contact.time_zone, "country": contact.country, "stage": contact.stage}
    values["company"] = (names.open(contact.company, "name") or "") if contact.company else ""
    return values


def _own_fields(given: Mapping[str, str], *, emptied: bool = False) -> dict[str, str]:
    """The values of fields of one's own as they are kept. Raises BadInput for an unknown field or a wrong value."""
    known = {
        each.name: rules.FieldRule(each.kind, tuple(each.choices)) for each in ContactField.objects.all()
    }
    values: dict[str, str] = {}
    for name, text in given.items():
        if name not in known:
            raise BadInput(f"There is no field “{name[:60]}”. Add it under Contacts → Fields.")
        text = rules.clean(text)
        if text:
            text, problem = rules.field_value(text, known[name])
            if problem:
                raise BadInput(f"“{name}”: {problem}")
        if text or emptied:
            values[name] = text
    return values


@dataclass(slots=True)
class Known:
    """What the contacts of a list have in common, and is not worked out again for each of them."""

    prefixes: dict[str, str] = field(default_factory=dict)  # keyed hashes of beginnings
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)  # those of all beginnings of a word
    companies: dict[tuple[str, str], Company] = field(default_factory=dict)  # by domain and name

    def keep_small(self) -> None:
        """Between two batches: a long list of different people must not fill the memory."""
        for each, most in ((self.prefixes, 200_000), (self.words, 50_000), (self.companies, 10_000)):
            if len(each) > most:
                each.clear()


def new_contact(
    workspace_id: UUID,
    values: Mapping[str, str],
    further: Mapping[str, str],
    source: str,
    *,
    company: Company | None = None,
    owner_id: UUID | None = None,
    imported: ContactImport | None = None,
    email_index: str = "",
    known: Known | None = None,
) -> Contact:
    """A contact as it will be stored, sealed and indexed."""
    contact = Contact(
        workspace_id=workspace_id,
        email_index=email_index or address_index(workspace_id, values["email"]),
        source=source[:100],
        owner_id=owner_id,
        imported=imported,
        created_at=clock.now(),
    )
    _fill(contact, values, further, company, known)
    return contact


def _fill(
    contact: Contact,
    values: Mapping[str, str],
    further: Mapping[str, str],
    company: Company | None,
    known: Known | None = None,
) -> None:
    seal_all(contact, {
        "email": values["email"],
        **{name: values.get(name) for name in SEALED},
        "fields": json.dumps(further) if further else None,
    })  # fmt: skip
    contact.domain_index = index(contact.workspace_id, "domain", rules.domain_of(values["email"]))
    contact.company = company
    contact.time_zone = values.get("time_zone", "")
    contact.country = values.get("country", "").upper()
    contact.stage = values.get("stage") or Contact.Stage.NEW
    contact.search_indexes = _search(contact.workspace_id, values, further, known)


def complete(
    contact: Contact,
    values: Mapping[str, str],
    further: Mapping[str, str],
    company: Company | None,
    *,
    dry: bool = False,
) -> bool:
    """What is empty is filled; True when something was, or (`dry`) would be."""
    before = values_of(contact)
    own: dict[str, str] = json.loads(names.open(contact, "fields") or "{}")
    filled = {
        **{name: text for name, text in values.items() if text},
        **{n: t for n, t in before.items() if t},
    }
    own_filled = {**further, **own}
    if filled == {n: t for n, t in before.items() if t} and own_filled == own:
        return False
    if not dry:
        _fill(contact, filled, own_filled, contact.company or company)
        contact.save()
    return True


def company_key(workspace_id: UUID, values: Mapping[str, str]) -> str:
    """The name at the address's domain: people at a mail provider share only the domain. "" without a company."""
    if not values.get("company"):
        return ""
    return index(workspace_id, "company", f"{rules.domain_of(values['email'])}\0{values['company']}")


def companies_of(workspace_id: UUID, rows: Iterable[Mapping[str, str]]) -> dict[str, Company]:
    """The companies of these contacts by their key; those that were not there are made."""
    wanted = {key: row["company"] for row in rows if (key := company_key(workspace_id, row))}
    if not wanted:
        return {}
    known = {
        each.identity_index: each
        for each in Company.objects.filter(workspace_id=workspace_id, identity_index__in=wanted)
    }
    new = []
    for key in wanted.keys() - known.keys():
        company = Company(workspace_id=workspace_id, identity_index=key, created_at=clock.now())
        seal(company, "name", wanted[key])
        new.append(company)
    Company.objects.bulk_create(new)
    return known | {each.identity_index: each for each in new}


def company_place(values: Mapping[str, str]) -> tuple[str, str]:
    """What makes a company the same one, before it is hashed."""
    return rules.domain_of(values["email"]), values.get("company", "").casefold()


def companies_of_list(
    workspace_id: UUID, rows: Iterable[Mapping[str, str]], known: Known
) -> dict[tuple[str, str], Company]:
    """The companies of these contacts by `company_place`; those that were not there, or not any more, are made."""
    wanted = {company_place(row): row for row in rows if row.get("company")}
    before = {place: known.companies[place].pk for place in wanted if place in known.companies}
    stored = set(Company.objects.filter(pk__in=before.values()).values_list("pk", flat=True))
    missing = [row for place, row in wanted.items() if before.get(place) not in stored]
    found = companies_of(workspace_id, missing)
    for row in missing:
        known.companies[company_place(row)] = found[company_key(workspace_id, row)]
    return known.companies


def _search(
    workspace_id: UUID,
    values: Mapping[str, str],
    further: Mapping[str, str],
    known: Known | None = None,
) -> list[str]:
    texts = [values.get(name, "") for name in ("first_name", "last_name", "email", "company")]
    texts += list(further.values())[:20]
    known = known or Known()
    hashed = search_indexer(workspace_id)
    found: set[str] = set()
    for word in rules.words_of(*texts):
        if word not in known.words:
            beginnings = rules.beginnings(word)
            for each in beginnings:
                if each not in known.prefixes:
                    known.prefixes[each] = hashed(each)
            known.words[word] = tuple(known.prefixes[each] for each in beginnings)
        found.update(known.words[word])
    return sorted(found)


def one_import_at_a_time(workspace_id: UUID) -> None:
    """Until the transaction ends: two files with the same new address would otherwise both add it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('contact-import'), hashtext(%s))", [str(workspace_id)]
        )
