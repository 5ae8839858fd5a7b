"""POST /token: codes and refresh tokens become access tokens."""

import base64
import hashlib
import hmac
from collections import deque
from typing import Any

from m365_sandbox import ids, permissions
from m365_sandbox.clock import iso
from m365_sandbox.entities import AccessToken, App, Code, RefreshToken, User
from m365_sandbox.entra import accounts, clients, consent, id_tokens, policies, scopes
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox

INACTIVE_AFTER_SECONDS = 90 * 86400
SPA_SECONDS = 86400
# Learn, continuous access evaluation: tokens under it live up to 28 hours.
CAE_SECONDS = (20 * 3600, 28 * 3600)
LOOP_SECONDS = 300


def answer(sandbox: Sandbox, tenant: str, form: dict[str, str], authorization: str) -> dict[str, Any]:
    """The token response; raises EntraError."""
    if tenant not in accounts.ANY_TENANT and accounts.find_tenant(sandbox, tenant) is None:
        raise EntraError(90002, tenant=tenant)
    _strike(sandbox, None)
    app = clients.authenticated(sandbox, tenant, form, authorization)
    if app.tenant and accounts.authority(sandbox, tenant) not in ("common", "organizations", app.tenant):
        raise EntraError(700016, appIdentifier=app.id, tenant=tenant)
    match form.get("grant_type"):
        case "authorization_code":
            return _from_code(sandbox, tenant, app, form)
        case "refresh_token":
            return _from_refresh_token(sandbox, tenant, app, form)
        case "client_credentials":
            return _of_the_app(tenant, form)
        case None:
            raise EntraError(900144, name="grant_type")
        case other:
            raise EntraError(70003, name=other)


def _strike(sandbox: Sandbox, user: User | None) -> None:
    """The refusal ordered for the token endpoint: for anybody (before anything else), or for this user."""
    address = accounts.address_of(sandbox, user) if user else ""
    error = sandbox.orders.refusal("token", address)
    if error is not None:
        raise error


def _from_code(sandbox: Sandbox, tenant: str, app: App, form: dict[str, str]) -> dict[str, Any]:
    if "code" not in form:
        raise EntraError(900144, name="code")
    code = sandbox.store.codes.get(form["code"])
    if code is None or code.app != app.id:
        raise EntraError(70000)
    if code.authority and code.authority != accounts.authority(sandbox, tenant):
        raise EntraError(700005)
    if code.used:
        raise EntraError(54005)
    if code.expires <= sandbox.now():
        raise EntraError(70008)
    if code.redirect_uri != form.get("redirect_uri"):
        raise EntraError(50011)
    _check_verifier(code, form.get("code_verifier", ""))
    user = sandbox.store.users[code.user]
    if not accounts.enabled(sandbox, user):
        raise EntraError(50057)
    _check_session(sandbox, code, user)
    _strike(sandbox, user)
    _check_policy(sandbox, user, code.mfa_at)
    code.used = True
    sandbox.store.save(code)
    now = sandbox.now()
    refresh = RefreshToken(
        "", app.id, user.id, now, now, signed_in=code.signed_in or now, mfa_at=code.mfa_at,
        spa_until=now + SPA_SECONDS if code.spa else 0.0,
    )  # fmt: skip
    return _issue(
        sandbox, app, user, code.scopes, refresh, nonce=code.nonce,
        informed=code.client_info or _informed(form), cae=code.cae or policies.declares_cp1(form.get("claims", "")),
    )  # fmt: skip


def _check_session(sandbox: Sandbox, code: Code, user: User) -> None:
    """A code dies with the session it came from: revoked, or ended by a new password."""
    home = accounts.home_of(sandbox, user)
    if code.issued and code.issued < max(user.tokens_valid_from, home.tokens_valid_from):
        raise EntraError(50133)
    if code.issued and code.issued < home.sessions_valid_from:
        raise EntraError(50132)


def _check_verifier(code: Code, verifier: str) -> None:
    if not code.challenge:
        return
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not hmac.compare_digest(hashed if code.challenge_method == "S256" else verifier, code.challenge):
        raise EntraError(501481)


def _check_policy(sandbox: Sandbox, user: User, mfa_at: float) -> None:
    error = policies.obstacle(sandbox.tenant_of(user), user, mfa_at=mfa_at, now=sandbox.now())
    if error is not None:
        raise error


def _informed(form: dict[str, str]) -> bool:
    return form.get("client_info") == "1"


def _from_refresh_token(sandbox: Sandbox, tenant: str, app: App, form: dict[str, str]) -> dict[str, Any]:
    """A new refresh token each time; the old one stays good (learn: refresh-tokens)."""
    if "refresh_token" not in form:
        raise EntraError(900144, name="refresh_token")
    token = sandbox.store.refresh_tokens.get(form["refresh_token"])
    if token is None or token.app != app.id:
        raise EntraError(70000)
    _check_loop(sandbox, token)
    user = _where_asked(sandbox, tenant, sandbox.store.users[token.user])
    if not accounts.enabled(sandbox, user) and sandbox.switches.disabled_account == "refresh":
        raise EntraError(50057)
    _strike(sandbox, user)
    _check_age(sandbox, token, sandbox.store.users[token.user])
    _check_policy(sandbox, user, token.mfa_at)
    have = consent.granted(sandbox, app, user)
    asked = scopes.read(form["scope"], tenant) if form.get("scope") else have
    wanted = scopes.resolve(sandbox, app, user, asked)
    if not have or any(scope not in have for scope in wanted):
        raise EntraError(65001, appId=app.id, appName=app.name)
    token.used = sandbox.now()
    sandbox.store.save(token)
    fresh = RefreshToken(
        "", app.id, token.user, token.used, token.used, signed_in=token.signed_in, mfa_at=token.mfa_at,
        spa_until=token.spa_until,
    )  # fmt: skip
    return _issue(
        sandbox, app, user, [*wanted, "offline_access"], fresh, nonce="", informed=_informed(form),
        cae=policies.declares_cp1(form.get("claims", "")),
    )  # fmt: skip


def _of_the_app(tenant: str, form: dict[str, str]) -> dict[str, Any]:
    """A token of the app itself (Learn, v2-oauth2-client-creds-grant-flow).

    No app here has application permissions, so Graph never takes it; that the credential was right is all it tells.
    """
    if tenant in accounts.ANY_TENANT:
        raise EntraError(50059)
    if form.get("scope") != f"{permissions.GRAPH}.default":
        raise EntraError(70011)
    seconds = 3599
    return {
        "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
        "access_token": ids.token("eyJ0eXAiOiJKV1QiLCJub25jZSI6"),
    }  # fmt: skip


def _where_asked(sandbox: Sandbox, tenant: str, user: User) -> User:
    """Refresh tokens are bound to user and app, not to a tenant: one serves where its user is a guest."""
    named = None if tenant in accounts.ANY_TENANT else accounts.find_tenant(sandbox, tenant)
    if named is None or named.id == user.tenant:
        return user
    found = accounts.in_tenant(sandbox, accounts.home_of(sandbox, user), named)
    if found is None:
        raise EntraError(700005)
    return found


def _check_loop(sandbox: Sandbox, token: RefreshToken) -> None:
    most, now = sandbox.switches.loop_requests, sandbox.now()
    if not most:
        return
    recent = sandbox.recent_requests.setdefault(("refresh", token.id), deque())
    while recent and recent[0] <= now - LOOP_SECONDS:
        recent.popleft()
    recent.append(now)
    if len(recent) > most:
        raise EntraError(50196)


def _check_age(sandbox: Sandbox, token: RefreshToken, user: User) -> None:
    now, issued = sandbox.now(), iso(token.issued)
    if token.revoked or token.issued < user.tokens_valid_from:
        raise EntraError(50173, issueDate=issued, validDate=iso(user.tokens_valid_from))
    if token.spa_until and now > token.spa_until:
        raise EntraError(700084, issueDate=issued, time="1.00:00:00")
    if now - token.used > INACTIVE_AFTER_SECONDS:
        raise EntraError(700082, issueDate=issued, time="90.00:00:00")
    hours = sandbox.tenant_of(user).sign_in_frequency_hours
    if hours and now - (token.signed_in or token.issued) > hours * 3600:
        raise EntraError(70043, issueDate=issued, time=str(int(hours * 3600)))


def _issue(
    sandbox: Sandbox, app: App, user: User, asked: list[str], refresh: RefreshToken, *, nonce: str,
    informed: bool, cae: bool,
) -> dict[str, Any]:  # fmt: skip
    seconds, now = _lifetime(sandbox, cae), sandbox.now()
    resource = [scope for scope in asked if scope not in permissions.OIDC]
    access = AccessToken(
        ids.token("eyJ0eXAiOiJKV1QiLCJub25jZSI6"), app.id, user.id, [*resource, "openid", "profile", "email"],
        now + seconds, cae=cae,
    )  # fmt: skip
    _forget_expired(sandbox, now)
    sandbox.store.save(access)
    body: dict[str, Any] = {
        "token_type": "Bearer", "scope": _scope_text(sandbox, resource), "expires_in": seconds,
        "ext_expires_in": seconds, "access_token": access.id,
    }  # fmt: skip
    if "offline_access" in asked:
        refresh.id = ids.token("1.AXsandboxR.")
        sandbox.store.save(refresh)
        body["refresh_token"] = refresh.id
    id_token = id_tokens.issue(sandbox, app, user, asked, nonce) if "openid" in asked else None
    if id_token is not None:
        body["id_token"] = id_token
    if informed:
        body["client_info"] = id_tokens.client_info(sandbox, user)
    return body


def _lifetime(sandbox: Sandbox, cae: bool) -> int:
    """Learn, configurable-token-lifetimes: random, between 60 and 90 minutes; much longer under CAE."""
    if cae:
        return int(sandbox.chance.uniform(*CAE_SECONDS))
    shortest, longest = sandbox.switches.token_minutes
    return int(sandbox.chance.uniform(shortest * 60, longest * 60))


def _scope_text(sandbox: Sandbox, resource: list[str]) -> str:
    """As captured from the real service: OpenID scopes with `email` first, full URIs, no offline_access."""
    full = [permissions.GRAPH + scope for scope in resource]
    if sandbox.switches.token_scope == "resource_only":
        return " ".join(full)
    return " ".join(["profile", "openid", "email", *full])


def _forget_expired(sandbox: Sandbox, now: float) -> None:
    tokens = sandbox.store.access_tokens
    # Only the oldest few are looked at, in the order of their making.
    for name in list(tokens)[:4]:
        if tokens[name].expires < now - 86400:
            sandbox.store.remove(tokens[name])
