"""Who has allowed what, and who may."""

from typing import Literal

from m365_sandbox import permissions
from m365_sandbox.entities import App, Grant, User
from m365_sandbox.entra.accounts import PERSONAL_TENANT, may_approve
from m365_sandbox.sandbox import Sandbox

Hurdle = Literal["", "policy", "risky_app"]


def granted(sandbox: Sandbox, app: App, user: User) -> list[str]:
    """What the user, or an administrator for everybody, allowed the app."""
    scopes: list[str] = []
    for who in (user.id, "*"):
        grant = sandbox.store.grants.get(f"{app.id}:{user.tenant}:{who}")
        if grant is not None:
            scopes += [scope for scope in grant.scopes if scope not in scopes]
    if scopes:
        # Consent to anything is consent to the OpenID scopes (azure-docs issue 101648).
        scopes += [scope for scope in permissions.OIDC if scope not in scopes]
    return scopes


def missing(sandbox: Sandbox, app: App, user: User, wanted: list[str]) -> list[str]:
    have = granted(sandbox, app, user)
    return [scope for scope in wanted if scope not in have]


def hurdle(sandbox: Sandbox, user: User, scopes: list[str]) -> Hurdle:
    """Why this user may not grant these; empty when they may.

    Learn, "unexpected error when performing consent": where an app requires assignment, even permissions that
    are not for administrators need one; a risky app may have no more than the basic ones.
    """
    if may_approve(sandbox, user) or user.tenant == PERSONAL_TENANT:
        return ""
    tenant = sandbox.tenant_of(user)
    if tenant.assignment_required or permissions.needs_admin(scopes, tenant.consent_policy):
        return "policy"
    if permissions.needs_admin(scopes, tenant.consent_policy, risky_app=tenant.risky_app):
        return "risky_app"
    return ""


def grant(sandbox: Sandbox, app: App, tenant: str, user: str, scopes: list[str]) -> None:
    """Allow the app these scopes, besides what it has; `user` is `*` for the whole tenant."""
    name = f"{app.id}:{tenant}:{user}"
    old = sandbox.store.grants.get(name)
    kept = list(old.scopes) if old else []
    sandbox.store.save(Grant(name, app.id, tenant, user, kept + [s for s in scopes if s not in kept]))


def revoke(sandbox: Sandbox, app: App, tenant: str, user: str, scopes: list[str] | None = None) -> None:
    """Withdraw these scopes, or all of them."""
    old = sandbox.store.grants.get(f"{app.id}:{tenant}:{user}")
    if old is None:
        return
    if scopes is None:
        sandbox.store.remove(old)
        return
    old.scopes = [scope for scope in old.scopes if scope not in scopes]
    sandbox.store.save(old)
