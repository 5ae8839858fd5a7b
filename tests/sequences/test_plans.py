"""The planner and the gate over thousands of schedules, judged by rules of the test's own; and the judge itself."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from tests.soak import plans


def test_twenty_thousand_schedules_break_no_rule() -> None:
    wrong, schedules = [], 0
    for figures, problems in plans.run(20_000, seed=11):
        schedules += figures["schedules"]
        wrong += problems
    assert schedules == 20_000
    assert wrong == []


@pytest.fixture
def world() -> plans.World:
    """A world that is in order, with a step that left."""
    chance = Random("a world of the test's own")
    while True:
        world = plans.arranged(chance)
        plans.live(world, chance)
        if any(not each.skipped and each.position == 2 for each in world.log):
            assert list(plans.Judge(world).findings()) == []
            return world


def findings(world: plans.World) -> str:
    return "\n".join(plans.Judge(world).findings())


def test_the_judge_sees_a_step_that_is_early_or_outside_its_hours(world: plans.World) -> None:
    at, each = next((n, each) for n, each in enumerate(world.log) if not each.skipped and each.position == 2)
    person = world.people[each.person]
    world.log[at] = replace(each, at=person.enrolled - timedelta(minutes=1))
    assert "a later step came before an earlier one" in findings(world)
    for hours in range(24 * 7):
        world.log[at] = replace(each, at=each.at + timedelta(hours=hours))
        if "outside the window" in findings(world):
            return
    raise AssertionError("no hour of a week is outside the window")


def test_the_judge_sees_a_limit_that_is_exceeded(world: plans.World) -> None:
    sent = [each for each in world.log if not each.skipped]
    world.daily_limit = 0
    assert f"mails on {sent[0].at:%Y}" in findings(world)
    world.daily_limit, world.gap = 10_000, timedelta(days=999)
    assert len(sent) < 2 or "sooner than the pause" in findings(world)


def test_the_judge_sees_a_mail_during_a_pause_a_hold_and_days_off(world: plans.World) -> None:
    each = next(each for each in world.log if not each.skipped)
    around = (each.at - timedelta(days=2), each.at + timedelta(days=2))
    world.pauses.append(around)
    assert "while the sequence was paused" in findings(world)
    world.pauses.clear()
    world.company_holds[each.person] = around
    assert "while its company was on hold" in findings(world)
    world.company_holds.clear()
    world.away_local = [(around[0].date(), around[1].date())]
    assert "while the sender was away" in findings(world)


def test_the_judge_sees_a_step_that_was_forgotten_and_one_against_its_conditions(world: plans.World) -> None:
    at, each = next((n, each) for n, each in enumerate(world.log) if each.position == len(world.steps))
    world.log[at] = replace(each, skipped=not each.skipped)
    assert "against its conditions" in findings(world)
    del world.log[at]
    assert "took [" in findings(world)


def test_the_judge_sees_somebody_written_to_before_he_is_back(world: plans.World) -> None:
    each = next(each for each in world.log if each.position == 2)
    told = each.at - timedelta(hours=1)
    world.people[each.person].absences.append((told, (each.at + timedelta(days=3)).date(), each.at))
    assert "went on too early after a return" in findings(world)
