"""The labeller that learned: an encoder with a head, n-grams with another, and phrases where the words are few.

The heads learned from data/replies alone, which was written for it; nobody's mail trains anything. Where the encoder was
not built, the n-grams speak alone and are sure less often. Files and figures: docs/tone-model.md.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import ngrams
from .encoder import Array, Encoded, Encoder, load
from .labeller import LABELS_OF_PEOPLE, UNSURE, Choice, Evidence, Finding, RuleLabeller, Scores
from .lines import clauses
from .optout import SURE

WEIGHTS = Path(__file__).parent / "weights"
LONGEST_QUOTE = 160
TOO_MUCH_UNKNOWN = 0.2
FEW_WORDS, SHARE_OF_PHRASES = 6, 0.5
SHORT_SENTENCE, SENTENCES_READ = 4, 5


@dataclass(frozen=True, slots=True)
class Heads:
    """What was learned: of the encoder's head and the n-grams' one row for each label."""

    labels: tuple[str, ...]
    encoder: Array
    encoder_bias: Array
    ngrams: ngrams.Head

    @classmethod
    def load(cls, folder: Path, labels: tuple[str, ...]) -> "Heads":
        with np.load(folder / "heads.npz") as held:
            return cls(
                labels,
                held["encoder"].astype(np.float32),
                held["encoder_bias"].astype(np.float32),
                ngrams.Head(
                    held["ngrams"],
                    held["ngrams_scale"].astype(np.float32),
                    held["ngrams_bias"].astype(np.float32),
                    held["rarity"].astype(np.float32),
                ),
            )

    def of_encoder(self, encoded: Encoded) -> Array:
        """How much the encoder's head says for each label."""
        said: Array = self.encoder @ encoded.embedding + self.encoder_bias
        return said


class LearnedLabeller:
    """Scores are probabilities; below its threshold nothing is chosen."""

    def __init__(
        self, heads: Heads, told: Mapping[str, float], version: str, encoder: Encoder | None
    ) -> None:
        self._heads, self._told, self.encoder = heads, told, encoder
        self._rules = RuleLabeller()
        self.version = version if encoder else f"{version}-ngrams"

    def scores(self, new_text: str) -> Scores:
        chances = _softmax(self._heads.ngrams.of(new_text) / self._told["ngrams_temperature"])
        encoded = self.encoder.encode(new_text) if self.encoder else None
        if encoded and encoded.unknown > TOO_MUCH_UNKNOWN:
            return Scores(dict.fromkeys(self._heads.labels, 0.0), ())
        if encoded:
            by_encoder = _softmax(self._heads.of_encoder(encoded) / self._told["encoder_temperature"])
            share = self._told["encoder_share"]
            chances = share * by_encoder + (1 - share) * chances
        chances = self._with_phrases(new_text, chances)
        by_label = {
            label: round(float(chance), 4) for label, chance in zip(self._heads.labels, chances, strict=True)
        }
        return Scores(by_label, self._findings(new_text, by_label, encoded))

    def choose(self, new_text: str, scores: Scores, among: tuple[str, ...] = LABELS_OF_PEOPLE) -> Choice:
        """The likeliest label among these, or `unsure`; and what is also likely.

        A wish to be left alone is heard sooner than any other. Where it is likely enough, every label that is not friendly
        gives way to it. Where it is a little likely, nothing friendly is said: a person decides.
        """
        ranked = sorted(among, key=lambda label: -scores.of(label))
        first = ranked[0]
        whole = sum(scores.of(label) for label in among) or 1.0
        score = scores.of(first) / whole
        leave_us = sum(scores.of(label) for label in REFUSALS) if among == LABELS_OF_PEOPLE else 0.0
        nothing_friendly = leave_us >= self._told["leave_us_alone"]
        if among == LABELS_OF_PEOPLE:
            if first in FRIENDLY and nothing_friendly:
                return Choice(UNSURE, round(max(leave_us, score), 3))
            if first not in REFUSALS and leave_us >= self._told["refusals"]:
                return Choice(max(sorted(REFUSALS), key=scores.of), round(max(leave_us, score), 3))
            if not self._is_likely_enough(first, score, leave_us):
                return Choice(UNSURE, round(score, 3))
        also = tuple(
            other
            for other in ranked[1:]
            if scores.of(other) >= self._told["second"] and not (nothing_friendly and other in FRIENDLY)
        )
        return Choice(first, round(score, 3), also)

    def _is_likely_enough(self, first: str, score: float, leave_us: float) -> bool:
        """Whether to stop or never to write again is what may be in doubt between the two; both end it."""
        if first in REFUSALS:
            return leave_us >= self._told["refusals"]
        return score >= self._told["threshold" if self.encoder else "threshold_ngrams"]

    def _with_phrases(self, text: str, chances: Array) -> Array:
        """In a few words a known phrase says as much as the model, which learned from texts that avoid such phrases."""
        choice = self._by_phrases(text)
        if choice is None or choice.label not in self._heads.labels:
            return chances
        said = np.zeros_like(chances)
        said[self._heads.labels.index(choice.label)] = choice.score
        mixed: Array = (1 - SHARE_OF_PHRASES) * chances + SHARE_OF_PHRASES * said
        return mixed

    def _by_phrases(self, text: str) -> Choice | None:
        """What a known phrase says of a few words; or of more, where a sentence of its own refuses: "Absolutely not."."""
        if len(text.split()) <= FEW_WORDS:
            return self._rules.choose(text, self._rules.scores(text))
        sentences = (text[start:end] for start, end in clauses(text))
        short = [said for said in sentences if len(said.split()) <= SHORT_SENTENCE]
        choices = (self._rules.choose(said, self._rules.scores(said)) for said in short[:SENTENCES_READ])
        return next((each for each in choices if each.label in REFUSALS and each.score >= SURE), None)

    def _findings(
        self, text: str, by_label: Mapping[str, float], encoded: Encoded | None
    ) -> tuple[Finding, ...]:
        """The words that speak for each likely label: those of a rule where one fits, else the clause that
        adds most to the encoder's score."""
        likely = {label: chance for label, chance in by_label.items() if chance >= self._told["second"]}
        by_rule = self._rules.findings(text, likely)
        found = []
        for label, chance in likely.items():
            fitting = [finding for finding in by_rule if finding.label == label]
            if not fitting and encoded:
                evidence = self._clause(text, encoded, label)
                fitting = [Finding(label, chance, evidence)] if evidence else []
            found += fitting
        return tuple(found)

    def _clause(self, text: str, encoded: Encoded, label: str) -> Evidence | None:
        """The embedding is the mean of its tokens: what each adds to the label's score is known exactly."""
        head = self._heads.encoder[self._heads.labels.index(label)] - self._heads.encoder.mean(axis=0)
        adds = encoded.hidden @ head
        best: tuple[float, int, int] | None = None
        last = max((to for _, to in encoded.spans), default=0)
        for start, end in clauses(text):
            if start > last:
                break  # the encoder has read no further
            inside = [
                float(gain)
                for gain, (at, to) in zip(adds, encoded.spans, strict=True)
                if start <= at < to <= end
            ]
            if inside and (best is None or sum(inside) > best[0]):
                best = sum(inside), start, end
        if best is None:
            return None
        _, start, end = best
        end = min(end, start + LONGEST_QUOTE)
        return Evidence(start, end, text[start:end], f"model/{label}")


FRIENDLY = frozenset({"interested", "question", "circle_back_later"})
REFUSALS = frozenset({"hard_no", "unsubscribe"})


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max())
    shares: Array = raised / raised.sum()
    return shares


@functools.cache
def shipped() -> LearnedLabeller:
    """The labeller that comes with this version, loaded once in a process."""
    told = json.loads((WEIGHTS / "model.json").read_text())
    heads = Heads.load(WEIGHTS, tuple(told["labels"]))
    encoder = load(WEIGHTS, heads.ngrams.telling)
    return LearnedLabeller(heads, told["numbers"], f"{told['version']}", encoder)
