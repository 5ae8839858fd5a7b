"""The pages of erasing: what will go and what stays, receipts, and how long each kind of data is kept."""

import tempfile
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from gatepost.accounts.membership import by, page
from gatepost.accounts.models import Member
from gatepost.accounts.rules import Ability
from gatepost.contacts.models import Contact
from gatepost.erasure import actions, export, queries, rules
from gatepost.erasure.forms import Confirm, Times
from gatepost.erasure.models import Erasure
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.rules import LEFT_AT_MICROSOFT
from gatepost.vault import names
from gatepost.vault.signing import public_key
from gatepost.web.pages import page_of

SALT = "receipt"


@page(write=True)
def erase_mailbox(request: Any, mailbox_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        mailbox = get_object_or_404(Mailbox.objects.select_related("member"), pk=mailbox_id)
        queries.require_may_erase(request.member, mailbox)
        address = names.open(mailbox, "address") or ""
        context = {"mailbox": mailbox, "address": address, "going": queries.going_with(mailbox)}
    form = Confirm(request.POST or None, what=address)
    if request.method == "POST" and form.is_valid():
        order = actions.erase_mailbox
        return _ordered(request, order, mailbox_id, form) or _ask(request, "mailbox", form, context)
    return _ask(request, "mailbox", form, context)


@page(administer=True)
def erase_contact(request: Any, contact_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        contact = get_object_or_404(Contact, pk=contact_id)
        address = names.open(contact, "email") or ""
        context = {"contact": contact, "address": address, "going": queries.going_with_contact(contact)}
    form = Confirm(request.POST or None, what=address)
    if request.method == "POST" and form.is_valid():
        order = actions.erase_contact
        return _ordered(request, order, contact_id, form) or _ask(request, "contact", form, context)
    return _ask(request, "contact", form, context)


@page(own=True)
def close_workspace(request: Any) -> HttpResponse:
    form = Confirm(request.POST or None, what=request.workspace.name)
    if request.method == "POST" and form.is_valid():
        ordered = _ordered(request, _close, request.workspace.id, form)
        return ordered or _ask(request, "workspace", form, {})
    return _ask(request, "workspace", form, {})


def _close(subject_id: UUID, *, workspace_id: UUID, confirm: str, actor: Any) -> Erasure:
    return actions.close_workspace(subject_id, confirm=confirm, actor=actor)


def _ordered(request: Any, order: Any, subject_id: UUID, form: Confirm) -> HttpResponse | None:
    """It is ordered, and the page of its receipt follows; None where the confirmation is wrong."""
    confirm = form.cleaned_data["confirm"]
    try:
        erasure = order(
            subject_id, workspace_id=request.workspace.id, confirm=confirm, actor=by(request.member)
        )
    except BadInput as error:
        form.add_error("confirm", error.message)
        return None
    return redirect("erasure:receipt", ticket_of(erasure))


def _ask(request: Any, kind: str, form: Confirm, context: dict[str, Any]) -> HttpResponse:
    stays = rules.STAYS[kind]
    return render(request, f"erasure/{kind}.html", {**context, "form": form, "stays": stays})


@page(administer=True)
def export_contact(request: Any, contact_id: UUID) -> HttpResponse:
    """Everything about a person. A POST, since it leaves entries in the record."""
    if request.method != "POST":
        return redirect("contacts:contact", contact_id)
    with inside(request.workspace.id):
        get_object_or_404(Contact, pk=contact_id)
    said = export.export_contact(contact_id, workspace_id=request.workspace.id, actor=by(request.member))
    return _download(HttpResponse(said, content_type="application/json"), f"person-{contact_id}.json")


@page(own=True)
def export_workspace(request: Any) -> Any:
    if request.method != "POST":
        return redirect("erasure:workspace")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    export.export_workspace(file, workspace_id=request.workspace.id, actor=by(request.member))
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="gatepost.zip")


@page
def erased(request: Any) -> HttpResponse:
    """What was erased, each with its receipt; a part of the privacy page."""
    rows = page_of(queries.erasures(), by="ordered_at", after=request.GET.get("after", ""))
    people = {str(key): name for key, name in Member.objects.values_list("pk", "name")}
    tickets = [
        (each, ticket_of(each), people.get(each.ordered_by.rpartition(" ")[2], each.ordered_by))
        for each in rows
    ]
    context = {"rows": rows, "tickets": tickets, "public_key": public_key(actions.RECEIPTS)}
    return render(request, "erasure/erased.html", context)


@page
def mailbox_kept(request: Any, mailbox_id: UUID) -> HttpResponse:
    """How long a mailbox is kept when it is not connected; a part of its pages."""
    found = get_object_or_404(Mailbox, pk=mailbox_id)
    context = {
        "erased_on": queries.erased_on(found, request.workspace),
        "days": rules.days_kept("disconnected", request.workspace.retention),
    }
    return render(request, "erasure/mailbox_kept.html", context)


@page(changes=Ability.ADMINISTER)
def kept(request: Any) -> HttpResponse:
    """How long each kind of data is kept; an administrator may choose within limits."""
    form = Times(
        request.POST or None, initial={row.kind.kind: row.days for row in queries.kinds(request.workspace)}
    )
    if request.method == "POST" and form.is_valid():
        actions.choose_retention(request.workspace.id, form.cleaned_data, actor=by(request.member))
        messages.success(request, _("Saved. What has been kept longer than that is removed within minutes."))
        return redirect("erasure:kept")
    rows = [(row, form[row.kind.kind]) for row in queries.kinds(request.workspace)]
    return render(request, "erasure/kept.html", {"rows": rows, "form": form, "for_good": rules.KEPT})


# Receipts are read without signing in: whoever has the address was given it, and nobody stands in them.


def receipt(request: Any, ticket: str) -> HttpResponse:
    erasure = _of_ticket(ticket)
    context = {
        "erasure": erasure,
        "ticket": ticket,
        "by": erasure.ordered_by.split()[0] if erasure.ordered_by != "the operator" else erasure.ordered_by,
        "left": [LEFT_AT_MICROSOFT[each] for each in erasure.left_at_microsoft],
        "stays": rules.STAYS[erasure.kind],
    }
    return render(request, "erasure/receipt.html", context)


def receipt_file(request: Any, ticket: str) -> HttpResponse:
    erasure = _of_ticket(ticket)
    if not erasure.receipt:
        raise Http404("There is no receipt yet.")
    return _download(
        HttpResponse(erasure.receipt, content_type="application/json"), f"gatepost-receipt-{erasure.pk}.json"
    )


def ticket_of(erasure: Erasure) -> str:
    """What stands in the address of a receipt: signed, so that nobody can guess one."""
    return signing.dumps([str(erasure.workspace_id), str(erasure.pk)], salt=SALT)


def _of_ticket(ticket: str) -> Erasure:
    try:
        workspace_id, erasure_id = signing.loads(ticket, salt=SALT)
    except signing.BadSignature:
        raise Http404("No such receipt.") from None
    with inside(UUID(workspace_id)):
        return get_object_or_404(Erasure, pk=erasure_id)


def _download(response: HttpResponse, name: str) -> HttpResponse:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
