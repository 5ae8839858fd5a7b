"""The words and letters of a text as hashed features: the second opinion beside the encoder, and what is left
without it."""

import zlib
from collections import Counter
from collections.abc import Iterator
from math import log

import numpy as np
from numpy.typing import NDArray

from .patterns import plain

BUCKETS = 1 << 17
MAX_CHARS = 1_200
_LONGEST = 5


def features(text: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Each bucket that occurs, and how much of it: 1 + log(times), before any weighing."""
    counted = Counter(zlib.crc32(gram.encode()) & (BUCKETS - 1) for gram in grams(text))
    buckets = np.fromiter(counted, np.int32, len(counted))
    amounts = np.fromiter((1 + log(times) for times in counted.values()), np.float32, len(counted))
    return buckets, amounts


def weighed(text: str, rarity: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The same, rare ones counting more, as a vector of length 1 (or none where nothing of it is known)."""
    buckets, amounts = features(text)
    amounts = amounts * rarity[buckets]
    return buckets, amounts / (np.linalg.norm(amounts) or 1.0)


def grams(text: str) -> Iterator[str]:
    """Words, pairs of words, and two to five letters within a word and its borders; lower case."""
    words = plain(text[:MAX_CHARS]).lower().split()
    before = "^"
    for word in words:
        bare = word.strip(".,;:!?()[]\"'„“”«»…") or word
        yield f"w {bare}"
        yield f"p {before} {bare}"
        before = bare
        bordered = f" {word[:40]} "
        for size in range(2, _LONGEST + 1):
            for start in range(max(1, len(bordered) - size + 1)):
                yield bordered[start : start + size]
