"""Labels from the words of a reply: what every labeller gives, and the one that goes by phrases.

What Gatepost uses is the labeller that learned (learned.py); its evidence is the phrases of this one where they fit.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from .lexicon.rules import VERSION, lexicon
from .patterns import compiled, plain

MAX_CHARS = 6_000

# What the words of a reply can say; `bounce` is for headers alone.
LABELS_OF_PEOPLE = (
    "interested", "question", "circle_back_later", "not_interested", "hard_no", "unsubscribe",
    "not_the_right_person", "referral", "out_of_office", "left_company", "auto_reply", "other",
)  # fmt: skip
LABELS_OF_MACHINES = ("left_company", "out_of_office", "auto_reply")
UNSURE = "unsure"

THRESHOLD = 0.5
SECOND = 0.6  # what a further label needs to be named beside the first
TIE = 0.04


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


@dataclass(frozen=True, slots=True)
class Choice:
    """The label that a text has (or `unsure`), how sure that is, and what it has besides."""

    label: str
    score: float
    also: tuple[str, ...] = ()


class Labeller(Protocol):
    """Reads labels from the new text of a reply. Pure: the same text gives the same answer."""

    @property
    def version(self) -> str: ...

    def scores(self, new_text: str) -> Scores: ...

    def choose(self, new_text: str, scores: Scores, among: tuple[str, ...] = LABELS_OF_PEOPLE) -> Choice: ...


class RuleLabeller:
    """Weighted phrases in several languages. A phrase inside a longer one of another label does not count:
    “interested” says nothing within “not interested”."""

    version = VERSION

    def scores(self, new_text: str) -> Scores:
        found = self.findings(new_text, LABELS_OF_PEOPLE)
        kept = tuple(finding for finding in found if not _overruled(finding, found))
        return Scores(_combined(kept), kept)

    def findings(self, new_text: str, labels: Collection[str]) -> list[Finding]:
        """Every phrase that speaks for one of these labels."""
        text = plain(new_text[:MAX_CHARS])
        found = [
            Finding(rule.label, rule.weight, Evidence(start, end, text[start:end], rule.id))
            for rule, start, end in lexicon().said(text, labels)
        ]
        if "question" in labels and any(mark in text for mark in "?？"):
            found += _punctuation(text)
        if "referral" in labels and "@" in text:
            found += _addresses(text)
        return found

    def choose(self, new_text: str, scores: Scores, among: tuple[str, ...] = LABELS_OF_PEOPLE) -> Choice:
        if among == LABELS_OF_MACHINES:
            return _of_a_machine(scores)
        standing = dict(scores.by_label)
        for winner, loser in _PRECEDENCE:
            needed = 0.9 if (winner, loser) == ("circle_back_later", "not_interested") else 0.75
            if standing.get(winner, 0.0) >= needed and loser in standing and standing[loser] < 0.99:
                standing[loser] = min(standing[loser], standing[winner] - 2 * TIE)
        if len(new_text.split()) > 12 and "other" in standing:
            standing["other"] = min(standing["other"], 0.3)
        return _highest(standing, scores)


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


# Where two of these are both said, the first is what the reply is about (each pair: winner, loser).
_PRECEDENCE = (
    ("hard_no", "circle_back_later"),
    ("hard_no", "not_interested"),
    ("hard_no", "question"),
    ("hard_no", "interested"),
    ("left_company", "not_the_right_person"),
    ("left_company", "out_of_office"),
    ("left_company", "referral"),
    ("left_company", "not_interested"),
    ("referral", "not_the_right_person"),
    ("referral", "not_interested"),
    ("referral", "question"),
    ("not_the_right_person", "question"),
    ("not_the_right_person", "not_interested"),
    ("circle_back_later", "not_interested"),
    ("circle_back_later", "out_of_office"),
    ("circle_back_later", "interested"),
    ("circle_back_later", "question"),
    ("not_interested", "interested"),
    ("not_interested", "question"),
    ("interested", "question"),
)


def _of_a_machine(scores: Scores) -> Choice:
    gone, away, ticket = (scores.of(label) for label in LABELS_OF_MACHINES)
    if gone >= 0.8 and gone >= away - 0.1:
        return Choice("left_company", gone)
    if away > 0 and away >= ticket - 0.2:
        return Choice("out_of_office", 0.95)
    return Choice("auto_reply" if ticket else UNSURE, ticket)


def _highest(standing: dict[str, float], scores: Scores) -> Choice:
    ranked = sorted(standing.items(), key=lambda item: (-item[1], LABELS_OF_PEOPLE.index(item[0])))
    if not ranked or ranked[0][1] < THRESHOLD:
        return Choice(UNSURE, round(ranked[0][1], 3) if ranked else 0.0)
    label, score = ranked[0]
    if len(ranked) > 1 and score - ranked[1][1] < TIE and {label, ranked[1][0]} - _MILD:
        return Choice(UNSURE, round(score, 3))
    also = tuple(
        other for other, value in ranked[1:] if scores.of(other) >= SECOND and _may_stand_beside(label, other)
    )
    return Choice(label, round(score, 3), also)


# A tie between these harms nobody: the rep reads the reply first either way.
_MILD = frozenset({"interested", "question"})


def _may_stand_beside(label: str, other: str) -> bool:
    """No wish to go on is ever shown beside a refusal."""
    refused = label in ("hard_no", "unsubscribe")
    return not (refused and other in ("interested", "question", "circle_back_later")) and other != "other"
