"""data/replies: replies written for training, and by other hands for development."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.text.labeller import LABELS_OF_PEOPLE as LABELS


@dataclass(frozen=True)
class Reply:
    text: str
    labels: tuple[str, ...]
    lang: str
    writer: str
    row: dict[str, Any]

    @property
    def label(self) -> str:
        return self.labels[0]


def read(folder: Path) -> list[Reply]:
    """The replies of every file of this folder, in the order of files and lines."""
    return [reply for file in sorted(folder.glob("*.jsonl")) for reply in _of(file)]


def _of(file: Path) -> Iterator[Reply]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        row = json.loads(line)
        labels = tuple(row["labels"])
        if not labels or not set(labels) <= set(LABELS):
            raise ValueError(f"{file}:{number}: {labels} are not labels a reply can have")
        yield Reply(row["text"], labels, row["lang"], row["writer"], row)
