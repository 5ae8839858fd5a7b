"""A mail's text as lines: normalised, capped, and with its quote marks counted."""

import unicodedata
from dataclasses import dataclass

from .patterns import compiled

MAX_CHARS = 262_144
MAX_LINES = 1_200
MAX_LINE = 2_000

_INVISIBLE = dict.fromkeys(
    [
        *range(0x01, 0x09),
        *range(0x0E, 0x20),
        0x00,
        0x7F,
        0xAD,
        0xFEFF,
        0x200B,
        0x200C,
        0x200D,
        0x200E,
        0x200F,
        0x2060,
        0x034F,
    ]
    + list(range(0x202A, 0x202F))
    + list(range(0x2066, 0x206A))
)
_SPACES = dict.fromkeys([0xA0, 0x2007, 0x202F, 0x3000, 0x2009, 0x200A, 0x2002, 0x2003, 0x0B, 0x0C], " ")
_CLEAN = {**_INVISIBLE, **_SPACES, 0x2028: "\n", 0x2029: "\n", 0x85: "\n"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it stands in the text, how deep it is quoted, and its words without marks."""

    start: int
    end: int
    depth: int
    words: str

    @property
    def blank(self) -> bool:
        return not self.words


def normalise(text: str) -> str:
    """The same text whatever the sender's line ends, Unicode form and invisible marks, at most MAX_CHARS."""
    text = text[:MAX_CHARS].replace("\r\n", "\n").replace("\r", "\n").translate(_CLEAN)
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))


def split(text: str) -> list[Line]:
    """The first MAX_LINES lines of a normalised text."""
    lines: list[Line] = []
    start = 0
    while start <= len(text) and len(lines) < MAX_LINES:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        lines.append(_line(text, start, end))
        start = end + 1
    return lines


_MARKS = compiled(r"^[ \t]*((?:[>|›»][ \t]?)+)")


def _line(text: str, start: int, end: int) -> Line:
    shown = text[start : min(end, start + MAX_LINE)]
    found = _MARKS.match(shown) if shown.lstrip(" \t")[:1] in (">", "|", "›", "»") else None
    if not found:
        return Line(start, end, 0, shown.strip())
    marks = found.group(1)
    depth = sum(marks.count(mark) for mark in ">|›»")
    return Line(start, end, depth, shown[found.end() :].strip())
