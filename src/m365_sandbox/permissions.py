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
_BY_LOWER = {name.lower(): name for name in ALL}

# The operations that the permissions file leaves out, or files under another path.
_MORE = {
    "GET /me/calendarview": ["Calendars.ReadBasic", "Calendars.Read"],
    "GET /me/messages/{id}/$value": ["Mail.Read"],
    "GET /me/messages/{id}/attachments/{id}": ["Mail.Read"],
    "POST /me/messages/{id}/replyall": ["Mail.Send"],
    "GET /me/messages/delta": ["Mail.ReadBasic", "Mail.Read"],
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


# Learn page "Manage app consent policies"; Message Center posts MC1163922 (mail, calendars: November 2025) and
# MC1304287 (People.Read among others, July 2026).
_MAIL_AND_CALENDARS = ("Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic", "Calendars.", "MailboxSettings.")
_BLOCKED = {
    "legacy": (),
    "recommended-2025-07": (),
    "recommended-2025-11": _MAIL_AND_CALENDARS,
    "recommended-2026-07": (*_MAIL_AND_CALENDARS, "People.Read"),
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
