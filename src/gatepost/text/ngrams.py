"""The words and letters of a text as hashed features: the second opinion beside the encoder, and what is left
without it."""

import functools
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .patterns import plain

BUCKETS = 1 << 17
MAX_CHARS = 1_200
_LONGEST = 5

Buckets = NDArray[np.int32]
Amounts = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Head:
    """What was learned of n-grams: a row for each label, in 8 bits, and how rare each n-gram is."""

    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    rarity: NDArray[np.float32]

    def of(self, text: str) -> NDArray[np.float32]:
        """How much a text says for each label, however long it is."""
        buckets, amounts = weighed(text, self.rarity)
        said: NDArray[np.float32] = self._said(buckets, amounts) + self.bias
        return said

    def telling(self, sentence: str) -> float:
        """How much a sentence of a text says for the label that it speaks for most, against the others."""
        buckets, amounts = features(sentence)
        said = self._said(buckets, amounts * self.rarity[buckets])
        return float(said.max() - said.mean())

    def _said(self, buckets: Buckets, amounts: Amounts) -> NDArray[np.float32]:
        said: NDArray[np.float32] = self.weights[:, buckets].astype(np.float32) @ amounts * self.scale
        return said


def weighed(text: str, rarity: NDArray[np.float32]) -> tuple[Buckets, Amounts]:
    """The features of a text, rare ones counting more, as a vector of length 1 (or none where nothing of it is
    known)."""
    buckets, amounts = features(text)
    amounts = amounts * rarity[buckets]
    return buckets, amounts / (np.linalg.norm(amounts) or 1.0)


def features(text: str) -> tuple[Buckets, Amounts]:
    """Each bucket that occurs, and how much of it: 1 + log(times), before any weighing."""
    buckets, times = np.unique(np.array(_buckets(text), np.int32), return_counts=True)
    return buckets, (1 + np.log(times)).astype(np.float32)


def _buckets(text: str) -> list[int]:
    """Words, pairs of words, and two to five letters within a word and its borders; lower case."""
    filled: list[int] = []
    before = "^"
    for word in plain(text[:MAX_CHARS]).lower().split():
        bare, own = _of_word(word)
        filled += own
        filled.append(_bucket(f"p {before} {bare}"))
        before = bare
    return filled


@functools.lru_cache(4_096)
def _of_word(word: str) -> tuple[str, tuple[int, ...]]:
    """A word without its punctuation, and the buckets that it fills by itself."""
    bare = word.strip(".,;:!?()[]\"'„“”«»…") or word
    bordered = f" {word[:40]} "
    pieces = (
        bordered[start : start + size]
        for size in range(2, _LONGEST + 1)
        for start in range(max(1, len(bordered) - size + 1))
    )
    return bare, (_bucket(f"w {bare}"), *map(_bucket, pieces))


def _bucket(gram: str) -> int:
    return zlib.crc32(gram.encode()) & (BUCKETS - 1)
