"""The page of alerts, and what the workspace calls usual."""

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from gatepost.accounts.membership import by, page
from gatepost.accounts.rules import Ability
from gatepost.alerts import actions, queries
from gatepost.alerts.forms import UsualAccess
from gatepost.alerts.rules import Limits
from gatepost.web.pages import page_of


@page(changes=Ability.OWN)
def alerts(request: Any) -> HttpResponse:
    limits = Limits.chosen(request.workspace.usual_access)
    form = UsualAccess(request.POST or None, initial=asdict(limits))
    if request.method == "POST":
        if form.is_valid():
            actions.choose(request.workspace.id, form.limits(), actor=by(request.member))
            messages.success(request, _("Saved. It counts from now on."))
            return redirect("alerts:alerts")
        return render(request, "alerts/alerts.html", {"form": form, "limits": limits, "may_own": True})
    rows = page_of(queries.alerts(request.member), by="at", after=request.GET.get("after", ""))
    may_own = request.member.may(Ability.OWN)
    return render(
        request, "alerts/alerts.html", {"rows": rows, "form": form, "limits": limits, "may_own": may_own}
    )
