"""The phrases of the lexicons as rules, read once."""

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources

import re2

from ..patterns import compiled, phrase

VERSION = "rules-1"

WEIGHTS = {"certain": 0.95, "strong": 0.8, "likely": 0.6, "hint": 0.35}


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to say something: which label it speaks for and how strongly."""

    id: str
    label: str
    weight: float
    pattern: "re2._Regexp"


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of every language, in the order of the files."""
    found: list[Rule] = []
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            found += _rules_of(file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8")))
    return tuple(found)


def _rules_of(language: str, labels: dict[str, dict[str, dict[str, list[str]]]]) -> list[Rule]:
    return [
        Rule(f"{language}/{label}/{name}", label, WEIGHTS[strength], _joined(phrases))
        for label, strengths in labels.items()
        for strength, rules in strengths.items()
        for name, phrases in rules.items()
    ]


def _joined(phrases: list[str]) -> "re2._Regexp":
    return compiled("|".join(phrase(written) for written in phrases))
