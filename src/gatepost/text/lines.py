"""A mail's text as lines: normalised, capped, and with its quote marks counted."""

import unicodedata
from dataclasses import dataclass

from .patterns import compiled

MAX_CHARS = 262_144
MAX_LINES = 1_000
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
        *range(0x2060, 0x2065),
        0x034F,
        0x061C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x180E,
        0x2800,
        0x3164,
        0xFFA0,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x2070),
        *range(0xFE00, 0xFE0F),
        *range(0x1D173, 0x1D17B),
        *range(0xE0000, 0xE01F0),  # tags and variation selectors: whole sentences can be written in them
    ]
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


def opening(text: str) -> tuple[str, str]:
    """What is read of a text, its lines ending alike, and the rest of it: whatever lies there costs nothing."""
    read = text[:MAX_CHARS].replace("\r\n", "\n").replace("\r", "\n")
    end = -1
    for _ in range(MAX_LINES):
        end = read.find("\n", end + 1)
        if end < 0:
            return read, text[MAX_CHARS:]
    return read[:end], read[end:] + text[MAX_CHARS:]


def normalise(text: str) -> str:
    """The same text whatever the sender's line ends, Unicode form and invisible marks, as much of it as is read."""
    text, _ = opening(text)
    if _TURN in text:
        text = "\n".join(map(_turned, text.split("\n")))
    if _DRESS in text:
        text = "".join(part if part[-1:].isalpha() else part and part + _DRESS for part in text.split(_DRESS))
    text = text.translate(_CLEAN)
    if "---" in text:
        text = "\n".join(_GLUED.sub(r"\1\n\2", line) if "---" in line else line for line in text.split("\n"))
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))


# What a program put before its quote without a line of its own: `reply--- On Wed, Apr 4, me@domain.com wrote:`.
_GLUED = compiled(r"^(.*[^\s\-])(-{3} ?(?:On|Am|Le|El|Il|Op|Em|Den) .{8,200}:[ \t]*)$")

_TURN, _TURN_BACK = "\u202e", "\u202c"
_DRESS = "\ufe0f"  # a selector for pictures says nothing behind a letter, nor a second time


def _turned(line: str) -> str:
    """What is shown from right to left, as it is shown."""
    if _TURN not in line:
        return line
    parts = (part.partition(_TURN) for part in line.split(_TURN_BACK))
    return "".join(before + turned[::-1] for before, _, turned in parts)


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


_ENDS = frozenset(".!?;\n。！？…")


def clauses(text: str) -> list[tuple[int, int]]:
    """Where the sentences and lines of a text stand, without the white space around them."""
    spans, start = [], 0
    for at, char in enumerate(text):
        if char in _ENDS and (char in "\n。！？" or at + 1 == len(text) or text[at + 1].isspace()):
            spans.append((start, at + 1))
            start = at + 1
    spans.append((start, len(text)))
    trimmed = []
    for start, end in spans:
        inner = text[start:end]
        start += len(inner) - len(inner.lstrip())
        end = start + len(inner.strip())
        if end > start:
            trimmed.append((start, end))
    return trimmed
