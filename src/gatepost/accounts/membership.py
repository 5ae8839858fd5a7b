"""Who is asking, in which workspace: on every request, and for every page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from gatepost.accounts import rules
from gatepost.accounts.models import Member, Workspace
from gatepost.accounts.proof import proof_of
from gatepost.accounts.rules import Ability
from gatepost.audit.record import Actor
from gatepost.errors import NotAllowed
from gatepost.isolation import inside

SAFE_METHODS = ("GET", "HEAD")
# Which workspace a session looks at, for somebody who belongs to several.
CHOSEN = "workspace"

REFUSALS = {
    Ability.WORK: "Auditors look and change nothing. Ask an administrator for another role.",
    Ability.ADMINISTER: "Only an owner or administrator of the workspace can do this.",
    Ability.OWN: "Only an owner of the workspace can do this.",
}


@dataclass(frozen=True, slots=True)
class Membership:
    """That somebody belongs to a workspace, as ids."""

    workspace_id: UUID
    member_id: UUID


class MembershipMiddleware:
    """`request.member` and `request.workspace` for somebody signed in, where the workspace opens for this session.

    Where it does not, both are None and `request.closed` says what it needs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _look_up(request)
        return self.get_response(request)


def _look_up(request: Any) -> None:
    request.member = request.workspace = request.closed = None
    request.memberships = memberships(request.user.pk) if request.user.is_authenticated else []
    request.workspaces = []  # to choose from; who belongs to one has no choice
    if not request.memberships:
        return
    if len(request.memberships) > 1:
        ids = [each.workspace_id for each in request.memberships]
        request.workspaces = list(Workspace.objects.filter(pk__in=ids).order_by("name"))
    chosen = request.session.get(CHOSEN)
    place = next(
        (each for each in request.memberships if str(each.workspace_id) == chosen), request.memberships[0]
    )
    member = _load(place)
    request.closed = closed_for(request, member.workspace)
    if request.closed is None:
        member.network = network_of(request)
        request.member, request.workspace = member, member.workspace


def closed_for(request: Any, workspace: Workspace) -> rules.Closed | None:
    """Why the workspace does not open for this session, if it does not."""
    proof = proof_of(request, with_second_factor=workspace.sign_in_requires == rules.SECOND_FACTOR)
    return rules.closed(requires=workspace.sign_in_requires, tenants=workspace.sign_in_tenants, proof=proof)


def memberships(user_id: UUID) -> list[Membership]:
    """The open workspaces that this user belongs to, longest first. Which to look into is not known yet, so a definer
    function says it."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT workspace_id, id FROM open_workspaces_of_user(%s)", [user_id])
        return [Membership(*row) for row in cursor.fetchall()]


def member_of(user_id: UUID) -> Member | None:
    """This user's membership; of several the longest."""
    found = memberships(user_id)
    return _load(found[0]) if found else None


def _load(place: Membership) -> Member:
    with inside(place.workspace_id):
        return Member.objects.select_related("workspace", "user").get(pk=place.member_id)


def page(
    view: Callable[..., HttpResponse] | None = None,
    *,
    write: bool = False,
    administer: bool = False,
    own: bool = False,
    changes: Ability = Ability.WORK,
) -> Any:
    """A page for members. Reads run inside the member's workspace; a POST calls actions, which open their own.

    `write`: not for auditors. `administer`: owners and administrators only. `own`: owners only.
    `changes`: what its POST takes.
    `needs` of the page says the same, for tests/accounts/test_roles.py.
    """
    whole = Ability.OWN if own else Ability.ADMINISTER if administer else None  # reading and changing alike
    look = whole or (Ability.WORK if write else Ability.LOOK)
    change = whole or changes

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def wrapped(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            member: Member | None = request.member
            if member is None:
                if request.closed is not None:
                    return redirect("accounts:closed")
                raise Http404("This account belongs to no workspace.")
            needed = look if request.method in SAFE_METHODS else change
            if not member.may(needed):
                raise NotAllowed(REFUSALS[needed])
            if request.method in SAFE_METHODS:
                with inside(request.workspace.id):
                    response = view(request, *args, **kwargs)
                    # Rendered here: a lazy template would query after the workspace is forgotten.
                    return response.render() if hasattr(response, "render") else response
            try:
                return view(request, *args, **kwargs)
            except ObjectDoesNotExist as error:
                raise Http404("There is no such thing here, or not in your workspace.") from error

        wrapped.needs = {"GET": look, "POST": change}  # type: ignore[attr-defined]
        return wrapped

    return decorate(view) if view is not None else decorate


def by(member: Member) -> Actor:
    return Actor("member", str(member.pk), member.network)


def network_of(request: HttpRequest) -> str:
    """The network that a request came from: as much of the address as stays the same when a line gets a new one."""
    address = ip_address(get_adapter().get_client_ip(request))
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
