"""python -m tone_model.train: the adapter of the encoder and both heads, learned from data/replies/training.

One seed, one order, no network; about fifteen minutes on two cores. Writes adapter.npz, heads.npz and model.json beside
what the product loads, and builds the encoder with them. A tenth of the rows is kept back and sets the temperatures;
DECIDED was decided by people. data/replies/development is not opened here.
"""

import argparse
import io
import json
import math
import random
import re
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from gatepost.text import ngrams
from gatepost.text.encoder import Reader
from gatepost.text.encoder import load as encoder_in
from gatepost.text.labeller import LABELS_OF_PEOPLE as LABELS
from gatepost.text.learned import Heads

from . import build, network, replies, source, vocabulary
from .courses import COURSES, Course

VERSION = "5"
SEED = 20_261_128
RANK = 16
BATCH = 24
HEAD_RATE = 5  # times the rate of the adapter
SMOOTHING, DROPOUT, SECOND = 0.1, 0.1, 0.25
WIDTHS = (16, 24, 32, 48, 72, 128, 256)  # batches are padded to one of these
SCALE = 8.0  # an embedding has length 1: its numbers are small
# How much the encoder counts beside the n-grams, below which chance nothing is said, from which chance on a wish to be left
# alone goes before friendlier labels, from which on it is said where it comes first (stop and hard no together), and from
# which on a label stands beside the first. Chosen with the development replies in view: docs/tone-model.md says so beside
# the figures.
DECIDED = {
    "encoder_share": 0.75,
    "threshold": 0.4,
    "threshold_ngrams": 0.4,
    "leave_us_alone": 0.15,
    "refusals": 0.25,
    "second": 0.25,
}


# Variations: what happens to a text between a person's hands and ours, and says nothing about its purpose.

_GREETING = re.compile(r"^[^\n,.!?]{1,40}[,!.:]?\n+")
_CLOSING = re.compile(r"\n+[^\n]{1,40}\n[^\n]{1,40}\s*$")


def varied(text: str, chance: random.Random) -> str:
    if chance.random() < 0.25:
        text = _GREETING.sub("", text, count=1) or text
    if chance.random() < 0.25:
        text = _CLOSING.sub("", text, count=1) or text
    if chance.random() < 0.15:
        text = text.lower()
    if chance.random() < 0.1:
        text = re.sub(r"[.,!]", "", text)
    if chance.random() < 0.15 and len(text) > 12:
        at = chance.randrange(1, len(text) - 2)
        text = chance.choice(
            (text[:at] + text[at + 1 :], text[:at] + text[at + 1] + text[at] + text[at + 2 :])
        )
    return text


def targets(reply: replies.Reply) -> np.ndarray:
    wanted = np.zeros(len(LABELS), np.float32)
    wanted[LABELS.index(reply.label)] = 1.0 - SECOND * (len(reply.labels) > 1)
    for other in reply.labels[1:]:
        wanted[LABELS.index(other)] += SECOND / (len(reply.labels) - 1)
    return wanted * (1 - SMOOTHING) + SMOOTHING / len(LABELS)


class Batches:
    """Texts of like length together, padded to a few widths."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def of(self, texts: list[str], order: list[int]) -> list[tuple[list[int], np.ndarray, np.ndarray]]:
        read = {i: self.reader.read(texts[i]).ids[: WIDTHS[-1]] for i in order}
        by_width: dict[int, list[int]] = {width: [] for width in WIDTHS}
        for i in order:
            by_width[next(width for width in WIDTHS if len(read[i]) <= width)].append(i)
        batches = []
        for width, rows in by_width.items():
            size = max(4, min(BATCH, BATCH * 48 // width))
            for start in range(0, len(rows), size):
                chosen = rows[start : start + size]
                ids = np.ones((size, width), np.int64)  # <pad> is 1
                mask = np.zeros((size, width), np.float32)
                mask[:, 0] = 1.0
                for line, i in enumerate(chosen):
                    ids[line, : len(read[i])] = read[i]
                    mask[line, : len(read[i])] = 1.0
                batches.append((chosen, ids, mask))
        return batches


@dataclass(frozen=True)
class Learned:
    """The adapter and the encoder's head (labels x 384, and a bias), as they are kept: in 16 bits."""

    adapter: dict[str, np.ndarray]
    head: np.ndarray
    bias: np.ndarray


def learn(
    shape: source.Shape,
    arrays: dict[str, Any],
    reader: Reader,
    rows: list[replies.Reply],
    course: Course,
    so_far: Learned | None,
) -> Learned:
    """What is known after this course, whatever was known before."""
    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    encoder = network.Encoder(shape, arrays, RANK, DROPOUT)
    head = torch.nn.Linear(shape.hidden, len(LABELS))
    torch.nn.init.zeros_(head.weight)
    if so_far:
        encoder.resume(so_far.adapter)
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(so_far.head.astype(np.float32) / SCALE))
            head.bias.copy_(torch.from_numpy(so_far.bias.astype(np.float32)))
    wanted = np.array([targets(row) for row in rows])
    batches = Batches(reader)
    steps = course.epochs * len(batches.of([row.text for row in rows], list(range(len(rows)))))
    optimiser = torch.optim.AdamW(
        [
            {"params": list(encoder.parameters()), "lr": course.rate},
            {"params": list(head.parameters()), "lr": HEAD_RATE * course.rate},
        ],
        weight_decay=0.01,
    )
    warm = steps // 12
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(
            step / warm, 0.02 + 0.49 * (1 + math.cos(math.pi * min(1, max(0, step - warm) / (steps - warm))))
        ),
    )
    for epoch in range(course.epochs):
        begun, total, seen = time.monotonic(), 0.0, 0
        order = list(range(len(rows)))
        chance.shuffle(order)
        made = batches.of([varied(row.text, chance) for row in rows], order)
        chance.shuffle(made)
        for chosen, ids, mask in made:
            said = head(encoder(torch.from_numpy(ids), torch.from_numpy(mask)) * SCALE)
            goal = torch.from_numpy(wanted[chosen])
            loss = -(functional.log_softmax(said[: len(chosen)], dim=1) * goal).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*encoder.parameters(), *head.parameters()], 1.0)
            optimiser.step()
            schedule.step()
            total, seen = total + float(loss.detach()) * len(chosen), seen + len(chosen)
        print(
            f"epoch {epoch + 1}: loss {total / seen:.4f}, {time.monotonic() - begun:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    weights, bias = (part.detach().numpy() for part in (head.weight, head.bias))
    return Learned(encoder.learned(), (weights * SCALE).astype(np.float16), bias.astype(np.float16))


def learn_ngrams(rows: list[replies.Reply]) -> ngrams.Head:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    seen = np.zeros(ngrams.BUCKETS, np.int64)
    for row in rows:
        seen[ngrams.features(row.text)[0]] += 1
    rarity = np.where(seen >= 2, np.log((1 + len(rows)) / (1 + seen)) + 1, 0).astype(np.float32)
    lines, columns, values = [], [], []
    for line, row in enumerate(rows):
        buckets, amounts = ngrams.weighed(row.text, rarity)
        lines += [line] * len(buckets)
        columns += list(buckets)
        values += list(amounts)
    matrix = csr_matrix((values, (lines, columns)), shape=(len(rows), ngrams.BUCKETS))
    head = LogisticRegression(C=20.0, max_iter=400).fit(matrix, [LABELS.index(row.label) for row in rows])
    scale = np.abs(head.coef_).max(1) / 127
    in_bytes = np.rint(head.coef_ / scale[:, None]).astype(np.int8)
    return ngrams.Head(in_bytes, scale.astype(np.float32), head.intercept_.astype(np.float32), rarity)


def temperature(logits: np.ndarray, right: np.ndarray) -> float:
    """The one that makes the probabilities of what is right the largest on the rows kept back."""

    def surprise(heat: float) -> float:
        scaled = logits / heat
        scaled -= scaled.max(1, keepdims=True)
        whole = np.log(np.exp(scaled).sum(1))
        return float((whole - scaled[np.arange(len(right)), right]).mean())

    return min((round(0.3 + step * 0.05, 2) for step in range(60)), key=surprise)


def kept_back(rows: list[replies.Reply]) -> tuple[list[replies.Reply], list[replies.Reply]]:
    """Every tenth row of each label is for calibration; the others are for learning."""
    count: dict[str, int] = {}
    learning: list[replies.Reply] = []
    calibrating: list[replies.Reply] = []
    for row in rows:
        count[row.label] = count.get(row.label, 0) + 1
        (calibrating if count[row.label] % 10 == 5 else learning).append(row)
    return learning, calibrating


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("sources", type=Path, help="the unpacked packages of requirements/encoder.txt")
    options.add_argument("--replies", type=Path, default=Path("data/replies/training"))
    options.add_argument("--target", type=Path, default=Path("src/gatepost/text/weights"))
    options.add_argument(
        "--further", action="store_true", help="only the last course, from what is in the target"
    )
    chosen = options.parse_args()
    target: Path = chosen.target
    target.mkdir(parents=True, exist_ok=True)

    learning, calibrating = kept_back(replies.read(chosen.replies))
    print(f"{len(learning)} replies to learn from, {len(calibrating)} kept back", file=sys.stderr)
    by_ngrams = learn_ngrams(learning)  # first: it chooses what the encoder reads of long replies
    shape, arrays = source.read(chosen.sources / build.WEIGHTS)
    smaller, keep = vocabulary.trimmed(source.checked_tokenizer(chosen.sources / build.TOKENIZER))
    arrays["emb.word"] = arrays["emb.word"][keep]
    learned = kept(target) if chosen.further else None
    for course in COURSES[-1:] if chosen.further else COURSES:
        reader = Reader(Tokenizer.from_str(smaller.decode()), by_ngrams.telling, course.tokens)
        learned = learn(shape, arrays, reader, course.of(learning), course, learned)
    assert learned
    _save(target / "adapter.npz", **learned.adapter)
    built = build.build(chosen.sources, target, as_told=False)
    _save(
        target / "heads.npz",
        encoder=learned.head,
        encoder_bias=learned.bias,
        ngrams=by_ngrams.weights,
        ngrams_scale=by_ngrams.scale,
        ngrams_bias=by_ngrams.bias,
        rarity=by_ngrams.rarity.astype(np.float16),
    )
    numbers = {**temperatures(target, calibrating), **DECIDED}
    told = {"version": VERSION, "labels": list(LABELS), "numbers": numbers, "built": built}
    (target / "model.json").write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(numbers), file=sys.stderr)
    return 0


def kept(target: Path) -> Learned:
    """What an earlier training put down."""
    with np.load(target / "adapter.npz") as adapter, np.load(target / "heads.npz") as heads:
        return Learned(dict(adapter), heads["encoder"], heads["encoder_bias"])


def temperatures(target: Path, rows: list[replies.Reply]) -> dict[str, float]:
    """What makes each head's probabilities honest on the rows kept back, read by the encoder as it was built."""
    heads = Heads.load(target, LABELS)
    encoder = encoder_in(target, heads.ngrams.telling)
    assert encoder, "it was built a moment ago"
    right = np.array([LABELS.index(row.label) for row in rows])
    by_encoder = np.array([heads.of_encoder(encoder.encode(row.text)) for row in rows])
    by_ngrams = np.array([heads.ngrams.of(row.text) for row in rows])
    print(
        f"encoder right on {np.mean(by_encoder.argmax(1) == right):.3f} of those kept back", file=sys.stderr
    )
    return {
        "encoder_temperature": temperature(by_encoder, right),
        "ngrams_temperature": temperature(by_ngrams, right),
    }


def _save(path: Path, **arrays: Any) -> None:
    """As numpy does, but the same bytes each time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in sorted(arrays.items()):
            held = io.BytesIO()
            np.lib.format.write_array(held, np.asanyarray(array), allow_pickle=False)
            file.writestr(
                zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)), held.getvalue(), zipfile.ZIP_DEFLATED
            )


if __name__ == "__main__":
    sys.exit(main())
