"""Outlook's address book and the people one works with (Contacts.Read, People.Read). Only `contacts` imports this.

Both are looked at while a member has the page open that imports from them, and not otherwise.
"""

from dataclasses import dataclass
from typing import Any

from gatepost.graph.gateway import Gateway

MOST = 2_000  # shown at once; a longer list is cut there, and the page says so


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as Outlook knows him."""

    id: str
    address: str
    first_name: str
    last_name: str
    company: str
    title: str


async def outlook_contacts(gateway: Gateway) -> list[Person]:
    """The contacts of the default folder that have an address, all pages up to MOST."""
    body = await gateway.ask("outlook-contacts")
    found = [_person(each, "emailAddresses") for each in body.get("value") or ()]
    while (link := body.get("@odata.nextLink")) and len(found) < MOST:
        body = await gateway.follow("outlook-contacts", link)
        found += [_person(each, "emailAddresses") for each in body.get("value") or ()]
    return [person for person in found[:MOST] if person.address]


async def people(gateway: Gateway) -> list[Person]:
    """The people who matter most to the user, as Microsoft orders them, who have an address."""
    body = await gateway.ask("people")
    found = [_person(each, "scoredEmailAddresses") for each in body.get("value") or ()]
    return [person for person in found if person.address]


def _person(item: dict[str, Any], addresses: str) -> Person:
    first: dict[str, Any] = next((each for each in item.get(addresses) or () if each.get("address")), {})
    return Person(
        id=str(item["id"]),
        address=str(first.get("address") or ""),
        first_name=str(item.get("givenName") or ""),
        last_name=str(item.get("surname") or ""),
        company=str(item.get("companyName") or ""),
        title=str(item.get("jobTitle") or ""),
    )
