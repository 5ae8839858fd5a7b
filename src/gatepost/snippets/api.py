"""Snippets over the API."""

from datetime import datetime

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status

from gatepost.accounts.tokens import reads, writer
from gatepost.snippets import actions, queries
from gatepost.snippets.models import Snippet

router = Router(tags=["snippets"])


class SnippetIn(Schema):
    body: str


class SnippetOut(SnippetIn):
    name: str
    changed_at: datetime


@router.get("/snippets", response=list[SnippetOut], summary="List snippets by name")
@reads
def snippets(request: HttpRequest) -> list[queries.SnippetRow]:
    return queries.rows()


@router.get("/snippets/{name}", response=SnippetOut, summary="One snippet")
@reads
def snippet(request: HttpRequest, name: str) -> queries.SnippetRow:
    return queries.row_of(get_object_or_404(Snippet, name=name))


@router.put("/snippets/{name}", response=SnippetOut, summary="Write a snippet, or write it anew")
def save(request: HttpRequest, name: str, given: SnippetIn) -> queries.SnippetRow:
    who = writer(request)
    actions.save(who.workspace_id, name, given.body, actor=who.actor)
    return reads(lambda request: queries.row_of(Snippet.objects.get(name=name)))(request)


@router.delete("/snippets/{name}", response={204: None}, summary="Remove a snippet")
def remove(request: HttpRequest, name: str) -> Status[None]:
    who = writer(request)
    actions.remove(name, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)
