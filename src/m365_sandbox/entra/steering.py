"""What `/_sandbox/` can do with Entra: refusals and wrong id tokens, keys, challenges, guests, reviews."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from m365_sandbox import ids
from m365_sandbox.clock import iso
from m365_sandbox.entities import ConsentRequest, User
from m365_sandbox.entra import accounts, approvals, keys, pages, revocation
from m365_sandbox.sandbox import Sandbox


class Steering:
    """Each method takes the request's JSON and returns JSON; a ValueError says what is wrong."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def order(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """{"code", "for", "where", "count", "claims"}: refuse so; {"wrong", …}: hand out such id tokens."""
        self.sandbox.orders.add(given)
        self.sandbox.keep_settings()
        return self.sandbox.orders.to_json()

    def rotate_keys(self, given: dict[str, Any]) -> dict[str, Any]:
        """Sign with a new key; {"keep_old": false} takes the old one off the key set at once."""
        keys.rotate(self.sandbox, keep_old=bool(given.get("keep_old", True)))
        return {"kids": [key["kid"] for key in keys.key_set(self.sandbox)["keys"]]}

    def challenge(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"account"}: circumstances changed; Graph answers tokens under CAE with a claims challenge."""
        return {"tokens": revocation.challenge(self.sandbox, self._user(given, "account"))}

    def invite(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"account", "tenant": domain}: the account becomes a guest there, without a mailbox."""
        user, tenant = (
            self._user(given, "account"),
            accounts.find_tenant(self.sandbox, str(given.get("tenant", ""))),
        )
        if tenant is None or tenant.id == user.tenant:
            raise ValueError("guests needs the domain of another tenant.")
        guest = accounts.in_tenant(self.sandbox, user, tenant) or User(
            id=ids.guid(), tenant=tenant.id, name=user.name, licensed=False, home=user.id, kind="guest",
            address=f"{user.address.replace('@', '_')}#ext#@{tenant.domain}",
        )  # fmt: skip
        self.sandbox.store.save(guest)
        return {"id": guest.id, "tenant": tenant.id, "address": guest.address}

    def review(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"request", "reviewer", "decision": approve or deny}"""
        request = self.sandbox.store.consent_requests.get(str(given.get("request", "")))
        if request is None:
            raise ValueError("review needs the id of a request.")
        reviewer = self._user(given, "reviewer")
        approvals.review(self.sandbox, request, str(given.get("decision", "")), reviewer)
        return {"id": request.id, "state": request.state}

    def review_page(self, reviewer: User) -> str:
        rows = [
            self._row(request)
            for request in self.sandbox.store.consent_requests.values()
            if request.tenant == reviewer.tenant
        ]
        return pages.review_list("/_sandbox/review", reviewer, rows)

    def _row(self, request: ConsentRequest) -> dict[str, str]:
        store = self.sandbox.store
        days = store.tenants[request.tenant].approval_days
        return {
            "id": request.id, "app": store.apps[request.app].name, "user": store.users[request.user].address,
            "scopes": ", ".join(request.scopes), "justification": request.justification,
            "state": approvals.state(self.sandbox, request), "expires": iso(request.at + days * 86400),
        }  # fmt: skip

    def _user(self, given: dict[str, Any], name: str) -> User:
        user = self.sandbox.user(str(given.get(name, "")))
        if user is None:
            raise ValueError(f"{name} needs the address of a user.")
        return user


def routes(sandbox: Sandbox) -> list[Route]:
    steering = Steering(sandbox)

    def act(do: Callable[[dict[str, Any]], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            try:
                given = dict(parse_qsl(body.decode())) if is_form else orjson.loads(body or b"{}")
                answer = do(given)
            except (ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
            sandbox.store.commit()
            if is_form:
                return RedirectResponse(request.headers.get("referer") or "/_sandbox/", status_code=303)
            return JSONResponse(answer)

        return endpoint

    async def show_orders(_: Request) -> Response:
        return JSONResponse(sandbox.orders.to_json())

    async def drop_orders(_: Request) -> Response:
        sandbox.orders.clear()
        sandbox.keep_settings()
        sandbox.store.commit()
        return JSONResponse([])

    async def review_page(request: Request) -> Response:
        """A list for the reviewer of the query, else who there is to choose."""
        reviewer = sandbox.user(request.query_params.get("reviewer", ""))
        if reviewer is not None:
            return HTMLResponse(steering.review_page(reviewer))
        known = {
            u.address: u for t in sandbox.store.tenants.values() for u in approvals.reviewers(sandbox, t)
        }
        return HTMLResponse(pages.choose_reviewer("/_sandbox/review", known.values()))

    return [
        Route("/_sandbox/orders", show_orders, methods=["GET"]),
        Route("/_sandbox/orders", act(steering.order), methods=["POST"]),
        Route("/_sandbox/orders", drop_orders, methods=["DELETE"]),
        Route("/_sandbox/keys", act(steering.rotate_keys), methods=["POST"]),
        Route("/_sandbox/challenge", act(steering.challenge), methods=["POST"]),
        Route("/_sandbox/guests", act(steering.invite), methods=["POST"]),
        Route("/_sandbox/review", review_page, methods=["GET"]),
        Route("/_sandbox/review", act(steering.review), methods=["POST"]),
    ]
