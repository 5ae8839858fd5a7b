"""The new text of a reply: what its writer wrote, apart from what the mail quotes, forwards or signs with.

One pass over capped lines, in linear time, with no pattern that can backtrack. In doubt a line stays: a wrong
cut loses the answer, a name left in costs little.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import re2

from . import bodies, boundaries, markup
from .lexicon import quoting
from .lines import Line, normalise, opening, split
from .patterns import Sign

Kind = Literal[
    "text",
    "greeting",
    "sign_off",
    "signature",
    "footer",
    "tagline",
    "disclaimer",
    "banner",
    "quoted",
    "forwarded",
]
# A signature with no delimiter above it stays in the new text (`footer`); one behind "-- " does not.
NEW_TEXT: frozenset[Kind] = frozenset({"text", "greeting", "sign_off", "footer"})

SENT_LINE = 14  # letters and digits a line needs before it can prove that it is ours


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of `Extracted.source` and what it is."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """A reply taken apart. Every part is made of pieces of `source`, in order; `spans` says which."""

    new_text: str
    greeting: str
    sign_off: str
    signature: str
    tagline: str
    disclaimer: str
    banner: str
    quoted: str
    forwarded: str
    method: str
    confidence: float
    message: str  # the new text without sign-off and signature: what a label may be read from
    source: str
    spans: tuple[Span, ...]
    cut: bool  # more came than is read of one mail: what stands below was not looked at

    def parts(self, kinds: Iterable[Kind]) -> str:
        """The lines of these kinds as one text, paragraphs kept."""
        return _gather(self.source, self.spans, frozenset(kinds))


@dataclass(frozen=True, slots=True)
class _Ours:
    """What we sent in the thread: the keys of its telling lines, and all its lines as written."""

    keys: frozenset[str]
    lines: frozenset[str]
    longest: int

    def has(self, words: str) -> bool:
        """Whether a line says what a telling line of ours does."""
        return bool(self.keys) and len(words) <= 2 * self.longest and _key(words) in self.keys


def extract(text: str | None, html: str | None = None, *, sent: Sequence[str] = ()) -> Extracted:
    """The parts of a reply. Nothing of `sent` (mails of ours in the thread) is left in its new text."""
    ours = _sent_lines(sent)
    if text is not None and (text.strip() or not html):
        return _take_apart(text.replace(bodies.OPENING, ""), "text", ours)
    flat = markup.flattened(html or "")
    marked = _take_apart(flat.text(), "html", ours)
    if not marked.message and flat.pale:
        # A dark page leaves white ink in what is sent. Where a mail says nothing else, its colours say nothing.
        bare = _take_apart(flat.text(colours=False), "html", ours)
        marked = bare if bare.message else marked
    if not marked.new_text and marked.quoted:
        # Some programs put the whole answer into the quote's container: then only the words tell them apart.
        marked = _take_apart(flat.text(roles=False), "html", ours)
    return replace(marked, cut=True) if flat.cut else marked


def _take_apart(text: str, method: str, ours: _Ours) -> Extracted:
    read, unread = opening(text)
    source = normalise(read)
    lines = split(source)
    seeker = boundaries.Seeker(lines)
    kinds, witnesses = _classify(lines, ours, seeker)
    cut = seeker.gave_up or bool(unread.strip()) or bool(lines and source[lines[-1].end :].strip())
    return _extracted(source, _spans(source, lines, kinds), method, witnesses, cut)


def _classify(lines: list[Line], ours: _Ours, seeker: boundaries.Seeker) -> tuple[list[Kind], set[str]]:
    kinds, witnesses = _quote_kinds(lines, ours, seeker)
    for first, after in _new_segments(kinds):
        _banner(lines, kinds, first, after)
        _close(lines, kinds, first, after)
        _greet(lines, kinds, first, after)
    return kinds, witnesses


# --- what is quoted ---------------------------------------------------------------------------------------


def _quote_kinds(lines: list[Line], ours: _Ours, seeker: boundaries.Seeker) -> tuple[list[Kind], set[str]]:
    kinds: list[Kind] = ["text"] * len(lines)
    witnesses: set[str] = set()
    at = 0
    while at < len(lines):
        line = lines[at]
        boundary = seeker.find(at)
        if boundary is None and line.depth == 0 and ours.has(line.words):
            boundary = boundaries.Boundary("sent", _greeted_above(lines, at, ours), at)
        if boundary is None:
            if line.depth and not _is_ornamental(lines, at):
                kinds[at] = "quoted"
                witnesses.add("marks")
                _wrapped(lines, kinds, at)
            at += 1
            continue
        witnesses.add(boundary.kind)
        at = _quote_from(boundary, lines, kinds, ours)
    return kinds, witnesses


def _is_ornamental(lines: list[Line], at: int) -> bool:
    """A single line of many marks amid unmarked text is content, such as `>>>> look <<<<`."""
    around = [lines[n] for n in (at - 1, at + 1) if 0 <= n < len(lines)]
    return lines[at].depth >= 4 and all(not line.depth and not line.blank for line in around)


def _wrapped(lines: list[Line], kinds: list[Kind], at: int) -> None:
    """A short unmarked line between two marked ones is the tail of a wrapped quote."""
    if at + 2 < len(lines) and not lines[at + 1].depth and lines[at + 2].depth:
        tail = lines[at + 1].words
        if tail and len(tail) < 30 and len(lines[at].words) > 60 and not tail.endswith((".", "!", "?")):
            kinds[at + 1] = "quoted"


def _quote_from(boundary: boundaries.Boundary, lines: list[Line], kinds: list[Kind], ours: _Ours) -> int:
    """Marks what the boundary announces as quoted; returns the first line that may be new again."""
    kind: Kind = "forwarded" if boundary.kind == "forward" else "quoted"
    for number in range(boundary.first, boundary.after):
        kinds[number] = kind
    following = boundary.after
    while following < len(lines) and lines[following].blank:
        following += 1
    if (
        following < len(lines)
        and lines[following].depth
        and boundary.kind in ("attribution", "separator", "container")
    ):
        for number in range(boundary.after, following):
            kinds[number] = kind
        return following
    if kind == "quoted" and _nothing_above(kinds, boundary.first, lines) and ours.keys:
        return _skip_ours(lines, kinds, boundary.after, ours)
    for number in range(boundary.after, len(lines)):
        kinds[number] = kind
    return len(lines)


def _nothing_above(kinds: list[Kind], first: int, lines: list[Line]) -> bool:
    return not any(
        kinds[number] == "text" and not lines[number].blank and not is_tagline(lines[number].words)
        for number in range(first)
    )


def _skip_ours(lines: list[Line], kinds: list[Kind], after: int, ours: _Ours) -> int:
    """Where the answer stands under the quote: everything up to our last line is quoted."""
    last = after - 1
    for number in range(after, len(lines)):
        if lines[number].depth or ours.has(lines[number].words):
            last = number
    if last < after:
        last = len(lines) - 1
    for number in range(after, last + 1):
        kinds[number] = "quoted"
    return last + 1


def _sent_lines(sent: Sequence[str]) -> _Ours:
    words = [line.words for mail in sent for line in split(normalise(mail)) if not line.blank]
    return _Ours(
        frozenset(key for line in words if (key := _key(line))),
        frozenset(map(str.lower, words)),
        max(map(len, words), default=0),
    )


def _greeted_above(lines: list[Line], at: int, ours: _Ours) -> int:
    """Where our mail begins: a line of it may have short ones of its own above, such as its greeting."""
    first = at
    for number in range(at - 1, max(-1, at - 6), -1):
        if lines[number].words.lower() in ours.lines:
            first = number
        elif not lines[number].blank:
            break
    return first


def _key(words: str) -> str | None:
    """Letters and digits only: what stays the same when a mail program reflows and re-marks a line."""
    key = "".join(char for char in words.lower() if char.isalnum())
    return key if len(key) >= SENT_LINE else None


# --- what is new, but not the message -------------------------------------------------------------------


def _new_segments(kinds: list[Kind]) -> Iterator[tuple[int, int]]:
    first = None
    for number, kind in enumerate([*kinds, "quoted"]):
        if kind == "text":
            first = number if first is None else first
        elif first is not None:
            yield first, number
            first = None


def _any_of(words: str) -> Sign:
    return Sign("(?i)" + "|".join(re2.escape(word) for word in words.split("|")))


_TAGLINE = Sign(rf"(?i)^[\[<(*\-_ ]*({quoting.TAGLINES})[\])>*_ .!]*(<.{{0,200}}>)?$")
_DISCLAIMER = _any_of(quoting.DISCLAIMERS)
_BANNER = _any_of(quoting.BANNERS)
_GREETING = Sign(
    rf"(?i)^({'|'.join(re2.escape(w) for w in quoting.GREETINGS.split('|'))})\b[^.?!]{{0,50}}[,!.:–-]*$"
)
_SIGN_OFFS = frozenset(quoting.SIGN_OFFS.split("|"))
_DELIMITING = frozenset("-—–_*=~#+.")
_DELIMITER = Sign(
    r"^(--|-- |—|––|-{2,3}|_{2,}|—{2,3}|\*{3,}|={5,}|~{3,}|-{5,}|#{3,}|\+{3,}|\**(\. ?){5,}\**)$"
)
_CONTACT = Sign(
    r"(?i)(\+\d[\d\s().\-/]{6,}|\b(tel|phone|fon|mobile|mobil|cell|fax|direct|tél|móvil|telefon|telefoon)\b\.?\s*[:.+(\d]|"
    r"\b[tmfpe]\s?[:|.]\s?[+(\d]|@[\w\-]+\.[a-z]{2,}|\bwww\.|https?://|\b(gmbh|ltd|limited|inc|llc|s\.?a\.?s|s\.?r\.?l|"
    r"s\.?p\.?a|b\.?v|ab|a/s|oy|sp\. z o\.o|株式会社)\b\.?|〒)"
)
_NAME = Sign(r"^[\-–—~*]{0,3}\s?[\pL][\pL'’.\-]*( [\pL][\pL'’.\-]*){0,4}[,.]?$")


def is_tagline(words: str) -> bool:
    """Whether a phone or a program, not the writer, added this line."""
    sentence = ", " in words or (words.endswith(".") and words.count(" ") > 5)
    return len(words) <= 120 and not sentence and _TAGLINE.is_in(words)


def is_sign_off(words: str) -> bool:
    """Whether this line only says goodbye."""
    plain = words.strip(" ,.!;:-–—*").lower()
    return len(plain) <= 45 and plain in _SIGN_OFFS


def _banner(lines: list[Line], kinds: list[Kind], first: int, after: int) -> None:
    """A mail gateway's warning above the text: the paragraph that begins with it."""
    for number in range(first, min(after, first + 6)):
        words = lines[number].words
        if not words:
            continue
        if not _BANNER.is_in(words[:200]):
            return
        while number < after and not lines[number].blank:
            kinds[number] = "banner"
            number += 1
        return


def _close(lines: list[Line], kinds: list[Kind], first: int, after: int) -> None:
    """Marks tagline, disclaimer, signature and sign-off of one stretch of new text."""
    for number in range(first, after):
        if kinds[number] == "text" and is_tagline(lines[number].words):
            kinds[number] = "tagline"
    _signature(lines, kinds, first, after)
    _disclaimers(lines, kinds, first, after)
    _sign_off(lines, kinds, first, after)


def _signature(lines: list[Line], kinds: list[Kind], first: int, after: int) -> None:
    said = not _nothing_above(kinds, first, lines)
    for number in range(first, after):
        words = lines[number].words
        if kinds[number] != "text" or not words:
            continue
        if words[0] in _DELIMITING and _DELIMITER.is_in(words) and _is_end(lines, number, after, said):
            for rest in range(number, after):
                if kinds[rest] == "text":
                    kinds[rest] = "signature"
            return
        said = True


def _is_end(lines: list[Line], number: int, after: int, said: bool) -> bool:
    """A delimiter begins a signature where something was said above it and little follows."""
    if not said:
        return False
    bare = lines[number].words in ("--", "—")
    most = 20 if bare else 12
    rest = list(itertools.islice((line.words for line in lines[number + 1 : after] if line.words), most + 1))
    return len(rest) <= most and (bare or all(len(words) < 90 for words in rest))


def _disclaimers(lines: list[Line], kinds: list[Kind], first: int, after: int) -> None:
    start = None
    said = False
    for number in range(first, after + 1):
        filled = number < after and not lines[number].blank and kinds[number] == "text"
        if filled and start is None:
            start = number
        if not filled and start is not None:
            if said and _disclaims([lines[n].words for n in range(start, number)]):
                for rest in range(start, number):
                    kinds[rest] = "disclaimer" if not _is_question(lines, start, number) else "text"
            said, start = True, None


_IN_CONFIDENCE = Sign(
    r"(?i)(confid|vertraul|privileged|intended|recipient|empfänger|destinat|vertrouwel|ontvanger|riservat|poufn|konfid|sekret)"
)
_FIRST_PERSON = Sign(
    r"(?i)(?:^|[^\pL])(?:i|i'm|my|me|ich|mich|mir|meine?[nrsm]?|je|mon|ma|mes|moi|yo|mi|mis|ejerzo|solicito|exijo|"
    r"chiedo|esercito|miei|mie|eu|meus?|minhas?|ik|mijn|jag|min|mina|jeg|proszę|moj\pL+|verilerim\pL*)(?:$|[^\pL])|(?:^|[^\pL])[jm]'\pL"
)


def _disclaims(paragraph: list[str]) -> bool:
    """A law or a company's register named by somebody who speaks of himself is what he wants, not a footer."""
    if not any(_DISCLAIMER.is_in(words) for words in paragraph):
        return False
    whole = " ".join(paragraph).replace("’", "'")
    return _IN_CONFIDENCE.is_in(whole) or not _FIRST_PERSON.is_in(whole)


def _is_question(lines: list[Line], start: int, number: int) -> bool:
    return number - start <= 3 and any(lines[n].words.endswith("?") for n in range(start, number))


def _sign_off(lines: list[Line], kinds: list[Kind], first: int, after: int) -> None:
    """From the last sign-off line: the line itself, then what looks like a name and an address."""
    said = False
    start = None
    for number in range(first, after):
        if kinds[number] != "text" or lines[number].blank:
            continue
        if said and is_sign_off(lines[number].words):
            start = number
        said = True
    if start is None:
        _bare_footer(lines, kinds, first, after)
        return
    rest = [n for n in range(start + 1, after) if kinds[n] == "text" and not lines[n].blank]
    if len(rest) > 14 or any(len(lines[n].words) > 140 or lines[n].words.endswith("?") for n in rest):
        return
    kinds[start] = "sign_off"
    for number in range(start + 1, after):
        if kinds[number] == "text":
            kinds[number] = "footer"


def _bare_footer(lines: list[Line], kinds: list[Kind], first: int, after: int) -> None:
    """A block at the end, a name then ways to reach it, is a footer without any sign-off above it."""
    filled = [n for n in range(first, after) if kinds[n] == "text" and not lines[n].blank]
    start = next(
        (n for n in filled[1:][-12:] if _NAME.is_in(lines[n].words) and len(lines[n].words) < 50), None
    )
    if start is None:
        return
    rest = [n for n in filled if n > start]
    contacts = sum(_CONTACT.is_in(lines[n].words) for n in rest)
    if contacts >= 1 and all(len(lines[n].words) < 100 for n in rest) and contacts * 4 >= len(rest):
        for number in range(start, after):
            if kinds[number] == "text":
                kinds[number] = "footer"


def _greet(lines: list[Line], kinds: list[Kind], first: int, after: int) -> None:
    for number in range(first, after):
        if lines[number].blank or kinds[number] != "text":
            continue
        if len(lines[number].words) <= 70 and _GREETING.is_in(lines[number].words):
            kinds[number] = "greeting"
        return


# --- putting the parts together ---------------------------------------------------------------------------


def _spans(source: str, lines: list[Line], kinds: list[Kind]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for line, kind in zip(lines, kinds, strict=True):
        if spans and spans[-1].kind == kind:
            spans[-1] = Span(kind, spans[-1].start, line.end)
        else:
            spans.append(Span(kind, line.start, line.end))
    rest = lines[-1].end if lines else 0
    if rest < len(source):  # beyond the cap everything counts as quoted
        spans.append(Span("quoted", rest, len(source)))
    return tuple(spans)


def _gather(source: str, spans: Sequence[Span], kinds: frozenset[Kind]) -> str:
    pieces = [source[span.start : span.end].strip("\n") for span in spans if span.kind in kinds]
    text = "\n".join(piece for piece in pieces if piece.strip())
    return "\n".join(line.rstrip() for line in text.split("\n")).strip().replace(bodies.OPENING, "")


_SURE: dict[str, float] = {
    "sent": 0.5, "container": 0.3, "headers": 0.3, "attribution": 0.3, "separator": 0.3, "forward": 0.3, "marks": 0.2
}  # fmt: skip


def _extracted(
    source: str, spans: tuple[Span, ...], method: str, witnesses: set[str], cut: bool
) -> Extracted:
    def part(*kinds: Kind) -> str:
        return _gather(source, spans, frozenset(kinds))

    new_text = part(*NEW_TEXT)
    return Extracted(
        new_text=new_text,
        greeting=part("greeting"),
        sign_off=part("sign_off"),
        signature=part("signature", "footer"),
        tagline=part("tagline"),
        disclaimer=part("disclaimer"),
        banner=part("banner"),
        quoted=part("quoted"),
        forwarded=part("forwarded"),
        method="+".join([method, *sorted(witnesses)]),
        confidence=min(0.99, round(0.5 + sum(_SURE[w] for w in witnesses), 2)) if witnesses else 0.5,
        message=part("text", "greeting"),
        source=source,
        spans=spans,
        cut=cut,
    )
