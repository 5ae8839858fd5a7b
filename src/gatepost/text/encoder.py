"""The encoder: a text in some hundred languages as numbers, token by token. One core, no network.

multilingual-e5-small with Gatepost's adapter, in 8 bits; how it is made: src/tone_model, docs/tone-model.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_CHARS = 1_200
MAX_TOKENS = 256
UNKNOWN = 3  # <unk>
PROMPT = "query: "  # the encoder was trained with it

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder makes of a text: a row of `hidden` for each token, and where the token stands in the text.

    Tokens that stand nowhere (the prompt's) have an empty span.
    """

    hidden: Array
    spans: tuple[tuple[int, int], ...]
    unknown: float  # the share of tokens that the vocabulary lacks: nearly all of a text in another script

    @property
    def embedding(self) -> Array:
        """384 numbers of length 1."""
        mean = self.hidden.mean(axis=0)
        unit: Array = mean / np.linalg.norm(mean)
        return unit


class Encoder:
    """Loads in half a second, holds about 250 MB; threads may share it."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it keeps what the longest text needed
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, text: str) -> Encoded:
        prompted, origin = prompt(text)
        coding = self._tokenizer.encode(prompted)
        ids = np.array([coding.ids], np.int64)
        (hidden,) = self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})
        spans = tuple(_span(start, end, origin) for start, end in coding.offsets)
        own = [token for token, (start, end) in zip(coding.ids, spans, strict=True) if start < end]
        unknown = own.count(UNKNOWN) / len(own) if own else 0.0
        return Encoded(hidden[0], spans, unknown)


def prompt(text: str) -> tuple[str, list[int]]:
    """The text as the encoder reads it (white space collapsed, cut), and of each of its characters the place in
    `text`, -1 for the prompt's own."""
    chars: list[str] = list(PROMPT)
    origin = [-1] * len(PROMPT)
    for word_start, word in _words(text):
        if len(chars) - len(PROMPT) >= MAX_CHARS:
            break
        if len(chars) > len(PROMPT):
            chars.append(" ")
            origin.append(word_start - 1)
        chars.extend(word)
        origin.extend(range(word_start, word_start + len(word)))
    limit = len(PROMPT) + MAX_CHARS
    return "".join(chars[:limit]), origin[:limit]


def _words(text: str) -> list[tuple[int, str]]:
    words, at = [], 0
    for word in text[: 20 * MAX_CHARS].split():
        at = text.index(word, at)
        words.append((at, word))
        at += len(word)
    return words


def _span(start: int, end: int, origin: list[int]) -> tuple[int, int]:
    places = [place for place in origin[start:end] if place >= 0]
    return (places[0], places[-1] + 1) if places else (0, 0)
