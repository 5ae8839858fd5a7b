"""The pages of snippets: all of them, a new one, and one to change or remove."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from gatepost.accounts.membership import by, page
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.snippets import actions, queries
from gatepost.snippets.forms import NewSnippet, SnippetText
from gatepost.snippets.models import Snippet


@page
def snippets(request: Any) -> HttpResponse:
    return render(request, "snippets/snippets.html", {"rows": queries.rows()})


@page(write=True)
def new(request: Any) -> HttpResponse:
    form = NewSnippet(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"].strip()
        if _saved(request, form, name, new=True):
            messages.success(request, _("Saved."))
            return redirect("snippets:snippet", name)
    return render(request, "snippets/new.html", {"form": form})


@page
def snippet(request: Any, name: str) -> HttpResponse:
    with inside(request.workspace.id):
        row = queries.row_of(get_object_or_404(Snippet, name=name))
    form = SnippetText(request.POST if request.method == "POST" else None, initial={"body": row.body})
    if request.method == "POST":
        if request.POST.get("do") == "remove":
            actions.remove(name, workspace_id=request.workspace.id, actor=by(request.member))
            messages.success(request, _("Removed. A step that still names it waits for you to change it."))
            return redirect("snippets:snippets")
        if form.is_valid() and _saved(request, form, name):
            messages.success(request, _("Saved. Mails composed from now on have this text."))
            return redirect("snippets:snippet", name)
    return render(request, "snippets/snippet.html", {"row": row, "form": form})


def _saved(request: Any, form: SnippetText, name: str, *, new: bool = False) -> bool:
    try:
        actions.save(request.workspace.id, name, form.cleaned_data["body"], actor=by(request.member), new=new)
    except (BadInput, Conflict) as error:
        form.add_error(None, error.message)
        return False
    return True
