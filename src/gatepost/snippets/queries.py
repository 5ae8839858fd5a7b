"""Reads about snippets. Inside the caller's workspace."""

from dataclasses import dataclass
from datetime import datetime

from gatepost.snippets.models import Snippet
from gatepost.text import snippets
from gatepost.vault import names


@dataclass(frozen=True, slots=True)
class SnippetRow:
    """A snippet with its text opened."""

    snippet: Snippet
    body: str

    @property
    def name(self) -> str:
        return self.snippet.name

    @property
    def changed_at(self) -> datetime:
        return self.snippet.changed_at


def row_of(snippet: Snippet) -> SnippetRow:
    return SnippetRow(snippet, names.open(snippet, "body") or "")


def rows() -> list[SnippetRow]:
    return [row_of(each) for each in Snippet.objects.order_by("name")]


def known_names() -> set[str]:
    return set(Snippet.objects.values_list("name", flat=True))


def put_in(source: str) -> str:
    """The source with the workspace's snippets in their places. Raises TemplateError where one is not there."""
    wanted = snippets.named_in(source)
    if not wanted:
        return source
    return snippets.expand(
        source, {row.name: row.body for row in map(row_of, Snippet.objects.filter(name__in=wanted))}
    )
