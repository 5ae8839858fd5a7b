"""What may honestly be said of a share, and of two. Pure: counts in; a share with its interval, or a verdict, comes out."""

import math
from dataclasses import dataclass
from typing import Literal

# 95 %, two-sided.
Z = 1.959964
# A share of fewer than so many says little, and is said to.
SMALL = 30


@dataclass(frozen=True, slots=True)
class Rate:
    """`part` of `whole`, and between which shares the true one lies with 95 % certainty."""

    part: int
    whole: int
    low: float = 0.0
    high: float = 1.0

    @property
    def share(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def is_small(self) -> bool:
        return self.whole < SMALL


def rate(part: int, whole: int) -> Rate:
    """By Wilson's score interval, which also holds for small numbers and for shares near none or all.

    (E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.)
    """
    if not whole:
        return Rate(0, 0)
    part = min(part, whole)
    share, square = part / whole, Z * Z
    middle = share + square / (2 * whole)
    spread = Z * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    # At the ends the interval touches none and all exactly; rounding would leave a crumb.
    low = 0.0 if part == 0 else (middle - spread) / scale
    high = 1.0 if part == whole else (middle + spread) / scale
    return Rate(part, whole, max(0.0, low), min(1.0, high))


Verdict = Literal["nothing", "small", "open", "first", "second"]


@dataclass(frozen=True, slots=True)
class Difference:
    """The second share less the first one, between which differences the true one lies, and what that means.

    `nothing`: one of them has no mail · `small`: too few of one to say · `open`: either may be better ·
    `first`, `second`: this one is higher.
    """

    verdict: Verdict
    value: float = 0.0
    low: float = -1.0
    high: float = 1.0


def difference(first: Rate, second: Rate) -> Difference:
    """By Newcombe's interval from two of Wilson's (R. G. Newcombe, Statistics in Medicine 17, 1998, method 10)."""
    if first.share is None or second.share is None:
        return Difference("nothing")
    value = second.share - first.share
    low = value - math.hypot(second.share - second.low, first.high - first.share)
    high = value + math.hypot(second.high - second.share, first.share - first.low)
    verdict: Verdict = "open"
    if first.is_small or second.is_small:
        verdict = "small"
    elif low > 0:
        verdict = "second"
    elif high < 0:
        verdict = "first"
    return Difference(verdict, value, low, high)
