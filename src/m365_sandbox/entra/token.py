"""POST /token: codes and refresh tokens become access tokens."""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import unquote

from m365_sandbox import ids, permissions
from m365_sandbox.clock import iso
from m365_sandbox.entities import AccessToken, App, Code, RefreshToken, User
from m365_sandbox.entra import consent, keys
from m365_sandbox.entra.authorize import ANY_TENANT, client_info, find_tenant
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox

INACTIVE_AFTER_SECONDS = 90 * 86400


def answer(sandbox: Sandbox, tenant: str, form: dict[str, str], authorization: str) -> dict[str, Any]:
    """The token response; raises EntraError."""
    if tenant not in ANY_TENANT and find_tenant(sandbox, tenant) is None:
        raise EntraError(90002, tenant=tenant)
    app = _client(sandbox, form, authorization)
    match form.get("grant_type"):
        case "authorization_code":
            return _from_code(sandbox, tenant, app, form)
        case "refresh_token":
            return _from_refresh_token(sandbox, tenant, app, form)
        case None:
            raise EntraError(900144, name="grant_type")
    raise EntraError(9002313)


def _client(sandbox: Sandbox, form: dict[str, str], authorization: str) -> App:
    name, secret = form.get("client_id", ""), form.get("client_secret", "")
    if authorization.lower().startswith("basic "):
        try:
            name, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
        except ValueError:
            raise EntraError(9002313) from None
        name, secret = unquote(name), unquote(secret)
    if not name:
        raise EntraError(900144, name="client_id")
    app = sandbox.store.apps.get(name)
    if app is None:
        raise EntraError(700016, appIdentifier=name, tenant="common")
    if not app.enabled:
        raise EntraError(7000112, appIdentifier=app.id, appName=app.name)
    if not secret:
        raise EntraError(7000218)
    if not hmac.compare_digest(secret.encode(), app.secret.encode()):
        raise EntraError(7000215, appId=app.id)
    if app.secret_expired:
        raise EntraError(7000222, appId=app.id)
    return app


def _from_code(sandbox: Sandbox, tenant: str, app: App, form: dict[str, str]) -> dict[str, Any]:
    code = sandbox.store.codes.get(form.get("code", ""))
    if code is None or code.app != app.id:
        raise EntraError(70000)
    if code.used:
        raise EntraError(54005)
    if code.expires <= sandbox.now():
        raise EntraError(70008)
    if code.redirect_uri != form.get("redirect_uri"):
        raise EntraError(50011)
    _check_verifier(code, form.get("code_verifier", ""))
    user = _usable(sandbox, tenant, sandbox.store.users[code.user])
    code.used = True
    sandbox.store.save(code)
    return _issue(
        sandbox, app, user, code.scopes, nonce=code.nonce, informed=code.client_info or _informed(form)
    )


def _check_verifier(code: Code, verifier: str) -> None:
    if not code.challenge:
        return
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not hmac.compare_digest(hashed if code.challenge_method == "S256" else verifier, code.challenge):
        raise EntraError(501481)


def _informed(form: dict[str, str]) -> bool:
    return form.get("client_info") == "1"


def _from_refresh_token(sandbox: Sandbox, tenant: str, app: App, form: dict[str, str]) -> dict[str, Any]:
    """A new refresh token each time; the old one stays good (learn: refresh-tokens)."""
    token = sandbox.store.refresh_tokens.get(form.get("refresh_token", ""))
    if token is None or token.app != app.id:
        raise EntraError(70000)
    now, issued = sandbox.now(), iso(token.issued)
    user = _usable(sandbox, tenant, sandbox.store.users[token.user])
    if token.revoked or token.issued < user.tokens_valid_from:
        raise EntraError(50173, issueDate=issued)
    if now - token.used > INACTIVE_AFTER_SECONDS:
        raise EntraError(700082, issueDate=issued, time="90.00:00:00")
    have = consent.granted(sandbox, app, user)
    wanted = permissions.parse_scopes(form.get("scope", "")) if form.get("scope") else have
    if wanted is None:
        raise EntraError(70011)
    if not have or any(scope not in have for scope in wanted):
        raise EntraError(65001, appId=app.id, appName=app.name)
    token.used = now
    sandbox.store.save(token)
    return _issue(sandbox, app, user, [*wanted, "offline_access"], nonce="", informed=_informed(form))


def _usable(sandbox: Sandbox, tenant: str, user: User) -> User:
    if not user.enabled:
        raise EntraError(50057)
    if tenant not in ANY_TENANT:
        named = find_tenant(sandbox, tenant)
        if named is None or named.id != user.tenant:
            raise EntraError(700005)
    return user


def _issue(
    sandbox: Sandbox, app: App, user: User, scopes: list[str], *, nonce: str, informed: bool
) -> dict[str, Any]:
    # Learn, configurable-token-lifetimes: a random value between 60 and 90 minutes.
    shortest, longest = sandbox.switches.token_minutes
    seconds = int(sandbox.chance.uniform(shortest * 60, longest * 60))
    now = sandbox.now()
    resource = [scope for scope in scopes if scope not in permissions.OIDC]
    access = AccessToken(
        ids.token("eyJ0eXAiOiJKV1QiLCJub25jZSI6"), app.id, user.id, [*resource, "openid", "profile", "email"],
        now + seconds,
    )  # fmt: skip
    _forget_expired(sandbox, now)
    sandbox.store.save(access)
    body: dict[str, Any] = {
        "token_type": "Bearer", "scope": _scope_text(sandbox, resource), "expires_in": seconds,
        "ext_expires_in": seconds, "access_token": access.id,
    }  # fmt: skip
    if "offline_access" in scopes:
        refresh = RefreshToken(ids.token("1.AXsandboxR."), app.id, user.id, now, now)
        sandbox.store.save(refresh)
        body["refresh_token"] = refresh.id
    if "openid" in scopes:
        body["id_token"] = _id_token(sandbox, app, user, nonce)
    if informed:
        body["client_info"] = client_info(user)
    return body


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


def _id_token(sandbox: Sandbox, app: App, user: User, nonce: str) -> str:
    # Relying parties check these times against the real clock or the sandbox's; both must be content, so the
    # token is valid from the earlier of the two until an hour after the later.
    import time

    now, real = int(sandbox.now()), int(time.time())
    subject = hashlib.sha256(f"{app.id}/{user.id}".encode()).digest()
    claims = {
        "aud": app.id, "iss": f"{keys.LOGIN}/{user.tenant}/v2.0", "iat": min(now, real), "nbf": min(now,
        real),
        "exp": max(now, real) + 3600, "aio": ids.key(), "name": user.name, "oid": user.id,
        "preferred_username": user.address, "email": user.address, "rh": ids.key(),
        "sub": base64.urlsafe_b64encode(subject).decode().rstrip("="), "tid": user.tenant, "uti": ids.key(),
        "ver": "2.0",
    }  # fmt: skip
    if nonce:
        claims["nonce"] = nonce
    return keys.sign(sandbox, claims)
