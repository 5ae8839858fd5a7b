"""Orders to a program: sentences, fields and marks that talk to whatever reads the mail, not to whom it was sent.

They say nothing of what their writer wants, so no label, date or person is read from them. Only a wish to be left alone
counts wherever it stands (tone.py): an order may make Gatepost do less, never more.
"""

import unicodedata
from dataclasses import dataclass

from .lexicon import talk
from .lines import clauses
from .patterns import LEFT, Many, compiled

MAX_CHARS = 6_000  # a label is read from no more
MAX_NESTED = 4
WRAPPED = 55  # a line of so many characters may go on in the next one
_SPACED = 6  # single letters in a row that make a word written with spaces


@dataclass(frozen=True, slots=True)
class Parted:
    """A message, and what in it is said to a program. Fields and marks of machines are in neither."""

    said: str
    to_program: str
    is_all_orders: bool = False


def part(message: str) -> Parted:
    """The message without what is said to a program; itself where it says nothing of the kind."""
    head, tail = message[:MAX_CHARS], message[MAX_CHARS:]
    rest = _without_blocks(head)
    sentences = [(start, end, _folded(rest[start:end])) for start, end in _sentences(rest)]
    whole = "\n".join(folded for _, _, folded in sentences)
    if rest == head and not _may_hold_orders(whole):
        return Parted(message, "")
    said: list[str] = []
    to_program: list[str] = []
    at = 0
    addressed = False  # a program was spoken to: what follows on the same line is for it too
    for start, end, folded in sentences:
        said.append(rest[at:start])
        addressed = addressed and "\n" not in rest[at:start]
        sentence = rest[start:end]
        addressed = addressed or _speaks_to_a_program(folded)
        field = bool(_FIELD.search(folded))
        if not (addressed or field or _PLAIN.search(folded) or _is_order(folded)):
            said.append(sentence)
        elif not field:
            to_program.append(sentence)
        at = end
    said.append(rest[at:])
    kept = "".join(said)
    if kept == head:
        return Parted(message, "")
    kept = _tidy(kept + tail)
    return Parted(kept, "\n".join(to_program), is_all_orders=not kept)


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where sentences stand, those that a mail program wrapped over several lines as one."""
    joined: list[tuple[int, int]] = []
    for start, end in clauses(text):
        if joined and _wraps(text, *joined[-1], start):
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _wraps(text: str, start: int, end: int, following: int) -> bool:
    if text[end:following].strip(" ") != "\n" or text[end - 1] in ".!?:;。！？…":
        return False
    line_start = max(start, text.rfind("\n", 0, end) + 1)
    return end - line_start >= WRAPPED


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


# --- marks, fields and what is no language ----------------------------------------------------------------------

_MARKS = ("```", "<", "[", "##")
_BLOCKS = tuple(
    compiled(pattern)
    for pattern in (
        r"(?s)```.*?```",
        r"(?is)<(system|assistant|instructions?|prompt|tool|admin|override)>.*?</(system|assistant|instructions?|prompt|tool"
        r"|admin|override)>",
        r"(?i)</?(reply|email|message|user|system|assistant|instructions?)>",
        r"(?s)<\|[a-z_]+\|>.*?<\|[a-z_]+\|>",
        r"(?is)\[inst\].*?\[/inst\]",
        r"\[\[[^\[\]\n]{1,200}\]\]",
        r"(?im)^#{2,} ?(instruction|system|prompt|response|input)s?:?[^\n]*(\n[^\n]+)*",
    )
)
_JSON = compiled(r"[{\[][^{}]*\"[^\"{}\n]{1,60}\"\s*:[^{}]*\}\]?")
_HEADER = compiled(rf"(?im)^[ \t]*({talk.HEADERS}):[ \t][^\n]*$")
_REPORT = compiled(r"(?im)^[ \t]*(action: ?(failed|delayed|relayed)|status: ?[245]\.\d+\.\d+)[^\n]*$")
_CODED = compiled(r"(?:[A-Za-z0-9+/_\-]{28,}={0,2})")


def _without_blocks(text: str) -> str:
    if any(mark in text for mark in _MARKS):
        for block in _BLOCKS:
            text = block.sub("", text)
    for _ in range(MAX_NESTED):
        if "{" not in text or not _JSON.search(text):
            break
        text = _JSON.sub("", text)
    if ":" in text:
        text = _REPORT.sub("", _HEADER.sub("", text))
    return _CODED.sub(lambda found: "" if _is_code(found.group(0)) else found.group(0), text)


def _is_code(word: str) -> bool:
    """Letters of both cases and digits in one long word: written by a machine for a machine."""
    return any(map(str.islower, word)) and any(map(str.isupper, word)) and any(map(str.isdigit, word))


# --- sentences --------------------------------------------------------------------------------------------------

_END = r"(?:$|[^\pL\pN])"
_TO = compiled(
    rf"^[\s\W]*(?:(?:{talk.OPENERS})[\s:,]+)*@?(?:l'|d'|all')?({talk.PROGRAMS})('en|’en)?"
    rf"(?:[\s,]+(?:[\pL']+ ){{0,3}}?(?:{talk.READS})[^:,]{{0,40}})?(?:\s[\pL']+){{0,1}}?\s?[:,：>]+"
)
_TASK = compiled(LEFT + talk.TASKS + ")" + _END)
_TO_BY_NAME = compiled(
    r"^[\s\W]*(?:@gatepost\b|(?:ai|人工知能)?(?:アシスタント|系统|系統|助手|人工智能)(?:へ|に)?[:：、，])"
)
_READER = compiled(
    rf"(?i)(?:^|[^\pL])(?:to|an|aan|til|till|für|for|note|nota|à|all'|do) (?:[\pL']+ ){{0,3}}?(?:{talk.PROGRAMS})"
    rf"['’en]* (?:[\pL]+ ){{0,2}}?(?:{talk.READS}){_END}"
)
_FIELD = compiled(
    rf"(?i)(?:^|[^\pL\pN])(?:{talk.FIELDS})\s?[\"”]?\s?(?::?=\s?[\"“]?[\pL\pN]|[:：]\s?[\"“]?(?:{talk.VALUES}){_END})"
)
_PLAIN = compiled(rf"(?i){talk.PLAIN}")


def _begin(words: str) -> str:
    """Words begin at a letter's border, but for scripts that set none."""
    return LEFT if words.isascii() or unicodedata.name(words[0]).startswith(_BORDERED) else "(?i)("


_BORDERED = ("LATIN", "CYRILLIC", "GREEK")
_PAIRS = (*talk.COUNTERMANDS, *talk.LABELLING)
_VERBS = tuple(compiled(f"{_begin(verb)}{verb})") for verb, _ in _PAIRS)
_OBJECTS = Many(f"{_begin(object_)}{object_})" for _, object_ in _PAIRS)


# Without one of these no sentence is an order: a few looks at the whole instead of some at each sentence.
_SIGNS = (
    _FIELD,
    _PLAIN,
    _READER,
    compiled(rf"{LEFT}{talk.PROGRAMS})(?:'en|’en)?{_END}"),
    compiled("@gatepost|アシスタント|系统|系統|助手|人工"),
)


def _may_hold_orders(said: str) -> bool:
    return any(sign.search(said) for sign in _SIGNS) or bool(_objects(said))


def _speaks_to_a_program(said: str) -> bool:
    if _TO_BY_NAME.match(said) or _READER.search(said):
        return True
    found = _TO.match(said)
    return found is not None and bool(_TASK.search(said[found.end(1) :]))


def _is_order(said: str) -> bool:
    return any(_VERBS[number].search(said) for number in _objects(said))


def _objects(said: str) -> list[int]:
    return [number for number in _OBJECTS.possible(said) if _OBJECTS[number].search(said)]


# --- letters ----------------------------------------------------------------------------------------------------

_LOOK_ALIKE = dict(
    zip(
        map(ord, "аеорсухіјѕԁһԛԝкмтвнгԍΑΕΟΡΤΧΥΙΚΜΝΒΗΖαορτυικνχАЕОРСУХІЈЅКМТВН"),
        "aeopcyxijsdhqwkmtbhrgaeoptxyikmnbhzaoptuiknxaeopcyxijskmtbh",
        strict=True,
    )
)


def _folded(clause: str) -> str:
    """The clause in the letters that it shows: full-width, bold, foreign look-alikes and spaced ones as plain ones."""
    text = clause
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("’", "'")
        text = " ".join(word if word.isascii() else _of_one_script(word) for word in text.split(" "))
    words = text.split()
    if len(words) >= _SPACED and sum(len(word) == 1 for word in words) * 5 >= len(words) * 4:
        text = " ".join(part.replace(" ", "") for part in text.split("  "))
    return text.lower()


def _of_one_script(word: str) -> str:
    if word.isascii() or not any(char.isascii() and char.isalpha() for char in word):
        looks = word.translate(_LOOK_ALIKE)
        return looks if looks.isascii() else word
    return word.translate(_LOOK_ALIKE)
