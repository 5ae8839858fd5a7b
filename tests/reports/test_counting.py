"""What a report says is what one counts by hand. `./dev soak reports` does the same for a thousand filters."""

import random
from dataclasses import replace

import pytest

from gatepost.isolation import inside
from gatepost.reports.queries import DIVISIONS, Figures, report
from gatepost.web.weeks import days_from
from tests.reports.worlds import Raw, World, make_world, random_filter

SEED = 8


def differences(world: World, raw: Raw, dice: random.Random) -> list[str]:
    """Where a report narrowed by chance is not what the raw rows say: in all, in each week, in each part."""
    asked, by = random_filter(dice, raw), dice.choice(DIVISIONS)
    member = world.rep if asked.as_rep else world.member
    rep = world.rep.pk if asked.as_rep else None
    with inside(member.workspace_id):
        found = report(
            member, asked.chosen, days_from(asked.first, asked.last, world.zone), world.zone, by=by
        )
    wrong = []

    def expect(where: str, figures: Figures, chosen: object, first: object, last: object) -> None:
        raw_figures = raw.figures(chosen, days_from(first, last, world.zone), rep)  # type: ignore[arg-type]
        if not same(figures, raw_figures):
            wrong.append(f"{where} of {asked}: {figures} instead of {raw_figures}")

    expect("all", found.whole, asked.chosen, asked.first, asked.last)
    assert (found.weeks[0].first, found.weeks[-1].last) == (asked.first, asked.last)
    for week in found.weeks:
        expect("a week", week.figures, asked.chosen, week.first, week.last)
    for part in found.parts:
        expect(
            f"a {by}", part.figures, replace(asked.chosen, **{f"{by}_id": part.id}), asked.first, asked.last
        )
        for step in part.below:
            narrowed = replace(asked.chosen, step_id=step.id)
            expect("a step", step.figures, narrowed, asked.first, asked.last)
    return wrong


def same(one: Figures, other: Figures) -> bool:
    """A median between two is a mean, which the database takes in whole microseconds."""
    medians = ("days_to_reply", "days_to_meeting")
    nothing = dict.fromkeys(medians)
    return replace(one, **nothing) == replace(other, **nothing) and all(
        getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-8) for name in medians
    )


@pytest.mark.django_db
def test_reports_say_what_a_plain_count_of_the_raw_rows_says() -> None:
    dice = random.Random(SEED)
    world = make_world(dice, enrolments=120)
    raw = Raw(world.member)
    assert [wrong for _ in range(40) for wrong in differences(world, raw, dice)] == []
