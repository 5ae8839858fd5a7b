"""The addresses of login.microsoftonline.com."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from m365_sandbox.clock import iso
from m365_sandbox.entra import accounts, authorize, id_tokens, keys, pages, token
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox


def routes(sandbox: Sandbox) -> list[Route]:
    def finish(request: Request, response: Response) -> Response:
        """Note the request and commit what it changed, before the answer leaves."""
        query = "" if "token" in request.url.path else _public_part(request.url.query)
        sandbox.store.log(
            {
                "at": iso(sandbox.now()), "method": request.method, "path": request.url.path, "query": query,
                "status": response.status_code, "bytes": len(response.body), "user": "", "app": "",
                "client_request_id": request.headers.get("client-request-id", ""), "items": [],
            }
        )  # fmt: skip
        sandbox.store.commit()
        return response

    def told(error: authorize.PageError | authorize.Redirected) -> Response:
        if isinstance(error, authorize.Redirected):
            return authorize.refused(sandbox, error.asked, error.error, error.name)
        return HTMLResponse(pages.trouble(error.title, error.text), status_code=error.status)

    def page(show: Callable[[Sandbox, Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                response = show(sandbox, request)
            except (authorize.PageError, authorize.Redirected) as error:
                response = told(error)
            return finish(request, response)

        return endpoint

    def form(act: Callable[[Sandbox, Request, Any], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            fields = await _form(request)
            try:
                response = act(sandbox, request, fields)
            except (authorize.PageError, authorize.Redirected) as error:
                response = told(error)
            return finish(request, response)

        return endpoint

    async def take_token(request: Request) -> Response:
        tenant, fields = request.path_params["tenant"], await _form(request)
        try:
            body, status = (
                token.answer(sandbox, tenant, fields, request.headers.get("authorization", "")),
                200,
            )
        except EntraError as error:
            body, status = error.body(sandbox.now(), sandbox.switches), error.http_status(sandbox.switches)
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        return finish(request, JSONResponse(body, status_code=status, headers=headers))

    async def discovery(request: Request) -> Response:
        tenant = request.path_params["tenant"]
        found = accounts.find_tenant(sandbox, tenant)
        if found is None and tenant not in accounts.ANY_TENANT:
            error = EntraError(90002, tenant=tenant).body(sandbox.now(), sandbox.switches)
            return finish(request, JSONResponse(error, status_code=400))
        # Any tenant may come through `common` and `organizations`; personal accounts have only one.
        tenant_id = accounts.PERSONAL_TENANT if tenant == "consumers" else found.id if found else None
        return finish(request, JSONResponse(keys.discovery(tenant, tenant_id)))

    async def key_set(request: Request) -> Response:
        return finish(request, JSONResponse(keys.key_set(sandbox)))

    async def instances(request: Request) -> Response:
        return finish(request, JSONResponse(keys.instances(request.path_params["tenant"])))

    async def userinfo(request: Request) -> Response:
        """What the OpenID scopes alone can get; the rest of Graph wants permissions of its own."""
        token = sandbox.store.access_tokens.get(request.headers.get("authorization", "").partition(" ")[2])
        if token is None or token.expires <= sandbox.now():
            refusal = {"error": {"code": "InvalidAuthenticationToken", "message": "Access token is empty."}}
            return finish(request, JSONResponse(refusal, status_code=401))
        user, app = sandbox.store.users[token.user], sandbox.store.apps[token.app]
        first, _, last = user.name.partition(" ")
        body = {
            "sub": id_tokens.subject(app, user), "name": user.name, "given_name": first, "family_name": last,
            "email": accounts.address_of(sandbox, user),
            "picture": "https://graph.microsoft.com/v1.0/me/photo/$value",
        }  # fmt: skip
        return finish(request, JSONResponse(body))

    return [
        Route("/{tenant}/oauth2/v2.0/authorize", page(authorize.authorize)),
        Route("/{tenant}/oauth2/v2.0/signin", form(authorize.sign_in), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/mfa", form(authorize.second_factor), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/switch", form(authorize.switch_account), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/consent", form(authorize.decide), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/approval", form(authorize.ask_for_approval), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/token", take_token, methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/logout", page(authorize.sign_out), methods=["GET", "POST"]),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery),
        Route("/{tenant}/discovery/v2.0/keys", key_set),
        Route("/{tenant}/discovery/instance", instances),
        Route("/{tenant}/v2.0/adminconsent", page(authorize.admin_consent)),
        Route("/{tenant}/adminconsent", page(authorize.admin_consent_v1)),
        Route("/oidc/userinfo", userinfo, methods=["GET", "POST"]),
    ]


def _public_part(query: str) -> str:
    return query[:2000]


async def _form(request: Request) -> dict[str, str]:
    """The body of a URL-encoded form."""
    from urllib.parse import parse_qsl

    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
