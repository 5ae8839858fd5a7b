"""Spintax: `{Hi|Hello|Good morning}` becomes one of its alternatives, always the same one for the same seed.

It works on what a rep wrote, before any field is filled in: braces in a contact's name stay braces. Liquid inside an
alternative is left whole; braces without a bar are text.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Union

from .patterns import compiled
from .templates import Problem

MAX_DEPTH = 3
MAX_ALTERNATIVES = 20
OFF = "“{…|…}” offers alternatives, and this sequence does not choose among any. Switch that on, or write one wording."

Choose = Callable[[int, int], int]  # number of the group from 0, how many it has: which one, from 0


@dataclass(slots=True)
class _Group:
    at: int
    number: int
    options: list[list[Union[str, "_Group"]]] = field(default_factory=lambda: [[]])


def has_alternatives(source: str) -> bool:
    return bool(_groups(_parse(source)[0]))


def spin(source: str, choose: Choose) -> str:
    """The source with one alternative in the place of each group."""
    return "".join(_spun(_parse(source)[0], choose))


def chooser(seed: str) -> Choose:
    """Chooses evenly, and the same whenever it is asked with this seed."""

    def choose(number: int, count: int) -> int:
        digest = hashlib.sha256(f"{seed}|{number}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % count

    return choose


def every_alternative(source: str) -> Iterator[str]:
    """The source as often as it takes to show each alternative once, with every line where it was."""
    parts, _unclosed = _parse(source)
    most = max((len(group.options) for group in _groups(parts)), default=1)
    for turn in range(most):
        yield "".join(_spun(parts, _at_most(turn), keep_lines=True))


def _at_most(turn: int) -> Choose:
    return lambda _number, count: min(turn, count - 1)


def problems(source: str, parses: Callable[[str], bool]) -> list[Problem]:
    """What its writer has to change. `parses`: whether a piece of a template is whole by itself."""
    parts, unclosed = _parse(source)
    found = [
        Problem(_line(source, at), "Close these alternatives with a brace: {Hi|Hello}.") for at in unclosed
    ]
    for group, depth in _with_depth(parts):
        line = _line(source, group.at)
        if depth > MAX_DEPTH:
            found.append(Problem(line, f"Alternatives stand in one another at most {MAX_DEPTH} deep."))
        if len(group.options) > MAX_ALTERNATIVES:
            found.append(Problem(line, f"Offer at most {MAX_ALTERNATIVES} alternatives in one place."))
        if not all(parses("".join(_spun(option, lambda _number, _count: 0))) for option in group.options):
            found.append(Problem(line, "An alternative must be whole: an “if” that begins in it ends in it."))
    return found


_SPECIAL = compiled(r"[{}|]")
_CLOSES = {"{{": "}}", "{%": "%}"}


def _parse(source: str) -> tuple[list[str | _Group], list[int]]:
    """Text and groups, and where groups begin that have a bar and no end."""
    whole: list[str | _Group] = []
    into, open_groups, number, at = whole, [], 0, 0
    parents: list[list[str | _Group]] = []
    while found := _SPECIAL.search(source, at):
        start = found.start()
        into.append(source[at:start])
        at = start + 1
        pair = source[start : start + 2]
        if pair in _CLOSES and source[start : start + 3] != "{{{":
            closed = source.find(_CLOSES[pair], start + 2)
            at = len(source) if closed < 0 else closed + 2
            into.append(source[start:at])
        elif source[start] == "{":
            group = _Group(start, number)
            number += 1
            parents.append(into)
            open_groups.append(group)
            into = group.options[0]
        elif source[start] == "|" and open_groups:
            open_groups[-1].options.append([])
            into = open_groups[-1].options[-1]
        elif source[start] == "}" and open_groups:
            group, into = open_groups.pop(), parents.pop()
            into += [group] if len(group.options) > 1 else ["{", *group.options[0], "}"]
        else:
            into.append(source[start])
    into.append(source[at:])
    unclosed = []
    while open_groups:  # as it was written
        group, into = open_groups.pop(), parents.pop()
        if len(group.options) > 1:
            unclosed.append(group.at)
        into.append("{")
        for place, option in enumerate(group.options):
            into += ["|", *option] if place else option
    return whole, unclosed[::-1]


def _spun(parts: list[str | _Group], choose: Choose, *, keep_lines: bool = False) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
            continue
        chosen = choose(part.number, len(part.options))
        for place, option in enumerate(part.options):
            if place == chosen:
                yield from _spun(option, choose, keep_lines=keep_lines)
            elif keep_lines:
                left_out = "".join(_spun(option, lambda _number, _count: 0, keep_lines=True))
                yield "\n" * left_out.count("\n")


def _groups(parts: list[str | _Group]) -> list[_Group]:
    return [group for group, _depth in _with_depth(parts)]


def _with_depth(parts: list[str | _Group], depth: int = 1) -> Iterator[tuple[_Group, int]]:
    for part in parts:
        if isinstance(part, _Group):
            yield part, depth
            for option in part.options:
                yield from _with_depth(option, depth + 1)


def _line(source: str, at: int) -> int:
    return source.count("\n", 0, at) + 1
