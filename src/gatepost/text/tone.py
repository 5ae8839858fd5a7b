"""What a reply says: one label, its evidence, and what follows from it (a date, another person, a bounce).

Headers decide about machines, opt-out rules about stopping, a labeller about the rest, in this order. Below the
threshold, or where two labels tie, the answer is `unsure`: a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from . import dates, machine, optout, people, quotes
from .labeller import Evidence, Labeller, RuleLabeller, Scores
from .patterns import compiled

LABELS = (
    "interested", "question", "circle_back_later", "not_interested", "hard_no", "unsubscribe",
    "not_the_right_person", "referral", "out_of_office", "left_company", "auto_reply", "bounce", "other", "unsure",
)  # fmt: skip

THRESHOLD = 0.5
SECOND = 0.6  # what a further label needs to be named beside the first
TIE = 0.04

VERSION = "tone-1"


@dataclass(frozen=True, slots=True)
class ReplyInput:
    """A reply as it came: its body as text or HTML, its headers, and our mails in the thread where known."""

    id: str
    text: str | None = None
    html: str | None = None
    subject: str = ""
    headers: Sequence[tuple[str, str]] = ()
    received: datetime | None = None
    sent: Sequence[str] = ()
    sender: str | None = None
    cc: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tone:
    """The label of a reply with everything it rests on. Evidence spans point into `new_text`."""

    label: str
    labels: tuple[str, ...]
    score: float
    evidence: tuple[Evidence, ...]
    new_text: str
    return_date: dates.Date | None
    return_precision: str | None
    third_party: people.ThirdParty | None
    bounce: str | None
    version: str


def classify(reply: ReplyInput, labeller: Labeller | None = None) -> Tone:
    """The label of this reply and why. Pure: the same reply gives the same answer."""
    labeller = labeller or RuleLabeller()
    parts = quotes.extract(reply.text, reply.html, sent=reply.sent)
    from_machine = machine.recognise(reply.headers, reply.subject, reply.sender, parts.source)
    decision = _decide(parts, from_machine, labeller, reply)
    return _complete(decision, parts, from_machine, reply, f"{VERSION}+{labeller.version}")


@dataclass(frozen=True, slots=True)
class _Decision:
    label: str
    score: float
    evidence: tuple[Evidence, ...] = ()
    also: tuple[str, ...] = ()


def _decide(
    parts: quotes.Extracted, from_machine: machine.Machine | None, labeller: Labeller, reply: ReplyInput
) -> _Decision:
    if from_machine and from_machine.kind == "bounce":
        return _Decision("bounce", 1.0)
    if from_machine and from_machine.kind == "complaint":
        return _Decision("unsubscribe", 1.0)
    message = parts.message
    scores = labeller.scores(message)
    if asked_to_stop := optout.find(message):
        return _opted_out(asked_to_stop, scores)
    if from_machine:
        return _of_a_machine(from_machine, message, scores, reply)
    return _of_a_person(message, scores)


def _opted_out(asked_to_stop: tuple[Evidence, ...], scores: Scores) -> _Decision:
    hostile = scores.of("hard_no") >= 0.75
    return _Decision("unsubscribe", 0.97, asked_to_stop, ("hard_no",) if hostile else ())


def _of_a_machine(seen: machine.Machine, message: str, scores: Scores, reply: ReplyInput) -> _Decision:
    """Headers say automatic: only an absence, a departure or another automatic answer is left."""
    if seen.kind in ("receipt", "calendar"):
        return _Decision("auto_reply", 1.0)
    gone, away, ticket = (scores.of(label) for label in ("left_company", "out_of_office", "auto_reply"))
    if gone >= 0.8 and gone >= away - 0.1:
        return _Decision("left_company", gone, _evidence(scores, "left_company"))
    dated = reply.received is not None and dates.find(message, reply.received, about_return=True) is not None
    if away > 0 and away >= ticket - 0.2 or seen.absence or (dated and ticket < 0.8):
        return _Decision("out_of_office", 0.95, _evidence(scores, "out_of_office"))
    return _Decision("auto_reply", 0.9, _evidence(scores, "auto_reply"))


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


def _of_a_person(message: str, scores: Scores) -> _Decision:
    if not _WORDS.search(message):
        return _Decision("other", 0.8)
    standing = dict(scores.by_label)
    for winner, loser in _PRECEDENCE:
        needed = 0.9 if (winner, loser) == ("circle_back_later", "not_interested") else 0.75
        if standing.get(winner, 0.0) >= needed and loser in standing and standing[loser] < 0.99:
            standing[loser] = min(standing[loser], standing[winner] - 2 * TIE)
    if len(message.split()) > 12 and "other" in standing:
        standing["other"] = min(standing["other"], 0.3)
    return _highest(standing, scores)


_WORDS = compiled(r"\pL{2,}")


def _highest(standing: dict[str, float], scores: Scores) -> _Decision:
    ranked = sorted(standing.items(), key=lambda item: (-item[1], LABELS.index(item[0])))
    if not ranked or ranked[0][1] < THRESHOLD:
        return _Decision("unsure", round(ranked[0][1], 3) if ranked else 0.0)
    label, score = ranked[0]
    if len(ranked) > 1 and score - ranked[1][1] < TIE and {label, ranked[1][0]} - _MILD:
        return _Decision("unsure", round(score, 3), _evidence(scores, label, ranked[1][0]))
    also = tuple(
        other for other, value in ranked[1:] if scores.of(other) >= SECOND and _may_stand_beside(label, other)
    )
    return _Decision(label, round(score, 3), _evidence(scores, label, *also), also)


# A tie between these harms nobody: the rep reads the reply first either way.
_MILD = frozenset({"interested", "question"})


def _may_stand_beside(label: str, other: str) -> bool:
    """No wish to go on is ever shown beside a refusal."""
    refused = label in ("hard_no", "unsubscribe")
    return not (refused and other in ("interested", "question", "circle_back_later")) and other != "other"


def _evidence(scores: Scores, *labels: str) -> tuple[Evidence, ...]:
    return tuple(f.evidence for f in scores.findings if f.label in labels)


def _complete(
    decision: _Decision,
    parts: quotes.Extracted,
    from_machine: machine.Machine | None,
    reply: ReplyInput,
    version: str,
) -> Tone:
    returning = None
    if reply.received is not None and decision.label in ("out_of_office", "circle_back_later"):
        returning = dates.find(parts.message, reply.received, about_return=decision.label == "out_of_office")
    names_somebody = {"referral", "left_company", "out_of_office", "not_the_right_person"} & {
        decision.label,
        *decision.also,
    }
    third = people.find(parts, sender=reply.sender, cc=reply.cc, sent=reply.sent) if names_somebody else None
    label = "referral" if decision.label == "not_the_right_person" and third else decision.label
    return Tone(
        label=label,
        labels=(label, *(other for other in decision.also if other != label)),
        score=decision.score,
        evidence=_placed(decision.evidence, parts),
        new_text=parts.new_text,
        return_date=returning.date if returning else None,
        return_precision=returning.precision if returning else None,
        third_party=third,
        bounce=from_machine.bounce if from_machine else None,
        version=version,
    )


def _placed(evidence: tuple[Evidence, ...], parts: quotes.Extracted) -> tuple[Evidence, ...]:
    """The evidence with spans into the new text, which may hold more lines than the message does."""
    new_text, message = parts.new_text, parts.message
    if new_text.startswith(message):
        return tuple(Evidence(e.start, e.end, message[e.start : e.end], e.rule) for e in evidence)
    placed = []
    for e in evidence:
        quote = message[e.start : e.end]
        start = new_text.find(quote)
        if start >= 0:
            placed.append(Evidence(start, start + len(quote), quote, e.rule))
    return tuple(placed)
