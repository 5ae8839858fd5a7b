"""Reading a CSV of any size piece by piece. Pure: bytes or text in, records out; no more than a few lines in memory."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from gatepost.errors import BadInput

MAX_BYTES = 100_000_000
MAX_LINE = 1_000_000
BLOCK = 256_000
LOST = "\ufffd"  # stands where a byte was no UTF-8
DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes become text."""

    name: str
    errors: str = "strict"


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it stands in the file. `torn`: its quotation marks do not close, so that only its first line was taken."""

    line: int
    cells: tuple[str, ...]
    torn: bool = False


def encoding_of(file: BinaryIO) -> Encoding:
    """UTF-8 or UTF-16, with a mark or without, else Windows-1252. Raises BadInput for what is no text or too large.

    A file that is UTF-8 but for a few lines is read as UTF-8: only the rows with the strange bytes are refused later.
    """
    file.seek(0, io.SEEK_END)
    if file.tell() > MAX_BYTES:
        raise BadInput(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Split it and import the parts.")
    file.seek(0)
    start = file.read(4_096)
    if start.startswith(b"PK\x03\x04"):
        raise BadInput("This is an Excel file. Save it as CSV (“CSV UTF-8”) and import that.")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Encoding("utf-16")
    if b"\x00" in start:
        return _with_noughts(start)
    marked = start.startswith(codecs.BOM_UTF8)
    file.seek(len(codecs.BOM_UTF8) if marked else 0)
    if _is_mostly_utf_8(file):
        return Encoding("utf-8-sig" if marked else "utf-8", "replace")
    # What Excel writes in western Europe. Every byte but five has a meaning in it.
    return Encoding("utf-8-sig") if marked else Encoding("cp1252")


def _with_noughts(start: bytes) -> Encoding:
    """Every second byte of UTF-16 is nought in most scripts; a few noughts are damage; others are no text."""
    share, odd = start.count(0) / len(start), start[1::2].count(0)
    if share > 0.3 and odd in (0, start.count(0)):
        return Encoding("utf-16-le" if odd else "utf-16-be")
    if share > 0.1 or not start[:16].isascii():
        raise BadInput("This is not a text file. Save the list as CSV (“CSV UTF-8”) and import that.")
    return Encoding("utf-8", "replace")


def _is_mostly_utf_8(file: BinaryIO) -> bool:
    """Judged by the lines beyond ASCII, which alone differ: other encodings hardly ever look like UTF-8."""
    good = telling = 0
    while line := file.readline(MAX_LINE):
        if not line.isascii():
            telling += 1
            try:
                line.decode()
                good += 1
            except UnicodeDecodeError:
                pass
    return 2 * good >= telling if good else not telling


def pieces(file: BinaryIO, encoding: Encoding) -> Iterator[str]:
    """The file's text in pieces of whole lines. Raises BadInput where it cannot be read as that."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding.name)(encoding.errors)
    rest, line = "", 1
    while True:
        block = file.read(BLOCK)
        try:
            rest += decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            raise BadInput(
                f"The file is neither UTF-8 nor {encoding.name}. Save it as “CSV UTF-8” and try again."
            ) from None
        end = len(rest) if not block else _end_of_lines(rest)
        if end == 0 and len(rest) > MAX_LINE:
            raise BadInput(
                f"Line {line} goes on for more than {MAX_LINE:,} characters: this is no list. Nothing was stored."
            )
        if end:
            yield rest[:end]
            line += rest.count("\n", 0, end) or rest.count("\r", 0, end)
            rest = rest[end:]
        if not block:
            return


def _end_of_lines(text: str) -> int:
    """Where the last whole line ends; the two characters of a Windows line end stay together."""
    return text.rfind("\n") + 1 or text.rfind("\r", 0, max(len(text) - 1, 0)) + 1


def delimiter_of(text: str) -> str:
    """Comma, semicolon or tab, as the first line has it."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(DELIMITERS, key=first.count)


def records(
    text: Iterable[str], delimiter: str, *, may_hold_lines: set[int] | None = None
) -> Iterator[Record]:
    """The rows, without empty ones, each with the line it begins in.

    Where a quotation mark is not closed, the row that it stands in is torn, and the lines behind it are read as rows
    again, so that it swallows nobody. `may_hold_lines`: the columns in which a line break is meant; None: all.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=False)
    line, width = 1, 0
    while True:
        lines.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a cell longer than csv.field_size_limit
            cells = []
        taken = list(lines.taken)
        if not cells and len(taken) == 1 and taken[0].strip():
            yield Record(line, (taken[0].rstrip("\r\n"),), torn=True)
            line += 1
        elif len(taken) > 1 and _is_torn(cells, taken, width, delimiter, may_hold_lines):
            lines.give_back(taken[1:])
            yield Record(line, tuple(_alone(taken[0], delimiter)), torn=True)
            line += 1
        else:
            if any(cell.strip() for cell in cells):
                width = width or len(cells)
                yield Record(line, tuple(cells))
            line += len(taken)


class _Lines:
    """Lines one after another, some of which may be given back; `taken` since it was last emptied."""

    def __init__(self, text: Iterable[str]) -> None:
        self._lines = (line for piece in text for line in io.StringIO(piece, newline=""))
        self._back: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))


_LOOKS_LIKE_AN_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")


def _is_torn(
    cells: list[str], taken: list[str], width: int, delimiter: str, may_hold_lines: set[int] | None
) -> bool:
    if not cells or (width and len(cells) != width):
        return True
    if may_hold_lines is not None and any(
        len(cell.strip().splitlines()) > 1 for place, cell in enumerate(cells) if place not in may_hold_lines
    ):
        return True
    # A line inside the cell that is a whole row with an address by itself was swallowed.
    return width > 1 and any(
        _LOOKS_LIKE_AN_ADDRESS.search(line) is not None and len(_alone(line, delimiter)) == width
        for line in taken[1:]
    )


def _alone(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, strict=False), [])
    except csv.Error:
        return [line.rstrip("\r\n")]
