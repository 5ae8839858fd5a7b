"""Who is asking, in which workspace: on every request, and for every page."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse

from gatepost.accounts.models import Member
from gatepost.audit.record import Actor
from gatepost.errors import NotAllowed
from gatepost.isolation import inside

SAFE_METHODS = ("GET", "HEAD")


class MembershipMiddleware:
    """`request.member` and `request.workspace` for somebody signed in; None otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.member = request.workspace = None  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            member = member_of(request.user.pk)
            if member is not None:
                request.member, request.workspace = member, member.workspace  # type: ignore[attr-defined]
        return self.get_response(request)


def member_of(user_id: UUID) -> Member | None:
    """This user's membership. Which workspace to look into is not known yet, so a definer function says it."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT workspace_id FROM workspaces_of_user(%s) LIMIT 1", [user_id])
        row = cursor.fetchone()
    if row is None:
        return None
    with inside(row[0]):
        members = Member.objects.select_related("workspace", "user").filter(user_id=user_id)
        return members.filter(workspace__closed_at__isnull=True).first()


def page(
    view: Callable[..., HttpResponse] | None = None, *, write: bool = False, administer: bool = False
) -> Any:
    """A page for members. Reads run inside the member's workspace; a POST calls actions, which open their own.

    `write`: not for auditors. `administer`: owners and administrators only.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def wrapped(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            member: Member | None = request.member
            if member is None:
                raise Http404("This account belongs to no workspace.")
            if (write or request.method not in SAFE_METHODS) and not member.may_write:
                raise NotAllowed("Auditors look and change nothing. Ask an administrator for another role.")
            if administer and not member.may_administer:
                raise NotAllowed("Only an owner or administrator of the workspace can do this.")
            if request.method in SAFE_METHODS:
                with inside(request.workspace.id):
                    response = view(request, *args, **kwargs)
                    # Rendered here: a lazy template would query after the workspace is forgotten.
                    return response.render() if hasattr(response, "render") else response
            return view(request, *args, **kwargs)

        return wrapped

    return decorate(view) if view is not None else decorate


def by(member: Member) -> Actor:
    return Actor("member", str(member.pk))
