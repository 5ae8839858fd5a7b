"""Whatever happens on the way, each reply is stored once and nothing else is. `./dev soak sync` does it at length."""

import random
from datetime import timedelta

import pytest

from gatepost.intake import jobs
from tests.at_once import without_threads
from tests.intake.test_sync import Story
from tests.intake.weather import Weather
from tests.makers import MONDAY, advance, clock_at


@pytest.mark.parametrize("seed", range(3))
def test_lost_late_doubled_and_reordered_notifications_410s_and_kills_lose_nothing(
    db, tmp_path, monkeypatch, seed
):
    without_threads(monkeypatch, jobs)
    with clock_at(MONDAY, tmp_path) as clock_file:
        weather = Weather(Story(), random.Random(seed), clock_file)
        weather.go(80)
        assert weather.wrong() == []
    bad = ("position_is_forgotten", "nothing_works", "worker_is_down", "told_as_removed")
    assert len(weather.expected) >= 5 and sum(weather.done[each] for each in bad) > 0
    assert weather.microsoft.own()


def test_a_reply_is_found_that_was_moved_out_of_an_unreadable_folder_into_one_whose_position_is_lost(
    db, tmp_path, monkeypatch
):
    without_threads(monkeypatch, jobs)
    with clock_at(MONDAY, tmp_path) as clock_file:
        weather = Weather(Story(), random.Random(1), clock_file)
        for _ in range(3):
            advance(clock_file, timedelta(hours=1))
            weather.worker_looks()
        weather.microsoft.unreadable = {"f-junkemail"}
        weather.microsoft.arrives(
            "f-junkemail", "reply", sender="petra@contoso.example", references=weather.ours[0][1]
        )
        weather.expected = {"reply"}
        for _ in range(4):
            advance(clock_file, timedelta(days=1))
            weather.worker_looks()

        weather.move("reply", "f-inbox")
        weather.position_is_forgotten("f-inbox")
        weather.microsoft.unreadable, weather.microsoft.walks_fail = set(), 1
        for _ in range(2):
            advance(clock_file, timedelta(hours=1))
            weather.worker_looks()
        assert weather.wrong() == []
