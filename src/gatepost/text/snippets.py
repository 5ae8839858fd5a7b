"""Snippets: `{{ snippet.pricing }}` becomes a text that the team wrote once, before any field is filled in.

A snippet is a template of its own and names no other one, so that nothing can go round in circles.
"""

import difflib
from collections.abc import Mapping

from .patterns import compiled
from .templates import Problem, TemplateError

NAME = compiled(r"[a-z][a-z0-9_]{0,39}")
MAX_LENGTH = 10_000
_NAMED = compiled(r"\{\{-?\s*snippet\.(\w+)\s*-?\}\}")


def named_in(source: str) -> set[str]:
    """The names of the snippets that the source wants."""
    return {found.group(1) for found in _NAMED.finditer(source)}


def expand(source: str, texts: Mapping[str, str]) -> str:
    """The source with each snippet in its place. Raises TemplateError where one is not there."""
    if missing := problems(source, set(texts)):
        raise TemplateError(missing)
    pieces, at = [], 0
    for found in _NAMED.finditer(source):
        pieces += [source[at : found.start()], texts[found.group(1)]]
        at = found.end()
    return "".join([*pieces, source[at:]])


def without(source: str) -> str:
    """The source with its snippets left out, every line where it was."""
    pieces, at = [], 0
    for found in _NAMED.finditer(source):
        pieces += [source[at : found.start()], "\n" * found.group(0).count("\n")]
        at = found.end()
    return "".join([*pieces, source[at:]])


def problems(source: str, known: set[str]) -> list[Problem]:
    """Each snippet that is named and not there."""
    found = []
    for each in _NAMED.finditer(source):
        name = each.group(1)
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
            advice = f" Did you mean “{near[0]}”?" if near else " Snippets are on a page of their own."
            line = source.count("\n", 0, each.start()) + 1
            found.append(Problem(line, f"There is no snippet “{name}”.{advice}"))
    return found
