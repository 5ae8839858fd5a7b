"""Who is asking through the API: a bearer token, its member, and the workspace it opens."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import connections
from django.http import HttpRequest
from ninja.security import HttpBearer

from gatepost import clock
from gatepost.accounts.membership import SAFE_METHODS, network_of
from gatepost.accounts.models import ApiToken, Member
from gatepost.audit.record import Actor
from gatepost.errors import NotAllowed
from gatepost.isolation import inside
from gatepost.vault.sealing import installation_index

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that acts as a member."""

    member: Member
    actor: Actor

    @property
    def workspace_id(self) -> UUID:
        return self.member.workspace_id


class Token(HttpBearer):
    """`Authorization: Bearer gatepost_…`. An unknown or revoked token is answered with 401."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT workspace_id, id FROM token_of(%s)", [installation_index("api-token", token)]
            )
            row = cursor.fetchone()
        if row is None:
            return None
        with inside(row[0]):
            known = ApiToken.objects.select_related("member__workspace").get(pk=row[1])
            if known.member.workspace.closed_at is not None:
                return None
            ApiToken.objects.filter(pk=known.pk).update(last_used_at=clock.now())
        if request.method not in SAFE_METHODS and not known.member.may_write:
            raise NotAllowed("Auditors look and change nothing. Use the token of a member with another role.")
        return Caller(known.member, Actor("token", str(known.pk), network_of(request)))


def caller(request: Any) -> Caller:
    """Who asks, on an endpoint behind `Token`."""
    found: Caller = request.auth
    return found


def writer(request: Any) -> Caller:
    """Who asks, where something is changed: not an auditor, whom `Token` refuses there."""
    return caller(request)


def administrator(request: Any) -> Caller:
    """Who asks, where an owner or administrator is needed."""
    found = caller(request)
    if not found.member.may_administer:
        raise NotAllowed("Only an owner or administrator of the workspace can do this.")
    return found


def reads(endpoint: Callable[P, R]) -> Callable[P, R]:
    """The endpoint runs inside its caller's workspace. Those that change call an action, which opens its own."""

    @wraps(endpoint)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        request: Any = args[0]
        with inside(caller(request).workspace_id):
            return endpoint(*args, **kwargs)

    return wrapped
