"""Automatic replies as the mailbox's settings have them: to whom, when, and with which words.

https://learn.microsoft.com/graph/api/resources/automaticrepliessetting. Pure, but for who has been told already.
"""

from datetime import UTC, datetime
from typing import Any

from m365_sandbox import calendars
from m365_sandbox.entities import Thing, User
from m365_sandbox.inbox_rules import is_automatic
from m365_sandbox.mail import Letter, header
from m365_sandbox.sandbox import Sandbox

KIND = "automatic reply"


def setting(sandbox: Sandbox, user: User) -> dict[str, Any]:
    kept = sandbox.store.things.get(f"{user.id}.settings")
    found = (kept.fields if kept else {}).get("automaticRepliesSetting")
    return found if isinstance(found, dict) else {}


def is_on(setting: dict[str, Any], now: float) -> bool:
    if setting.get("status") == "scheduled":
        start, end = setting.get("scheduledStartDateTime"), setting.get("scheduledEndDateTime")
        return (not start or _seconds(start) <= now) and (not end or now < _seconds(end))
    return setting.get("status") == "alwaysEnabled"


def _seconds(moment: dict[str, str]) -> float:
    naive = datetime.fromisoformat(moment["dateTime"])
    return naive.replace(tzinfo=calendars.zone(moment.get("timeZone") or "UTC") or UTC).timestamp()


def words(sandbox: Sandbox, user: User, address: str) -> str:
    """What somebody of that address is told; empty where nothing is."""
    wanted = setting(sandbox, user)
    if not is_on(wanted, sandbox.now()):
        return ""
    if address.rpartition("@")[2].lower() == sandbox.tenant_of(user).domain:
        return str(wanted.get("internalReplyMessage") or "")
    audience = wanted.get("externalAudience", "all")
    contacts = (c for c in sandbox.store.contacts.values() if c.mailbox == user.id)
    known = any(contact.address.lower() == address.lower() for contact in contacts)
    if audience == "none" or (audience == "contactsOnly" and not known):
        return ""
    return str(wanted.get("externalReplyMessage") or "")


def owed(sandbox: Sandbox, user: User, letter: Letter) -> str:
    """The words to answer with: once to each sender, and never to what no person wrote."""
    suppressed = header(letter.headers, "X-Auto-Response-Suppress").lower()
    bulk = header(letter.headers, "Precedence").lower() in ("bulk", "list", "junk")
    if letter.kind or bulk or is_automatic(letter) or "oof" in suppressed or "all" in suppressed.split(", "):
        return ""
    address = letter.sender[1].lower()
    said = words(sandbox, user, address)
    told = _told(sandbox, user)
    if not said or address in told.fields:
        return ""
    told.fields[address] = said
    sandbox.store.save(told)
    return said


def _told(sandbox: Sandbox, user: User) -> Thing:
    name = f"{user.id}.told"
    return sandbox.store.things.get(name) or Thing(name, user.id, KIND)


def begin_anew(sandbox: Sandbox, user: User) -> None:
    """The setting was changed: everybody may be told once more."""
    told = _told(sandbox, user)
    if told.fields:
        sandbox.store.remove(told)
