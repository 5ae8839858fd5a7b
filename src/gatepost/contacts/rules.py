"""Reading a CSV and judging its rows. Pure: bytes in, rows and problems out."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from gatepost.errors import BadInput
from gatepost.web.spreadsheets import plain_cell

MAX_BYTES = 20_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 2_000

# A column's heading as people write it, without case, spaces and punctuation.
HEADINGS = {
    "email": "email", "mail": "email", "emailaddress": "email", "emailadresse": "email",
    "firstname": "first_name", "first": "first_name", "vorname": "first_name", "givenname": "first_name",
    "lastname": "last_name", "last": "last_name", "surname": "last_name", "nachname": "last_name",
    "familyname": "last_name", "company": "company", "organisation": "company", "organization": "company",
    "firma": "company", "account": "company", "title": "title", "jobtitle": "title", "position": "title",
    "role": "title", "phone": "phone", "telephone": "phone", "telefon": "phone", "mobile": "phone",
    "timezone": "time_zone", "tz": "time_zone", "country": "country", "countrycode": "country", "land": "country",
}  # fmt: skip
KNOWN = ("email", "first_name", "last_name", "company", "title", "phone", "time_zone", "country")
NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # a byte that decoding with `surrogateescape` kept apart
# One local part, one @, a domain with a dot; no spaces, quotes, brackets or control characters.
ADDRESS = re.compile(
    r"[^\s@<>(),;:\"\\\[\]\x00-\x1f]{1,64}@(?:[^\s@<>(),;:\"\\\[\]\x00-\x1f.]{1,63}\.)+[^\s@<>(),;:\"\\\[\].\x00-\x1f]{2,63}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A good row: the line it stood in (from 1), known fields and further columns."""

    line: int
    values: dict[str, str]
    further: dict[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was left out, and what to change. `cells` are its cells, to correct and import again."""

    line: int
    message: str
    cells: tuple[str, ...] = ()


@dataclass(slots=True)
class Sheet:
    """What a file holds."""

    encoding: str
    headings: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_csv(data: bytes) -> Sheet:
    """The rows of a CSV, good and bad apart. Raises BadInput when the file as a whole cannot be used."""
    if len(data) > MAX_BYTES:
        raise BadInput(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Split it and import the parts.")
    text, encoding = decoded(data)
    lines = _records(text)
    try:
        headings = [_readable(heading) for heading in next(lines)[1]]
    except StopIteration:
        raise BadInput(
            "The file is empty. Its first line must name the columns, one of them “email”."
        ) from None
    columns = _columns(headings)
    if "email" not in columns:
        raise BadInput(
            "No column is called “email”. The first line must name the columns, for example: "
            "email,first_name,last_name,company. Found: "
            + ", ".join(h.strip()[:30] or "(empty)" for h in headings[:12])
        )
    if len(headings) > MAX_COLUMNS:
        raise BadInput(f"The file has {len(headings)} columns; at most {MAX_COLUMNS} are read.")
    sheet = Sheet(encoding, tuple(headings))
    seen: dict[str, int] = {}
    for line, cells in lines:
        if len(sheet.rows) + len(sheet.problems) >= MAX_ROWS:
            raise BadInput(f"The file has more than {MAX_ROWS:,} rows. Split it and import the parts.")
        judged = _judge(line, cells, columns, headings, seen)
        (sheet.rows if isinstance(judged, Row) else sheet.problems).append(judged)  # type: ignore[arg-type]
    if not sheet.rows and not sheet.problems:
        raise BadInput("The file names columns but holds no rows below them.")
    return sheet


def decoded(data: bytes) -> tuple[str, str]:
    """The file's text and the encoding it was read in: UTF-8, UTF-16 with a mark, else Windows-1252.

    In a file that is UTF-8 but for a few lines, the bytes that are none are kept apart (`surrogateescape`), so that
    only the rows which hold them are refused.
    """
    if data.startswith(b"\xef\xbb\xbf") and _is_mostly_utf_8(data[3:]):
        return data.decode("utf-8-sig", "surrogateescape"), "utf-8-sig"
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _decode(data, encoding), encoding
    if data.startswith(b"PK\x03\x04"):
        raise BadInput("This is an Excel file. Save it as CSV (“CSV UTF-8”) and import that.")
    if b"\x00" in data[:2000]:
        raise BadInput("This is not a text file. Save the list as CSV (“CSV UTF-8”) and import that.")
    if _is_mostly_utf_8(data):
        return data.decode("utf-8", "surrogateescape"), "utf-8"
    # What Excel writes in western Europe. Every byte but five has a meaning in it.
    return _decode(data, "cp1252"), "cp1252"


def _is_mostly_utf_8(data: bytes) -> bool:
    """Judged by the lines beyond ASCII, which alone differ: other encodings hardly ever look like UTF-8."""
    telling = [line for line in data.split(b"\n") if not line.isascii()]
    good = sum(NOT_UTF_8.search(line.decode("utf-8", "surrogateescape")) is None for line in telling)
    return 2 * good >= len(telling) if good else not telling


def _readable(text: str) -> str:
    """With a mark in place of each byte that is no UTF-8, so that it can be stored."""
    return NOT_UTF_8.sub("\ufffd", text)


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInput(
            f"The file is neither UTF-8 nor {encoding} (byte {error.start + 1}). Save it as “CSV UTF-8” and try again."
        ) from None


def field_name(heading: str) -> str:
    """A further column as a template names it: "Favourite colour" is `favourite_colour`."""
    return re.sub(r"\W+", "_", heading.strip().casefold()).strip("_")[:60] or "column"


def further_columns(headings: tuple[str, ...]) -> list[str]:
    """The columns that are no known field, as templates name them."""
    return sorted({field_name(heading) for heading in headings if not column_of(heading)})


def column_of(heading: str) -> str:
    """The field that a heading means, or "" for a further column."""
    return HEADINGS.get(re.sub(r"[\W_]+", "", heading.casefold()), "")


def _columns(headings: list[str]) -> list[str]:
    """What each column holds. A second column of one meaning is kept as a further one, so that nothing is lost."""
    columns: list[str] = []
    for heading in headings:
        column = column_of(heading)
        columns.append("" if column in columns else column)
    return columns


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line they begin in; comma, semicolon or tab, as the first line has it."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    line = 1
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _judge(
    line: int, cells: list[str], columns: list[str], headings: list[str], seen: dict[str, int]
) -> Row | Problem:
    """A good row, or what is wrong with it."""

    def bad(message: str) -> Problem:
        return Problem(line, message, tuple(map(_readable, cells)))

    if len(cells) != len(columns):
        return bad(
            f"{len(cells)} cells instead of {len(columns)}: a quotation mark or a comma is missing or too many."
        )
    if any(len(cell) > MAX_CELL for cell in cells):
        return bad(f"A cell is longer than {MAX_CELL:,} characters: probably a quotation mark is missing.")
    if any(NOT_UTF_8.search(cell) for cell in cells):
        return bad(
            "The line is not UTF-8 as the rest of the file is. Type its special characters anew (marked \ufffd)."
        )
    for column, heading, cell in zip(columns, headings, cells, strict=True):
        if column and len(cell.strip().splitlines()) > 1:
            return bad(
                f"The cell “{heading.strip()[:30]}” goes on in another line: probably a quotation mark in line {line} "
                "is not closed, and the next line was swallowed."
            )
    values: dict[str, str] = {}
    further: dict[str, str] = {}
    for column, heading, cell in zip(columns, headings, cells, strict=True):
        text = clean(plain_cell(cell))
        if not text:
            continue
        if column:
            values[column] = text
        else:
            further[field_name(heading)] = text
    problem = check(values)
    if problem:
        return bad(problem)
    address = values["email"].casefold()
    if address in seen:
        return bad(f"The same address as in line {seen[address]}; that line was used.")
    seen[address] = line
    return Row(line, values, further)


def check(values: dict[str, str]) -> str:
    """What is wrong with a contact's fields, or ""."""
    address = values.get("email", "")
    if not address:
        return "The email address is missing."
    if not is_address(address):
        return "The email address is not one: it needs one @ and a domain, without spaces."
    zone = values.get("time_zone", "")
    if zone and zone not in available_timezones():
        return (
            f"The time zone “{zone[:40]}” is not known. Use a name such as Europe/Berlin, or leave it empty."
        )
    country = values.get("country", "")
    if country and not re.fullmatch(r"[A-Za-z]{2}", country):
        return (
            f"The country “{country[:40]}” is not known. Use its two letters, such as DE, or leave it empty."
        )
    return ""


def is_address(text: str) -> bool:
    return len(text) <= 254 and ADDRESS.fullmatch(text) is not None


def clean(text: str) -> str:
    """One line of printable text: no control or direction characters, which could forge headers or hide text."""
    normal = unicodedata.normalize("NFC", text)
    printable = "".join(
        " " if c in "\r\n\t" else c for c in normal if c in "\r\n\t" or unicodedata.category(c)[0] != "C"
    )
    return " ".join(printable.split())


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].casefold()


def prefixes(*texts: str) -> set[str]:
    """The beginnings by which a contact is found: of each word, from two to twelve characters."""
    words = {word for text in texts for word in re.split(r"[\s@._-]+", text.casefold()) if word}
    words |= {text.casefold() for text in texts if text}
    return {word[:length] for word in words for length in range(2, min(len(word), 12) + 1)}
