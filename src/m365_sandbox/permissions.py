"""Which delegated permissions there are, what the consent page says of them, what each operation needs."""

import json
from dataclasses import dataclass
from pathlib import Path

GRAPH = "https://graph.microsoft.com/"
OIDC = ("openid", "profile", "email", "offline_access")

_DATA = json.loads(Path(__file__).with_name("permissions.json").read_bytes())


@dataclass(frozen=True, slots=True)
class Permission:
    name: str
    id: str
    user_title: str
    user_text: str
    admin_title: str
    admin_text: str
    admin_only: bool


ALL = {
    name: Permission(
        name, row["id"], row["userConsentDisplayName"], row["userConsentDescription"],
        row["adminConsentDisplayName"], row["adminConsentDescription"], row["adminConsentRequired"],
    )
    for name, row in _DATA["scopes"].items()
}  # fmt: skip
# What writes, and what changes mail that was sent; Gatepost asks for neither. The second id is made up.
ALL["Contacts.ReadWrite"] = Permission(
    "Contacts.ReadWrite", "d56682ec-c09e-4743-aaf4-1a3aac4caa21", "Have full access of your contacts",
    "Allows the app to read, update, create and delete contacts in your contact folders.",
    "Have full access to user contacts", "Allows the app to create, read, update, and delete user contacts.",
    False,
)  # fmt: skip
ALL["Mail-Advanced.ReadWrite"] = Permission(
    "Mail-Advanced.ReadWrite", "6b1f5d0e-2a53-4f0e-9f58-0c8a4c6f7e21", "Change mail that was sent or received",
    "Allows the app to change the subject, body and recipients of mail that is no draft.",
    "Change users' mail that was sent or received",
    "Allows the app to change the subject, body and recipients of users' mail that is no draft.", True,
)  # fmt: skip
_BY_LOWER = {name.lower(): name for name in ALL}

# The operations that the permissions file leaves out, or files under another path.
_MORE = {
    "GET /me/calendarview": ["Calendars.ReadBasic", "Calendars.Read"],
    "GET /me/messages/{id}/$value": ["Mail.Read"],
    "GET /me/messages/{id}/attachments/{id}": ["Mail.Read"],
    "POST /me/messages/{id}/replyall": ["Mail.Send"],
    "GET /me/messages/delta": ["Mail.ReadBasic", "Mail.Read"],
    "POST /me/contacts": ["Contacts.ReadWrite"],
}
_OPERATIONS: dict[str, list[str]] = {**_DATA["operations"], **_MORE}


def parse_scopes(text: str) -> list[str] | None:
    """The permissions' own names, without Graph's prefix; None when one is unknown."""
    names = []
    for part in text.split():
        name = _BY_LOWER.get(part.removeprefix(GRAPH).lower())
        if name is None:
            return None
        if name not in names:
            names.append(name)
    return names


def needed(method: str, path: str) -> list[str] | None:
    """Any one of these permissions will do; None when the operation needs none that is known."""
    return _OPERATIONS.get(f"{method} {path.lower()}")


def holds(granted: list[str], wanted: list[str]) -> bool:
    """`X.ReadWrite` includes `X.Read`, which includes `X.ReadBasic`."""
    have = set(granted)
    for name in granted:
        area, _, verb = name.partition(".")
        if verb == "ReadWrite":
            have |= {f"{area}.Read", f"{area}.ReadBasic"}
        elif verb == "Read":
            have.add(f"{area}.ReadBasic")
    return not have.isdisjoint(wanted)


# Learn page "Manage app consent policies"; Message Center posts MC1163922 (mail, calendars, chats: November 2025)
# and MC1304287 (contacts of others, people, tasks: July 2026). The policy goes by permission: a verified
# publisher is no help. A name that ends in a dot stands for all that begin with it.
_FILES = ("Files.", "Sites.")
_MAIL_AND_CALENDARS = (
    *_FILES, "Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic", "Mail.Read.Shared", "Mail.ReadWrite.Shared",
    "Mail.ReadBasic.Shared", "MailboxItem.Read", "MailboxFolder.", "MailboxSettings.", "Calendars.", "Chat.",
    "ChannelMessage.", "OnlineMeetings.", "EAS.AccessAsUser.All", "EWS.AccessAsUser.All", "IMAP.AccessAsUser.All",
    "POP.AccessAsUser.All",
)  # fmt: skip
_PEOPLE = ("People.Read", "Contacts.ReadWrite", "Contacts.Read.Shared", "Contacts.ReadWrite.Shared", "Tasks.")
_BLOCKED: dict[str, tuple[str, ...]] = {
    "legacy": (),
    "recommended-2025-07": _FILES,
    "recommended-2025-11": _MAIL_AND_CALENDARS,
    "recommended-2026-07": (*_MAIL_AND_CALENDARS, *_PEOPLE),
}
POLICIES = (*_BLOCKED, "no-user-consent")


def needs_admin(scopes: list[str], policy: str, *, risky_app: bool = False) -> list[str]:
    """Those of `scopes` that an ordinary user may not grant under the tenant's policy."""
    if policy == "no-user-consent":
        return list(scopes)
    basic = {*OIDC, "User.Read"}
    return [
        name
        for name in scopes
        if name not in OIDC
        and (
            ALL[name].admin_only
            or (risky_app and name not in basic)
            or any(
                name == blocked or (blocked[-1] == "." and name.startswith(blocked))
                for blocked in _BLOCKED[policy]
            )
        )
    ]
