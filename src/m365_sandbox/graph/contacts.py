"""Contacts and people: simple lists."""

from typing import Any

from m365_sandbox.entities import Contact
from m365_sandbox.errors import not_found
from m365_sandbox.graph.odata import parse_select, whole_number
from m365_sandbox.graph.routes import Answer, Request, operation


def _contact(contact: Contact) -> dict[str, Any]:
    name = f"{contact.given_name} {contact.surname}".strip()
    return {
        "id": contact.id, "displayName": name, "givenName": contact.given_name, "surname": contact.surname,
        "companyName": contact.company, "jobTitle": contact.title,
        "emailAddresses": [{"name": name, "address": contact.address}],
    }  # fmt: skip


def _listed(request: Request, what: str, rows: list[dict[str, Any]]) -> Answer:
    top = whole_number(request.query.get("$top"), "$top", 10, most=1000)
    skip = whole_number(request.query.get("$skip"), "$skip", 0, most=10**9)
    select = parse_select(request.query.get("$select"))
    shown = rows[skip : skip + top]
    if select is not None:
        wanted = {name.lower() for name in select} | {"id"}
        shown = [{name: value for name, value in row.items() if name.lower() in wanted} for row in shown]
    for row in shown:
        request.served.append({"kind": what.removesuffix("s"), "id": row["id"], "fields": list(row)})
    body: dict[str, Any] = {"@odata.context": request.context(what), "value": shown}
    if skip + top < len(rows):
        body["@odata.nextLink"] = request.link(**{**request.query, "$skip": str(skip + top)})
    return Answer(body=body)


@operation("GET", "/me/contacts")
def list_contacts(request: Request) -> Answer:
    mine = [c for c in request.sandbox.store.contacts.values() if c.mailbox == request.user.id]
    return _listed(request, "contacts", [_contact(contact) for contact in mine])


@operation("GET", "/me/contacts/{id}")
def get_contact(request: Request) -> Answer:
    contact = request.sandbox.store.contacts.get(request.params[0])
    if contact is None or contact.mailbox != request.user.id:
        raise not_found()
    request.served.append({"kind": "contact", "id": contact.id, "fields": list(_contact(contact))})
    return Answer(body=_contact(contact))


@operation("GET", "/me/people")
def list_people(request: Request) -> Answer:
    """Colleagues first, then those in the contacts."""
    store = request.sandbox.store
    colleagues = [
        u for u in store.users.values() if u.tenant == request.user.tenant and u.id != request.user.id
    ]
    people = [(u.id, u.name, u.address, u.title, "") for u in colleagues]
    people += [
        (c.id, f"{c.given_name} {c.surname}".strip(), c.address, c.title, c.company)
        for c in store.contacts.values()
        if c.mailbox == request.user.id
    ]
    rows = [
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
    return _listed(request, "people", rows)
