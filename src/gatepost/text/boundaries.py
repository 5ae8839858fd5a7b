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
from .patterns import compiled

ATTRIBUTION_LINES = 5
ATTRIBUTION_CHARS = 500
HEADER_WINDOW = 9

Kind = Literal["attribution", "headers", "separator", "forward", "container", "sent"]


@dataclass(frozen=True, slots=True)
class Boundary:
    """A quoted mail is announced by the lines from `first` up to, not including, `after`."""

    kind: Kind
    first: int
    after: int


def find(lines: Sequence[Line], at: int) -> Boundary | None:
    """The boundary that begins at this line, if one does."""
    line = lines[at]
    if line.blank:
        return None
    return (
        _container(line, at)
        or _forward(lines, at)
        or _separator(lines, at)
        or _headers(lines, at, needed=3)
        or _attribution(lines, at)
    )


def _container(line: Line, at: int) -> Boundary | None:
    return Boundary("container", at, at + 1) if line.words == OPENING else None


def _union(words: str) -> str:
    return "|".join(re2.escape(word) for word in sorted(set(words.split("|")), key=len, reverse=True))


_RULE = r"[\-–—_=*]"
_FORWARD = compiled(
    rf"(?i)^({_RULE}{{2,}}\s*|\*)?({_union(quoting.FORWARDED)})(\s+(by|from|von|de)\b.{{0,80}})?\s*:?\s*\*?({_RULE}{{2,}}.*)?$"
)
_ORIGINAL = compiled(rf"(?i)^{_RULE}{{2,}}\s*({_union(quoting.ORIGINAL)})\s*:?\s*{_RULE}{{2,}}\.*$")
_ORIGINAL_BARE = compiled(r"(?i)^(original message|ursprüngliche nachricht|message d'origine):?$")
_BETWEEN_RULES = compiled(rf"^{_RULE}{{3,}} ?[^\-–—_=*]{{3,60}} ?{_RULE}{{3,}}$")
_LINE_RULE = compiled(r"^[\-–—_=*~]{5,}$")
_REPLY_ABOVE = compiled(
    r"(?i)^[#\-=* ]{2,}.{0,30}(reply|antwort|répond|respon)\w*.{0,30}(above|oberhalb|über|au-dessus|encima|acima)"
)


def _forward(lines: Sequence[Line], at: int) -> Boundary | None:
    words = lines[at].words
    if len(words) > 160 or not _FORWARD.match(words):
        return None
    if words[0] in "-–—_=*" or words.endswith(":") or _headers(lines, _next_filled(lines, at + 1), needed=2):
        return Boundary("forward", at, at + 1)
    return None


def _separator(lines: Sequence[Line], at: int) -> Boundary | None:
    words = lines[at].words
    if len(words) <= 160 and (_ORIGINAL.match(words) or _REPLY_ABOVE.match(words)):
        return Boundary("separator", at, at + 1)
    if not any(rule.match(words) for rule in (_LINE_RULE, _BETWEEN_RULES, _ORIGINAL_BARE)):
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
_KEY = compiled(r"^[*_\s]{0,4}([^\s:：*_][^:：*\n]{0,25}?)\s*[*_]{0,2}\s?[:：]\s?[*_]{0,2}(.*)$")
_INLINE_KEY = compiled(r"[*]?([\pL][\pL\-]{0,15}) ?[*]{0,2}[:：]")


def header_key(words: str) -> str | None:
    """What kind of header this line carries, if its key is known in any language."""
    found = _KEY.match(words[:200])
    return _KEYS.get(found.group(1).strip().lower()) if found else None


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


def _sent_and_to(kinds: set[str]) -> set[str]:
    """A block without a sender's line counts where it has the other three."""
    return {"from"} if {"sent", "to", "subject"} <= kinds else set()


def _one_line_headers(words: str, needed: int) -> bool:
    kinds = {_KEYS.get(found.lower()) for found in _INLINE_KEY.findall(words[:600])}
    return len(kinds - {None, "cc"}) >= needed and "from" in kinds


_ADDRESS = compiled(
    r"[^\s<>\"'()\[\]:;,]+(@|＠)[^\s<>\"'()\[\]:;,]+\.[^\s<>\"'()\[\]:;,]+|<[^<>@\s]+@[^<>\s]*>?"
)
_DATE = compiled(
    r"\d{1,2}[:.h]\d{2}|(^|\D)(19|20)\d{2}(\D|$)|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d+ ?[年月日년월일]|"
    r"[٠-٩]{1,2}[^\d]{1,3}[٠-٩]{1,2}|\d{1,2}(st|nd|rd|th)?\.? [\pL]{3,10}|[\pL]{3,10}\.? \d{1,2}(\D|$)"
)
_LEAD = compiled(rf"(?i)^[\-*#\s_>«\"]*({_union(quoting.LEAD)})[\s,.:]")
_WROTE_END = compiled(
    rf"(?i)(^|[\s,.>\])】\"”’])({_union(quoting.WROTE)})(\s?\(а\)|\s?\(a\)|/.{{1,4}}|\(в\))?"
    rf"(\s+(via|über|folgendes|le message suivant|lo siguiente|o seguinte|följande|følgende|unter|på|am|op|il|:).{{0,60}})?"
    rf"\s*[:：,;]*\s*[\-*_#]*\s*$"
)
_HUNGARIAN = compiled(r"(?i)\(időpont: .{3,40}\)\s*:?$")
_WROTE_INSIDE = compiled(rf"(?i)(^|[\s,>\])])({_union(quoting.WROTE)})\s.{{0,160}}[:：]\s*[\-*_]*$")
_STARTS_WITH_DATE = compiled(r"^[\-*\s\[(«\"]*(\d{1,4}[./\-年년 ]|[\pL]{2,9}[,.]? \d{1,2}[., ])")


def _attribution(lines: Sequence[Line], at: int) -> Boundary | None:
    first = lines[at].words
    if len(first) > ATTRIBUTION_CHARS or not _may_begin(first):
        return None
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
        if _is_attribution(joined, first) or (_names_a_mail(joined) and _marked_next(lines, after)):
            return Boundary("attribution", at, after)
        if after > at + 1 and line.words.endswith((".", "!", "?")) and "@" not in line.words:
            return None
    return None


_GMT = compiled(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2},? \d{1,2}:\d{2} (GMT|UTC)")  # how Gmail once wrote it
_WROTE_BETWEEN_RULES = compiled(rf"(?i)^-{{2,}}.{{2,60}}({_union(quoting.WROTE)}) ?:? ?-{{2,}}$")


def _names_a_mail(joined: str) -> bool:
    """A date and an address without a colon: an attribution only where marked lines follow."""
    dated = bool(_DATE.search(joined)) and bool(_ADDRESS.search(joined))
    return (dated and len(joined) < 160) or bool(_WROTE_BETWEEN_RULES.match(joined))


def _marked_next(lines: Sequence[Line], after: int) -> bool:
    following = _next_filled(lines, after)
    return following < len(lines) and lines[following].depth > 0


def _begins_dated(text: str) -> bool:
    return bool(_LEAD.match(text)) and bool(_DATE.search(text))


def _may_begin(first: str) -> bool:
    if _LEAD.match(first) and (_DATE.search(first) or "@" in first or len(first) < 25):
        return True
    return bool(
        _STARTS_WITH_DATE.match(first)
        or "@" in first
        or _WROTE_END.search(first)
        or _WROTE_INSIDE.search(first)
        or _WROTE_BETWEEN_RULES.match(first)
    )


def _is_attribution(joined: str, first: str) -> bool:
    if _GMT.match(joined):
        return True
    dated = bool(_DATE.search(joined))
    addressed = bool(_ADDRESS.search(joined))
    if not (dated or addressed):
        return False
    led = bool(_LEAD.match(first)) or bool(_STARTS_WITH_DATE.match(first))
    closed = joined.rstrip(" -_*").endswith((":", "："))
    if _WROTE_END.search(joined) or _HUNGARIAN.search(joined):
        return (closed or led) and (led or addressed or (dated and closed))
    if closed and _WROTE_INSIDE.search(joined):
        return dated
    return closed and dated and addressed and (led or len(joined) < 160)
