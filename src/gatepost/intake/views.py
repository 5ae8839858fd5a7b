"""Mail that may answer ours: Microsoft put it into a conversation of ours, but it refers to none of our mails."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost.accounts.membership import by, page
from gatepost.intake import actions, queries
from gatepost.intake.models import Quarantine
from gatepost.isolation import inside
from gatepost.mailboxes.queries import require_may_read
from gatepost.web.parameters import id_in

SHOWN = 50


@page
def quarantine(request: Any) -> HttpResponse:
    """The doubtful mails with the question whether they are answers; as a part of the inbox only their number."""
    waiting = queries.undecided(request.member)
    rows = queries.rows_of(waiting[:SHOWN])
    return render(request, "intake/quarantine.html", {"rows": rows})


@page
def count(request: Any) -> HttpResponse:
    return render(request, "intake/count.html", {"count": queries.undecided(request.member).count()})


@page(write=True)
@require_POST
def decide(request: Any) -> HttpResponse:
    quarantine_id: UUID | None = id_in(request.POST, "quarantine")
    with inside(request.workspace.id):
        doubtful = get_object_or_404(Quarantine.objects.select_related("mailbox"), pk=quarantine_id)
        require_may_read(request.member, doubtful.mailbox)
    ours = request.POST.get("ours") == "yes"
    actions.decide(doubtful.pk, ours, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("It is being read.") if ours else _("It stays unread."))
    return redirect("intake:quarantine")
