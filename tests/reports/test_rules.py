"""Shares and differences, as the books have them."""

import pytest

from gatepost.reports.rules import difference, rate


# Wilson's intervals as Newcombe's table I gives them (Statistics in Medicine 17, 1998, 857-872).
@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_wilsons_interval(part: int, whole: int, low: float, high: float) -> None:
    found = rate(part, whole)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


# Newcombe's table II (Statistics in Medicine 17, 1998, 873-890), method 10: 56/70 - 48/80.
def test_a_difference_has_newcombes_interval() -> None:
    found = difference(rate(48, 80), rate(56, 70))
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
    assert found.verdict == "second"


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ((0, 0), (5, 50), "nothing"),
        ((1, 29), (29, 29), "small"),
        ((10, 100), (12, 100), "open"),
        ((40, 100), (10, 100), "first"),
        ((0, 100), (10, 100), "second"),
    ],
)
def test_nothing_is_called_better_that_may_be_chance(
    first: tuple[int, int], second: tuple[int, int], verdict: str
) -> None:
    assert difference(rate(*first), rate(*second)).verdict == verdict


def test_of_none_nothing_is_known() -> None:
    found = rate(0, 0)
    assert (found.share, found.low, found.high, found.is_small) == (None, 0.0, 1.0, True)
    assert rate(0, 50).low == 0.0 and rate(50, 50).high == 1.0
