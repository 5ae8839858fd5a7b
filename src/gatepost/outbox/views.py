"""The pages of the outbox: what is planned, on its way, held and sent, and the decision about what is held."""

from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost.accounts.membership import by, page
from gatepost.audit.reveal import reveal
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.queries import require_may_read, require_may_send_from
from gatepost.outbox import actions, lists
from gatepost.outbox.models import Message
from gatepost.web.pages import page_of
from gatepost.web.parameters import id_in
from gatepost.web.weeks import span_in

DECISIONS = ("was_sent", "send_now", "drop")


@page
def outbox(request: Any) -> HttpResponse:
    asked = request.GET
    chosen = lists.Chosen(
        part=asked.get("part", ""),
        sequence_id=id_in(asked, "sequence"),
        step_id=id_in(asked, "step"),
        member_id=id_in(asked, "member"),
        within=span_in(asked, ZoneInfo(request.workspace.time_zone)),
        bounced="bounced" in asked,
    )
    found = lists.listed(lists.chosen_messages(chosen), request.member)
    rows = page_of(found, by="planned_at", after=asked.get("after", ""))
    context = {
        "rows": replace(rows, rows=[lists.row_of(each) for each in rows]),
        "chosen": chosen,
        "narrowed": chosen != lists.Chosen(part=chosen.part),
        "held": lists.held_count(request.member),
    }
    return render(request, "outbox/outbox.html", context)


@page
def message(request: Any, message_id: UUID) -> HttpResponse:
    """One message with its text. That somebody opened it is in the record."""
    found = get_object_or_404(Message.objects.select_related("contact", "mailbox"), pk=message_id)
    require_may_read(request.member, found.mailbox)
    texts = reveal(by(request.member), found, "subject", "body", reason="outbox page")
    return render(request, "outbox/message.html", {"row": lists.row_of(found), **texts})


@page(write=True)
@require_POST
def decide(request: Any, message_id: UUID) -> HttpResponse:
    decision = request.POST.get("decision", "")
    if decision not in DECISIONS:
        raise BadInput(_("Choose one of the three: it was sent, send it now, or drop it."))
    with inside(request.workspace.id):
        found = get_object_or_404(Message.objects.select_related("mailbox"), pk=message_id)
        require_may_send_from(request.member, found.mailbox)
    actions.resolve(message_id, decision, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Decided."))
    return redirect("/outbox/?part=held")
