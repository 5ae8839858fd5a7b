from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.ids import uuid7
from gatepost.sequences.rules import EnrolmentFacts, Finish, Send, Stop, Wait, decide_next
from gatepost.sequences.variants import choose_variant
from gatepost.sequences.windows import (
    Hours,
    check_time_zone,
    check_window,
    due_after,
    next_open,
    resume_after,
)

BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
OFFICE = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
BERLIN_OFFICE = Hours(OFFICE, "Europe/Berlin")
ALL_WEEK = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def local(zone, *parts, fold=0):
    return datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (local(BERLIN, 2027, 1, 11, 9, 30), local(BERLIN, 2027, 1, 11, 9, 30)),
        (local(BERLIN, 2027, 1, 11, 7, 59), local(BERLIN, 2027, 1, 11, 8)),
        (local(BERLIN, 2027, 1, 11, 8), local(BERLIN, 2027, 1, 11, 8)),
        (local(BERLIN, 2027, 1, 11, 18), local(BERLIN, 2027, 1, 12, 8)),
        (local(BERLIN, 2027, 1, 15, 18), local(BERLIN, 2027, 1, 18, 8)),
        (local(BERLIN, 2027, 1, 16, 12), local(BERLIN, 2027, 1, 18, 8)),
        # The clock goes forward on Sunday 2027-03-28 and back on Sunday 2027-10-31.
        (local(BERLIN, 2027, 3, 26, 19), local(BERLIN, 2027, 3, 29, 8)),
        (local(BERLIN, 2027, 10, 29, 19), local(BERLIN, 2027, 11, 1, 8)),
    ],
)
def test_the_window_opens_in_the_morning_of_the_next_working_day_where_the_contact_is(moment, opens):
    assert next_open(OFFICE, "Europe/Berlin", moment) == opens


def test_the_morning_of_a_short_and_of_a_long_day_is_at_the_same_wall_time():
    sundays = {"sun": [["08:00", "18:00"]]}
    spring = next_open(sundays, "Europe/Berlin", local(BERLIN, 2027, 3, 27, 12))
    autumn = next_open(sundays, "Europe/Berlin", local(BERLIN, 2027, 10, 30, 12))
    assert (spring, autumn) == (datetime(2027, 3, 28, 6, tzinfo=UTC), datetime(2027, 10, 31, 7, tzinfo=UTC))


def test_a_window_that_begins_in_the_hour_that_does_not_exist_still_opens_that_day():
    opens = next_open({"sun": [["02:30", "05:00"]]}, "Europe/Berlin", local(BERLIN, 2027, 3, 28, 0))
    assert opens.astimezone(BERLIN).date() == date(2027, 3, 28)
    assert local(BERLIN, 2027, 3, 28, 3) <= opens < local(BERLIN, 2027, 3, 28, 5)


def test_in_the_hour_that_comes_twice_the_window_is_open_in_both_of_them():
    early = {"sun": [["01:00", "04:00"]]}
    for fold in (0, 1):
        moment = local(BERLIN, 2027, 10, 31, 2, 30, fold=fold)
        assert next_open(early, "Europe/Berlin", moment) == moment


def test_a_window_that_closes_in_the_hour_that_comes_twice_closes_once():
    early = {"sun": [["01:00", "02:30"]], "mon": [["08:00", "09:00"]]}
    second = local(BERLIN, 2027, 10, 31, 2, 15, fold=1)
    assert next_open(early, "Europe/Berlin", second) == local(BERLIN, 2027, 11, 1, 8)


def test_a_zone_that_changes_by_half_an_hour_is_no_exception():
    # Lord Howe goes back half an hour on 2027-04-04 at 2:00 local time.
    opens = next_open({"sun": [["08:00", "09:00"]]}, "Australia/Lord_Howe", local(LORD_HOWE, 2027, 4, 3, 23))
    assert opens == datetime(2027, 4, 3, 21, 30, tzinfo=UTC)


def test_a_moment_in_the_contacts_own_zone_is_understood_too():
    # Python compares two moments of one zone by their wall times: 02:45 (second) would seem before 02:50 (first).
    window = {"sun": [["02:50", "02:55"]], "mon": [["08:00", "09:00"]]}
    second = datetime(2027, 10, 31, 2, 45, tzinfo=BERLIN, fold=1)
    assert next_open(window, "Europe/Berlin", second) == local(BERLIN, 2027, 11, 1, 8)


def test_several_spans_of_a_day_are_taken_in_order():
    window = {"mon": [["14:00", "16:00"], ["09:00", "11:00"]]}
    assert next_open(window, "Europe/Berlin", local(BERLIN, 2027, 1, 11, 12)) == local(
        BERLIN, 2027, 1, 11, 14
    )
    assert next_open(window, "Europe/Berlin", local(BERLIN, 2027, 1, 11, 8)) == local(BERLIN, 2027, 1, 11, 9)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(
        ["Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "America/Havana"]
    ),
    st.integers(0, 22),
    st.integers(1, 23),
    st.sets(st.sampled_from(sorted(ALL_WEEK)), min_size=1),
)
def test_the_window_is_open_at_the_moment_it_gives_and_never_in_the_past(naive, zone, opens, length, days):
    moment = naive.replace(tzinfo=UTC)
    closes = min(opens + length, 23)
    if closes <= opens:
        closes = opens + 1
    window = {day: [[f"{opens:02}:00", f"{closes:02}:59"]] for day in days}
    found = next_open(window, zone, moment)
    assert moment <= found <= moment + timedelta(days=8)
    assert next_open(window, zone, found) == found
    assert ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[
        found.astimezone(ZoneInfo(zone)).weekday()
    ] in days


def test_a_day_after_the_first_step_the_second_is_due_at_the_same_hour_also_over_a_weekend():
    friday = local(BERLIN, 2027, 1, 15, 10)
    assert due_after(friday, 2 * 24 * 60, BERLIN_OFFICE).at == local(BERLIN, 2027, 1, 18, 8)
    assert due_after(friday, 4 * 24 * 60, BERLIN_OFFICE).at == local(BERLIN, 2027, 1, 19, 10)


def test_after_an_absence_it_goes_on_the_day_after_the_return():
    assert resume_after(date(2027, 1, 14), BERLIN_OFFICE) == local(BERLIN, 2027, 1, 15, 8)
    assert resume_after(date(2027, 1, 15), BERLIN_OFFICE) == local(BERLIN, 2027, 1, 18, 8)


@pytest.mark.parametrize(
    ("window", "problem"),
    [
        ({}, "never open"),
        ({"mon": []}, "never open"),
        ({"moon": [["08:00", "09:00"]]}, "no weekday"),
        ({"mon": [["8", "9"]]}, "must look like"),
        ({"mon": [["08:00"]]}, "must look like"),
        ({"mon": [["25:00", "26:00"]]}, "must look like"),
        ({"mon": [["18:00", "08:00"]]}, "closes before it opens"),
        ({"mon": [["08:00", "08:00"]]}, "closes before it opens"),
        (OFFICE, ""),
        (ALL_WEEK, ""),
    ],
)
def test_a_window_that_cannot_be_used_says_what_to_change(window, problem):
    found = check_window(window)
    assert problem in found and bool(found) == bool(problem)


def test_a_time_zone_that_is_none_says_what_to_write():
    assert check_time_zone("Europe/Berlin") == ""
    assert "Europe/Berlin" in check_time_zone("Middle-earth/Shire")


NOW = local(BERLIN, 2027, 1, 11, 9)
DUE = EnrolmentFacts(
    next_position=2,
    last_position=3,
    sequence_active=True,
    suppressed=False,
    internal=False,
    company_hold_until=None,
    hours=BERLIN_OFFICE,
)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        ({}, Send(2)),
        ({"suppressed": True}, Stop("suppressed", "on the do-not-contact list")),
        ({"internal": True}, Stop("suppressed", "an address of your own organisation")),
        ({"next_position": 4}, Finish()),
        ({"sequence_active": False}, Wait(NOW + timedelta(hours=1), "the sequence is paused")),
        (
            {"company_hold_until": NOW + timedelta(days=9)},
            Wait(NOW + timedelta(days=9), "somebody at this company answered or asked to wait"),
        ),
        ({"company_hold_until": NOW}, Send(2)),
        (
            {"hours": Hours({"tue": [["08:00", "09:00"]]}, "Europe/Berlin")},
            Wait(local(BERLIN, 2027, 1, 12, 8), "outside the sending window"),
        ),
        ({"suppressed": True, "sequence_active": False}, Stop("suppressed", "on the do-not-contact list")),
    ],
)
def test_what_is_to_be_done_with_an_enrolment_that_is_due(facts, decision):
    assert decide_next(replace(DUE, **facts), now=NOW) == decision


def test_a_contact_gets_the_same_wording_whenever_it_is_asked():
    enrolment, step = uuid7(), uuid7()
    assert len({choose_variant(enrolment, step, [1, 1, 1]) for _ in range(20)}) == 1


def test_wordings_are_given_by_weight():
    step = UUID(int=7)
    chosen = [choose_variant(UUID(int=number), step, [3, 0, 1]) for number in range(4000)]
    assert chosen.count(1) == 0
    assert 0.70 < chosen.count(0) / 4000 < 0.80


@pytest.mark.parametrize("weights", [[0], [0, 0], [1]])
def test_wordings_without_any_weight_give_the_first(weights):
    assert choose_variant(uuid7(), uuid7(), weights) == 0
