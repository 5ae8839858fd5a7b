"""Row ids say in which order a process made them: wordings and guests are found in it."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gatepost.ids import uuid7


def test_a_later_id_is_greater_within_one_millisecond_too() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert all(before < after for before, after in itertools.pairwise(made))
    assert len({each.int >> 80 for each in made}) < len(made)  # many fell into one millisecond


def test_a_clock_that_is_put_back_changes_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    before = uuid7()
    an_hour_ago = time.time_ns() - 3_600 * 1_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: an_hour_ago)
    assert before < uuid7() < uuid7()


def test_threads_get_no_id_twice() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: uuid7().int >> 64, range(20_000)))
    assert len(set(made)) == len(made)  # not even with the same random bits


def test_an_id_is_a_version_7_of_its_time() -> None:
    milliseconds = time.time_ns() // 1_000_000
    made = uuid7()
    assert made.version == 7 and made.variant == "specified in RFC 4122"
    assert 0 <= (made.int >> 80) - milliseconds < 5_000
