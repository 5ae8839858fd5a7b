"""Labels from the words of a reply: what a model will take over, and the rules that do it today."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .lexicon.rules import VERSION, Rule, all_rules
from .patterns import compiled, plain, words_of

MAX_CHARS = 6_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that speak for a label, where they stand in the new text, and the rule that found them."""

    start: int
    end: int
    quote: str
    rule: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence with the label it speaks for and its weight between 0 and 1."""

    label: str
    weight: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Scores:
    """How strongly a text speaks for each label, between 0 and 1, and why."""

    by_label: Mapping[str, float]
    findings: tuple[Finding, ...]

    def of(self, label: str) -> float:
        return self.by_label.get(label, 0.0)


class Labeller(Protocol):
    """Reads labels from the new text of a reply. Pure: the same text gives the same scores."""

    version: str

    def scores(self, new_text: str) -> Scores: ...


class RuleLabeller:
    """Weighted phrases in several languages. A phrase inside a longer one of another label does not count:
    “interested” says nothing within “not interested”."""

    version = VERSION

    def scores(self, new_text: str) -> Scores:
        text = plain(new_text[:MAX_CHARS])
        found = [*_phrases(text), *_punctuation(text), *_addresses(text)]
        kept = tuple(finding for finding in found if not _overruled(finding, found))
        return Scores(_combined(kept), kept)


def _phrases(text: str) -> list[Finding]:
    return [finding for rule in all_rules() if (finding := _finding(rule, text)) is not None]


def _finding(rule: Rule, text: str) -> Finding | None:
    found = rule.pattern.search(text)
    if found is None:
        return None
    start, end = words_of(found)
    return Finding(rule.label, rule.weight, Evidence(start, end, text[start:end], rule.id))


_QUESTION = compiled(r"[^.?!\n]{0,}[?？]")


def _punctuation(text: str) -> list[Finding]:
    found = _QUESTION.search(text)
    if found is None:
        return []
    evidence = Evidence(found.start(), found.end(), found.group(0), "any/question/mark")
    return [Finding("question", 0.5, evidence)]


_ADDRESS = compiled(r"[\pL\pN._%+\-]+@[\pL\pN\-]+(?:\.[\pL\pN\-]+)*\.\pL{2,}")


def _addresses(text: str) -> list[Finding]:
    """An address in what somebody writes, signature apart, nearly always is the address of somebody else."""
    return [
        Finding("referral", 0.8, Evidence(found.start(), found.end(), found.group(0), "any/referral/address"))
        for found in [_ADDRESS.search(text)]
        if found is not None
    ]


# A refusal wins over the willing words inside it, whichever phrase is the longer one.
_REFUSALS = frozenset({"not_interested", "hard_no", "unsubscribe", "not_the_right_person", "left_company"})


def _overruled(finding: Finding, found: list[Finding]) -> bool:
    mine = finding.evidence
    for other in found:
        theirs = other.evidence
        if other.label == finding.label or theirs.start >= mine.end or mine.start >= theirs.end:
            continue
        if other.label in _REFUSALS and finding.label not in _REFUSALS and other.weight >= finding.weight:
            return True
        inside = theirs.start <= mine.start and mine.end <= theirs.end
        if inside and theirs.end - theirs.start > mine.end - mine.start and other.weight >= finding.weight:
            return True
    return False


def _combined(findings: tuple[Finding, ...]) -> dict[str, float]:
    """Independent pieces of evidence add up, and never to certainty."""
    doubt: dict[str, float] = {}
    for finding in findings:
        doubt[finding.label] = doubt.get(finding.label, 1.0) * (1.0 - finding.weight)
    return {label: round(1.0 - rest, 4) for label, rest in doubt.items()}
