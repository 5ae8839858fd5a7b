"""Whatever happens on the way, each reply is stored once and nothing else is. `./dev soak sync` does it at length."""

import random

import pytest

from gatepost.intake import jobs
from tests.at_once import without_threads
from tests.intake.test_sync import Story
from tests.intake.weather import Weather
from tests.makers import MONDAY, clock_at


@pytest.mark.parametrize("seed", range(3))
def test_lost_late_doubled_and_reordered_notifications_410s_and_kills_lose_nothing(
    db, tmp_path, monkeypatch, seed
):
    without_threads(monkeypatch, jobs)
    with clock_at(MONDAY, tmp_path) as clock_file:
        weather = Weather(Story(), random.Random(seed), clock_file)
        weather.go(80)
        assert weather.wrong() == []
    assert (
        len(weather.expected) >= 5
        and weather.done["position_is_forgotten"] + weather.done["nothing_works"] > 0
    )
