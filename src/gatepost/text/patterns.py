"""Patterns over mail text: RE2 only, since it cannot backtrack, and a small notation for the lexicons."""

from collections.abc import Iterable
from typing import Any

import re2

_ROOMY = re2.Options()
# For each pattern: its automaton grows with the texts it meets, up to this. More is no quicker (docs/tone-model.md).
_ROOMY.max_mem = 4 << 20
_ROOMY.log_errors = False
_UNCAPTURED = re2.Options()
_UNCAPTURED.max_mem, _UNCAPTURED.log_errors, _UNCAPTURED.never_capture = 4 << 20, False, True
_SMALL = re2.Options()
_SMALL.max_mem = 1 << 18
_SMALL.log_errors = False

LEFT = r"(?i)(?:^|[^\pL\pN])("  # RE2's \b knows ASCII only


class Pattern(re2._Regexp):
    """What RE2's own Python does for text of any kind costs five times the look itself. Most text is ASCII and most looks find
    nothing: this is the short way for both."""

    __slots__ = ()

    def search(self, text: str, pos: int | None = None, endpos: int | None = None) -> "re2._Match | None":
        return self._looked(_ANYWHERE, text, pos, endpos)

    def match(self, text: str, pos: int | None = None, endpos: int | None = None) -> "re2._Match | None":
        return self._looked(_AT_THE_START, text, pos, endpos)

    def _looked(self, anchor: Any, text: str, pos: int | None, endpos: int | None) -> "re2._Match | None":
        if pos is not None or endpos is not None:
            return next(self._match(anchor, text, pos, endpos), None)
        encoded = text.encode()
        spans = self._regexp.Match(anchor, encoded, 0, len(encoded))
        if spans[0] == _NOWHERE:
            return None
        if len(encoded) == len(text):
            return re2._Match(self, text, 0, len(text), spans)
        return next(self._match(anchor, text), None)


_ANYWHERE, _AT_THE_START = re2._Anchor.UNANCHORED, re2._Anchor.ANCHOR_START
_NOWHERE = (-1, -1)


def compiled(pattern: str) -> Pattern:
    """The RE2 pattern, with room enough for the long alternations of word lists."""
    return Pattern(pattern, _ROOMY)


class Sign:
    """A pattern of which nothing is asked but whether a text has it: the quickest question there is."""

    __slots__ = ("_look",)

    def __init__(self, pattern: str) -> None:
        self._look = re2._Regexp(pattern, _UNCAPTURED)._regexp.Match

    def is_in(self, text: str) -> bool:
        encoded = text.encode()
        found: bool = self._look(_ANYWHERE, encoded, 0, len(encoded))[0] != _NOWHERE
        return found


class Many:
    """Many patterns, looked for at once: one pass tells which of them can match at all, by the words that each cannot do
    without. Of hundreds some are left."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._filter = re2.Filter()
        count = sum(1 for pattern in patterns if self._filter.Add(pattern, _SMALL) >= 0)
        self._filter.Compile()
        self._patterns = [self._filter.re(number) for number in range(count)]

    def possible(self, text: str | bytes) -> list[int]:
        """The numbers of those that may match this text; every other one does not."""
        return sorted(self._filter.Match(text, potential=True) or ())

    def __getitem__(self, number: int) -> "re2._Regexp":
        return self._patterns[number]


def plain(text: str) -> str:
    """The text with one kind of apostrophe, character for character."""
    return text.replace("’", "'").replace("`", "'").replace("´", "'")


# --- phrases ------------------------------------------------------------------------------------------------------

# Phrases are looked for in folded text. Its letters are so few that a pattern stays small: all of Unicode's, in each of a
# thousand phrases, took 60 MB and most of the time.
_LETTERS = r"a-z\x{aa}\x{b5}\x{ba}\x{df}-\x{f6}\x{f8}-\x{180}"
_OTHER_LETTER = "ƀ"  # stands for every letter that no phrase has


class _Folding(dict[int, str | int]):
    def __missing__(self, code: int) -> str | int:
        lower = chr(code).lower()
        folded: str | int = lower if len(lower) == 1 else code  # İ becomes two, and would move what follows
        if isinstance(folded, str) and folded > _OTHER_LETTER and folded.isalnum():
            folded = _OTHER_LETTER
        if code < 0x3000:
            self[code] = folded
        return folded


_FOLDING = _Folding({ord(each): "'" for each in "’`´"})


def folded(text: str) -> str:
    """The text in lower case, with one kind of apostrophe and few letters, character for character."""
    return text.translate(_FOLDING)


# What the notation means in RE2, in the order of replacement.
_NOTATION = (
    (r" \.\.\.($|[|)*])", r"\1"),  # any words at the very end need not be there
    (r"\(", "(?:"),
    (r" \.\.\. ", "\x01"),
    (r"\)\*([(\[\pL])", r")\x02\1"),  # a group that may repeat: something follows it at once
    (r"\*", rf"[{_LETTERS}']*".replace("\\", r"\\")),
    (r" \?", r"[\\s,]*"),
    (r" ", r"[\\s,]+"),
    ("\x01", r"(?:[\\s,]+[^.?!\\n]*?[\\s,]|[\\s,]+)"),
    ("\x02", "*"),
)


def phrase(written: str) -> str:
    """A lexicon's phrase as RE2 for folded text, its words in group 1.

    ` ... ` stands for any words of the same sentence, `*` for any end of a word, a space for any white space;
    `(a|b)`, `?`, and `*` between a group and what directly follows it mean what they mean in a pattern.
    """
    pattern = plain(written.strip())
    for notation, meaning in _NOTATION:
        pattern = re2.sub(notation, meaning, pattern)
    return rf"(?:^|[^{_LETTERS}0-9])({pattern})(?:$|[^{_LETTERS}0-9])"


class Phrases:
    """The phrases of a lexicon, looked for at once."""

    def __init__(self, written: Iterable[str]) -> None:
        self._many = Many(map(phrase, written))

    def found(self, text: str) -> "Found":
        """What is found of them in this text, as it was written."""
        return Found(text, self._many)


class Found:
    """The phrases of one text: those that may be `possible`, and where each stands."""

    def __init__(self, text: str, many: Many) -> None:
        self._text = folded(text).encode("utf-8", "replace")
        self._shifted = len(self._text) != len(text)
        self._many = many
        self.possible = many.possible(self._text)

    def span(self, number: int) -> tuple[int, int] | None:
        """Where the words of this phrase stand first in the text."""
        found = self._many[number].search(self._text)
        if found is None:
            return None
        start, end = found.span(1)
        return (self._characters(start), self._characters(end)) if self._shifted else (start, end)

    def _characters(self, at: int) -> int:
        return len(self._text[:at].decode())
