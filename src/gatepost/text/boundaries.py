"""Where a quoted mail begins: attributions, header blocks, separators and forwards.

Structure before words: an address, a date and a colon at a line's end are an attribution in any language, three
header keys within nine lines are an Outlook block in any language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import re2

from .bodies import OPENING
from .lexicon import quoting
from .lines import Line
from .patterns import Sign

ATTRIBUTION_LINES = 5
ATTRIBUTION_CHARS = 500
MAX_ATTRIBUTIONS = 300  # lines of one mail that begin like one
HEADER_WINDOW = 9

Kind = Literal["attribution", "headers", "separator", "forward", "container", "sent"]


@dataclass(frozen=True, slots=True)
class Boundary:
    """A quoted mail is announced by the lines from `first` up to, not including, `after`."""

    kind: Kind
    first: int
    after: int


class Seeker:
    """Looks for boundaries in the lines of one mail, for a bounded time whatever they are."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._left = MAX_ATTRIBUTIONS

    @property
    def gave_up(self) -> bool:
        """Whether so much looked like an attribution, and was none, that no more was looked for."""
        return self._left <= 0

    def find(self, at: int) -> Boundary | None:
        """The boundary that begins at this line, if one does."""
        line = self._lines[at]
        if line.blank:
            return None
        return (
            _container(line, at)
            or _forward(self._lines, at)
            or _separator(self._lines, at)
            or _headers(self._lines, at, needed=3)
            or _dated_and_addressed(self._lines, at)
            or self._attribution(at)
        )

    def _attribution(self, at: int) -> Boundary | None:
        first = self._lines[at].words
        if self.gave_up or len(first) > ATTRIBUTION_CHARS or not _may_begin(first):
            return None
        self._left -= 1
        return _attribution(self._lines, at)


def _container(line: Line, at: int) -> Boundary | None:
    return Boundary("container", at, at + 1) if line.words == OPENING else None


def _union(words: str) -> str:
    return "|".join(re2.escape(word) for word in sorted(set(words.split("|")), key=len, reverse=True))


_RULES = frozenset("-–—_=*~#")
_RULE = r"[\-–—_=*]"
_FORWARD = Sign(
    rf"(?i)^({_RULE}{{2,}}\s*|\*)?({_union(quoting.FORWARDED)})(\s+(by|from|von|de)\b.{{0,80}})?\s*:?\s*\*?({_RULE}{{2,}}.*)?$"
)
_ORIGINAL = Sign(rf"(?i)^{_RULE}{{2,}}\s*({_union(quoting.ORIGINAL)})\s*:?\s*{_RULE}{{2,}}\.*$")
_ORIGINAL_BARE = frozenset({"original message", "ursprüngliche nachricht", "message d'origine"})
_BETWEEN_RULES = Sign(rf"^{_RULE}{{3,}} ?[^\-–—_=*]{{3,60}} ?{_RULE}{{3,}}$")
_LINE_RULE = Sign(r"^[\-–—_=*~]{4,}$")
_REPLY_ABOVE = Sign(
    r"(?i)^[#\-=* ]{2,}.{0,30}(reply|antwort|répond|respon)\w*.{0,30}(above|oberhalb|über|au-dessus|encima|acima)"
)


def _forward(lines: Sequence[Line], at: int) -> Boundary | None:
    words = lines[at].words
    if len(words) > 160 or not _FORWARD.is_in(words):
        return None
    if words[0] in "-–—_=*" or words.endswith(":") or _headers(lines, _next_filled(lines, at + 1), needed=2):
        return Boundary("forward", at, at + 1)
    return None


def _separator(lines: Sequence[Line], at: int) -> Boundary | None:
    words = lines[at].words
    bare = words.removesuffix(":").lower() in _ORIGINAL_BARE
    if words[0] not in _RULES and not bare:
        return None
    if len(words) <= 160 and _ORIGINAL.is_in(words):
        return Boundary("separator", at, at + 1)
    # With nothing above it, it heads a mail of a ticket system itself and cuts nothing off.
    if len(words) <= 160 and _REPLY_ABOVE.is_in(words) and any(not line.blank for line in lines[:at]):
        return Boundary("separator", at, at + 1)
    if not (bare or _LINE_RULE.is_in(words) or _BETWEEN_RULES.is_in(words)):
        return None
    following = _next_filled(lines, at + 1)
    if following - at <= 4 and (block := _headers(lines, following, needed=2)):
        return Boundary("headers", at, block.after)
    return None


def _next_filled(lines: Sequence[Line], at: int) -> int:
    while at < len(lines) and lines[at].blank:
        at += 1
    return at


_KEYS = {word: kind for kind, words in quoting.HEADER_KEYS.items() for word in words.split("|")}
_KEY_CHARS, _INLINE_CHARS, _INLINE_KEYS = 34, 600, 12


def header_key(words: str) -> str | None:
    """What kind of header this line carries, if its key is known in any language."""
    key, colon, _ = words[:_KEY_CHARS].replace("：", ":").partition(":")
    return _KEYS.get(key.strip("*_ \t").lower()) if colon else None


def _headers(lines: Sequence[Line], at: int, *, needed: int) -> Boundary | None:
    if at >= len(lines):
        return None
    first = header_key(lines[at].words)
    if first is None or first == "cc":
        return None
    if _one_line_headers(lines[at].words, needed):
        return Boundary("headers", at, at + 1)
    kinds = {first}
    last = at
    for number in range(at + 1, min(len(lines), at + 2 * HEADER_WINDOW)):
        kind = header_key(lines[number].words)
        if kind is not None:
            kinds.add(kind)
            last = number
        elif not lines[number].blank and number - last > 2:
            break
    enough = len(kinds - {"cc"}) >= needed or (needed <= 3 and len(kinds) >= 4)
    return Boundary("headers", at, last + 1) if enough and "from" in kinds | _sent_and_to(kinds) else None


def _dated_and_addressed(lines: Sequence[Line], at: int) -> Boundary | None:
    """Two keys are enough where the first says a time of day and the second, on the next line, an address."""
    if (
        at + 1 >= len(lines)
        or header_key(lines[at].words) != "sent"
        or header_key(lines[at + 1].words) != "to"
    ):
        return None
    told = _TIME.is_in(lines[at].words) and _ADDRESS.is_in(lines[at + 1].words)
    return Boundary("headers", at, at + 2) if told else None


_TIME = Sign(r"\d{1,2}:\d{2}")


def _sent_and_to(kinds: set[str]) -> set[str]:
    """A block without a sender's line counts where it has the other three."""
    return {"from"} if {"sent", "to", "subject"} <= kinds else set()


def _one_line_headers(words: str, needed: int) -> bool:
    parts = words[:_INLINE_CHARS].replace("：", ":").split(":", _INLINE_KEYS)[:-1]
    if len(parts) < needed:
        return False
    kinds = {_KEYS.get(last[-1].strip("*").lower()) for part in parts if (last := part.split())}
    return len(kinds - {None, "cc"}) >= needed and "from" in kinds


_ADDRESS = Sign(r"[^\s<>\"'()\[\]:;,]+(@|＠)[^\s<>\"'()\[\]:;,]+\.[^\s<>\"'()\[\]:;,]+|<[^<>@\s]+@[^<>\s]*>?")
_DATE = Sign(
    r"\d{1,2}[:.h]\d{2}|(^|\D)(19|20)\d{2}(\D|$)|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d+ ?[年月日년월일]|"
    r"[٠-٩]{1,2}[^\d]{1,3}[٠-٩]{1,2}|\d{1,2}(st|nd|rd|th)?\.? [\pL]{3,10}|[\pL]{3,10}\.? \d{1,2}(\D|$)"
)
_LEAD = Sign(rf"(?i)^[\-*#\s_>«\"]*({_union(quoting.LEAD)})[\s,.:]")
_WROTE = Sign(f"(?i){_union(quoting.WROTE)}")
_WROTE_END = Sign(
    rf"(?i)(^|[\s,.>\])】\"”’])({_union(quoting.WROTE)})(\s?\(а\)|\s?\(a\)|/.{{1,4}}|\(в\))?"
    rf"(\s+(via|über|folgendes|le message suivant|lo siguiente|o seguinte|följande|følgende|unter|på|am|op|il|:).{{0,60}})?"
    rf"\s*[:：,;]*\s*[\-*_#]*\s*$"
)
_HUNGARIAN = Sign(r"(?i)\(időpont: .{3,40}\)\s*:?$")
_WROTE_INSIDE = Sign(rf"(?i)(^|[\s,>\])])({_union(quoting.WROTE)})\s.{{0,160}}[:：]\s*[\-*_]*$")
_STARTS_WITH_DATE = Sign(r"^[\-*\s\[(«\"]*(\d{1,4}[./\-年년 ]|[\pL]{2,9}[,.]? \d{1,2}[., ])")


def _attribution(lines: Sequence[Line], at: int) -> Boundary | None:
    first = lines[at].words
    joined = ""
    for after in range(at + 1, min(len(lines), at + ATTRIBUTION_LINES) + 1):
        line = lines[after - 1]
        if line.blank:
            if after - at > 3 or not _begins_dated(joined):
                return None
            continue
        joined = f"{joined} {line.words}" if joined else line.words
        if len(joined) > ATTRIBUTION_CHARS:
            return None
        if _is_attribution(joined, first):
            return Boundary("attribution", at, after)
        if _names_a_mail(joined) and _marked_next(lines, after):
            # The bracket of a broken address can look like a mark: `> wrote:`.
            broken = after < len(lines) and lines[after].words.lower() in _WROTE_ALONE
            return Boundary("attribution", at, after + broken)
        if after > at + 1 and line.words.endswith((".", "!", "?")) and "@" not in line.words:
            return None
    return None


_GMT = Sign(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2},? \d{1,2}:\d{2} (GMT|UTC)")  # how Gmail once wrote it
_WROTE_BETWEEN_RULES = Sign(rf"(?i)^-{{2,}}.{{2,60}}({_union(quoting.WROTE)}) ?:? ?-{{2,}}$")


_WROTE_ALONE = frozenset(f"{word}:" for word in quoting.WROTE.split("|"))


def _names_a_mail(joined: str) -> bool:
    """A date and an address without a colon: an attribution only where marked lines follow."""
    dated = _DATE.is_in(joined) and _ADDRESS.is_in(joined)
    return (dated and len(joined) < 160) or _WROTE_BETWEEN_RULES.is_in(joined)


def _marked_next(lines: Sequence[Line], after: int) -> bool:
    following = _next_filled(lines, after)
    return following < len(lines) and lines[following].depth > 0


def _begins_dated(text: str) -> bool:
    return _LEAD.is_in(text) and _DATE.is_in(text)


def _may_begin(first: str) -> bool:
    if _LEAD.is_in(first) and (_DATE.is_in(first) or "@" in first or len(first) < 25):
        return True
    if "@" in first or _STARTS_WITH_DATE.is_in(first):
        return True
    return _WROTE.is_in(first) and (
        _WROTE_END.is_in(first) or _WROTE_INSIDE.is_in(first) or _WROTE_BETWEEN_RULES.is_in(first)
    )


def _is_attribution(joined: str, first: str) -> bool:
    if _GMT.is_in(joined):
        return True
    closed = joined.rstrip(" -_*").endswith((":", "："))
    led = _LEAD.is_in(first) or _STARTS_WITH_DATE.is_in(first)
    if not (closed or led):
        return False
    dated = _DATE.is_in(joined)
    addressed = _ADDRESS.is_in(joined)
    if not (dated or addressed):
        return False
    if _WROTE_END.is_in(joined) or _HUNGARIAN.is_in(joined):
        return (closed or led) and (led or addressed or (dated and closed))
    if closed and _WROTE_INSIDE.is_in(joined):
        return dated
    return closed and dated and addressed and (led or len(joined) < 160)
