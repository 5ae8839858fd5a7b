"""Sign-in and consent: from the app's redirect to the answer on its redirect URI."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from m365_sandbox import ids, permissions
from m365_sandbox.entities import App, Code, User
from m365_sandbox.entra import accounts, approvals, consent, id_tokens, pages, policies, scopes, sessions
from m365_sandbox.entra.accounts import ANY_TENANT, find_tenant
from m365_sandbox.entra.sessions import COOKIE, Session
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox

_PROMPTS = ("", "login", "none", "consent", "select_account")
_MODES = ("query", "fragment", "form_post")
_TYPES = ({"code"}, {"id_token"}, {"code", "id_token"})
_LOCK_AFTER, _LOCK_SECONDS = 10, 60
_OF_THE_REGISTRATION = (50011, 50194, 700016)
_V1 = "v1:"
_V2 = "admin:"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be answered on its redirect URI. `raw` is its query, which the pages carry along."""

    raw: str
    tenant: str
    app: App
    redirect_uri: str
    scopes: list[str]
    state: str
    nonce: str
    response_mode: str
    response_types: frozenset[str]
    prompt: str
    login_hint: str
    domain_hint: str
    challenge: str
    challenge_method: str
    client_info: bool
    claims: str
    admin_consent: str = ""
    """Empty, or which of the two forms of the admin consent link this is: `admin:` (v2.0) or `v1:`."""

    @property
    def carried(self) -> str:
        """What the pages' forms hold, so that the next step knows all this."""
        return self.admin_consent + self.raw


class PageError(Exception):
    """Shown to the user on Microsoft's page; the app hears nothing."""

    def __init__(self, title: str, text: str, status: int = 400, code: int = 0) -> None:
        super().__init__(text)
        self.title, self.text, self.status, self.code = title, text, status, code


class Redirected(Exception):
    """The app hears of it on its redirect URI."""

    def __init__(self, asked: Asked, error: EntraError, name: str | None = None) -> None:
        super().__init__(error.text)
        self.asked, self.error, self.name = asked, error, name


def _on_page(error: EntraError) -> PageError:
    return PageError("Sorry, but we're having trouble signing you in.", error.text, code=error.code)


def stop(sandbox: Sandbox, asked: Asked, error: EntraError, where: str = "page") -> Exception:
    """The refusal as the user or the app gets it; `where` is its usual place."""
    if error.where(where, sandbox.switches) == "redirect":
        return Redirected(asked, error)
    return _on_page(error)


def check_tenant(sandbox: Sandbox, name: str) -> None:
    if name not in ANY_TENANT and find_tenant(sandbox, name) is None:
        raise _on_page(EntraError(90002, tenant=name))


def same_address(registered: str, asked: str) -> bool:
    """Redirect URIs match exactly, but on localhost the port does not matter (learn: reply-url)."""
    one, two = urlsplit(registered), urlsplit(asked)
    if one.hostname == two.hostname == "localhost":
        return (one.scheme, one.path, one.query) == (two.scheme, two.path, two.query)
    return registered == asked


# The request


def read(sandbox: Sandbox, tenant: str, raw: str, *, admin_consent: str = "") -> Asked:
    """Check the request as Entra does.

    What is wrong with tenant, app or redirect URI is a page, never a redirect; so is an unknown permission.
    """
    query = dict(parse_qsl(raw, keep_blank_values=True))
    check_tenant(sandbox, tenant)
    app = _app(sandbox, tenant, query)
    redirect_uri = query.get("redirect_uri", "")
    known = [*app.redirect_uris, *app.spa_redirect_uris]
    if not redirect_uri or (known and not any(same_address(one, redirect_uri) for one in known)):
        raise _on_page(EntraError(50011))
    types = frozenset(query.get("response_type", "code" if admin_consent else "").split())
    try:
        names = scopes.read(query.get("scope", ""), tenant)
    except EntraError as error:
        raise _on_page(error) from None
    asked = Asked(
        raw=raw, tenant=tenant, app=app, redirect_uri=redirect_uri, scopes=names,
        state=query.get("state", ""),
        nonce=query.get("nonce", ""), response_types=types,
        response_mode=query.get("response_mode") or ("fragment" if "id_token" in types else "query"),
        prompt=query.get("prompt", ""), login_hint=query.get("login_hint", ""),
        domain_hint=query.get("domain_hint", ""), challenge=query.get("code_challenge", ""),
        challenge_method=query.get("code_challenge_method", "plain"),
        client_info=query.get("client_info") == "1", claims=query.get("claims", ""),
        admin_consent=admin_consent,
    )  # fmt: skip
    _check(asked)
    _strike(sandbox, asked, "")
    return asked


def _strike(sandbox: Sandbox, asked: Asked, address: str) -> None:
    """The refusal ordered for the page or the redirect: for anybody (before all else), or this account."""
    for where in ("page", "redirect"):
        error = sandbox.orders.refusal(where, address, appId=asked.app.id, appName=asked.app.name)
        if error is not None:
            raise Redirected(asked, error) if where == "redirect" else _on_page(error)


def _app(sandbox: Sandbox, tenant: str, query: dict[str, str]) -> App:
    name = query.get("client_id", "")
    if not name:
        raise _on_page(EntraError(900144, name="client_id"))
    app = sandbox.store.apps.get(name)
    if app is None:
        raise _on_page(EntraError(700016, appIdentifier=name, tenant=tenant))
    if not app.enabled:
        raise _on_page(EntraError(7000112, appIdentifier=name, appName=app.name))
    if app.tenant and tenant in ("common", "organizations"):
        raise _on_page(EntraError(50194, appId=app.id, appName=app.name, time="10/15/2018"))
    if app.tenant and accounts.authority(sandbox, tenant) != app.tenant:
        raise _on_page(EntraError(700016, appIdentifier=name, tenant=tenant))
    if tenant == "consumers" and not app.personal_accounts:
        raise _on_page(EntraError(9002332, appId=app.id, appName=app.name))
    return app


def _check(asked: Asked) -> None:
    """What is wrong with the rest is told on the redirect URI."""
    error = _fault(asked)
    if error is not None:
        raise Redirected(asked, error)


def _fault(asked: Asked) -> EntraError | None:
    if asked.admin_consent == _V1:
        return None
    if not asked.scopes:
        return EntraError(900144, name="scope")
    if asked.admin_consent:
        return None
    if not asked.response_types:
        return EntraError(900144, name="response_type")
    if asked.response_types not in _TYPES:
        return EntraError(70005, name=" ".join(sorted(asked.response_types)))
    if "id_token" in asked.response_types:
        return _id_token_fault(asked)
    if asked.response_mode not in _MODES:
        return EntraError(70007, name=asked.response_mode)
    if asked.prompt not in _PROMPTS:
        return EntraError(90023, reason=f"unsupported 'prompt' value '{asked.prompt}'.")
    if asked.challenge_method not in ("plain", "S256"):
        return EntraError(
            90023, reason=f"unsupported 'code_challenge_method' value '{asked.challenge_method}'."
        )
    if (asked.challenge or is_spa(asked)) and not 43 <= len(asked.challenge) <= 128:
        return EntraError(50147)
    if asked.claims and not policies.readable(asked.claims):
        return EntraError(90023, reason="'claims' isn't JSON.")
    return None


def _id_token_fault(asked: Asked) -> EntraError | None:
    if not asked.app.id_tokens_at_authorize:
        return EntraError(700054)
    if asked.response_mode not in ("fragment", "form_post"):
        return EntraError(70007, name=asked.response_mode)
    return None if asked.nonce else EntraError(900144, name="nonce")


def is_spa(asked: Asked) -> bool:
    return any(same_address(one, asked.redirect_uri) for one in asked.app.spa_redirect_uris)


# The answer to the app


def to_app(asked: Asked, fields: dict[str, str]) -> Response:
    if asked.state:
        fields = {**fields, "state": asked.state}
    if asked.response_mode == "form_post":
        return HTMLResponse(pages.form_post(asked.redirect_uri, fields))
    mark = "#" if asked.response_mode == "fragment" else ("&" if "?" in asked.redirect_uri else "?")
    return RedirectResponse(f"{asked.redirect_uri}{mark}{urlencode(fields)}", status_code=302)


def refused(sandbox: Sandbox, asked: Asked, error: EntraError, name: str | None = None) -> Response:
    body = error.body(sandbox.now(), sandbox.switches)
    fields = {
        "error": name or body["error"], "error_description": body["error_description"],
        "error_uri": body["error_uri"],
    }  # fmt: skip
    if error.claims:
        fields["claims"] = error.claims
    return to_app(asked, fields)


def _success(sandbox: Sandbox, asked: Asked, user: User, session: Session) -> Response:
    fields, now = {"session_state": ids.guid()}, sandbox.now()
    names = scopes.resolve(sandbox, asked.app, user, asked.scopes)
    if "code" in asked.response_types:
        code = Code(
            id=ids.token("1.AXsandbox."), app=asked.app.id, user=user.id, redirect_uri=asked.redirect_uri,
            scopes=names, nonce=asked.nonce, challenge=asked.challenge,
            challenge_method=asked.challenge_method, expires=now + sandbox.switches.code_lifetime_seconds, client_info=asked.client_info,
            authority=accounts.authority(sandbox, asked.tenant), issued=now, signed_in=session.signed_in,
            mfa_at=session.mfa_at, spa=is_spa(asked), cae=policies.declares_cp1(asked.claims),
        )  # fmt: skip
        sandbox.store.save(code)
        fields["code"] = code.id
    if "id_token" in asked.response_types:
        fields["id_token"] = id_tokens.issue(sandbox, asked.app, user, names, asked.nonce) or ""
    if asked.client_info:
        fields["client_info"] = id_tokens.client_info(sandbox, user)
    return to_app(asked, fields)


def _cancelled(sandbox: Sandbox, asked: Asked) -> Response:
    if sandbox.switches.cancel == "described":
        return refused(sandbox, asked, EntraError(65004))
    return to_app(asked, {"error": "access_denied", "error_subcode": "cancel"})


# Who signs in


def _here(asked: Asked, what: str) -> str:
    return f"/{asked.tenant}/oauth2/v2.0/{what}"


def _user(sandbox: Sandbox, asked: Asked, address: str) -> User:
    try:
        return accounts.entering(sandbox, asked.app, asked.tenant, address)
    except EntraError as error:
        raise stop(sandbox, asked, error) from None


def _enter(sandbox: Sandbox, asked: Asked, form: Any) -> tuple[User, Session] | Response:
    """Let in whoever the form names: at once, or after the page for their password."""
    user = _user(sandbox, asked, str(form.get("account", "")))
    for session in sessions.opened(sandbox, form.get("session")):
        if session.user == user.id:
            return user, session
    home = accounts.home_of(sandbox, user)
    if home.password and not _password_holds(sandbox, asked, home, form.get("password")):
        wrong = EntraError(50126).text if "password" in form else ""
        return HTMLResponse(pages.enter_password(_here(asked, "signin"), asked.carried, home, wrong))
    if home.password_expired:
        raise stop(sandbox, asked, EntraError(50055))
    return user, Session(user.id, sandbox.now())


def _password_holds(sandbox: Sandbox, asked: Asked, user: User, given: str | None) -> bool:
    """Ten wrong ones lock the account for a minute (Learn, smart lockout)."""
    if user.locked_until > sandbox.now():
        raise stop(sandbox, asked, EntraError(50053))
    if given is None:
        return False
    right = given == user.password
    user.wrong_passwords = 0 if right else user.wrong_passwords + 1
    if user.wrong_passwords >= _LOCK_AFTER:
        user.wrong_passwords, user.locked_until = 0, sandbox.now() + _LOCK_SECONDS
    sandbox.store.save(user)
    return right


# After the sign-in


def _go_on(sandbox: Sandbox, asked: Asked, user: User, session: Session) -> Response:
    """Straight on when everything is granted, else the page that this user gets to see."""
    tenant = sandbox.tenant_of(user)
    _strike(sandbox, asked, accounts.address_of(sandbox, user))
    obstacle = policies.obstacle(tenant, user, mfa_at=session.mfa_at, now=sandbox.now())
    if obstacle is not None and policies.wants_second_factor(obstacle):
        return HTMLResponse(
            pages.second_factor(_here(asked, "mfa"), _carried_fields(sandbox, asked, user, session), user)
        )
    if obstacle is not None and policies.shows_on_page(obstacle):
        raise stop(sandbox, asked, obstacle, sandbox.switches.conditional_access_block)
    if tenant.assignment_required and not user.assigned and not accounts.may_approve(sandbox, user):
        raise stop(sandbox, asked, EntraError(50105))
    if asked.admin_consent:
        return _ask_administrator(sandbox, asked, user, session)
    return _ask_user(sandbox, asked, user, session)


def _carried_fields(sandbox: Sandbox, asked: Asked, user: User, session: Session) -> dict[str, str]:
    address = accounts.address_of(sandbox, user)
    return {"request": asked.carried, "account": address, "session": sessions.seal(sandbox, [session])}


def _ask_administrator(sandbox: Sandbox, asked: Asked, user: User, session: Session) -> Response:
    if not accounts.may_approve(sandbox, user):
        raise stop(sandbox, asked, EntraError(90093))
    return HTMLResponse(
        pages.permissions_requested(
            _here(asked, "consent"), _carried_fields(sandbox, asked, user, session), user, asked.app,
            sandbox.tenant_of(user), _named(sandbox, asked, user), organisation_only=True,
        )
    )  # fmt: skip


def _named(sandbox: Sandbox, asked: Asked, user: User) -> list[str]:
    """The permissions that the request comes to, by name."""
    if asked.admin_consent == _V1:
        if not asked.app.static_scopes:
            raise stop(sandbox, asked, EntraError(65005))
        return asked.app.static_scopes
    try:
        return scopes.resolve(sandbox, asked.app, user, asked.scopes)
    except EntraError as error:
        raise stop(sandbox, asked, error) from None


def _ask_user(sandbox: Sandbox, asked: Asked, user: User, session: Session) -> Response:
    names, tenant = _named(sandbox, asked, user), sandbox.tenant_of(user)
    wanted = consent.missing(sandbox, asked.app, user, names)
    if asked.prompt == "consent":
        # Asking again asks for everything, also for what an administrator has long granted to all.
        wanted = names
    if not wanted:
        return _success(sandbox, asked, user, session)
    fields = _carried_fields(sandbox, asked, user, session)
    hurdle = consent.hurdle(sandbox, user, wanted)
    if not hurdle:
        return HTMLResponse(
            pages.permissions_requested(
                _here(asked, "consent"), fields, user, asked.app, tenant, wanted, organisation_only=False,
                may_approve=accounts.may_approve(sandbox, user),
            )
        )  # fmt: skip
    risky = hurdle == "risky_app"
    if tenant.admin_consent_workflow:
        code = 900981 if risky else 90095
        return HTMLResponse(pages.approval_required(_here(asked, "approval"), fields, user, asked.app, code))
    error = EntraError(90094)
    if error.where(sandbox.switches.admin_needed, sandbox.switches) == "redirect":
        raise Redirected(asked, error)
    code = 900941 if risky else 90094
    actions = _here(asked, "switch"), _here(asked, "consent")
    return HTMLResponse(pages.need_admin_approval(*actions, fields, user, asked.app, code))


def _remember(sandbox: Sandbox, request: Request, response: Response, session: Session) -> Response:
    others = [s for s in sessions.opened(sandbox, request.cookies.get(COOKIE)) if s.user != session.user]
    sealed = sessions.seal(sandbox, [*others, session])
    response.set_cookie(COOKIE, sealed, httponly=True, samesite="lax")
    return response


def _silent(sandbox: Sandbox, asked: Asked, known: list[Session]) -> Response:
    """prompt=none: a code, or why a page would be needed (Learn, v2-oauth2-auth-code-flow)."""
    if asked.login_hint:
        known = [s for s in known if _address(sandbox, s) == asked.login_hint.lower()]
    if not known:
        return refused(sandbox, asked, EntraError(50058))
    if len(known) > 1:
        return refused(sandbox, asked, EntraError(16000))
    [session] = known
    try:
        user = accounts.entering(sandbox, asked.app, asked.tenant, _address(sandbox, session))
    except EntraError:
        return refused(sandbox, asked, EntraError(50058))
    obstacle = policies.obstacle(sandbox.tenant_of(user), user, mfa_at=session.mfa_at, now=sandbox.now())
    if obstacle is not None:
        return refused(sandbox, asked, obstacle, "interaction_required")
    if sandbox.tenant_of(user).assignment_required and not user.assigned:
        return refused(sandbox, asked, EntraError(50105))
    names = _named(sandbox, asked, user)
    if consent.missing(sandbox, asked.app, user, names):
        error = EntraError(65001, appId=asked.app.id, appName=asked.app.name)
        return refused(sandbox, asked, error, sandbox.switches.silent_without_consent)
    return _success(sandbox, asked, user, session)


def _address(sandbox: Sandbox, session: Session) -> str:
    return accounts.address_of(sandbox, sandbox.store.users[session.user])


# The doors


def authorize(sandbox: Sandbox, request: Request) -> Response:
    """GET /{tenant}/oauth2/v2.0/authorize"""
    tenant = request.path_params["tenant"]
    try:
        asked = read(sandbox, tenant, request.url.query)
    except PageError as error:
        if error.code not in _OF_THE_REGISTRATION or sandbox.switches.wrong_registration == "at_once":
            raise
        offered = accounts.offered(sandbox, tenant, "")
        action = f"/{tenant}/oauth2/v2.0/signin"
        return HTMLResponse(pages.pick_account(action, request.url.query, offered, hint=""))
    known = sessions.opened(sandbox, request.cookies.get(COOKIE))
    if asked.prompt == "none":
        return _silent(sandbox, asked, known)
    hinted = sandbox.user(asked.login_hint) if asked.login_hint else None
    if asked.prompt not in ("select_account", "login"):
        address = hinted.address if hinted else _address(sandbox, known[0]) if len(known) == 1 else ""
        if address:
            session = next((s for s in known if _address(sandbox, s) == address), None)
            return _entered(sandbox, request, asked, {"account": address, **_held(sandbox, session)})
    offered = accounts.offered(sandbox, asked.tenant, asked.domain_hint)
    if hinted is not None and asked.prompt == "login":
        offered = [hinted]
    return HTMLResponse(pages.pick_account(_here(asked, "signin"), asked.raw, offered, hint=asked.login_hint))


def _held(sandbox: Sandbox, session: Session | None) -> dict[str, str]:
    return {"session": sessions.seal(sandbox, [session])} if session else {}


def _entered(sandbox: Sandbox, request: Request, asked: Asked, form: Any) -> Response:
    entered = _enter(sandbox, asked, form)
    if isinstance(entered, Response):
        return entered
    user, session = entered
    return _remember(sandbox, request, _go_on(sandbox, asked, user, session), session)


def admin_consent(sandbox: Sandbox, request: Request) -> Response:
    """GET /{tenant}/v2.0/adminconsent"""
    tenant = request.path_params["tenant"]
    if tenant in ("common", "consumers"):
        raise _on_page(EntraError(90002, tenant=tenant))
    return _administrators(sandbox, read(sandbox, tenant, request.url.query, admin_consent=_V2))


def admin_consent_v1(sandbox: Sandbox, request: Request) -> Response:
    """GET /{tenant}/adminconsent: the older form, which grants all that the registration lists."""
    if sandbox.switches.v1_admin_consent == "not_offered":
        raise PageError("Not found", "This address is not offered.", 404)
    tenant = request.path_params["tenant"]
    return _administrators(sandbox, read(sandbox, tenant, request.url.query, admin_consent=_V1))


def _administrators(sandbox: Sandbox, asked: Asked) -> Response:
    admins = [u for u in accounts.offered(sandbox, asked.tenant) if accounts.may_approve(sandbox, u)]
    return HTMLResponse(pages.pick_account(_here(asked, "signin"), asked.carried, admins))


def _carried(sandbox: Sandbox, request: Request, form: Any) -> Asked:
    raw = str(form.get("request", ""))
    kind = next((kind for kind in (_V1, _V2) if raw.startswith(kind)), "")
    return read(sandbox, request.path_params["tenant"], raw.removeprefix(kind), admin_consent=kind)


def sign_in(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """The account picker was used, or the page for the password."""
    return _entered(sandbox, request, _carried(sandbox, request, form), form)


def second_factor(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """The second factor was passed (or set up), or not."""
    asked = _carried(sandbox, request, form)
    entered = _enter(sandbox, asked, form)
    if isinstance(entered, Response):
        return entered
    user, session = entered
    if form.get("mfa") != "approve":
        raise stop(sandbox, asked, EntraError(50074 if user.mfa_enrolled else 50072))
    if not user.mfa_enrolled:
        user.mfa_enrolled = True
        sandbox.store.save(user)
    passed = Session(session.user, session.signed_in, sandbox.now())
    return _remember(sandbox, request, _go_on(sandbox, asked, user, passed), passed)


def switch_account(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """ "Have an admin account? Sign in with that account" """
    return _administrators(sandbox, _carried(sandbox, request, form))


def decide(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """Accept, Cancel, or Return to the application."""
    asked = _carried(sandbox, request, form)
    entered = _enter(sandbox, asked, form)
    if isinstance(entered, Response):
        return entered
    user, session = entered
    accepted = form.get("decision") == "accept"
    if asked.admin_consent:
        return _decide_for_all(sandbox, asked, user, accepted)
    if not accepted:
        if form.get("decision") == "return":
            return to_app(asked, {"error": "access_denied", "error_subcode": "cancel"})
        return _cancelled(sandbox, asked)
    obstacle = policies.obstacle(sandbox.tenant_of(user), user, mfa_at=session.mfa_at, now=sandbox.now())
    if obstacle is not None and policies.shows_on_page(obstacle):
        return _go_on(sandbox, asked, user, session)
    names = _named(sandbox, asked, user)
    if consent.hurdle(sandbox, user, consent.missing(sandbox, asked.app, user, names)):
        raise _on_page(EntraError(90094))
    for_all = accounts.may_approve(sandbox, user) and form.get("organization")
    consent.grant(sandbox, asked.app, user.tenant, "*" if for_all else user.id, names)
    return _success(sandbox, asked, user, session)


def _decide_for_all(sandbox: Sandbox, asked: Asked, user: User, accepted: bool) -> Response:
    if not accounts.may_approve(sandbox, user):
        raise _on_page(EntraError(90093))
    if not accepted:
        description = EntraError(65004).text
        return to_app(
            asked, {"error": "consent_required", "error_description": description, "admin_consent": "True"}
        )
    names = _named(sandbox, asked, user)
    consent.grant(sandbox, asked.app, user.tenant, "*", names)
    fields = {"admin_consent": "True", "tenant": user.tenant}
    if asked.admin_consent == _V2:
        fields["scope"] = " ".join(permissions.GRAPH + s for s in names if s not in permissions.OIDC)
    return to_app(asked, fields)


def ask_for_approval(sandbox: Sandbox, request: Request, form: Any) -> Response:
    """The admin consent workflow: the request is noted, the app hears nothing."""
    asked = _carried(sandbox, request, form)
    entered = _enter(sandbox, asked, form)
    if isinstance(entered, Response):
        return entered
    user, _ = entered
    approvals.ask(sandbox, asked.app, user, _named(sandbox, asked, user), str(form.get("justification", "")))
    return HTMLResponse(pages.request_sent())


def sign_out(sandbox: Sandbox, request: Request) -> Response:
    """GET /{tenant}/oauth2/v2.0/logout: back to where the app wishes, if that is one of its redirect URIs.

    Refresh tokens live on (Learn, refresh-tokens: single sign-out).
    """
    query, held = request.query_params, sessions.opened(sandbox, request.cookies.get(COOKIE))
    hint = query.get("logout_hint", "").lower()
    left = [s for s in held if hint and _address(sandbox, s) != hint]
    target = query.get("post_logout_redirect_uri", "")
    response: Response = HTMLResponse(pages.signed_out())
    if target and any(_may_return(app, target) for app in sandbox.store.apps.values()):
        state = (
            f"{'&' if '?' in target else '?'}{urlencode({'state': query['state']})}"
            if "state" in query
            else ""
        )
        response = RedirectResponse(target + state, status_code=302)
    if left:
        response.set_cookie(COOKIE, sessions.seal(sandbox, left), httponly=True, samesite="lax")
    else:
        response.delete_cookie(COOKIE)
    return response


def _may_return(app: App, target: str) -> bool:
    known = [*app.redirect_uris, *app.spa_redirect_uris]
    return not known or any(same_address(one, target) for one in known)
