"""The phrases of the lexicons as rules, read once."""

import functools
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import groupby

from ..patterns import Phrases

VERSION = "rules-1"

WEIGHTS = {"certain": 0.95, "strong": 0.8, "likely": 0.6, "hint": 0.35}


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to say in several ways: which label it speaks for and how strongly."""

    id: str
    label: str
    weight: float


Said = tuple[Rule, int, int]


class Lexicon:
    """The rules of every language, in the order of the files."""

    def __init__(self) -> None:
        ways = list(_ways())
        self.rules = [rule for rule, _ in ways]  # of each phrase its rule
        self._phrases = Phrases(phrase for _, phrase in ways)

    def said(self, text: str, labels: Collection[str], least: float = 0.0) -> Iterator[Said]:
        """Each rule for one of these labels, of this weight at least, that the text follows, and its first words that do."""
        found = self._phrases.found(text)
        possible = [
            number
            for number in found.possible
            if self.rules[number].label in labels and self.rules[number].weight >= least
        ]
        for rule, numbers in groupby(possible, key=lambda number: self.rules[number]):
            spans = [span for number in numbers if (span := found.span(number))]
            if spans:
                yield rule, *min(spans, key=lambda span: span[0])


@functools.cache
def lexicon() -> Lexicon:
    return Lexicon()


def _ways() -> Iterator[tuple[Rule, str]]:
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield from _ways_of(file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8")))


def _ways_of(language: str, labels: dict[str, dict[str, dict[str, list[str]]]]) -> Iterator[tuple[Rule, str]]:
    for label, strengths in labels.items():
        for strength, rules in strengths.items():
            for name, phrases in rules.items():
                rule = Rule(f"{language}/{label}/{name}", label, WEIGHTS[strength])
                yield from ((rule, phrase) for phrase in phrases)
