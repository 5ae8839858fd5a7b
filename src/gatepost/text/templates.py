"""Mail templates: what a rep writes, checked as it is typed and filled when a step is sent.

The language is Liquid, cut down to what cannot loop, load or store: fields, `default` and a few filters,
`if`, `unless` and `case`. A field without a value is never sent as a hole: it is named in `Rendered.missing`.
"""

import difflib
import functools
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import liquid
from liquid.builtin import content, illegal, output
from liquid.builtin.filters import misc, string
from liquid.builtin.tags import case_tag, comment_tag, if_tag, unless_tag
from liquid.exceptions import LiquidError, LiquidSyntaxError, OutputStreamLimitError

from .patterns import compiled

MAX_SOURCE = 50_000
MAX_OUTPUT = 100_000
MAX_SUBJECT = 255  # Exchange cuts a longer subject without a word

MAX_VALUE = 10_000  # nobody's name is longer, and a column that went wrong must not become a mail

# What every template may say, with an explanation for the page. A workspace's own fields come besides.
FIELDS: dict[str, str] = {
    "first_name": "the contact's first name",
    "last_name": "the contact's last name",
    "company": "the contact's company",
    "title": "the contact's job title",
    "email": "the contact's address",
    "sender_name": "your name",
    "sender_first_name": "your first name",
}

ALLOWED_TAGS = ("if", "unless", "case", "comment")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a template that its writer has to change; the message says how."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A filled template, and the fields that had no value and no default where one was needed."""

    text: str
    missing: tuple[str, ...]


class TemplateError(ValueError):
    """The template cannot be filled; `problems` says what to change."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"line {p.line}: {p.message}" for p in problems))
        self.problems = tuple(problems)


def check(source: str, *, known: set[str]) -> list[Problem]:
    """Everything the writer has to change before this template can be sent, in the order of the lines."""
    try:
        template = _parse(source)
    except TemplateError as error:
        return list(error.problems)
    problems = (
        _unknown_fields(template, source, known) + _single_braces(source, known) + _empty_defaults(source)
    )
    if not problems:
        # A filter with a wrong argument parses, and shows only when it is filled.
        try:
            render(source, dict.fromkeys(known, "Sample"))
        except TemplateError as error:
            return list(error.problems)
    return sorted(problems, key=lambda problem: problem.line)


def render(source: str, fields: Mapping[str, str | None]) -> Rendered:
    """The template filled with `fields`. A needed field that is absent or shows nothing is listed in `missing`.

    Values are text and nothing else: no template in them is read, and what would not show in a mail is left out.
    """
    template = _parse(source)
    missing: dict[str, None] = {}
    names = _fields_of(source)
    if too_long := [name for name in names if len(fields.get(name) or "") > MAX_VALUE]:
        raise TemplateError(
            [Problem(1, f"The value of “{too_long[0]}” is longer than {MAX_VALUE:,} characters.")]
        )
    values: dict[str, object] = {name: _value(name, fields.get(name), missing) for name in names}
    try:
        text = template.render(values)
    except OutputStreamLimitError:
        raise TemplateError([Problem(1, f"The filled text is longer than {MAX_OUTPUT:,} bytes.")]) from None
    except LiquidError as error:
        raise TemplateError([_as_problem(error, source)]) from None
    return Rendered(text, tuple(missing))


def render_subject(source: str, fields: Mapping[str, str | None]) -> Rendered:
    """Like `render`, on one line and without any character that could start another header."""
    rendered = render(source, fields)
    return Rendered(one_line(rendered.text)[:MAX_SUBJECT].rstrip(), rendered.missing)


def fields_used(source: str) -> set[str]:
    """The names of all fields that the template reads. Raises TemplateError where it is broken."""
    return set(_fields_of(source))


def is_whole(source: str) -> bool:
    """Whether it can be read by itself: what begins in it ends in it."""
    try:
        _parse(source)
    except TemplateError:
        return False
    return True


def one_line(text: str) -> str:
    """The text with every control character and line break turned into a single space."""
    return " ".join("".join(" " if _is_control(char) else char for char in text).split())


def _is_control(char: str) -> bool:
    code = ord(char)
    return code < 0x20 or 0x7F <= code <= 0x9F or code in _INVISIBLE


# Line and paragraph separators, and the marks that turn the direction of what follows.
_INVISIBLE = frozenset({0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)})


class _Missing(liquid.Undefined):
    """Stands in for a field without a value; remembers that it was needed once it is written out."""

    __slots__ = ("needed",)
    force_liquid_default = True

    def __init__(self, name: str, needed: dict[str, None]) -> None:
        super().__init__(name)
        self.needed = needed

    def __str__(self) -> str:
        self.needed[self.name] = None
        return ""


def _value(name: str, value: str | None, missing: dict[str, None]) -> object:
    text = shown(value or "")
    return text if says_something(text) else _Missing(name, missing)


def shown(value: str) -> str:
    """The value without what no mail shows: control characters but line breaks, half characters, turned directions."""
    text = "\n".join(value.splitlines())  # by every sign that ends a line
    return "".join(
        char for char in text if char in "\n\t" or not (_is_control(char) or 0xD800 <= ord(char) <= 0xDFFF)
    )


# Letters and signs by their category that show as nothing: Hangul fillers, the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def says_something(text: str) -> bool:
    """Whether a reader sees anything of it."""
    return any(char not in _BLANK and unicodedata.category(char)[0] not in "CZ" for char in text)


def _default(value: object, *args: object, **named: object) -> object:
    """Liquid's `default`. An empty one leaves the hole that it should fill, so the field stays missing."""
    if isinstance(value, _Missing) and not says_something(str(args[0]) if args else ""):
        return value
    return misc.default(value, *args, **named)


def _keeping_missing(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, except that a missing field passes through it, to meet a `default` further right."""

    @functools.wraps(filter_)
    def kept(value: object, *args: object, **named: object) -> object:
        return value if isinstance(value, _Missing) else filter_(value, *args, **named)

    return kept


_FILTERS: dict[str, Callable[..., Any]] = {
    "default": _default,
    "capitalize": _keeping_missing(string.capitalize),
    "upcase": _keeping_missing(string.upcase),
    "downcase": _keeping_missing(string.downcase),
    "strip": _keeping_missing(string.strip),
    "truncate": _keeping_missing(string.truncate),
    "truncatewords": _keeping_missing(string.truncatewords),
}


class _Environment(liquid.Environment):
    block_nesting_limit = 10
    context_depth_limit = 10
    output_stream_limit = MAX_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (content.Literal, output.Output, illegal.Illegal, if_tag.IfTag, unless_tag.UnlessTag,
                    case_tag.CaseTag, comment_tag.CommentTag):  # fmt: skip
            self.add_tag(tag)
        self.filters.update(_FILTERS)


_ENVIRONMENT = _Environment()


@functools.lru_cache(maxsize=512)
def _parse(source: str) -> liquid.BoundTemplate:
    if len(source) > MAX_SOURCE:
        raise TemplateError([Problem(1, f"Shorten the template to at most {MAX_SOURCE:,} characters.")])
    if (refused := _unclosed(source)) or (refused := _refused_filters(source)):
        raise TemplateError(refused)
    try:
        return _ENVIRONMENT.from_string(source)
    except LiquidError as error:
        raise TemplateError([_as_problem(error, source)]) from None


@functools.lru_cache(maxsize=512)
def _fields_of(source: str) -> tuple[str, ...]:
    return tuple(_parse(source).variables(include_partials=False))


def _unclosed(source: str) -> list[Problem]:
    """Fields opened a second time before they are closed; python-liquid takes seconds over ten thousand."""
    opened = source.find("{{")
    while opened >= 0:
        closed = source.find("}}", opened + 2)
        following = source.find("{{", opened + 2)
        if closed < 0 or 0 <= following < closed:
            return [Problem(_line_at(source, opened), "Close this field with two braces: {{ first_name }}.")]
        opened = following
    return []


_OUTPUT = compiled(r"\{\{-?([^{}]*)\}\}")
_FILTER = compiled(r"\|\s*([a-zA-Z_]\w*)")
_QUOTED = compiled(r"\"[^\"]*\"|'[^']*'")


def _refused_filters(source: str) -> list[Problem]:
    problems = []
    for found in _OUTPUT.finditer(source):
        for name in _FILTER.findall(_QUOTED.sub("''", found.group(1))):
            if name not in _FILTERS:
                message = f"There is no filter “{name}”. Use one of: {', '.join(_FILTERS)}."
                problems.append(Problem(_line_at(source, found.start()), message))
    return problems


_UNEXPECTED_TAG = compiled(r"unexpected tag '([^']*)'|unknown tag '([^']*)'")


def _as_problem(error: LiquidError, source: str) -> Problem:
    line = _line_at(source, error.token.start_index) if error.token is not None else 1
    reason = str(error.message)
    if tag := _UNEXPECTED_TAG.search(reason):
        name = tag.group(1) or tag.group(2)
        return Problem(line, f"“{{% {name} %}}” cannot stand here. Allowed are: {', '.join(ALLOWED_TAGS)}.")
    if isinstance(error, LiquidSyntaxError):
        return Problem(line, f"This cannot be read ({reason}). Write a field as {{{{ first_name }}}}.")
    return Problem(line, f"This cannot be filled ({reason}).")


def _line_at(source: str, index: int) -> int:
    return source.count("\n", 0, max(index, 0)) + 1


def _unknown_fields(template: liquid.BoundTemplate, source: str, known: set[str]) -> list[Problem]:
    problems = []
    for name, places in template.analyze(include_partials=False).variables.items():
        for place in places:
            written = str(place)
            if written not in known:
                problems.append(Problem(_line_at(source, place.span.index), _unknown(written, name, known)))
    return problems


def _unknown(written: str, name: str, known: set[str]) -> str:
    if name in known:
        return f"“{name}” is plain text and has no parts: write {{{{ {name} }}}}."
    if name == "snippet":
        return f"A snippet stands alone, without filters and conditions: {{{{ {written} }}}}."
    near = difflib.get_close_matches(name.lower(), sorted(known), n=1, cutoff=0.6)
    advice = f"Did you mean {{{{ {near[0]} }}}}?" if near else f"Known fields: {', '.join(sorted(known))}."
    return f"There is no field “{written}”. {advice}"


_EMPTY_DEFAULT = compiled(r"\|\s*default\s*(?::\s*(?:\"\s*\"|'\s*'|blank|empty|nil)\s*)?(?:\||-?\}\})")


def _empty_defaults(source: str) -> list[Problem]:
    advice = (
        'Say what stands in: default: "there". To leave something out, write {% if first_name %}…{% endif %}.'
    )
    return [
        Problem(_line_at(source, found.start()), f"An empty default leaves a hole. {advice}")
        for found in _EMPTY_DEFAULT.finditer(source)
    ]


_SINGLE = compiled(r"(?:^|[^{])\{ *([A-Za-z_]\w*) *\}(?:[^}]|$)")


def _single_braces(source: str, known: set[str]) -> list[Problem]:
    return [
        Problem(_line_at(source, found.start(1)), f"Write {{{{ {found.group(1)} }}}} with two braces.")
        for found in _SINGLE.finditer(source)
        if found.group(1) in known
    ]
