"""Contacts in their folders, and the people who matter to the user."""

from functools import partial
from typing import Any

from m365_sandbox import ids, notifications
from m365_sandbox.clock import iso
from m365_sandbox.entities import Contact, Thing
from m365_sandbox.errors import GraphError, malformed, not_found, unsupported
from m365_sandbox.graph import rounds
from m365_sandbox.graph.listing import counted, listed, selected
from m365_sandbox.graph.routes import Answer, Request, operation

_READ, _WRITE = "GET /me/contacts", "POST /me/contacts"
DEFAULT_FOLDER = "contacts"
MOST_PEOPLE_FOUND = 250
_LISTS = ("businessPhones", "homePhones", "imAddresses", "children", "categories")
_TEXTS = (
    "assistantName", "birthday", "businessHomePage", "department", "fileAs", "generation", "initials",
    "manager", "middleName", "mobilePhone", "nickName", "officeLocation", "personalNotes", "profession",
    "spouseName", "title", "yomiCompanyName", "yomiGivenName", "yomiSurname",
)  # fmt: skip
_ADDRESSES = ("homeAddress", "businessAddress", "otherAddress")
_OURS = {"givenName": "given_name", "surname": "surname", "companyName": "company", "jobTitle": "title"}


def _mine(request: Request, folder: str | None = "") -> list[Contact]:
    everybody = request.sandbox.store.contacts.values()
    return [c for c in everybody if c.mailbox == request.user.id and folder in (None, c.folder)]


def the_contact(request: Request) -> Contact:
    contact = request.sandbox.store.contacts.get(request.params[0])
    if contact is None or contact.mailbox != request.user.id:
        raise not_found()
    if "contactfolder" in request.within and contact.folder != _folder_id(
        request, request.within["contactfolder"]
    ):
        raise not_found()
    return contact


def _shown(request: Request, contact: Contact) -> dict[str, Any]:
    name = f"{contact.given_name} {contact.surname}".strip()
    given = contact.fields
    addresses = given.get("emailAddresses")
    if addresses is None:
        addresses = [{"name": name, "address": contact.address}] if contact.address else []
    return {
        "@odata.etag": f'W/"EQAAABYAAA{contact.version}"', "id": contact.id,
        "createdDateTime": iso(contact.created), "lastModifiedDateTime": iso(contact.modified),
        "changeKey": f"EQAAABYAAA{contact.version}",
        "parentFolderId": contact.folder or _default_id(request.user.id),
        "displayName": given.get("displayName") or name or (addresses[0]["address"] if addresses else ""),
        "givenName": contact.given_name or None, "surname": contact.surname or None,
        "companyName": contact.company or None, "jobTitle": contact.title or None,
        "emailAddresses": addresses,
        **{member: given.get(member) for member in _TEXTS},
        **{member: given.get(member) or [] for member in _LISTS},
        **{member: given.get(member) or {} for member in _ADDRESSES},
    }  # fmt: skip


def as_shown(request: Request, contact: Contact, select: list[str]) -> dict[str, Any]:
    wanted = {name.lower() for name in select} | {"id"}
    return {name: value for name, value in _shown(request, contact).items() if name.lower() in wanted}


def _entity(request: Request, contact: Contact, status: int = 200) -> Answer:
    shown = selected(request, _shown(request, contact))
    request.served.append({"kind": "contact", "id": contact.id, "fields": list(shown)})
    return Answer(status, {"@odata.context": request.context("contacts/$entity"), **shown})


def _set(contact: Contact, given: dict[str, Any]) -> None:
    for theirs, ours in _OURS.items():
        if theirs in given:
            setattr(contact, ours, given[theirs] or "")
    known = {*_TEXTS, *_LISTS, *_ADDRESSES, "displayName", "emailAddresses"}
    contact.fields = {**contact.fields, **{name: v for name, v in given.items() if name in known}}
    if given.get("emailAddresses"):
        contact.address = str(given["emailAddresses"][0].get("address") or "")


@operation("GET", "/me/contacts")
def list_contacts(request: Request) -> Answer:
    return listed(request, "contacts", "contact", [_shown(request, contact) for contact in _mine(request)])


@operation("GET", "/me/contacts/$count", needs=_READ)
def count_contacts(request: Request) -> Answer:
    return counted(len(_mine(request)))


@operation("GET", "/me/contacts/{id}")
def get_contact(request: Request) -> Answer:
    return _entity(request, the_contact(request))


@operation("POST", "/me/contacts", needs=_WRITE)
def create_contact(request: Request) -> Answer:
    return _create(request, "")


def _create(request: Request, folder: str) -> Answer:
    now = request.sandbox.now()
    contact = Contact(ids.item_id(), request.user.id, "", "", "", folder=folder, created=now, modified=now)
    _set(contact, request.json())
    request.sandbox.store.save(contact)
    notifications.contact_changed(request.sandbox, contact, "created")
    return _entity(request, contact, 201)


@operation("PATCH", "/me/contacts/{id}", needs=_WRITE)
def change_contact(request: Request) -> Answer:
    contact = the_contact(request)
    _set(contact, request.json())
    contact.modified, contact.version = request.sandbox.now(), contact.version + 1
    request.sandbox.store.save(contact)
    notifications.contact_changed(request.sandbox, contact, "updated")
    return _entity(request, contact)


@operation("DELETE", "/me/contacts/{id}", needs=_WRITE)
def delete_contact(request: Request) -> Answer:
    contact = the_contact(request)
    request.sandbox.store.remove(contact)
    notifications.contact_changed(request.sandbox, contact, "deleted")
    return Answer(204)


@operation("POST", "/me/contacts/{id}/permanentdelete", needs=_WRITE)
def delete_contact_for_good(request: Request) -> Answer:
    return delete_contact(request)  # type: ignore[return-value]


_OPTIONS = ("$filter", "$orderby", "$search", "$expand")


def _contacts_delta(request: Request, folder: str) -> Answer:
    options = rounds.begun(request, _OPTIONS)
    if options is None:
        options = {"select": request.query.get("$select")}
    if options.get("select"):
        request.query["$select"] = options["select"]
    items = {
        c.id: (str(c.version), partial(_selected, request, c)) for c in _mine(request, folder)
    }  # fmt: skip
    return rounds.answer(request, items, options, context="contacts", kind="contact")


def _selected(request: Request, contact: Contact) -> dict[str, Any]:
    shown = selected(request, _shown(request, contact))
    request.served.append({"kind": "contact", "id": contact.id, "fields": list(shown)})
    return shown


@operation("GET", "/me/contacts/delta", needs=_READ)
def contacts_delta(request: Request) -> Answer:
    return _contacts_delta(request, "")


# Folders


def _default_id(mailbox: str) -> str:
    return f"{mailbox}.{DEFAULT_FOLDER}"


def _folder_id(request: Request, name: str) -> str:
    """The folder's id, empty for the default one; refuses what is not there."""
    if name.lower() in (DEFAULT_FOLDER, _default_id(request.user.id)):
        return ""
    thing = request.sandbox.store.things.get(name)
    if thing is None or thing.mailbox != request.user.id or thing.kind != "contact folder":
        raise not_found()
    return thing.id


def _folder(request: Request, thing: Thing) -> dict[str, Any]:
    return {
        "id": thing.id, "displayName": thing.fields["name"],
        "parentFolderId": thing.fields.get("parent") or f"{request.user.id}.root",
    }  # fmt: skip


def _folders(request: Request, parent: str | None = "") -> list[dict[str, Any]]:
    things = request.sandbox.store.things_of(request.user.id, "contact folder")
    return [_folder(request, t) for t in things if parent in (None, t.fields.get("parent", ""))]


def _folder_delta(request: Request, parent: str) -> Answer:
    rows = _folders(request, parent)
    items = {row["id"]: (row["displayName"], partial(dict[str, Any], row)) for row in rows}
    options = rounds.begun(request, _OPTIONS)
    return rounds.answer(request, items, options, context="contactFolders", kind="contactFolder")


@operation("GET", "/me/contactfolders", needs=_READ)
def list_contact_folders(request: Request) -> Answer:
    """The folders that the user made; the default one is not among them."""
    return listed(request, "contactFolders", "contactFolder", _folders(request))


@operation("GET", "/me/contactfolders/$count", needs=_READ)
def count_contact_folders(request: Request) -> Answer:
    return counted(len(_folders(request)))


@operation("GET", "/me/contactfolders/delta", needs=_READ)
def contact_folders_delta(request: Request) -> Answer:
    return _folder_delta(request, "")


def _create_folder(request: Request, parent: str) -> Answer:
    name = request.json().get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise malformed("displayName is required.", request.sandbox.switches)
    if any(row["displayName"] == name for row in _folders(request, parent)):
        raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    thing = Thing(ids.item_id(), request.user.id, "contact folder", {"name": name, "parent": parent})
    request.sandbox.store.save(thing)
    return Answer(
        201, {"@odata.context": request.context("contactFolders/$entity"), **_folder(request, thing)}
    )


@operation("POST", "/me/contactfolders", needs=_WRITE)
def create_contact_folder(request: Request) -> Answer:
    return _create_folder(request, "")


def _the_folder(request: Request) -> Thing:
    name = _folder_id(request, request.params[0])
    if not name:
        return Thing(_default_id(request.user.id), request.user.id, "contact folder", {"name": "Contacts"})
    return request.sandbox.store.things[name]


@operation("GET", "/me/contactfolders/{id}", needs=_READ)
def get_contact_folder(request: Request) -> Answer:
    context = request.context("contactFolders/$entity")
    shown = _folder(request, _the_folder(request))
    return Answer(body={"@odata.context": context, **selected(request, shown)})


@operation("PATCH", "/me/contactfolders/{id}", needs=_WRITE)
def rename_contact_folder(request: Request) -> Answer:
    thing = _the_folder(request)
    thing.fields = {**thing.fields, "name": str(request.json().get("displayName") or thing.fields["name"])}
    request.sandbox.store.save(thing)
    return Answer(
        body={"@odata.context": request.context("contactFolders/$entity"), **_folder(request, thing)}
    )


@operation("DELETE", "/me/contactfolders/{id}", needs=_WRITE)
def delete_contact_folder(request: Request) -> Answer:
    name = _folder_id(request, request.params[0])
    if not name:
        raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    for contact in _mine(request, name):
        request.sandbox.store.remove(contact)
    request.sandbox.store.remove(request.sandbox.store.things[name])
    return Answer(204)


@operation("POST", "/me/contactfolders/{id}/permanentdelete", needs=_WRITE)
def delete_contact_folder_for_good(request: Request) -> Answer:
    return delete_contact_folder(request)  # type: ignore[return-value]


@operation("GET", "/me/contactfolders/{id}/childfolders", needs=_READ)
def list_child_contact_folders(request: Request) -> Answer:
    return listed(request, "contactFolders", "contactFolder", _folders(request, _the_folder(request).id))


@operation("GET", "/me/contactfolders/{id}/childfolders/$count", needs=_READ)
def count_child_contact_folders(request: Request) -> Answer:
    return counted(len(_folders(request, _the_folder(request).id)))


@operation("GET", "/me/contactfolders/{id}/childfolders/delta", needs=_READ)
def child_contact_folders_delta(request: Request) -> Answer:
    return _folder_delta(request, _the_folder(request).id)


@operation("POST", "/me/contactfolders/{id}/childfolders", needs=_WRITE)
def create_child_contact_folder(request: Request) -> Answer:
    return _create_folder(request, _the_folder(request).id)


@operation("GET", "/me/contactfolders/{id}/contacts", needs=_READ)
def list_contacts_of_a_folder(request: Request) -> Answer:
    mine = _mine(request, _folder_id(request, request.params[0]))
    return listed(request, "contacts", "contact", [_shown(request, contact) for contact in mine])


@operation("GET", "/me/contactfolders/{id}/contacts/$count", needs=_READ)
def count_contacts_of_a_folder(request: Request) -> Answer:
    return counted(len(_mine(request, _folder_id(request, request.params[0]))))


@operation("GET", "/me/contactfolders/{id}/contacts/delta", needs=_READ)
def contacts_of_a_folder_delta(request: Request) -> Answer:
    return _contacts_delta(request, _folder_id(request, request.params[0]))


@operation("POST", "/me/contactfolders/{id}/contacts", needs=_WRITE)
def create_contact_in_a_folder(request: Request) -> Answer:
    return _create(request, _folder_id(request, request.params[0]))


# People


def _people(request: Request) -> list[dict[str, Any]]:
    """Colleagues first, then those in the contacts: the order is that of relevance."""
    store = request.sandbox.store
    colleagues = [
        u for u in store.users.values() if u.tenant == request.user.tenant and u.id != request.user.id
    ]
    people = [(u.id, u.name, u.address, u.title, "") for u in colleagues]
    people += [
        (c.id, f"{c.given_name} {c.surname}".strip(), c.address, c.title, c.company)
        for c in _mine(request, None)
    ]
    return [
        {
            "id": name, "displayName": shown, "jobTitle": title, "companyName": company,
            "scoredEmailAddresses": [{"address": address, "relevanceScore": float(len(people) - place)}],
            "personType": {
                "class": "Person",
                "subclass": "OrganizationUser" if place < len(colleagues) else "PersonalContact",
            },
        }
        for place, (name, shown, address, title, company) in enumerate(people)
    ]  # fmt: skip


@operation("GET", "/me/people")
def list_people(request: Request) -> Answer:
    """Colleagues first, then those in the contacts; `$search` finds names and addresses, a letter amiss too."""
    wanted = request.query.get("$search")
    rows = _people(request)
    if wanted is not None:
        if "$skip" in request.query:
            raise unsupported("The query parameter $skip is not supported with $search.")
        rows = [row for row in rows if _sounds_like(row, wanted.strip('"').casefold())][:MOST_PEOPLE_FOUND]
    return listed(request, "people", "people", rows)


@operation("GET", "/me/people/$count", needs="GET /me/people")
def count_people(request: Request) -> Answer:
    return counted(len(_people(request)))


@operation("GET", "/me/people/{id}", needs="GET /me/people")
def get_person(request: Request) -> Answer:
    for row in _people(request):
        if row["id"] == request.params[0]:
            request.served.append({"kind": "people", "id": row["id"], "fields": list(row)})
            return Answer(
                body={"@odata.context": request.context("people/$entity"), **selected(request, row)}
            )
    raise not_found()


def _sounds_like(row: dict[str, Any], wanted: str) -> bool:
    have = [*row["displayName"].casefold().split(), row["scoredEmailAddresses"][0]["address"].casefold()]
    return any(
        word.startswith(wanted) or (len(wanted) > 3 and _one_letter_apart(word, wanted)) for word in have
    ) or row["displayName"].casefold().startswith(wanted)


def _one_letter_apart(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    rest, gone = one[same:], other[same:]
    return rest[1:] == gone[1:] or rest[1:] == gone or rest == gone[1:]
