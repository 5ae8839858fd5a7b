"""The settings of a workspace, and its members."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost.accounts import actions
from gatepost.accounts.forms import NewMember, WorkspaceSettings
from gatepost.accounts.membership import by, page
from gatepost.accounts.models import ApiToken, Member
from gatepost.errors import BadInput, Conflict, NotAllowed
from gatepost.isolation import inside
from gatepost.web.parameters import id_in


@page
def settings(request: Any) -> HttpResponse:
    workspace = request.workspace
    if request.method == "POST":
        _require_administrator(request.member)
        form = WorkspaceSettings(request.POST)
        if form.is_valid():
            actions.change_workspace(workspace.id, actor=by(request.member), **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("accounts:settings")
    else:
        form = WorkspaceSettings(
            initial={
                "name": workspace.name,
                "time_zone": workspace.time_zone,
                "internal_domains": "\n".join(workspace.internal_domains),
            }
        )
    with inside(workspace.id):
        context = {
            "form": form,
            "members": Member.objects.select_related("user").order_by("created_at"),
            "tokens": _tokens(request.member),
        }
        return render(request, "accounts/settings.html", context)


@page(administer=True)
def add_member(request: Any) -> HttpResponse:
    form = NewMember(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.add_member(request.workspace.id, actor=by(request.member), **form.cleaned_data)
        except (BadInput, Conflict) as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("They can sign in now."))
            return redirect("accounts:settings")
    return render(request, "accounts/add_member.html", {"form": form})


@page(write=True)
@require_POST
def create_token(request: Any) -> HttpResponse:
    """The one time that the token is shown."""
    name = request.POST.get("name", "")
    token = actions.create_token(request.member, name, actor=by(request.member))
    return render(request, "accounts/token.html", {"name": name, "token": token})


@page(write=True)
@require_POST
def revoke_token(request: Any) -> HttpResponse:
    with inside(request.workspace.id):
        token = get_object_or_404(ApiToken, pk=id_in(request.POST, "token"))
        if token.member_id != request.member.pk:
            _require_administrator(request.member)
    actions.revoke_token(token.pk, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Revoked. The program that used it is refused from now on."))
    return redirect("accounts:settings")


def _tokens(member: Member) -> "QuerySet[ApiToken]":
    """A member's own tokens; an administrator sees all."""
    tokens = ApiToken.objects.filter(revoked_at__isnull=True).select_related("member").order_by("created_at")
    return tokens if member.may_administer else tokens.filter(member=member)


def _require_administrator(member: Member) -> None:
    if not member.may_administer:
        raise NotAllowed(_("Only an owner or administrator of the workspace can change its settings."))
