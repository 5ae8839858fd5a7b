"""Which wording a contact gets, and which one does better. Pure."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

MOST = 5
# Nothing is called better before each wording reached so many people, and by less than this certainty.
FEWEST_SENT = 30
SURE = 0.95
GRID = 1_000


def choose_variant(enrolment_id: UUID, step_id: UUID, weights: list[int]) -> int:
    """Which wording a contact gets, by weight; the same whenever it is asked."""
    total = sum(weights)
    if total <= 0:
        return 0
    digest = hashlib.sha256(enrolment_id.bytes + step_id.bytes).digest()
    point = int.from_bytes(digest[:8], "big") % total
    for number, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return number
    return len(weights) - 1


@dataclass(frozen=True, slots=True)
class Result:
    """How many people got a wording, and how many of them answered it."""

    sent: int
    replied: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`best`: the one with most answers for each mail; None without a mail. `confidence`: how likely it truly is the best.

    `decided` only where every wording reached enough people and the confidence is high.
    """

    best: int | None
    confidence: float
    decided: bool


def compare(results: Sequence[Result]) -> Comparison:
    """What can honestly be said about the wordings of a step so far.

    Each true share of answers is Beta-distributed (1 + answers, 1 + silences); the confidence is the chance that the best
    one's share is above all others', integrated over a grid.
    """
    if len(results) < 2 or not any(each.sent for each in results):
        return Comparison(None, 0.0, decided=False)
    chances = chances_to_be_best(results)
    best = max(range(len(results)), key=lambda number: chances[number])
    enough = all(each.sent >= FEWEST_SENT for each in results)
    return Comparison(best, chances[best], decided=enough and chances[best] >= SURE)


def chances_to_be_best(results: Sequence[Result]) -> list[float]:
    """For each wording, the chance that its true share of answers is the highest. They add up to 1."""
    densities = [_density(each) for each in results]
    # Half of a cell counts as below its middle.
    below = [
        [total - own / 2 for total, own in zip(accumulate(cells), cells, strict=True)] for cells in densities
    ]
    chances = [
        sum(
            own * math.prod(others[cell] for number, others in enumerate(below) if number != one)
            for cell, own in enumerate(densities[one])
        )
        for one in range(len(results))
    ]
    whole = sum(chances)
    return [chance / whole for chance in chances]


def _density(result: Result) -> list[float]:
    replied, silent = min(result.replied, result.sent), max(result.sent - result.replied, 0)
    points = [(cell + 0.5) / GRID for cell in range(GRID)]
    logs = [replied * math.log(point) + silent * math.log1p(-point) for point in points]
    highest = max(logs)
    cells = [math.exp(each - highest) for each in logs]
    whole = sum(cells)
    return [cell / whole for cell in cells]
