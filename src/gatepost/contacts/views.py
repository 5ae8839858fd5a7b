"""The pages of contacts: the list, adding and importing, one contact, and who must never be written to."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost.accounts.membership import by, page
from gatepost.contacts import actions, outlook, queries
from gatepost.contacts.forms import Import, Lift, NewContact, NewSuppression
from gatepost.contacts.models import Contact, ContactImport, Suppression
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.vault import names
from gatepost.web.pages import page_of
from gatepost.web.parameters import id_in


@page
def contacts(request: Any) -> HttpResponse:
    text = request.GET.get("search", "").strip()
    found = page_of(
        queries.found(request.workspace.id, text), by="created_at", after=request.GET.get("after", "")
    )
    rows = replace(found, rows=[queries.row_of(contact) for contact in found])
    return render(request, "contacts/contacts.html", {"rows": rows, "search": text})


@page(write=True)
def new(request: Any) -> HttpResponse:
    form = NewContact(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = actions.add_contact(request.workspace.id, form.cleaned_data, actor=by(request.member))
        except (BadInput, Conflict) as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Added."))
            return redirect("contacts:contact", contact.id)
    return render(request, "contacts/new.html", {"form": form})


@page(write=True)
def import_file(request: Any) -> HttpResponse:
    form = Import(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            done = actions.import_csv(request.workspace.id, file.name, file.read(), member=request.member)
        except BadInput as error:
            form.add_error("file", error.message)
        else:
            return redirect("contacts:imported", done.id)
    with inside(request.workspace.id):
        earlier = list(ContactImport.objects.order_by("-created_at")[:10])
        return render(request, "contacts/import.html", {"form": form, "earlier": earlier})


@page(write=True)
def outlook_people(request: Any) -> HttpResponse:
    """Whom the member's Outlook knows, to tick and import. Microsoft is asked when a button is pressed, not before."""
    context: dict[str, Any] = {"seen": None}
    if request.method == "POST":
        feature, mailbox_id = request.POST.get("feature", ""), id_in(request.POST, "mailbox")
        if mailbox_id is None or feature not in outlook.SOURCES:
            raise BadInput(_("Choose the list to import from."))
        seen = outlook.look(request.member, mailbox_id, feature)
        if "import" in request.POST:
            try:
                sheet = outlook.sheet_of(seen, set(request.POST.getlist("person")))
            except BadInput as error:
                messages.error(request, error.message)
            else:
                done = actions.import_people(
                    request.workspace.id, sheet, outlook.SOURCES[feature], member=request.member
                )
                return redirect("contacts:imported", done.id)
        context = {
            "seen": seen,
            "mailbox_id": mailbox_id,
            "feature": feature,
            "most": outlook.graph_people.MOST,
        }
    with inside(request.workspace.id):
        context["sources"] = outlook.sources_of(request.member)
        return render(request, "contacts/outlook.html", context)


@page
def imported(request: Any, import_id: UUID) -> HttpResponse:
    found = get_object_or_404(ContactImport.objects.defer("rejected_rows"), pk=import_id)
    return render(request, "contacts/imported.html", {"imported": found})


@page
def rejected(request: Any, import_id: UUID) -> HttpResponse:
    """The rows that were left out, as they were, to correct and import again."""
    text = queries.rejected_rows(get_object_or_404(ContactImport, pk=import_id))
    # The mark tells Excel that it is UTF-8.
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rejected.csv"'
    return response


@page
def contact(request: Any, contact_id: UUID) -> HttpResponse:
    found = get_object_or_404(Contact.objects.select_related("company"), pk=contact_id)
    row = queries.row_of(found)
    context = {
        "row": row,
        "phone": names.open(found, "phone"),
        "further": queries.further_fields(found),
        "suppression": queries.is_suppressed(request.workspace.id, row.email),
    }
    return render(request, "contacts/contact.html", context)


@page(write=True)
@require_POST
def suppress(request: Any, contact_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        address = names.open(get_object_or_404(Contact, pk=contact_id), "email") or ""
    actions.suppress(request.workspace.id, address, cause=Suppression.Cause.BY_HAND, actor=by(request.member))
    messages.success(request, _("Nobody of this workspace writes to this address any more."))
    return redirect("contacts:contact", contact_id)


@page
def suppressions(request: Any) -> HttpResponse:
    """The do-not-contact list. It holds keyed hashes: an address can be asked for, not read."""
    form = NewSuppression(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.suppress(
                request.workspace.id,
                form.cleaned_data["text"],
                kind=form.cleaned_data["kind"],
                cause=Suppression.Cause.BY_HAND,
                actor=by(request.member),
            )
        except BadInput as error:
            form.add_error("text", error.message)
        else:
            messages.success(request, _("Added to the do-not-contact list."))
            return redirect("contacts:suppressions")
    with inside(request.workspace.id):
        asked = request.GET.get("address", "").strip()
        context = {
            "rows": page_of(queries.suppressions(), by="created_at", after=request.GET.get("after", "")),
            "form": form,
            "asked": asked,
            "answer": queries.is_suppressed(request.workspace.id, asked) if asked else None,
        }
        return render(request, "contacts/suppressions.html", context)


@page(administer=True)
def lift(request: Any, suppression_id: UUID) -> HttpResponse:
    form = Lift(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.lift(
                suppression_id,
                workspace_id=request.workspace.id,
                actor=by(request.member),
                **form.cleaned_data,
            )
        except BadInput as error:
            form.add_error("reason", error.message)
        else:
            messages.success(request, _("Lifted. This address may be written to again."))
            return redirect("contacts:suppressions")
    with inside(request.workspace.id):
        found = get_object_or_404(Suppression, pk=suppression_id)
        return render(request, "contacts/lift.html", {"form": form, "suppression": found})
