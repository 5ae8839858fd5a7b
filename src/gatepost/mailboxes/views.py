"""The pages of mailboxes: the list, adding one, the way back from Microsoft, one mailbox."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost.accounts.membership import by, page
from gatepost.accounts.rules import Ability
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes import (
    actions,
    features,
    gaps,
    handover,  # noqa: F401  says what becomes of the mailboxes of a member who is removed
    letterhead,
    letters,  # noqa: F401  registers what our letters say
    notices,
    probes,
    queries,
    rules,
    waiting_room,
    waiting_views,
    watch,
)
from gatepost.mailboxes.forms import LetterheadForm, Limits, MailboxSettings
from gatepost.mailboxes.models import Mailbox
from gatepost.vault import names
from gatepost.web.parameters import id_in
from gatepost.web.sessions import session_key

SEND_ONLY = "send-only"  # the profile as a form names it


@page
def mailboxes(request: Any) -> HttpResponse:
    rows = queries.rows_of_mailboxes()
    health = watch.health_of_all([row.mailbox for row in rows])
    shown = [(row, health[row.mailbox.pk]) for row in rows]
    context = {"rows": shown, "held": waiting_views.rows_of_held(request.member)}
    return render(request, "mailboxes/mailboxes.html", context)


@page(write=True)
def new(request: Any) -> HttpResponse:
    """What connecting means, and the two ways that lead to Microsoft."""
    if request.method == "POST":
        mailbox_id = id_in(request.POST, "mailbox")
        if mailbox_id is not None:
            _require_own(request, mailbox_id)
        address = actions.start_connect(
            request.member,
            session_key=session_key(request),
            send_only=request.POST.get("profile") == SEND_ONLY,
            mailbox_id=mailbox_id,
        )
        return redirect(address)
    workspace = request.workspace
    context = {
        "permissions": rules.permissions_of(rules.scopes_to_ask(workspace.features)),
        "for_sending_only": rules.permissions_of(rules.scopes_to_ask(rules.ALWAYS)),
        "reads": "replies" in workspace.features,
        "meets": "meetings" in workspace.features,
        "domains": workspace.mailbox_domains,
        "held": waiting_views.rows_of_held(request.member),
    }
    return render(request, "mailboxes/new.html", context)


def connected(request: Any) -> HttpResponse:
    """Microsoft sends the browser back to here, a rep's or an administrator's."""
    state = request.GET.get("state", "")
    if "admin_consent" in request.GET or waiting_room.is_consent_state(state):
        return waiting_views.come_from_approval(request, state)
    outcome = actions.finish_connect(request.GET.dict(), session_key=session_key(request))
    if isinstance(outcome, actions.Connected):
        said = _("Connected again: %(address)s") if outcome.again else _("Connected: %(address)s")
        messages.success(request, said % {"address": _address(request, outcome.mailbox_id)})
        return redirect("mailboxes:mailbox", outcome.mailbox_id)
    if isinstance(outcome, actions.NotApproved):
        return redirect("mailboxes:attempt", outcome.attempt_id)
    # The address that Microsoft made holds a code and a state: neither stays in the browser's history.
    request.session["not_connected"] = {
        **asdict(outcome.refusal),
        "attempt": str(outcome.attempt_id) if outcome.attempt_id else None,
    }
    return redirect("mailboxes:refused")


def refused(request: Any) -> HttpResponse:
    """Why the last sign-in of this browser connected nothing."""
    outcome = request.session.get("not_connected")
    if outcome is None:
        return redirect("mailboxes:mailboxes")
    return render(request, "mailboxes/not_connected.html", {"outcome": outcome}, status=400)


@page
def mailbox(request: Any, mailbox_id: UUID) -> HttpResponse:
    form = None
    if request.method == "POST":
        _require_own(request, mailbox_id)
        form = MailboxSettings(request.POST)
        if form.is_valid():
            try:
                actions.change_settings(
                    mailbox_id,
                    workspace_id=request.workspace.id,
                    actor=by(request.member),
                    **form.cleaned_data,
                )
            except BadInput as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Saved."))
                return redirect("mailboxes:mailbox", mailbox_id)
    with inside(request.workspace.id):
        found = get_object_or_404(Mailbox.objects.select_related("member", "workspace"), pk=mailbox_id)
        context = {
            "row": queries.row_of(found),
            "features": features.on_mailbox(found),
            "reads": "replies" in found.running,
            "may_not_send": features.why_it_may_not_send(found),
            "grants": queries.grants_of(found),
            "form": form or MailboxSettings(initial=_settings_of(found)),
            "health": watch.health_of(found),
            "vitals": watch.vitals_of(found),
            "checklist": probes.checklist(found),
            "gaps": gaps.of_mailbox(found),
            "may_change": queries.may_change(request.member, found),
        }
        return render(request, "mailboxes/mailbox.html", context)


@page(write=True)
def letterhead_of(request: Any, mailbox_id: UUID) -> HttpResponse:
    """How the mails of a mailbox are signed, and which address they come from."""
    _require_own(request, mailbox_id)
    with inside(request.workspace.id):
        found = Mailbox.objects.get(pk=mailbox_id)
        form = LetterheadForm(found, request.POST or None)
        shown = {"address": names.open(found, "address"), "preview": letterhead.signature_html(found)}
    if request.method == "POST" and form.is_valid():
        try:
            letterhead.change(
                mailbox_id,
                letterhead.Letterhead(**form.cleaned_data),
                workspace_id=request.workspace.id,
                actor=by(request.member),
            )
        except BadInput as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Saved. Mails composed from now on look like this."))
            return redirect("mailboxes:letterhead", mailbox_id)
    return render(request, "mailboxes/letterhead.html", {"mailbox": found, "form": form, **shown})


@page(write=True)
def disconnect(request: Any, mailbox_id: UUID) -> HttpResponse:
    _require_own(request, mailbox_id)
    if request.method == "POST":
        actions.disconnect(mailbox_id, workspace_id=request.workspace.id, actor=by(request.member))
        messages.success(request, _("Disconnected. Nothing is sent or read any more."))
        return redirect("mailboxes:mailbox", mailbox_id)
    found = get_object_or_404(Mailbox.objects.select_related("member", "workspace"), pk=mailbox_id)
    return render(request, "mailboxes/disconnect.html", {"row": queries.row_of(found)})


@page(changes=Ability.ADMINISTER)
def permissions(request: Any) -> HttpResponse:
    """What Gatepost does with the mailboxes of this workspace, and which may be connected."""
    form = None
    if request.method == "POST":
        form = Limits(request.POST)
        if form.is_valid():
            features.limit(request.workspace.id, actor=by(request.member), **form.cleaned_data)
            messages.success(request, _("Saved. What is connected already stays connected."))
            return redirect("mailboxes:permissions")
    with inside(request.workspace.id):
        context = {
            "switches": features.switches(request.workspace),
            "form": form or Limits(initial=_limits_of(request.workspace)),
            "tenants": features.connected_tenants(list(Mailbox.objects.all())),
        }
        return render(request, "mailboxes/switches.html", context)


@page(administer=True)
@require_POST
def switch(request: Any) -> HttpResponse:
    """One feature on or off."""
    name, on = request.POST.get("feature", ""), request.POST.get("on") == "yes"
    features.switch(request.workspace.id, name, on, actor=by(request.member))
    if on:
        messages.success(
            request,
            _("Switched on. Each mailbox says on its page what Microsoft must still be asked for."),
        )
    else:
        messages.success(
            request,
            _(
                "Switched off. Its permission is asked for no more; what Microsoft granted stays until it is revoked there."
            ),
        )
    return redirect("mailboxes:permissions")


@page(administer=True)
@require_POST
def mark(request: Any, mailbox_id: UUID) -> HttpResponse:
    """A mailbox is dedicated to outreach, or not."""
    with inside(request.workspace.id):
        get_object_or_404(Mailbox, pk=mailbox_id)
    outreach_only = request.POST.get("outreach_only") == "yes"
    features.mark(mailbox_id, outreach_only, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Saved."))
    return redirect("mailboxes:mailbox", mailbox_id)


def _limits_of(workspace: Any) -> dict[str, object]:
    values = features.limits_of(workspace)
    return {name: "\n".join(v) if isinstance(v, list) else v for name, v in values.items()}


@page(write=True)
def pause(request: Any, mailbox_id: UUID) -> HttpResponse:
    _require_own(request, mailbox_id)
    if request.method == "POST":
        watch.pause(mailbox_id, workspace_id=request.workspace.id, actor=by(request.member))
        messages.success(request, _("Paused. Nothing is sent; replies are still noticed."))
    return redirect("mailboxes:mailbox", mailbox_id)


@page(write=True)
def resume(request: Any, mailbox_id: UUID) -> HttpResponse:
    _require_own(request, mailbox_id)
    if request.method == "POST":
        watch.resume(mailbox_id, workspace_id=request.workspace.id, actor=by(request.member))
        messages.success(request, _("It sends again. What waited goes out one after another."))
    return redirect("mailboxes:mailbox", mailbox_id)


@page(write=True)
def probe(request: Any, mailbox_id: UUID) -> HttpResponse:
    """Everything is tried again; with the tick a draft too."""
    _require_own(request, mailbox_id)
    if request.method == "POST":
        agreed = bool(request.POST.get("drafts"))
        probes.ask(mailbox_id, workspace_id=request.workspace.id, drafts=agreed, actor=by(request.member))
        messages.success(request, _("Being tried. The list below fills by itself."))
    return redirect(reverse("mailboxes:mailbox", args=[mailbox_id]) + "#works")


@page
def notice_list(request: Any) -> HttpResponse:
    """What the member was told and has not put away; a part of every page."""
    unseen = notices.unseen(request.member)
    boxes = {notice.mailbox.pk: notice.mailbox for notice in unseen if notice.mailbox}
    health = watch.health_of_all(list(boxes.values())) if boxes else {}
    shown = [
        (notice, health.get(notice.mailbox_id), actions.own_address(boxes[notice.mailbox_id]))
        if notice.mailbox_id
        else (notice, None, "")
        for notice in unseen
    ]
    return render(request, "mailboxes/notices.html", {"notices": shown})


@page
def put_away(request: Any, notice_id: UUID) -> HttpResponse:
    if request.method == "POST":
        notices.put_away(notice_id, request.member)
    return redirect("mailboxes:notices")


def _require_own(request: Any, mailbox_id: UUID) -> None:
    with inside(request.workspace.id):
        queries.require_may_change(request.member, get_object_or_404(Mailbox, pk=mailbox_id))


def _address(request: Any, mailbox_id: UUID) -> str:
    with inside(request.workspace.id):
        return names.open(Mailbox.objects.get(pk=mailbox_id), "address") or ""


def _settings_of(found: Mailbox) -> dict[str, object]:
    return {name: getattr(found, name) for name in MailboxSettings.base_fields}
