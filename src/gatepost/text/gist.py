"""The gist of a long reply: its most telling sentences, as many as the encoder has room for, in their own order.

The encoder's time grows with what it reads, and one sentence of a long reply mostly says what its writer wants. Which
one that is the n-grams know well enough (docs/tone-model.md has the figures).
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import groupby

from .lines import clauses

Span = tuple[int, int]
Telling = Callable[[str], float]  # how much the words of a sentence say for one label against the others


def gist(text: str, spans: Sequence[Span], room: int, telling: Telling) -> list[int]:
    """Which of the tokens at `spans` to read, in their order: all, where there is room for all.

    Sentences are taken whole, the most telling first; the last one is cut where the room ends. A token without a place
    in the text (an empty span: the prompt's) is always read, and takes no room.
    """
    own = [token for token, (start, end) in enumerate(spans) if start < end]
    if len(own) <= room:
        return list(range(len(spans)))
    read = set(range(len(spans))).difference(own)
    sentences = _tokens_of_sentences(text, spans, own)
    for tokens in sorted(sentences, key=lambda tokens: -telling(_words(text, spans, tokens))):
        read.update(tokens[:room])
        room -= len(tokens[:room])
    return sorted(read)


def _tokens_of_sentences(text: str, spans: Sequence[Span], own: Sequence[int]) -> list[list[int]]:
    ends = [end for _, end in clauses(text[: spans[own[-1]][1]])]
    by_sentence = groupby(own, key=lambda token: bisect_left(ends, spans[token][1]))
    return [list(tokens) for _, tokens in by_sentence]


def _words(text: str, spans: Sequence[Span], tokens: Sequence[int]) -> str:
    return text[spans[tokens[0]][0] : spans[tokens[-1]][1]]
