"""The encoder: a text in some hundred languages as numbers, token by token. One core, no network.

multilingual-e5-small with Gatepost's adapter, in 8 bits; how it is made: src/tone_model, docs/tone-model.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .gist import Span, Telling, gist

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_CHARS = 1_200
MAX_TOKENS = 48  # of the text's own: some thirty-five words, more than half of all replies have
UNKNOWN = 3  # <unk>
PROMPT = "query: "  # the encoder was trained with it

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as the encoder reads it: the gist of it, in pieces, and where each stands in the text.

    Tokens that stand nowhere (the prompt's) have an empty span.
    """

    ids: tuple[int, ...]
    spans: tuple[Span, ...]
    unknown: float  # the share of tokens that the vocabulary lacks: nearly all of a text in another script


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder makes of a text: a row of `hidden` for each of its tokens."""

    hidden: Array
    spans: tuple[Span, ...]
    unknown: float

    @property
    def embedding(self) -> Array:
        """384 numbers of length 1."""
        mean = self.hidden.mean(axis=0)
        unit: Array = mean / np.linalg.norm(mean)
        return unit


class Reader:
    """Reads texts into tokens, of a long one its most telling sentences. Training and product read alike."""

    def __init__(self, tokenizer: "Tokenizer", telling: Telling, room: int = MAX_TOKENS) -> None:
        self._tokenizer, self._telling, self._room = tokenizer, telling, room
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()  # MAX_CHARS bounds it

    def read(self, text: str) -> Tokens:
        prompted, origin = prompt(text)
        coding = self._tokenizer.encode(prompted)
        spans = [_span(start, end, origin) for start, end in coding.offsets]
        own = [token for token, (start, end) in zip(coding.ids, spans, strict=True) if start < end]
        chosen = gist(text, spans, self._room, self._telling)
        return Tokens(
            tuple(coding.ids[token] for token in chosen),
            tuple(spans[token] for token in chosen),
            unknown=own.count(UNKNOWN) / len(own) if own else 0.0,
        )


class Encoder:
    """Loads in half a second, holds about 200 MB; threads may share it."""

    def __init__(self, model: Path, reader: Reader) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it keeps what the longest text needed
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.reader = reader

    def encode(self, text: str) -> Encoded:
        read = self.reader.read(text)
        ids = np.array([read.ids], np.int64)
        (hidden,) = self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})
        return Encoded(hidden[0], read.spans, read.unknown)


def load(folder: Path, telling: Telling) -> Encoder | None:
    """The encoder built in this folder; None where it was not."""
    model, pieces = folder / "encoder.onnx", folder / "tokenizer.json"
    if not (model.exists() and pieces.exists()):
        return None
    from tokenizers import Tokenizer

    return Encoder(model, Reader(Tokenizer.from_file(str(pieces)), telling))


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


def _span(start: int, end: int, origin: list[int]) -> Span:
    places = [place for place in origin[start:end] if place >= 0]
    return (places[0], places[-1] + 1) if places else (0, 0)
