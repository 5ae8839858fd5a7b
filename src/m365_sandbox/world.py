"""The people, tenants, apps and mail that a new sandbox starts with."""

import hashlib
import uuid
from dataclasses import fields
from typing import Any

from m365_sandbox import calendars, ids
from m365_sandbox.clock import from_iso
from m365_sandbox.delivery import place
from m365_sandbox.entities import App, Contact, Event, Folder, Tenant, User
from m365_sandbox.entra import directory
from m365_sandbox.entra.accounts import PERSONAL_TENANT
from m365_sandbox.people.cast import with_words
from m365_sandbox.people.person import Behaviour, Person
from m365_sandbox.permissions import POLICIES
from m365_sandbox.sandbox import Sandbox
from m365_sandbox.store import WELL_KNOWN

APP_ID = "6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5"
APP_SECRET = "sandbox-secret-not-a-real-one"
CONTACTS_OF_A_REP = 8


def populate(sandbox: Sandbox, world: dict[str, Any], *, start: float) -> None:
    """Fill an empty store. History arrives at once, the rest of the mail when the clock comes to it."""
    sandbox.switches.change(world.get("switches") or {})
    for rule in world.get("faults") or []:
        sandbox.faults.add(rule)
    sandbox.keep_settings()
    for row in world.get("tenants", []):
        add_tenant(sandbox, row)
    for row in world.get("users", []):
        add_user(sandbox, row)
    for row in world.get("apps") or [{}]:
        add_app(sandbox, row)
    for row in world.get("contacts") or _contacts_from(world):
        _add_contact(sandbox, row)
    for row in world.get("events", []):
        _add_event(sandbox, row, start)
    for row in sorted(world.get("mail", []), key=_offset):
        offset = _offset(row)
        if offset <= 0:
            place(sandbox, row, at=start + offset)
        else:
            sandbox.schedule.add(start + offset, "arrival", row)
    sandbox.store.commit()


def _offset(row: dict[str, Any]) -> float:
    return float(row.get("offset_seconds", row.get("at", 0)))


def add_tenant(sandbox: Sandbox, row: dict[str, Any]) -> Tenant:
    policy = row.get("consent_policy", "legacy")
    if policy not in POLICIES:
        raise ValueError(f"consent_policy is one of {', '.join(POLICIES)}, not {policy!r}.")
    tenant = Tenant(
        id=row.get("id") or _guid_for(row["domain"]), domain=row["domain"].lower(),
        name=row.get("name") or row["domain"], consent_policy=policy,
        admin_consent_workflow=bool(row.get("admin_consent_workflow")), risky_app=bool(row.get("risky_app")),
    )  # fmt: skip
    directory.set_tenant(tenant, row)
    sandbox.store.save(tenant)
    return tenant


def add_user(sandbox: Sandbox, row: dict[str, Any]) -> User:
    """A user with an empty mailbox; the tenant is made from the address where it is not named."""
    address = row["address"].lower()
    domain = address.rpartition("@")[2]
    tenant = sandbox.store.tenants.get(row.get("tenant", "")) or sandbox.store.tenant_by_domain.get(domain)
    if row.get("personal"):
        tenant = sandbox.store.tenants.get(PERSONAL_TENANT) or add_tenant(
            sandbox, {"id": PERSONAL_TENANT, "domain": "consumers", "name": "Personal accounts"}
        )
    if tenant is None:
        tenant = add_tenant(sandbox, {"domain": domain})
    user = User(
        id=row.get("id") or _guid_for(address), tenant=tenant.id, address=address,
        name=row.get("name") or address,
        kind=row.get("kind") or "rep", title=row.get("title") or "", licensed=row.get("licensed", True),
        time_zone=row.get("time_zone") or "UTC",
    )  # fmt: skip
    if row.get("person"):
        user.person = person_from(user, row["person"])
    directory.set_user(user, row)
    sandbox.store.save(user)
    for known, name in WELL_KNOWN.items():
        sandbox.store.save(Folder(f"{user.id}.{known}", user.id, name, known))
    return user


def person_from(user: User, values: dict[str, Any]) -> dict[str, Any]:
    """A description of a person that is whole; a ValueError says what is wrong with it."""
    complete = {
        "address": user.address, "name": user.name, "company": "", "title": user.title, "country": "US",
        "time_zone": user.time_zone, "language": "en", "behaviour": "silent", **values,
    }  # fmt: skip
    unknown = set(values) - {field.name for field in fields(Person)}
    if unknown:
        raise ValueError(f"A person has no {', '.join(sorted(unknown))}.")
    person = with_words(Person.from_json(complete))
    if person.behaviour is Behaviour.FORWARDS and not person.colleague:
        raise ValueError("Who forwards needs a colleague: {name, address}.")
    return person.to_json()


def add_app(sandbox: Sandbox, row: dict[str, Any]) -> App:
    app = App(
        id=row.get("client_id") or APP_ID, secret=row.get("client_secret") or APP_SECRET,
        name=row.get("name") or "Gatepost", publisher=row.get("publisher") or "",
        verified=bool(row.get("verified")), redirect_uris=list(row.get("redirect_uris") or []),
    )  # fmt: skip
    directory.set_app(app, row)
    sandbox.store.save(app)
    return app


def _contacts_from(world: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a world names no contacts, each rep knows a few of the prospects."""
    prospects = [user for user in world.get("users", []) if user.get("kind") == "prospect"]
    reps = [user for user in world.get("users", []) if user.get("kind") == "rep"]
    return [
        {
            "mailbox": rep["address"], "name": known.get("name", ""), "address": known["address"],
            "company": (known.get("person") or {}).get("company"), "title": known.get("title"),
        }
        for rep in reps
        for known in prospects[:CONTACTS_OF_A_REP]
    ]  # fmt: skip


def _add_contact(sandbox: Sandbox, row: dict[str, Any]) -> None:
    user = sandbox.user(row["mailbox"])
    if user is None:
        return
    given, _, surname = str(row.get("name", "")).partition(" ")
    contact = Contact(
        ids.item_id(),
        user.id,
        given,
        surname,
        row["address"],
        row.get("company") or "",
        row.get("title") or "",
    )
    sandbox.store.save(contact)


def _add_event(sandbox: Sandbox, row: dict[str, Any], start: float) -> None:
    user = sandbox.user(row["mailbox"])
    if user is None:
        return
    organizer = row.get("organizer") or user.address
    pair = (
        [organizer, organizer]
        if isinstance(organizer, str)
        else [organizer.get("name"), organizer["address"]]
    )
    begins = from_iso(str(row["start"])) if "start" in row else start + float(row.get("offset_seconds", 0))
    guests = [
        [guest, guest]
        if isinstance(guest, str)
        else [guest.get("name") or guest["address"], guest["address"]]
        for guest in row.get("attendees") or []
    ]
    event = Event(
        id=ids.item_id(), mailbox=user.id, uid=f"040000008200E00074C5B7101A82E00800000000{ids.key().upper()}",
        subject=row.get("subject") or "", body=row.get("body") or "", start=begins,
        end=begins + 60 * float(row.get("duration_minutes", 30)), organizer=pair,
        attendees=[calendars.attendee(guest) for guest in guests],
        response="organizer" if pair[1].lower() == user.address else "accepted",
        sensitivity="private" if row.get("private") else "normal", created=start, modified=start,
    )  # fmt: skip
    sandbox.store.save(event)
    sandbox.store.record("unrelated_event", user.address, {"iCalUId": event.uid, "subject": event.subject})


def _guid_for(name: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))
