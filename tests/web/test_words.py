from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gatepost.conversations import rules
from gatepost.reports import charts
from gatepost.web import weeks
from gatepost.web.labels import LABELS, label_of
from gatepost.web.templatetags import words

NOW = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(seconds=-20), "just now"),
        (timedelta(seconds=20), "in a moment"),
        (timedelta(minutes=-3), "3 minutes ago"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(hours=-5), "5 hours ago"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=-20), "4 Nov"),
        (timedelta(days=100), "4 Mar 2027"),
    ],
)
def test_a_time_is_said_as_one_would_say_it(away: timedelta, said: str) -> None:
    assert words.said(NOW + away, now=NOW) == said


def test_the_exact_time_and_its_zone_are_there_on_hover() -> None:
    assert 'title="Tue 24 Nov 2026, 09:42 UTC"' in words.moment(NOW)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "at once"), (90, "1 hour 30 minutes"), (2880, "2 days"), (1445, "1 day 5 minutes")],
)
def test_a_delay_is_said_in_its_largest_units(minutes: int, said: str) -> None:
    assert words.delay(minutes) == said


def test_a_share_of_nothing_is_not_shown() -> None:
    assert [words.share(0, 0), words.share(0, 9), words.share(1, 3), words.share(1, 200)] == [
        "",
        "",
        "33 %",
        "0.5 %",
    ]


def test_every_label_has_its_word_and_tone() -> None:
    assert {label.name: str(label.word) for label in LABELS.values()} == rules.LABELS
    assert {label.tone for label in LABELS.values()} <= {"good", "info", "warn", "bad", "calm"}


def test_a_label_of_a_later_version_is_still_shown() -> None:
    assert label_of("asked_for_price").word == "Asked for price"


def test_the_week_in_which_clocks_change_has_its_own_length() -> None:
    start, end = weeks.span_of(datetime(2026, 3, 23).date(), ZoneInfo("Europe/Berlin"))
    assert end - start == timedelta(hours=167)


def test_any_day_of_a_week_names_it() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert weeks.week_from("2026-11-29", zone) == weeks.week_from("2026-11-23", zone)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "9999-12-31"])
def test_a_week_that_is_none_narrows_nothing(text: str) -> None:
    assert weeks.week_from(text, ZoneInfo("Europe/Berlin")) is None


def test_a_bar_leads_to_its_rows_says_its_number_and_is_not_drawn_for_nothing() -> None:
    monday = date(2026, 11, 23)
    weeks_of = [
        {"bar": bar, "first": monday, "address": '/inbox/?a=1&b="2"'} for bar in charts.columns([0, 7])
    ]
    drawn = words.bars({"kind": "replied", "bars": weeks_of})
    assert drawn.count("<rect") == 1 and "7: week of 23 Nov" in drawn
    assert 'href="/inbox/?a=1&amp;b=&quot;2&quot;"' in drawn
