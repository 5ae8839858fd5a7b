"""The settings of a workspace, and its members."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from gatepost.accounts import actions
from gatepost.accounts.forms import NewMember, WorkspaceSettings
from gatepost.accounts.membership import by, page
from gatepost.accounts.models import Member
from gatepost.errors import BadInput, Conflict, NotAllowed
from gatepost.isolation import inside


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
        context = {"form": form, "members": Member.objects.select_related("user").order_by("created_at")}
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


def _require_administrator(member: Member) -> None:
    if not member.may_administer:
        raise NotAllowed(_("Only an owner or administrator of the workspace can change its settings."))
