"""The addresses of login.microsoftonline.com."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from m365_sandbox.clock import iso
from m365_sandbox.entra import authorize, keys, pages, token
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

    def page(show: Callable[[Sandbox, Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                response = show(sandbox, request)
            except authorize.PageError as error:
                response = HTMLResponse(pages.trouble(error.title, error.text), status_code=400)
            return finish(request, response)

        return endpoint

    def form(act: Callable[[Sandbox, Request, Any], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            fields = await _form(request)
            try:
                response = act(sandbox, request, fields)
            except authorize.PageError as error:
                response = HTMLResponse(pages.trouble(error.title, error.text), status_code=400)
            return finish(request, response)

        return endpoint

    async def take_token(request: Request) -> Response:
        tenant, fields = request.path_params["tenant"], await _form(request)
        rule = sandbox.faults.strike("POST", request.url.path, "")
        if rule is not None and rule.action in ("500", "503", "504", "429") and rule.when == "before":
            refusal = {"error": "temporarily_unavailable", "error_codes": [90033]}
            return finish(request, JSONResponse(refusal, status_code=int(rule.action)))
        try:
            body, status = (
                token.answer(sandbox, tenant, fields, request.headers.get("authorization", "")),
                200,
            )
        except EntraError as error:
            body, status = error.body(sandbox.now(), sandbox.switches), error.status
            if error.error == "invalid_client":
                status = sandbox.switches.invalid_client_status
        if rule is not None and rule.when == "after":
            body, status = {"error": "temporarily_unavailable", "error_codes": [90033]}, 503
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        return finish(request, JSONResponse(body, status_code=status, headers=headers))

    async def discovery(request: Request) -> Response:
        tenant = request.path_params["tenant"]
        found = authorize.find_tenant(sandbox, tenant)
        if found is None and tenant not in authorize.ANY_TENANT:
            error = EntraError(90002, tenant=tenant).body(sandbox.now(), sandbox.switches)
            return finish(request, JSONResponse(error, status_code=400))
        return finish(request, JSONResponse(keys.discovery(tenant, found.id if found else None)))

    async def key_set(request: Request) -> Response:
        return finish(request, JSONResponse(keys.key_set(sandbox)))

    async def logout(request: Request) -> Response:
        response: Response = HTMLResponse(
            pages.trouble("You signed out of your account", "You may close this page.")
        )
        response.delete_cookie(authorize.COOKIE)
        return finish(request, response)

    return [
        Route("/{tenant}/oauth2/v2.0/authorize", page(authorize.authorize)),
        Route("/{tenant}/oauth2/v2.0/signin", form(authorize.sign_in), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/switch", form(authorize.switch_account), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/consent", form(authorize.decide), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/approval", form(authorize.ask_for_approval), methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/token", take_token, methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/logout", logout),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery),
        Route("/{tenant}/discovery/v2.0/keys", key_set),
        Route("/{tenant}/v2.0/adminconsent", page(authorize.admin_consent)),
    ]


def _public_part(query: str) -> str:
    return query[:2000]


async def _form(request: Request) -> dict[str, str]:
    """The body of a URL-encoded form."""
    from urllib.parse import parse_qsl

    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
