"""What a good contact is, and judging the rows of a list. Pure."""

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID
from zoneinfo import available_timezones

from gatepost.contacts.sheets import LOST, Record
from gatepost.web.spreadsheets import plain_cell

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 2_000
MAX_VALUE = 1_000
MAX_WORDS = 60  # of one contact, by which it is found
FIELD = "field:"  # before the name of a field of one's own, where a column says what it holds
SPLIT = re.compile(r"[\s@._-]+")
YES = ("yes", "y", "true", "1", "x", "ja", "oui", "sí", "si")
NO = ("no", "n", "false", "0", "nein", "non")

# A column's heading as people write it, without case, spaces and punctuation.
HEADINGS = {
    "email": "email", "mail": "email", "emailaddress": "email", "emailadresse": "email",
    "firstname": "first_name", "first": "first_name", "vorname": "first_name", "givenname": "first_name",
    "lastname": "last_name", "last": "last_name", "surname": "last_name", "nachname": "last_name",
    "familyname": "last_name", "company": "company", "organisation": "company", "organization": "company",
    "firma": "company", "account": "company", "title": "title", "jobtitle": "title", "position": "title",
    "role": "title", "phone": "phone", "telephone": "phone", "telefon": "phone", "mobile": "phone",
    "stage": "stage", "timezone": "time_zone", "tz": "time_zone", "country": "country", "countrycode": "country", "land": "country",
}  # fmt: skip
LABELS = {
    "email": "email address", "first_name": "first name", "last_name": "last name", "company": "company",
    "title": "title", "phone": "phone", "time_zone": "time zone", "country": "country", "stage": "stage",
    "value": "address or domain",
}  # fmt: skip
NAMED_IN = "named in reply "  # before a reply's id, where a contact came from
KNOWN = ("email", "first_name", "last_name", "company", "title", "phone", "time_zone", "country", "stage")
# Names that a template knows already: no field of one's own may be called like them.
TAKEN = (*KNOWN, "sender_name", "sender_first_name", "contact")
LIMITS = {"first_name": 100, "last_name": 100, "company": 200, "title": 200, "phone": 60}
STAGES = ("new", "working", "talking", "customer", "lost")
SUPPRESSION_HEADINGS = {
    "value": "value", "email": "value", "emailaddress": "value", "address": "value", "domain": "value",
    "addressordomain": "value", "source": "source", "reason": "source", "why": "source", "since": "since",
    "date": "since", "createdat": "since", "cause": "cause",
}  # fmt: skip
SUPPRESSION_COLUMNS = ("value", "source", "since", "cause")
# One local part, one @, a domain with a dot; no spaces, quotes, brackets or control characters.
ADDRESS = re.compile(
    r"[^\s@<>(),;:\"\\\[\]\x00-\x1f]{1,64}@(?:[^\s@<>(),;:\"\\\[\]\x00-\x1f.]{1,63}\.)+[^\s@<>(),;:\"\\\[\].\x00-\x1f]{2,63}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A good row: the line it stood in (from 1), known fields and fields of one's own."""

    line: int
    values: dict[str, str]
    further: dict[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was left out, and what to change. `cells` are its cells, to correct and import again."""

    line: int
    message: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a field of one's own takes."""

    kind: str = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What each column of a file holds, and what the fields of one's own take."""

    headings: tuple[str, ...]
    mapping: tuple[str, ...]
    fields: Mapping[str, FieldRule] = field(default_factory=dict)

    @property
    def may_hold_lines(self) -> set[int]:
        """The columns in which a line break is meant: those that are no known field."""
        return {place for place, target in enumerate(self.mapping) if target not in KNOWN}


def first_mapping(headings: Sequence[str]) -> list[str]:
    """What the columns seem to hold. A second column of one meaning, and an unknown one, becomes a field of one's own."""
    mapping: list[str] = []
    for heading in headings:
        column = column_of(heading)
        mapping.append(column if column and column not in mapping else FIELD + field_name(heading))
    return mapping


def check_plan(headings: Sequence[str], mapping: Sequence[str], *, needs: str = "email") -> str:
    """What is wrong with the columns, or ""."""
    if not headings:
        return "The file is empty. Its first line must name the columns, one of them “email”."
    if len(headings) > MAX_COLUMNS:
        return f"The file has {len(headings)} columns; at most {MAX_COLUMNS} are read."
    if len(mapping) != len(headings):
        return "Say for each column what it holds."
    if needs not in mapping:
        found = ", ".join(h.strip()[:30] or "(empty)" for h in headings[:12])
        return (
            f"No column is called “{needs}”. Choose the column that holds the {LABELS[needs]}. Found: {found}"
        )
    twice = [target for target in mapping if target and mapping.count(target) > 1]
    if twice:
        return f"Two columns are to become “{twice[0].removeprefix(FIELD)}”. Choose one of them."
    return ""


def judge(record: Record, plan: Plan, seen: dict[str, int]) -> Row | Problem:
    """A good row, or what is wrong with it."""
    line, cells = record.line, record.cells

    def bad(message: str) -> Problem:
        return Problem(line, message, cells)

    if problem := unreadable(record, len(plan.mapping)):
        return bad(problem)
    values: dict[str, str] = {}
    further: dict[str, str] = {}
    for target, cell in zip(plan.mapping, cells, strict=True):
        text = clean(plain_cell(cell)) if target else ""
        if not text:
            continue
        if target.startswith(FIELD):
            name = target.removeprefix(FIELD)
            text, problem = field_value(text, plan.fields.get(name, FieldRule()))
            if problem:
                return bad(f"“{name}”: {problem}")
            further[name] = text
        else:
            values[target] = text
    problem = check(values)
    if problem:
        return bad(problem)
    address = values["email"].casefold()
    if address in seen:
        return bad(f"The same address as in line {seen[address]}; that line was used.")
    seen[address] = line
    return Row(line, values, further)


def judge_suppression(record: Record, plan: Plan, seen: dict[str, int]) -> Row | Problem:
    """An address or domain never to write to, with where it came from and since when; or what is wrong with it."""

    def bad(message: str) -> Problem:
        return Problem(record.line, message, record.cells)

    if problem := unreadable(record, len(plan.mapping)):
        return bad(problem)
    values = {
        target: text
        for target, cell in zip(plan.mapping, record.cells, strict=True)
        if target and (text := clean(plain_cell(cell)))
    }
    value = values.get("value", "").casefold()
    kind = "address" if "@" in value.lstrip("@") else "domain"
    value = value.lstrip("@")
    if not value:
        return bad("The address or domain is missing.")
    if not is_address(value if kind == "address" else f"x@{value}"):
        return bad("This is neither an address nor a domain. Write it like ana@example.com or example.com.")
    if values.get("since"):
        values["since"], problem = field_value(values["since"], FieldRule("date"))
        if problem:
            return bad(f"“since”: {problem}")
    if value in seen:
        return bad(f"The same as in line {seen[value]}; that line was used.")
    seen[value] = record.line
    return Row(record.line, {**values, "value": value, "kind": kind}, {})


def unreadable(record: Record, width: int) -> str:
    """Why a row cannot be read at all, or ""."""
    line, cells = record.line, record.cells
    if any(len(cell) > MAX_CELL for cell in cells):
        return f"A cell is longer than {MAX_CELL:,} characters: probably a quotation mark is missing."
    if record.torn:
        return (
            f"A quotation mark in line {line} is not closed, or a cell of a known field goes on in another line. "
            "The lines behind it were read as rows of their own."
        )
    if len(cells) != width:
        return f"{len(cells)} cells instead of {width}: a quotation mark or a comma is missing or too many."
    if any(LOST in cell for cell in cells):
        return "The line is not UTF-8 as the rest of the file is. Type its special characters anew (marked \ufffd)."
    if any("\x00" in cell for cell in cells):
        return "A cell holds a NUL character, which no text has. Type the line anew."
    return ""


def field_value(text: str, rule: FieldRule) -> tuple[str, str]:
    """The value as it is kept, and what is wrong with it ("" when nothing is)."""
    if len(text) > MAX_VALUE:
        return "", f"This is longer than {MAX_VALUE:,} characters."
    match rule.kind:
        case "number":
            number = text.replace(" ", "").replace(",", ".")
            if not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,9})?", number):
                return "", f"“{text[:40]}” is not a number. Write it like 12 or 12.5."
            return number.lstrip("+"), ""
        case "date":
            return _date(text)
        case "yes_no":
            if text.casefold() in YES:
                return "yes", ""
            if text.casefold() in NO:
                return "no", ""
            return "", f"“{text[:40]}” is neither yes nor no."
        case "choice":
            for choice in rule.choices:
                if choice.casefold() == text.casefold():
                    return choice, ""
            return "", f"“{text[:40]}” is none of: {', '.join(rule.choices)}."
    return text, ""


def _date(text: str) -> tuple[str, str]:
    written = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ].*)?", text)
    german = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", text)
    try:
        if written:
            return date(*map(int, written.groups())).isoformat(), ""
        if german:
            day, month, year = map(int, german.groups())
            return date(year, month, day).isoformat(), ""
    except ValueError:
        pass
    return "", f"“{text[:40]}” is not a date. Write it like 2027-03-31."


def field_name(heading: str) -> str:
    """A further column as a template names it: "Favourite colour" is `favourite_colour`."""
    return re.sub(r"\W+", "_", heading.strip().casefold()).strip("_")[:60] or "column"


def column_of(heading: str) -> str:
    """The field that a heading means, or "" for a further column."""
    return HEADINGS.get(plain(heading), "")


def plain(heading: str) -> str:
    """A heading without case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", heading.casefold())


def check(values: dict[str, str]) -> str:
    """What is wrong with a contact's fields, or ""."""
    address = values.get("email", "")
    if not address:
        return "The email address is missing."
    if not is_address(address):
        return "The email address is not one: it needs one @ and a domain, without spaces."
    zone = values.get("time_zone", "")
    if zone and zone not in _zones():
        return (
            f"The time zone “{zone[:40]}” is not known. Use a name such as Europe/Berlin, or leave it empty."
        )
    country = values.get("country", "")
    if country and not re.fullmatch(r"[A-Za-z]{2}", country):
        return (
            f"The country “{country[:40]}” is not known. Use its two letters, such as DE, or leave it empty."
        )
    stage = values.get("stage", "")
    if stage and stage not in STAGES:
        return f"The stage “{stage[:40]}” is not known. Use one of: {', '.join(STAGES)}."
    long = next((name for name in LIMITS if len(values.get(name, "")) > LIMITS[name]), "")
    if long:
        return f"The {LABELS[long]} is longer than {LIMITS[long]} characters. Shorten it."
    return ""


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_address(text: str) -> bool:
    return len(text) <= 254 and ADDRESS.fullmatch(text) is not None


def clean(text: str) -> str:
    """One line of printable text: no control or direction characters, which could forge headers or hide text."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    normal = unicodedata.normalize("NFC", text)
    printable = "".join(
        " " if c in "\r\n\t" else c for c in normal if c in "\r\n\t" or unicodedata.category(c)[0] != "C"
    )
    return " ".join(printable.split())


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].casefold()


def words_of(*texts: str) -> set[str]:
    """The words by whose beginnings a contact is found."""
    words = {word for text in texts for word in SPLIT.split(text.casefold()) if word}
    words |= {text.casefold() for text in texts if text}
    if len(words) > MAX_WORDS:
        words = set(sorted(words)[:MAX_WORDS])
    return words


def beginnings(word: str) -> list[str]:
    """From two to twelve characters."""
    return [word[:length] for length in range(2, min(len(word), 12) + 1)]


def named_in(source: str) -> UUID | None:
    """The reply that named the contact, where that is what they came from."""
    before, mark, reply = source.partition(NAMED_IN)
    try:
        return UUID(reply) if mark and not before else None
    except ValueError:  # somebody wrote it
        return None
