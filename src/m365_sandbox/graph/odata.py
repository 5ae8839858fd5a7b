"""The part of OData that Graph's mail and calendar understand: $select, $filter, $orderby, $expand."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from m365_sandbox.clock import from_iso
from m365_sandbox.errors import GraphError, malformed, unsupported


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field op value`; for an extended property `field` is `property:<id>`."""

    field: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Both:
    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Either:
    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Condition"


Condition = Comparison | Both | Either | Not

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>-?\d+)|(?P<word>[A-Za-z_][\w/.]*)|(?P<mark>[(),:]))"
)
_OPS = {"eq", "ne", "ge", "gt", "le", "lt"}
_FUNCTIONS = {"startswith", "contains", "endswith"}


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise malformed(
                    f"Invalid filter clause: there is a syntax error at position {place} in '{text}'."
                )
            self._tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
            place = match.end()
        self._at = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, text: str) -> None:
        if self._next()[1].lower() != text:
            raise malformed(f"Invalid filter clause: '{text}' expected.")

    def parse(self) -> Condition:
        condition = self._either()
        if self._peek()[0] != "end":
            raise malformed(f"Invalid filter clause: unexpected '{self._peek()[1]}'.")
        return condition

    def _either(self) -> Condition:
        left = self._both()
        while self._peek()[1].lower() == "or":
            self._next()
            left = Either(left, self._both())
        return left

    def _both(self) -> Condition:
        left = self._one()
        while self._peek()[1].lower() == "and":
            self._next()
            left = Both(left, self._one())
        return left

    def _one(self) -> Condition:
        kind, text = self._next()
        if text == "(":
            inner = self._either()
            self._take(")")
            return inner
        if kind != "word":
            raise malformed(f"Invalid filter clause: unexpected '{text}'.")
        if text.lower() == "not":
            return Not(self._one())
        if text.lower() == "singlevalueextendedproperties/any":
            return self._property()
        if text.lower() in _FUNCTIONS:
            self._take("(")
            name = self._next()[1]
            self._take(",")
            value = self._value()
            self._take(")")
            return Comparison(_field(name), text.lower(), value)
        op = self._next()[1].lower()
        if op not in _OPS:
            raise malformed(f"Invalid filter clause: unknown operator '{op}'.")
        return Comparison(_field(text), op, self._value())

    def _property(self) -> Condition:
        """`Any(ep: ep/id eq 'String {guid} Name X' and ep/value eq 'v')`"""
        self._take("(")
        variable = self._next()[1]
        self._take(":")
        inner = self._either()
        self._take(")")
        parts = _conjunction(inner)
        names = [part for part in parts if part.field == f"{variable}/id".lower() and part.op == "eq"]
        values = [part for part in parts if part.field == f"{variable}/value".lower()]
        if len(names) != 1 or len(values) != 1 or len(parts) != 2:
            raise unsupported()
        value = values[0].value
        return Comparison(f"property:{names[0].value}", values[0].op, None if value is None else str(value))

    def _value(self) -> Any:
        kind, text = self._next()
        match kind:
            case "string":
                return text[1:-1].replace("''", "'")
            case "time":
                return from_iso(text)
            case "number":
                return int(text)
            case "word" if text.lower() in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[text.lower()]
        raise malformed(f"Invalid filter clause: unexpected '{text}'.")


def _field(name: str) -> str:
    return name.lower()


def _conjunction(condition: Condition) -> list[Comparison]:
    """The comparisons that all must hold; an OR or NOT among them is not looked into."""
    match condition:
        case Comparison():
            return [condition]
        case Both():
            return _conjunction(condition.left) + _conjunction(condition.right)
    return []


def parse_filter(text: str) -> Condition:
    return _Parser(text).parse()


def required(condition: Condition | None) -> list[Comparison]:
    """Comparisons that every match fulfils: what an index can be asked for."""
    return [] if condition is None else _conjunction(condition)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: have == want,
    "ne": lambda have, want: have != want,
    "ge": lambda have, want: have is not None and have >= want,
    "gt": lambda have, want: have is not None and have > want,
    "le": lambda have, want: have is not None and have <= want,
    "lt": lambda have, want: have is not None and have < want,
    "startswith": lambda have, want: str(have or "").startswith(want),
    "endswith": lambda have, want: str(have or "").endswith(want),
    "contains": lambda have, want: want in str(have or ""),
}


def holds(condition: Condition, value_of: Callable[[str], Any]) -> bool:
    """Whether an item fulfils the condition; `value_of` gives its (lower-case) fields. Case is ignored."""
    match condition:
        case Both():
            return holds(condition.left, value_of) and holds(condition.right, value_of)
        case Either():
            return holds(condition.left, value_of) or holds(condition.right, value_of)
        case Not():
            return not holds(condition.inner, value_of)
    have, want = value_of(condition.field), condition.value
    if isinstance(have, str):
        have = have.casefold()
    if isinstance(want, str):
        want = want.casefold()
    try:
        return _COMPARE[condition.op](have, want)
    except TypeError:
        raise malformed(f"Invalid filter clause: '{condition.field}' cannot be compared so.") from None


def parse_select(text: str | None) -> list[str] | None:
    if not text:
        return None
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_orderby(text: str | None) -> list[tuple[str, bool]]:
    """[(field, descending)]"""
    if not text:
        return []
    pairs = []
    for part in text.split(","):
        name, _, way = part.strip().partition(" ")
        pairs.append((name.lower(), way.strip().lower() == "desc"))
    return pairs


def check_order(condition: Condition | None, order: list[tuple[str, bool]]) -> None:
    """Graph documentation, "List messages": what is ordered by must be filtered by, in that order, first."""
    if condition is None or not order:
        return
    filtered = list(dict.fromkeys(_fields_in(condition)))
    wanted = [name for name, _ in order]
    if filtered[: len(wanted)] != wanted:
        raise GraphError(
            400, "InefficientFilter", "The restriction or sort order is too complex for this operation."
        )


def _fields_in(condition: Condition) -> list[str]:
    match condition:
        case Comparison():
            return [condition.field]
        case Not():
            return _fields_in(condition.inner)
    return _fields_in(condition.left) + _fields_in(condition.right)


_EXPAND = re.compile(
    r"singleValueExtendedProperties(?:\(\$filter=(?P<filter>.+)\))?$", re.IGNORECASE | re.DOTALL
)
_EXPANDED_ID = re.compile(r"^\(?\s*id eq '([^']+)'\s*\)?$", re.IGNORECASE)


def parse_expand(text: str | None) -> list[str] | None:
    """The ids of the extended properties asked for; None when nothing is to be expanded."""
    if not text:
        return None
    match = _EXPAND.match(text.strip())
    if match is None:
        if text.strip().lower() == "attachments":
            return []
        raise malformed(f"Could not find a property to expand in '{text}'.")
    if not match["filter"]:
        raise malformed("singleValueExtendedProperties can be expanded only with a $filter on id.")
    names = []
    for part in re.split(r"\s+or\s+", match["filter"].strip(), flags=re.IGNORECASE):
        one = _EXPANDED_ID.match(part.strip())
        if one is None:
            raise malformed(f"Invalid filter clause '{part}' in $expand.")
        names.append(one[1])
    return names


_WORDS = re.compile(
    r"""(?P<field>\w+)\s*:\s*(?P<of>"[^"]*"|[^\s()]+)|(?P<word>"[^"]*"|[^\s()]+)|(?P<mark>[()])"""
)
SEARCHED = {
    "from", "to", "cc", "bcc", "subject", "body", "attachment", "hasattachments", "importance", "recipients",
    "participants",
}  # fmt: skip


def parse_search(text: str) -> Callable[[Callable[[str], str]], bool]:
    """KQL as far as mail search goes: words, phrases, `property:value`, AND, OR, NOT. Gives a test of a text."""
    text = text.strip()
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'":
        text = f'"{text}"' if " " in text else text
    source = text[1:-1].replace('\\"', '"') if text[:1] in ("'", '"') else text
    either: list[list[tuple[bool, str, str]]] = [[]]
    negated = False
    for match in _WORDS.finditer(source):
        word = match["word"]
        if match["mark"] or word == "AND":
            continue
        if word == "OR":
            either.append([])
        elif word == "NOT":
            negated = True
        else:
            field = (match["field"] or "").lower()
            if field and field not in SEARCHED:
                raise malformed(f"Syntax error: the property '{match['field']}' cannot be searched.")
            either[-1].append((negated, field, (match["of"] or word).strip('"').rstrip("*").casefold()))
            negated = False
    if not any(either):
        raise malformed("Syntax error: $search is empty.")

    def fits(text_of: Callable[[str], str]) -> bool:
        return any(
            all((want in text_of(field).casefold()) != without for without, field, want in group)
            for group in either
            if group
        )

    return fits


def whole_number(text: str | None, name: str, default: int, *, most: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or not (0 if name == "$skip" else 1) <= int(text) <= most:
        raise malformed(f"Invalid value '{text}' for {name}: a whole number up to {most} is expected.")
    return int(text)
