"""What a reply says: one label, its evidence, and what follows from it (a date, another person, a bounce).

Headers decide about machines, opt-out rules about stopping, a labeller about the rest, in this order. Below the
threshold, or where two labels tie, the answer is `unsure`: a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from . import dates, machine, optout, orders, people, quotes
from .labeller import LABELS_OF_MACHINES, LABELS_OF_PEOPLE, UNSURE, Evidence, Labeller, Scores
from .learned import shipped
from .patterns import compiled

LABELS = (*LABELS_OF_PEOPLE[:-1], "bounce", LABELS_OF_PEOPLE[-1], UNSURE)
SURE_OF_A_MACHINE = 0.8

VERSION = "tone-6"


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
    cut: bool = False  # more came than is read of one mail


def classify(reply: ReplyInput, labeller: Labeller | None = None) -> Tone:
    """The label of this reply and why. Pure: the same reply gives the same answer."""
    labeller = labeller or shipped()
    reply = replace(reply, received=_by_their_clock(reply))
    parts = quotes.extract(reply.text, reply.html, sent=reply.sent)
    from_machine = machine.recognise(reply.headers, reply.subject, reply.sender, parts.source)
    parted = orders.part(parts.message)
    parts = replace(parts, message=parted.said)
    decision = _decide(parts, parted, from_machine, labeller, reply)
    return _complete(decision, parts, from_machine, reply, f"{VERSION}+{labeller.version}")


def _by_their_clock(reply: ReplyInput) -> datetime | None:
    """When the reply came, by the clock of whoever wrote it: the Date header often says how that stands. "Tomorrow" is a day of
    theirs, and 12/4 is in December in Ohio. Exchange writes all dates in UTC, which says nothing (RFC 5322 §3.3)."""
    said = next((value for name, value in reply.headers if name.lower() == "date"), "")
    if reply.received is None or not (found := _OFFSET.search(said[:100])):
        return reply.received
    sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    if not offset or abs(offset) > timedelta(hours=14):
        return reply.received
    return reply.received.astimezone(timezone(offset))


_OFFSET = compiled(r"\d:\d\d\s*([+-])(\d\d)([0-5]\d)(?:$|\D)")


@dataclass(frozen=True, slots=True)
class _Decision:
    label: str
    score: float
    evidence: tuple[Evidence, ...] = ()
    also: tuple[str, ...] = ()
    read: str = ""  # the text that the evidence points into, where it is not the message


def _decide(
    parts: quotes.Extracted,
    parted: orders.Parted,
    from_machine: machine.Machine | None,
    labeller: Labeller,
    reply: ReplyInput,
) -> _Decision:
    if from_machine and from_machine.kind == "bounce":
        return _Decision("bounce", 1.0)
    if from_machine and from_machine.kind == "complaint":
        return _Decision("unsubscribe", 1.0)
    message = parts.message
    for text in (message, parted.to_program):
        # Also in what is said to a program: an order may make us do less, never more.
        if asked_to_stop := optout.find(text):
            return replace(_opted_out(asked_to_stop, labeller.scores(message)), read=text)
    if from_machine:
        return _of_a_machine(from_machine, message, reply, labeller)
    if parted.is_all_orders:
        return _Decision(UNSURE, 0.0)
    return _of_a_person(message, labeller)


def _opted_out(asked_to_stop: tuple[Evidence, ...], scores: Scores) -> _Decision:
    hostile = scores.of("hard_no") >= 0.75
    return _Decision("unsubscribe", 0.97, asked_to_stop, ("hard_no",) if hostile else ())


def _of_a_machine(seen: machine.Machine, message: str, reply: ReplyInput, labeller: Labeller) -> _Decision:
    """Headers say automatic: only an absence, a departure or another automatic answer is left."""
    if seen.kind in ("receipt", "calendar"):
        return _Decision("auto_reply", 1.0)
    scores = labeller.scores(message)
    choice = labeller.choose(message, scores, LABELS_OF_MACHINES)
    label = choice.label
    # What calls itself an absence is a departure only where its words say so by themselves.
    if label != "left_company" or (seen.absence and scores.of(label) < 0.5):
        dated = (
            reply.received is not None and dates.find(message, reply.received, about_return=True) is not None
        )
        if seen.absence or (dated and choice.score < SURE_OF_A_MACHINE):
            label = "out_of_office"
        elif label == UNSURE:
            label = "auto_reply"
    return _Decision(label, max(choice.score, 0.9), _evidence(scores, label))


def _of_a_person(message: str, labeller: Labeller) -> _Decision:
    if not _WORDS.search(message):
        return _Decision("other", 0.8)
    scores = labeller.scores(message)
    choice = labeller.choose(message, scores)
    if choice.label == UNSURE:
        return _Decision(UNSURE, choice.score, tuple(f.evidence for f in scores.findings))
    return _Decision(choice.label, choice.score, _evidence(scores, choice.label, *choice.also), choice.also)


_WORDS = compiled(r"\pL{2,}")


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
    label = decision.label
    if label == "not_the_right_person" and third:
        # A word with a capital letter may be a name; an address is somebody.
        label, third = ("referral", third) if third.address else (label, None)
    return Tone(
        label=label,
        labels=(label, *(other for other in decision.also if other != label)),
        score=decision.score,
        evidence=_placed(decision.evidence, decision.read or parts.message, parts.new_text),
        new_text=parts.new_text,
        return_date=returning.date if returning else None,
        return_precision=returning.precision if returning else None,
        third_party=third,
        bounce=from_machine.bounce if from_machine else None,
        version=version,
        cut=parts.cut,
    )


def _placed(evidence: tuple[Evidence, ...], message: str, new_text: str) -> tuple[Evidence, ...]:
    """The evidence with spans into the new text, which may hold more lines than the message does."""
    if new_text.startswith(message):
        return tuple(Evidence(e.start, e.end, message[e.start : e.end], e.rule) for e in evidence)
    placed = []
    for e in evidence:
        quote = message[e.start : e.end]
        start = new_text.find(quote)
        if start >= 0:
            placed.append(Evidence(start, start + len(quote), quote, e.rule))
    return tuple(placed)
