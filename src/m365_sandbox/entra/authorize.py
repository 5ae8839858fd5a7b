"""Sign-in and consent: from the app's redirect to the answer on its redirect URI."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from m365_sandbox import ids, permissions
from m365_sandbox.entities import App, Code, ConsentRequest, Tenant, User
from m365_sandbox.entra import consent, keys, pages
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox

COOKIE = "m365_sandbox_account"
ANY_TENANT = ("common", "organizations")
_PROMPTS = ("", "login", "none", "consent", "select_account")


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid sign-in request. `raw` is its query, which the pages carry along."""

    raw: str
    tenant: str
    app: App
    redirect_uri: str
    scopes: list[str]
    state: str
    nonce: str
    response_mode: str
    prompt: str
    login_hint: str
    challenge: str
    challenge_method: str
    client_info: bool
    admin_consent: bool = False


class PageError(Exception):
    """Shown to the user on Microsoft's page; the app hears nothing."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(text)
        self.title, self.text = title, text


def _error_page(code: int, **details: str) -> PageError:
    return PageError("Sorry, but we're having trouble signing you in.", EntraError(code, **details).text)


def find_tenant(sandbox: Sandbox, name: str) -> Tenant | None:
    return sandbox.store.tenants.get(name) or sandbox.store.tenant_by_domain.get(name.lower())


def check_tenant(sandbox: Sandbox, name: str) -> None:
    if name not in ANY_TENANT and find_tenant(sandbox, name) is None:
        raise _error_page(90002, tenant=name)


def same_address(registered: str, asked: str) -> bool:
    """Redirect URIs match exactly, but on localhost the port does not matter (learn: reply-url)."""
    one, two = urlsplit(registered), urlsplit(asked)
    if one.hostname == two.hostname == "localhost":
        return (one.scheme, one.path, one.query) == (two.scheme, two.path, two.query)
    return registered == asked


def read(sandbox: Sandbox, tenant: str, raw: str, *, admin_consent: bool = False) -> Asked:
    """Check the request as Entra does. What is wrong with app or redirect URI is a page, never a redirect."""
    query = dict(parse_qsl(raw, keep_blank_values=True))
    check_tenant(sandbox, tenant)
    app = sandbox.store.apps.get(query.get("client_id", ""))
    if app is None:
        raise _error_page(700016, appIdentifier=query.get("client_id", ""), tenant=tenant)
    redirect_uri = query.get("redirect_uri", "")
    if not redirect_uri or (
        app.redirect_uris and not any(same_address(known, redirect_uri) for known in app.redirect_uris)
    ):
        raise _error_page(50011)
    scopes = permissions.parse_scopes(query.get("scope", ""))
    if not scopes:
        raise _error_page(70011 if scopes is None else 900144, name="scope")
    if not admin_consent and query.get("response_type") != "code":
        raise _error_page(900144, name="response_type")
    if query.get("prompt", "") not in _PROMPTS:
        raise _error_page(9002313)
    return Asked(
        raw=raw, tenant=tenant, app=app, redirect_uri=redirect_uri, scopes=scopes, state=query.get("state",
        ""),
        nonce=query.get("nonce", ""), response_mode=query.get("response_mode", "query"),
        prompt=query.get("prompt", ""), login_hint=query.get("login_hint", ""),
        challenge=query.get("code_challenge", ""), challenge_method=query.get("code_challenge_method",
        "plain"),
        client_info=query.get("client_info") == "1", admin_consent=admin_consent,
    )  # fmt: skip


# The answer to the app


def to_app(asked: Asked, fields: dict[str, str]) -> Response:
    if asked.state:
        fields = {**fields, "state": asked.state}
    if asked.response_mode == "form_post":
        return HTMLResponse(pages.form_post(asked.redirect_uri, fields))
    mark = "#" if asked.response_mode == "fragment" else ("&" if "?" in asked.redirect_uri else "?")
    return RedirectResponse(f"{asked.redirect_uri}{mark}{urlencode(fields)}", status_code=302)


def _refused(sandbox: Sandbox, asked: Asked, error: EntraError, name: str | None = None) -> Response:
    body = error.body(sandbox.now(), sandbox.switches)
    fields = {
        "error": name or error.error, "error_description": body["error_description"], "error_uri": body["error_uri"]
    }  # fmt: skip
    return to_app(asked, fields)


def client_info(user: User) -> str:
    text = json.dumps({"uid": user.id, "utid": user.tenant}).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _success(sandbox: Sandbox, asked: Asked, user: User) -> Response:
    code = Code(
        id=ids.token("1.AXsandbox."), app=asked.app.id, user=user.id, redirect_uri=asked.redirect_uri,
        scopes=asked.scopes, nonce=asked.nonce, challenge=asked.challenge,
        challenge_method=asked.challenge_method,
        expires=sandbox.now() + sandbox.switches.code_lifetime_seconds, client_info=asked.client_info,
    )  # fmt: skip
    sandbox.store.save(code)
    fields = {"code": code.id, "session_state": ids.guid()}
    if asked.client_info:
        fields["client_info"] = client_info(user)
    return to_app(asked, fields)


def _cancelled(sandbox: Sandbox, asked: Asked) -> Response:
    if sandbox.switches.cancel == "described":
        return _refused(sandbox, asked, EntraError(65004))
    return to_app(asked, {"error": "access_denied", "error_subcode": "cancel"})


# The pages


def _here(asked: Asked, what: str) -> str:
    return f"/{asked.tenant}/oauth2/v2.0/{what}"


def _accounts(sandbox: Sandbox, asked: Asked) -> list[User]:
    tenant = None if asked.tenant in ANY_TENANT else find_tenant(sandbox, asked.tenant)
    users = [
        user
        for user in sandbox.store.users.values()
        if user.person is None and user.kind == "rep" and (tenant is None or user.tenant == tenant.id)
    ]
    return users + [
        user
        for user in sandbox.store.users.values()
        if user.role == "admin" and user not in users and (tenant is None or user.tenant == tenant.id)
    ]


def _remembered(cookie: str | None, sandbox: Sandbox) -> User | None:
    """The account of the cookie, where the cookie is one of ours."""
    address, _, seal = (cookie or "").rpartition("|")
    user = sandbox.user(address)
    return user if user is not None and hmac.compare_digest(seal, _seal(sandbox, address)) else None


def _seal(sandbox: Sandbox, address: str) -> str:
    key = keys.private_key(sandbox).encode()
    return hmac.new(hashlib.sha256(key).digest(), address.encode(), "sha256").hexdigest()[:32]


def _sign_in(sandbox: Sandbox, asked: Asked, address: str) -> User:
    user = sandbox.user(address.strip())
    if user is None:
        raise _error_page(50034)
    if not user.enabled:
        raise _error_page(50057)
    if asked.tenant not in ANY_TENANT:
        tenant = find_tenant(sandbox, asked.tenant)
        if tenant is None or tenant.id != user.tenant:
            details = {
                "email": user.address, "idp": sandbox.tenant_of(user).name, "tenant": asked.tenant,
                "appid": asked.app.id, "appName": asked.app.name,
            }  # fmt: skip
            raise _error_page(50020, **details)
    return user


def _after_sign_in(sandbox: Sandbox, asked: Asked, user: User) -> Response:
    """Straight on when everything is granted, else the page that this user gets to see."""
    tenant = sandbox.tenant_of(user)
    if asked.admin_consent:
        if user.role != "admin":
            raise _error_page(90093)
        return HTMLResponse(
            pages.permissions_requested(
                _here(asked, "consent"), "admin:" + asked.raw, user, asked.app, tenant, asked.scopes,
                organisation_only=True,
            )
        )  # fmt: skip
    wanted = consent.missing(sandbox, asked.app, user, asked.scopes)
    if asked.prompt == "consent":
        # Asking again asks for everything, also for what an administrator has long granted to all.
        wanted = asked.scopes
    if not wanted:
        return _success(sandbox, asked, user)
    if consent.may_consent(sandbox, user, wanted):
        return HTMLResponse(
            pages.permissions_requested(
                _here(asked, "consent"), asked.raw, user, asked.app, tenant, wanted, organisation_only=False
            )
        )
    if tenant.admin_consent_workflow:
        return HTMLResponse(pages.approval_required(_here(asked, "approval"), asked.raw, user, asked.app))
    if sandbox.switches.admin_needed == "redirect":
        return _refused(sandbox, asked, EntraError(90094))
    return HTMLResponse(
        pages.need_admin_approval(_here(asked, "switch"), _here(asked, "consent"), asked.raw, user, asked.app)
    )


def _remember(sandbox: Sandbox, response: Response, user: User) -> Response:
    response.set_cookie(
        COOKIE, f"{user.address}|{_seal(sandbox, user.address)}", httponly=True, samesite="lax"
    )
    return response


def _silent(sandbox: Sandbox, asked: Asked, user: User | None) -> Response:
    if user is None:
        return _refused(sandbox, asked, EntraError(50058))
    if consent.missing(sandbox, asked.app, user, asked.scopes):
        return _refused(sandbox, asked, EntraError(65001), sandbox.switches.silent_without_consent)
    return _success(sandbox, asked, user)


# The doors


def authorize(sandbox: Sandbox, request: Request) -> Response:
    """GET /{tenant}/oauth2/v2.0/authorize"""
    asked = read(sandbox, request.path_params["tenant"], request.url.query)
    known = _remembered(request.cookies.get(COOKIE), sandbox)
    hinted = sandbox.user(asked.login_hint) if asked.login_hint else None
    if asked.prompt == "none":
        return _silent(sandbox, asked, known)
    if asked.prompt not in ("select_account", "login"):
        user = hinted or known
        if user is not None and (
            asked.tenant in ANY_TENANT or find_tenant(sandbox, asked.tenant) is not None
        ):
            user = _sign_in(sandbox, asked, user.address)
            return _remember(sandbox, _after_sign_in(sandbox, asked, user), user)
    accounts = _accounts(sandbox, asked)
    if hinted is not None and asked.prompt == "login":
        accounts = [hinted]
    return HTMLResponse(
        pages.pick_account(_here(asked, "signin"), asked.raw, accounts, hint=asked.login_hint)
    )


def admin_consent(sandbox: Sandbox, request: Request) -> Response:
    """GET /{tenant}/v2.0/adminconsent"""
    tenant = request.path_params["tenant"]
    if tenant == "common":
        raise _error_page(90002, tenant=tenant)
    asked = read(sandbox, tenant, request.url.query, admin_consent=True)
    admins = [user for user in _accounts(sandbox, asked) if user.role == "admin"]
    return HTMLResponse(pages.pick_account(_here(asked, "signin"), "admin:" + asked.raw, admins))


def _carried(sandbox: Sandbox, request: Request, form: Any) -> Asked:
    raw = str(form.get("request", ""))
    return read(
        sandbox,
        request.path_params["tenant"],
        raw.removeprefix("admin:"),
        admin_consent=raw.startswith("admin:"),
    )


def sign_in(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """The account picker was used."""
    asked = _carried(sandbox, request, form)
    user = _sign_in(sandbox, asked, str(form.get("account", "")))
    return _remember(sandbox, _after_sign_in(sandbox, asked, user), user)


def switch_account(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """ "Have an admin account? Sign in with that account" """
    asked = _carried(sandbox, request, form)
    admins = [user for user in _accounts(sandbox, asked) if user.role == "admin"]
    return HTMLResponse(pages.pick_account(_here(asked, "signin"), asked.raw, admins))


def decide(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """Accept, Cancel, or Return to the application."""
    asked = _carried(sandbox, request, form)
    user = _sign_in(sandbox, asked, str(form.get("account", "")))
    accepted = form.get("decision") == "accept"
    if asked.admin_consent:
        return _decide_for_all(sandbox, asked, user, accepted)
    if not accepted:
        if form.get("decision") == "return":
            return to_app(asked, {"error": "access_denied", "error_subcode": "cancel"})
        return _cancelled(sandbox, asked)
    if not consent.may_consent(sandbox, user, consent.missing(sandbox, asked.app, user, asked.scopes)):
        raise _error_page(90094)
    who = "*" if user.role == "admin" and form.get("organization") else user.id
    consent.grant(sandbox, asked.app, user.tenant, who, asked.scopes)
    return _success(sandbox, asked, user)


def _decide_for_all(sandbox: Sandbox, asked: Asked, user: User, accepted: bool) -> Response:
    if user.role != "admin":
        raise _error_page(90093)
    if not accepted:
        description = EntraError(65004).text
        return to_app(
            asked, {"error": "consent_required", "error_description": description, "admin_consent": "True"}
        )
    consent.grant(sandbox, asked.app, user.tenant, "*", asked.scopes)
    scope = " ".join(permissions.GRAPH + s for s in asked.scopes if s not in permissions.OIDC)
    return to_app(asked, {"admin_consent": "True", "tenant": user.tenant, "scope": scope})


def ask_for_approval(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """The admin consent workflow: the request is noted, the app hears nothing."""
    asked = _carried(sandbox, request, form)
    user = _sign_in(sandbox, asked, str(form.get("account", "")))
    asking = ConsentRequest(
        ids.guid(),
        asked.app.id,
        user.tenant,
        user.id,
        asked.scopes,
        str(form.get("justification", "")),
        sandbox.now(),
    )
    sandbox.store.save(asking)
    return HTMLResponse(pages.request_sent())
