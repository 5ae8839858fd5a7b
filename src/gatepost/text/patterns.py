"""Patterns over mail text: RE2 only, since it cannot backtrack, and a small notation for the lexicons."""

import functools

import re2

_ROOMY = re2.Options()
# For each pattern: its automaton grows with the texts it meets, up to this. More is no quicker (docs/tone-model.md).
_ROOMY.max_mem = 4 << 20
_ROOMY.log_errors = False

LEFT, RIGHT = r"(?i)(?:^|[^\pL\pN])(", r")(?:$|[^\pL\pN])"  # RE2's \b knows ASCII only


def compiled(pattern: str) -> "re2._Regexp":
    """The RE2 pattern, with room enough for the long alternations of word lists."""
    return re2.compile(pattern, _ROOMY)


# What the notation means in RE2, in the order of replacement.
_NOTATION = (
    (r" \.\.\.($|[|)*])", r"\1"),  # any words at the very end need not be there
    (r"\(", "(?:"),
    (r" \.\.\. ", "\x01"),
    (r"\)\*([(\[\pL])", r")\x02\1"),  # a group that may repeat: something follows it at once
    (r"\*", r"[\\pL']*"),
    (r" \?", r"[\\s,]*"),
    (r" ", r"[\\s,]+"),
    ("\x01", r"(?:[\\s,]+[^.?!\\n]*?[\\s,]|[\\s,]+)"),
    ("\x02", "*"),
)


@functools.cache
def phrase(written: str) -> str:
    """A lexicon's phrase as RE2, its words in group 1.

    ` ... ` stands for any words of the same sentence, `*` for any end of a word, a space for any white space;
    `(a|b)`, `?`, and `*` between a group and what directly follows it mean what they mean in a pattern.
    """
    pattern = plain(written.strip())
    for notation, meaning in _NOTATION:
        pattern = re2.sub(notation, meaning, pattern)
    return LEFT + pattern + RIGHT


def plain(text: str) -> str:
    """The text with one kind of apostrophe, character for character."""
    return text.replace("’", "'").replace("`", "'").replace("´", "'")


def words_of(found: "re2._Match") -> tuple[int, int]:
    """Where the words of a match of joined phrases stand: the first group that took part."""
    return next(found.span(group) for group in range(1, found.re.groups + 1) if found.span(group)[0] >= 0)
