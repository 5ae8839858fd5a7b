"""Bars as rectangles. Pure: numbers in, places out; the templates draw them as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 720, 56
GAP = 4
NARROWEST = 1.0  # a bar for one of ten thousand is still seen
TICKS = 4  # as many dates as have room below a chart on a phone
SCALES = (5, 10, 25, 50, 100)  # percent


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in the chart's own units."""

    x: float
    y: float
    width: float
    height: float
    value: int


def columns(values: Sequence[int], *, width: float = WIDTH, height: float = HEIGHT) -> list[Bar]:
    """Upright bars side by side, the highest value as high as the chart; nothing is drawn for zero."""
    if not values:
        return []
    step = width / len(values)
    thick = max(step - GAP, NARROWEST)
    highest = max(values) or 1
    bars = []
    for number, value in enumerate(values):
        tall = max(height * value / highest, NARROWEST) if value else 0.0
        bars.append(
            Bar(round(number * step, 1), round(height - tall, 1), round(thick, 1), round(tall, 1), value)
        )
    return bars


def lengths(values: Sequence[int], *, width: float) -> list[float]:
    """How long each lying bar is, the largest value as long as the chart."""
    longest = max(values, default=0) or 1
    return [round(max(width * value / longest, NARROWEST), 1) if value else 0.0 for value in values]


def ticks(days: Sequence[date]) -> list[date | None]:
    """For each column the day to write below it, or None: a few, equally far apart, from the first."""
    every = -(-len(days) // TICKS) or 1
    return [None if number % every else day for number, day in enumerate(days)]


def scale(highest: Sequence[float]) -> int:
    """How many percent a drawing of these shares reaches to, so that small ones are seen too."""
    needed = 100 * max(highest, default=1.0)
    return next(each for each in SCALES if each >= needed or each == SCALES[-1])
