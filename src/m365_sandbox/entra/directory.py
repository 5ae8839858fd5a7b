"""What an administrator sets of tenants, users and app registrations. A ValueError tells what is wrong."""

import re
from typing import Any
from urllib.parse import urlsplit

from m365_sandbox.clock import from_iso
from m365_sandbox.entities import App, Tenant, User
from m365_sandbox.entra import clients, policies
from m365_sandbox.entra.accounts import ROLES

_TENANT = (
    "reviewers", "approval_days", "assignment_required", "conditional_access", "mfa_hours",
    "sign_in_frequency_hours",
)  # fmt: skip
_USER = (
    "enabled", "on_premises", "password", "wrong_passwords", "password_expired", "mfa_enrolled", "assigned", "home",
)  # fmt: skip
_APP = (
    "enabled", "secret_expired",
    "more_secrets", "certificates", "tenant", "personal_accounts", "static_scopes", "spa_redirect_uris",
    "id_tokens_at_authorize",
)  # fmt: skip


def set_tenant(tenant: Tenant, given: dict[str, Any]) -> None:
    if given.get("conditional_access", "") not in policies.RULES:
        raise ValueError(f"conditional_access is empty or one of {', '.join(policies.RULES[1:])}.")
    _set(tenant, _TENANT, given)


def set_user(user: User, given: dict[str, Any]) -> None:
    role = given.get("role") or user.role
    if role not in ROLES:
        raise ValueError(f"role is one of {', '.join(ROLES)}, not {role!r}.")
    user.role = role
    _set(user, _USER, given)


def set_app(app: App, given: dict[str, Any]) -> None:
    for address in [*given.get("redirect_uris", []), *given.get("spa_redirect_uris", [])]:
        problem = redirect_problem(
            address, personal_accounts=given.get("personal_accounts", app.personal_accounts)
        )
        if problem:
            raise ValueError(f"{address!r} cannot be a redirect URI: {problem}.")
    for secret in given.get("more_secrets", []):
        if not isinstance(secret, dict) or not secret.get("value"):
            raise ValueError('more_secrets is a list of {"value", "expires"}; expires is a time, or nothing.')
        if isinstance(secret.get("expires"), str):
            secret["expires"] = from_iso(secret["expires"])
    for pem in given.get("certificates", []):
        clients.thumbprints(pem)
    _set(app, _APP, given)


def _set(entity: Any, names: tuple[str, ...], given: dict[str, Any]) -> None:
    for name in names:
        if name in given:
            setattr(entity, name, given[name])


def redirect_problem(address: str, *, personal_accounts: bool = False) -> str:
    """Why Entra would not register this redirect URI; empty when it would (Learn, reply-url)."""
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return "it must begin with https, or with http://localhost"
    if len(address) > 256:
        return "it has more than 256 characters"
    if re.search(r"[!$'(),;*]", address):
        return "it holds one of ! $ ' ( ) , ; *"
    if parts.fragment:
        return "it has a fragment"
    if personal_accounts and parts.query:
        return "it has a query, which an app for personal accounts may not have"
    return ""
