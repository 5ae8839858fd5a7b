"""A world as a YAML file: who lives in the sandbox, what lies in their mailboxes, how it behaves. See README.md."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import yaml

from m365_sandbox.clock import iso
from m365_sandbox.entities import App, Event, Message, Tenant, User
from m365_sandbox.faults import rule_from
from m365_sandbox.sandbox import Sandbox
from m365_sandbox.switches import Switches

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_NEEDS = {
    "tenants": ("domain",), "users": ("address",), "apps": (), "contacts": ("mailbox", "address"),
    "events": ("mailbox",), "mail": ("mailbox", "from"), "faults": (),
}  # fmt: skip
_MOST_MAIL = 5000
_OWN_HEADERS = {"date"}


def read(path: Path) -> dict[str, Any]:
    """The world that the file describes. A ValueError says what is wrong with it, and where."""
    try:
        world = yaml.load(path.read_bytes(), Loader=_LOADER)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from None
    return checked(world, str(path))


def checked(world: Any, where: str = "The world") -> dict[str, Any]:
    if not isinstance(world, dict):
        raise ValueError(f"{where} has to be a mapping with {', '.join(_NEEDS)} and switches.")
    unknown = set(world) - set(_NEEDS) - {"switches"}
    if unknown:
        known = ", ".join([*_NEEDS, "switches"])
        raise ValueError(f"{where} has {', '.join(sorted(map(str, unknown)))}; known are {known}.")
    for part, needs in _NEEDS.items():
        rows = world.get(part) or []
        if not isinstance(rows, list):
            raise ValueError(f"{where}: {part} is a list.")
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict) or any(not row.get(name) for name in needs):
                raise ValueError(
                    f"{where}: number {number} of {part} needs {' and '.join(needs) or 'members'}."
                )
    Switches().change(world.get("switches") or {})
    for rule in world.get("faults") or []:
        rule_from(rule)
    return {part: value for part, value in world.items() if value}


def write(sandbox: Sandbox) -> str:
    """What is there now, in the same format: times are told from now on, `offset_seconds`."""
    store, now = sandbox.store, sandbox.now()
    mail = [
        _mail(message, user, now)
        for user in store.users.values()
        for message in store.newest_first(f"{user.id}.inbox")
        if not message.kind
    ]
    coming = [
        {**action.payload, "offset_seconds": round(action.due - now)}
        for action in store.actions.values()
        if action.kind == "arrival"
    ]
    world = {
        "tenants": [_told(tenant) for tenant in store.tenants.values()],
        "users": [_told(user, tokens_valid_from=None) for user in store.users.values()],
        "apps": [_told(app, id="client_id", secret="client_secret") for app in store.apps.values()],
        "contacts": [
            {
                "mailbox": store.users[c.mailbox].address, "name": f"{c.given_name} {c.surname}".strip(),
                "address": c.address, "company": c.company, "title": c.title,
            }
            for c in store.contacts.values()
        ],
        "events": [_event(event, store.users[event.mailbox]) for event in store.events.values()],
        "mail": sorted(mail, key=lambda row: -row["offset_seconds"])[:_MOST_MAIL] + coming,
        "switches": {
            name: value
            for name, value in sandbox.switches.to_json().items()
            if value != getattr(Switches(), name)
        },
        "faults": sandbox.faults.to_json(),
    }  # fmt: skip
    return yaml.dump(_plain(world), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=110)


def _plain(value: Any) -> Any:
    """Without tuples, which YAML's safe form does not know, and without what is empty."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner not in (None, "", [], {})}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _told(entity: Tenant | User | App, **names: str | None) -> dict[str, Any]:
    """The fields that are not as in a new one. `names` renames some of them; None leaves one out."""
    told: dict[str, Any] = {}
    for field in fields(entity):
        value, name = getattr(entity, field.name), names.get(field.name, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if name is not None and value != default:
            told[name] = value
    return told


def _mail(message: Message, user: User, now: float) -> dict[str, Any]:
    return {
        "mailbox": user.address, "from": _person(message.sender), "to": list(map(_person, message.to)),
        "cc": list(map(_person, message.cc)), "subject": message.subject,
        "html" if message.body_type == "html" else "text": message.body,
        "headers": {name: value for name, value in message.headers if name.lower() not in _OWN_HEADERS},
        "internet_message_id": message.internet_id, "conversation": message.conversation,
        "properties": message.properties,
        "attachments": [{k: v for k, v in part.items() if k != "id"} for part in message.attachments],
        "offset_seconds": round(message.received - now),
    }  # fmt: skip


def _person(pair: list[str]) -> dict[str, str]:
    return {"name": pair[0], "address": pair[1]}


def _event(event: Event, user: User) -> dict[str, Any]:
    return {
        "mailbox": user.address, "subject": event.subject, "body": event.body, "start": iso(event.start),
        "duration_minutes": round((event.end - event.start) / 60), "organizer": _person(event.organizer),
        "attendees": [_person([guest["name"], guest["address"]]) for guest in event.attendees],
        "private": event.sensitivity == "private",
    }  # fmt: skip
