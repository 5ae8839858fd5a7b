"""The pages of the outbox: what is planned, on its way, held and sent, and the decision about what is held."""

from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from gatepost.accounts.membership import by, page
from gatepost.audit.reveal import reveal
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.queries import require_may_read, require_may_send_from
from gatepost.outbox import actions, lists, optout, restored
from gatepost.outbox.models import Message, Recovery, Stray
from gatepost.vault import names
from gatepost.web.pages import page_of
from gatepost.web.parameters import change_in, id_in, moment_in
from gatepost.web.weeks import span_in


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
    # What waits is shown in the order in which it leaves; all else by the newest.
    waiting = chosen.part == "waiting"
    rows = page_of(
        found.filter(not_before__isnull=False) if waiting else found,
        by="not_before" if waiting else "planned_at", after=asked.get("after", ""), newest_first=not waiting,
    )  # fmt: skip
    context = {
        "rows": replace(rows, rows=[lists.row_of(each) for each in rows]),
        "chosen": chosen,
        "narrowed": chosen != lists.Chosen(part=chosen.part),
        "held": lists.held_count(request.member),
        "zone": request.workspace.time_zone,
    }
    return render(request, "outbox/outbox.html", context)


@page
def message(request: Any, message_id: UUID) -> HttpResponse:
    """One message with its text. That somebody opened it is in the record."""
    found = get_object_or_404(Message.objects.select_related("contact", "mailbox"), pk=message_id)
    require_may_read(request.member, found.mailbox)
    texts = reveal(by(request.member), found, "subject", "body", reason="outbox page")
    context = {"row": lists.row_of(found), "evidence": lists.evidence(found), **texts}
    return render(request, "outbox/message.html", context)


@page(write=True)
@require_POST
def decide(request: Any, message_id: UUID) -> HttpResponse:
    decision = request.POST.get("decision", "")
    if decision not in actions.DECISIONS:
        raise BadInput(_("Choose one of the three: it was sent, send it now, or drop it."))
    with inside(request.workspace.id):
        found = get_object_or_404(Message.objects.select_related("mailbox"), pk=message_id)
        require_may_send_from(request.member, found.mailbox)
    actions.resolve(message_id, decision, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Decided."))
    return redirect("/outbox/?part=held")


@page(write=True)
@require_POST
def change(request: Any) -> HttpResponse:
    """One of actions.CHANGES to one waiting mail, or to all that are ticked."""
    asked = request.POST
    name, ids = change_in(asked, "message")
    if name not in actions.CHANGES:
        raise BadInput(_("Choose what to do: send now, before others, postpone or skip."))
    until = moment_in(asked, "until", request.workspace.time_zone) if name == "postpone" else None
    with inside(request.workspace.id):
        found = list(Message.objects.select_related("mailbox").filter(pk__in=ids))
        for each in found:
            require_may_send_from(request.member, each.mailbox)
    if not found:
        raise Http404
    done = actions.change_each(
        [each.pk for each in found], name, until, workspace_id=request.workspace.id, actor=by(request.member)
    )
    if done.count:
        told = ngettext("Done: %(n)s mail.", "Done: %(n)s mails.", done.count) % {"n": done.count}
        messages.success(request, told)
    for reason in sorted(set(done.left_out)):
        messages.warning(request, reason)
    return redirect("/outbox/?part=waiting")


@page
def recovery(request: Any) -> HttpResponse:
    """After a restore: what is known, what is missing, what would leave, and the button that lets it."""
    found = Recovery.objects.filter(go_at__isnull=True).first()
    context: dict[str, Any] = {"recovery": found, "strays": Stray.objects.count()}
    if found is not None:
        progress = restored.progress(found)
        context["progress"] = progress
        context["waiting"] = [names.open(each, "address") or "" for each in progress.waiting]
    return render(request, "outbox/recovery.html", context)


@page(administer=True)
@require_POST
def go(request: Any) -> HttpResponse:
    restored.go(request.workspace.id, actor=by(request.member))
    messages.success(request, _("Sending goes on."))
    return redirect("outbox:outbox")


@csrf_exempt  # mail providers post here without ever having seen a page of ours (RFC 8058)
def unsubscribe(request: Any, token: str) -> HttpResponse:
    """Opting out, without signing in. Looking changes nothing, since programs look at every address in a mail."""
    message_id = optout.message_of(token)
    known = message_id is not None and actions.can_opt_out(message_id)
    if request.method == "POST" and message_id is not None and known:
        actions.opt_out(message_id)
        return render(request, "outbox/unsubscribed.html")
    return render(request, "outbox/unsubscribe.html", {"known": known}, status=200 if known else 404)
