"""The pages of contacts: the list, adding and importing, one contact, and who must never be written to."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time
from itertools import chain
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gatepost import clock
from gatepost.accounts.membership import by, page
from gatepost.contacts import actions, imports, lists, outlook, queries, rules
from gatepost.contacts.forms import ContactForm, FieldForm, Hold, Import, Lift, NewSuppression
from gatepost.contacts.models import Company, Contact, ContactImport, Suppression
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.vault import names
from gatepost.web.pages import page_of
from gatepost.web.parameters import id_in


@page
def contacts(request: Any) -> HttpResponse:
    """The list, and what is done to the ticked ones at once."""
    if request.method == "POST":
        return _assign(request)
    wanted = queries.filter_in(request.GET)
    found = page_of(
        queries.found(request.workspace.id, wanted), by="created_at", after=request.GET.get("after", "")
    )
    rows = replace(found, rows=[queries.row_of(contact) for contact in found])
    context = {
        "rows": rows,
        "search": wanted.text,
        "wanted": wanted,
        "members": queries.members(),
        "stages": Contact.Stage.choices,
    }
    return render(request, "contacts/contacts.html", context)


def _assign(request: Any) -> HttpResponse:
    chosen = [each for text in request.POST.getlist("contact") if (each := id_in({"id": text}, "id"))]
    if not chosen:
        raise BadInput(_("Tick at least one contact."))
    count = actions.assign(
        chosen,
        workspace_id=request.workspace.id,
        actor=by(request.member),
        owner_id=id_in(request.POST, "owner"),
        stage=request.POST.get("stage", ""),
    )
    messages.success(request, _("%(count)s changed.") % {"count": count})
    return redirect(f"{reverse('contacts:contacts')}?{request.GET.urlencode()}")


@page(write=True)
def new(request: Any) -> HttpResponse:
    with inside(request.workspace.id):
        own = queries.fields()
    form = ContactForm(request.POST or None, own=own)
    if request.method == "POST" and form.is_valid():
        try:
            contact = actions.add_contact(
                request.workspace.id,
                form.known,
                actor=by(request.member),
                further=form.further,
                owner=request.member,
            )
        except (BadInput, Conflict) as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Added."))
            return redirect("contacts:contact", contact.id)
    return render(request, "contacts/new.html", {"form": form})


@page(write=True)
def edit(request: Any, contact_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        found = get_object_or_404(Contact.objects.select_related("company"), pk=contact_id)
        initial = {
            **actions.values_of(found),
            **{f"own-{n}": t for n, t in queries.further_fields(found).items()},
        }
        form = ContactForm(request.POST or None, own=queries.fields(), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_contact(
                contact_id,
                form.known,
                workspace_id=request.workspace.id,
                actor=by(request.member),
                further=form.further,
            )
        except (BadInput, Conflict) as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Saved."))
            return redirect("contacts:contact", contact_id)
    return render(request, "contacts/edit.html", {"form": form, "contact_id": contact_id})


@page(write=True)
def merge(request: Any, contact_id: UUID) -> HttpResponse:
    """Choose the contact that this one is merged with."""
    if request.method == "POST":
        other = id_in(request.POST, "other")
        if other is None:
            raise BadInput(_("Choose the contact to merge with."))
        actions.merge(contact_id, other, workspace_id=request.workspace.id, actor=by(request.member))
        messages.success(request, _("Merged. Mails, replies and meetings of both are here now."))
        return redirect("contacts:contact", contact_id)
    found = get_object_or_404(Contact.objects.select_related("company"), pk=contact_id)
    text = request.GET.get("search", "").strip() or names.open(found, "last_name") or ""
    others = queries.found(request.workspace.id, text).exclude(pk=contact_id)[:20]
    context = {
        "row": queries.row_of(found),
        "search": text,
        "others": [queries.row_of(each) for each in others],
    }
    return render(request, "contacts/merge.html", context)


@page
def fields(request: Any) -> HttpResponse:
    """The fields of one's own."""
    form = FieldForm(request.POST or None)
    if request.method == "POST":
        gone = id_in(request.POST, "remove")
        if gone is not None:
            actions.remove_field(gone, workspace_id=request.workspace.id, actor=by(request.member))
            messages.success(request, _("Removed. Values that contacts hold stay until they are changed."))
            return redirect("contacts:fields")
        if form.is_valid():
            try:
                actions.save_field(
                    request.workspace.id,
                    form.cleaned_data["label"],
                    kind=form.cleaned_data["kind"],
                    choices=form.cleaned_data["choices"].splitlines(),
                    actor=by(request.member),
                )
            except (BadInput, Conflict) as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Added."))
                return redirect("contacts:fields")
    with inside(request.workspace.id):
        return render(request, "contacts/fields.html", {"form": form, "fields": queries.fields()})


@page
def companies(request: Any) -> HttpResponse:
    text = request.GET.get("search", "").strip()
    found = page_of(
        queries.companies(request.workspace.id, text), by="created_at", after=request.GET.get("after", "")
    )
    rows = replace(found, rows=queries.company_rows(found.rows))
    return render(request, "contacts/companies.html", {"rows": rows, "search": text})


@page
def company(request: Any, company_id: UUID) -> HttpResponse:
    """One company with its people, and whether everybody waits there."""
    if request.method == "POST":
        form = Hold(request.POST)
        until = form.cleaned_data["until"] if form.is_valid() else None
        if until is None and "lift" not in request.POST:
            raise BadInput(_("Choose the day until which nobody there is written to."))
        zone = ZoneInfo(request.workspace.time_zone)
        moment = datetime.combine(until, time.min, zone) if until and "lift" not in request.POST else None
        actions.hold_company(company_id, moment, workspace_id=request.workspace.id, actor=by(request.member))
        messages.success(
            request, _("Nobody there is written to until then.") if moment else _("The wait is over.")
        )
        return redirect("contacts:company", company_id)
    found = get_object_or_404(Company, pk=company_id)
    people = page_of(
        queries.found(request.workspace.id, queries.Filter(company=company_id)),
        by="created_at",
        after=request.GET.get("after", ""),
    )
    context = {
        "row": queries.company_rows([found])[0],
        "rows": replace(people, rows=[queries.row_of(each) for each in people]),
        "holds": found.hold_until is not None and found.hold_until > clock.now(),
        "form": Hold(),
    }
    return render(request, "contacts/company.html", context)


@page(write=True)
def import_file(request: Any) -> HttpResponse:
    """Upload a list; the next page asks what its columns hold."""
    form = Import(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        what = form.cleaned_data["what"] or ContactImport.What.CONTACTS
        try:
            kept = imports.upload(
                request.workspace.id, file.name, file.file, member=request.member, what=what
            )
        except BadInput as error:
            form.add_error("file", error.message)
        else:
            return redirect("contacts:imported", kept.id)
    with inside(request.workspace.id):
        context = {
            "form": form,
            "earlier": list(
                ContactImport.objects.defer("rejected_rows", "problems").order_by("-created_at")[:10]
            ),
            "outlook": bool(outlook.sources_of(request.member)),
        }
        return render(request, "contacts/import.html", context)


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
                people = outlook.ticked_of(seen, set(request.POST.getlist("person")))
            except BadInput as error:
                messages.error(request, error.message)
            else:
                done = imports.import_people(
                    request.workspace.id, people, outlook.SOURCES[feature], member=request.member
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
    """An import in each of its states: its columns to choose, its progress, and what became of its rows."""
    if request.method == "POST":
        return _go_on(request, import_id)
    found = get_object_or_404(ContactImport.objects.defer("rejected_rows"), pk=import_id)
    context: dict[str, Any] = {
        "imported": found,
        "percent": min(100 * found.at_line // max(found.lines, 1), 100),
        "under_way": found.state in imports.UNDER_WAY,
        "to_choose": found.state in (ContactImport.State.UPLOADED, ContactImport.State.CHECKED),
    }
    if context["to_choose"]:
        context |= {"columns": _columns(found), "known": lists.targets(found.what), "own": queries.fields()}
    return render(request, "contacts/imported.html", context)


def _go_on(request: Any, import_id: UUID) -> HttpResponse:
    order = request.POST.get("do", "")
    actor = by(request.member)
    if order == "stop":
        imports.stop(import_id, workspace_id=request.workspace.id, actor=actor)
        messages.success(request, _("Stopped. What was imported before stays."))
    else:
        mapping = request.POST.getlist("column")
        try:
            imports.start(
                import_id, mapping, workspace_id=request.workspace.id, dry=order == "check", actor=actor
            )
        except BadInput as error:
            messages.error(request, error.message)
    return redirect("contacts:imported", import_id)


def _columns(found: ContactImport) -> list[lists.Column]:
    head = imports.head_of(found)
    return lists.columns(head.headings, head.examples, found.mapping)


@page
def rejected(request: Any, import_id: UUID) -> Any:
    """The rows that were left out, as they were, to correct and import again."""
    found = get_object_or_404(ContactImport.objects.only("workspace_id"), pk=import_id)
    return _download("rejected.csv", imports.rejected_text(found.workspace_id, found.pk))


def _download(name: str, pieces: Iterable[str]) -> StreamingHttpResponse:
    # The mark tells Excel that it is UTF-8.
    response = StreamingHttpResponse(chain(["\ufeff"], pieces), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@page
def contact(request: Any, contact_id: UUID) -> HttpResponse:
    found = get_object_or_404(Contact.objects.select_related("company", "owner"), pk=contact_id)
    row = queries.row_of(found)
    context = {
        "row": row,
        "phone": names.open(found, "phone"),
        "further": queries.labelled_fields(found),
        "suppression": queries.is_suppressed(request.workspace.id, row.email),
        "named_in": rules.named_in(found.source),
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
    """The do-not-contact list. Of whoever was erased it holds a keyed hash, which can be asked for and not read."""
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
        listed = page_of(queries.suppressions(), by="created_at", after=request.GET.get("after", ""))
        context = {
            "rows": replace(listed, rows=[(each, names.open(each, "value") or "") for each in listed]),
            "form": form,
            "asked": asked,
            "answer": queries.is_suppressed(request.workspace.id, asked) if asked else None,
        }
        return render(request, "contacts/suppressions.html", context)


@page(write=True)
@require_POST
def export_suppressions(request: Any) -> Any:
    """The do-not-contact list to take along. That it was taken is in the record."""
    actions.note_export(request.workspace, actor=by(request.member))
    return _download("do-not-contact.csv", imports.suppressions_text(request.workspace.id))


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
