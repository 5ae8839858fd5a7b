"""What a report says is what one counts by hand. `./dev soak reports` does the same for a thousand filters."""

import random
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.reports import counted
from gatepost.reports.models import CountedWeek, LateChange, WeekCount
from gatepost.reports.queries import DIVISIONS, Chosen, Figures, outcome, report
from gatepost.web.weeks import days_from
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message
from tests.reports.worlds import DAYS, FIRST, Raw, World, change_late, make_world, random_filter

SEED = 8


def differences(world: World, raw: Raw, dice: random.Random) -> list[str]:
    """Where a report narrowed by chance is not what the raw rows say: in all, in each week, in each part."""
    asked, by = random_filter(dice, raw), dice.choice(DIVISIONS)
    member = world.rep if asked.as_rep else world.member
    rep = world.rep.pk if asked.as_rep else None
    with inside(member.workspace_id):
        found = report(
            member,
            asked.chosen,
            days_from(asked.first, asked.last, world.zone),
            world.zone,
            by=by,
            medians_of_parts=True,
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


def in_all(world: World) -> int:
    """How many of its weeks need not be counted again."""
    with inside(world.member.workspace_id):
        return counted.valid_weeks().count()


@pytest.mark.django_db
def test_reports_stay_right_when_mails_of_weeks_that_were_counted_change() -> None:
    dice = random.Random(SEED)
    world = make_world(dice, enrolments=80)
    workspace_id = world.member.workspace_id
    counted.count_weeks(workspace_id, at_once=100)
    whole = in_all(world)
    assert whole > 9 and counted.count_weeks(workspace_id) == 0
    wrong, stale = [], 0
    for _round in range(8):
        happened = {change_late(dice, world) for _ in range(3)}
        raw = Raw(world.member)
        wrong += [wrong for _ in range(6) for wrong in differences(world, raw, dice)]
        stale += whole - in_all(world)
        assert in_all(world) < whole or happened <= {"hand over", "confirm"}
        counted.count_weeks(workspace_id, at_once=2)  # some of them, others stay as they are
    assert wrong == [] and stale > 8
    counted.count_weeks(workspace_id, at_once=100)
    assert in_all(world) == whole and rows(LateChange, workspace_id) == []


@pytest.mark.django_db
def test_two_periods_compared_say_what_a_plain_count_of_their_mails_says() -> None:
    dice = random.Random(SEED)
    world = make_world(dice, enrolments=120)
    raw = Raw(world.member)
    for _ in range(12):
        asked = random_filter(dice, raw)
        member, rep = (world.rep, world.rep.pk) if asked.as_rep else (world.member, None)
        span = days_from(asked.first, asked.last, world.zone)
        chosen = replace(asked.chosen, label="")
        with inside(member.workspace_id):
            found = outcome(member, chosen, span, world.zone)
        assert (
            found.confirmed, found.replied.part, found.interested.part, found.interested.whole, found.opted_out.part,
        ) == raw.outcome(chosen, span, rep)  # fmt: skip


@pytest.mark.django_db
def test_medians_are_those_of_the_whole_unless_parts_are_asked_for() -> None:
    dice = random.Random(SEED)
    world = make_world(dice, enrolments=60)
    span = days_from(FIRST, FIRST + timedelta(days=DAYS), world.zone)
    with inside(world.member.workspace_id):
        plain = report(world.member, Chosen(), span, world.zone)
        full = report(world.member, Chosen(), span, world.zone, medians_of_parts=True)
    assert same(plain.whole, full.whole) and plain.whole.days_to_reply is not None
    assert {part.figures.days_to_reply for part in plain.parts} == {None}
    assert None not in {part.figures.days_to_reply for part in full.parts}


@pytest.mark.django_db
def test_a_change_of_a_zone_counts_the_weeks_anew() -> None:
    dice = random.Random(SEED)
    world = make_world(dice, enrolments=40)
    workspace = world.member.workspace
    counted.count_weeks(workspace.pk, at_once=100)
    workspace.time_zone = "Pacific/Auckland"
    workspace.save()
    elsewhere = replace(world, zone=ZoneInfo(workspace.time_zone))
    raw = Raw(world.member)
    assert [wrong for _ in range(4) for wrong in differences(elsewhere, raw, dice)] == []
    assert counted.count_weeks(workspace.pk, at_once=100) > 9
    starts = {each.starts_at.astimezone(elsewhere.zone) for each in rows(CountedWeek, workspace.pk)}
    assert {(each.weekday(), each.hour) for each in starts} == {(0, 0)}
    assert [wrong for _ in range(4) for wrong in differences(elsewhere, raw, dice)] == []


@pytest.mark.django_db
def test_what_was_counted_names_no_mailbox_that_is_gone() -> None:
    world = make_world(random.Random(SEED), enrolments=40)
    workspace_id = world.member.workspace_id
    counted.count_weeks(workspace_id, at_once=100)
    gone = next(each.mailbox_id for each in rows(WeekCount, workspace_id) if each.mailbox_id)
    with inside(workspace_id):
        Mailbox.objects.get(pk=gone).delete()
    assert rows(WeekCount, workspace_id) and not rows(WeekCount, workspace_id, mailbox_id=gone)
    assert [
        wrong for _ in range(4) for wrong in differences(world, Raw(world.member), random.Random(1))
    ] == []


@pytest.mark.django_db
def test_the_last_days_and_what_runs_in_them_are_never_counted_ahead() -> None:
    member = make_member(make_workspace())
    message = make_message(
        make_enrolment(make_sequence(member), make_contact(member.workspace), make_mailbox(member))
    )
    assert counted.count_weeks(member.workspace_id) == 0
    with inside(member.workspace_id):
        message.bounced_at = message.accepted_at
        message.save()
    assert rows(LateChange, member.workspace_id) == []
