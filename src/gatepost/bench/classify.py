"""`gatepost bench classify`: labels, dates and speed on the development replies, beside peers in the same run.

The development replies (data/replies/development) were written by other hands than those the model learned from.
`unsure` counts as wrong in accuracy and F1. Peers: the phrases of our own rule labeller, VADER's mood, MiniLM with
logistic regression over the same training text.
"""

import json
import math
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gatepost.errors import BadInput
from gatepost.text.labeller import LABELS_OF_PEOPLE, RuleLabeller
from gatepost.text.learned import FRIENDLY, REFUSALS
from gatepost.text.tone import ReplyInput, Tone, classify

REPLIES = Path(__file__).parents[3] / "data/replies"
LIMITS = {
    "accuracy": 0.88,
    "macro_f1": 0.88,
    "accuracy_of_the_surest_75_percent": 0.95,
    "leave_us_alone_recall": 0.95,
    "leave_us_alone_shown_as_friendly": 0,
    "interested_recall": 0.80,
    "ms_p95": 15.0,
    "ms_p99": 50.0,
    "memory_mb": 400,
}
AT_MOST = frozenset({"leave_us_alone_shown_as_friendly", "ms_p95", "ms_p99", "memory_mb"})
TRIES = 3  # the quickest counts: the others had a neighbour
# A date is right within these days of the one that was written down.
TOLERANCE = {"day": 1, "week": 6, "month": 31, "quarter": 92, "season": 45}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a labeller says of a reply, and how sure it is."""

    label: str
    score: float


def measure() -> dict[str, Any]:
    rows = replies("development")
    tones, milliseconds = _timed(rows)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = [Said(tone.label, tone.score) for tone in tones]
    figures: dict[str, Any] = {
        "replies": len(rows),
        **quality(rows, said),
        "unlike_training": _of_new_words(rows, said),
        "per_label": per_label(rows, said),
        "per_language": per_language(rows, said),
        "risk_and_coverage": risk_and_coverage(rows, said),
        "confused": confused(rows, said),
        **dates(rows, tones),
        "ms_p50": percentile(milliseconds, 50),
        "ms_p95": percentile(milliseconds, 95),
        "ms_p99": percentile(milliseconds, 99),
        "replies_a_second": round(1000 * len(milliseconds) / sum(milliseconds), 1),
        "memory_mb": round(memory),
        "version": tones[0].version,
        "peers": {name: quality(rows, peer(rows)) for name, peer in PEERS.items()},
    }
    kept = {
        name: figures[name] <= limit if name in AT_MOST else figures[name] >= limit
        for name, limit in LIMITS.items()
    }
    return {"ok": all(kept.values()), "figures": figures, "limits": LIMITS, "kept": kept}


def replies(part: str) -> list[Row]:
    files = sorted((REPLIES / part).glob("*.jsonl"))
    if not files:
        raise BadInput(f"There are no replies in {REPLIES / part}: run this from a checkout of Gatepost.")
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def _timed(rows: Sequence[Row]) -> tuple[list[Tone], list[float]]:
    """Each reply by itself, in milliseconds of processor time: the model is loaded before."""
    classify(ReplyInput(id="first", text="Hello"))
    tones: list[Tone] = []
    milliseconds = [math.inf] * len(rows)
    for _ in range(TRIES):
        tones.clear()
        for number, row in enumerate(rows):
            received = datetime.fromisoformat(row["received"]) if row.get("received") else None
            begun = time.process_time()
            tones.append(classify(ReplyInput(id="", text=row["text"], received=received)))
            milliseconds[number] = min(milliseconds[number], (time.process_time() - begun) * 1000)
    return tones, milliseconds


# Figures


def _of_new_words(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, Any]:
    """The figures of those replies that share neither their text nor seven words in a row with a training reply."""
    known = {run for row in replies("training") for run in runs_of_words(row["text"])}
    chosen = [
        (row, each) for row, each in zip(rows, said, strict=True) if not known & runs_of_words(row["text"])
    ]
    return {"replies": len(chosen), **quality([row for row, _ in chosen], [each for _, each in chosen])}


def runs_of_words(text: str, length: int = 7) -> set[tuple[str, ...]]:
    """Each run of so many words; of a shorter text, itself."""
    words = text.lower().split()
    return {tuple(words[at : at + length]) for at in range(max(1, len(words) - length + 1))}


def quality(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, Any]:
    right = [row["labels"][0] == each.label for row, each in zip(rows, said, strict=True)]
    surest = sorted(range(len(rows)), key=lambda i: -said[i].score)[: round(0.75 * len(rows))]
    alone = [each.label for row, each in zip(rows, said, strict=True) if REFUSALS & set(row["labels"])]
    scores = per_label(rows, said)
    return {
        "accuracy": round(sum(right) / len(rows), 4),
        "macro_f1": round(sum(each["f1"] for each in scores.values()) / len(scores), 4),
        "accuracy_of_the_surest_75_percent": round(sum(right[i] for i in surest) / len(surest), 4),
        "unsure": sum(each.label == "unsure" for each in said),
        "leave_us_alone_recall": round(sum(label in REFUSALS for label in alone) / len(alone), 4),
        "leave_us_alone_shown_as_friendly": sum(label in FRIENDLY for label in alone),
        "interested_recall": scores["interested"]["recall"],
    }


def per_label(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, dict[str, float]]:
    figures = {}
    for label in LABELS_OF_PEOPLE:
        true = sum(row["labels"][0] == label for row in rows)
        given = sum(each.label == label for each in said)
        both = sum(row["labels"][0] == label == each.label for row, each in zip(rows, said, strict=True))
        precision, recall = both / given if given else 0.0, both / true if true else 0.0
        f1 = 2 * precision * recall / (precision + recall) if both else 0.0
        figures[label] = {
            "rows": true,
            "precision": round(precision, 3),
            "recall": round(recall, 3),
            "f1": round(f1, 3),
        }
    return figures


def per_language(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    for language in sorted({row["lang"] for row in rows}):
        right = [
            row["labels"][0] == each.label
            for row, each in zip(rows, said, strict=True)
            if row["lang"] == language
        ]
        figures[language] = {"rows": len(right), "accuracy": round(sum(right) / len(right), 3)}
    return figures


def risk_and_coverage(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, float]:
    """How often the label is right where only so many of the replies get one, the surest first."""
    order = sorted(range(len(rows)), key=lambda i: -said[i].score)
    figures = {}
    for share in (25, 50, 60, 70, 75, 80, 90, 100):
        chosen = order[: max(1, round(share / 100 * len(rows)))]
        right = sum(rows[i]["labels"][0] == said[i].label for i in chosen)
        figures[f"{share} %"] = round(right / len(chosen), 4)
    return figures


def confused(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, int]:
    """What is most often taken for what."""
    pairs: dict[str, int] = {}
    for row, each in zip(rows, said, strict=True):
        if row["labels"][0] != each.label:
            pair = f"{row['labels'][0]} → {each.label}"
            pairs[pair] = pairs.get(pair, 0) + 1
    return dict(sorted(pairs.items(), key=lambda item: -item[1])[:15])


def dates(rows: Sequence[Row], tones: Sequence[Tone]) -> dict[str, int]:
    told = found = right = invented = asked = 0
    for row, tone in zip(rows, tones, strict=True):
        if not row.get("received"):
            continue
        wanted = row.get("return_date")
        if wanted:
            told += 1
            found += tone.return_date is not None
            if tone.return_date is not None:
                days = abs((tone.return_date - date.fromisoformat(wanted)).days)
                right += days <= TOLERANCE[row.get("return_precision") or "day"]
        else:
            asked += 1
            invented += tone.return_date is not None
    return {
        "dates_told": told,
        "dates_found": found,
        "dates_right": right,
        "replies_without_a_date": asked,
        "dates_invented": invented,
    }


def percentile(values: Sequence[float], share: int) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 2)


# Peers


def _rules(rows: Sequence[Row]) -> list[Said]:
    labeller = RuleLabeller()
    tones = [classify(ReplyInput(id="", text=row["text"]), labeller) for row in rows]
    return [Said(tone.label, tone.score) for tone in tones]


def _mood(rows: Sequence[Row]) -> list[Said]:
    """VADER's compound score, cut into the labels that a mood can mean at all."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    said = []
    for row in rows:
        mood = analyser.polarity_scores(row["text"])["compound"]
        label = (
            "interested"
            if mood >= 0.5
            else "hard_no"
            if mood <= -0.5
            else "not_interested"
            if mood < 0
            else "other"
        )
        said.append(Said(label, abs(mood)))
    return said


def _minilm(rows: Sequence[Row]) -> list[Said]:
    """all-MiniLM-L6-v2, in 8 bits as ours is, and logistic regression over the training replies."""
    from sklearn.linear_model import LogisticRegression

    from tone_model import minilm

    training = replies("training")
    embed = minilm.embedder()
    head = LogisticRegression(C=10, max_iter=2000)
    head.fit([embed(row["text"]) for row in training], [row["labels"][0] for row in training])
    chances = head.predict_proba([embed(row["text"]) for row in rows])
    return [Said(head.classes_[line.argmax()], float(line.max())) for line in chances]


PEERS: dict[str, Callable[[Sequence[Row]], list[Said]]] = {
    "phrases": _rules,
    "VADER": _mood,
    "MiniLM and logistic regression": _minilm,
}
