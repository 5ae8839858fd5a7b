"""What is unusual about somebody's opening of texts."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from gatepost.alerts.rules import Limits, Read, Reader, night_of, problem_with, unusual

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2027, 1, 12, 11, 0, tzinfo=UTC)  # 12:00 in Berlin
MINE = uuid4()
USUAL = Limits()


def reads(
    count: int, *, at: datetime = NOON, every: timedelta = timedelta(seconds=5), place: str = "office"
) -> list[Read]:
    return [Read(at + n * every, uuid4(), MINE, place) for n in range(count)]


def member(**known: object) -> Reader:
    usual: dict[str, object] = {
        "places": frozenset({"office"}),
        "was_anywhere": True,
        "has_read": True,
        "zone": BERLIN,
    }
    return Reader(is_program=False, **{**usual, **known})  # type: ignore[arg-type]


def program(**known: object) -> Reader:
    usual: dict[str, object] = {
        "places": frozenset({"office"}),
        "was_anywhere": True,
        "has_read": True,
        "zone": BERLIN,
    }
    return Reader(is_program=True, **{**usual, **known})  # type: ignore[arg-type]


def causes(*found: object) -> list[str]:
    return [each.cause for each in unusual(*found)]  # type: ignore[arg-type, attr-defined]


def test_a_day_of_work_is_not_unusual() -> None:
    assert unusual(reads(200, every=timedelta(minutes=2)), member(), USUAL) == []


def test_more_texts_within_an_hour_than_usual_are_told_of_once_a_day() -> None:
    (found,) = unusual(reads(450), member(), USUAL)
    assert (found.cause, found.texts, found.mailboxes) == ("many", 201, (MINE,))
    assert found.reason == "201 texts within an hour, where up to 200 are usual"


def test_what_was_opened_in_the_hour_before_counts_with_it() -> None:
    before = tuple(reads(150, at=NOON - timedelta(minutes=30)))
    assert causes(reads(50), member(lately=before), USUAL) == []
    assert causes(reads(51), member(lately=before), USUAL) == ["many"]
    long_ago = tuple(reads(150, at=NOON - timedelta(minutes=90)))
    assert causes(reads(51), member(lately=long_ago), USUAL) == []


def test_one_text_that_is_opened_again_and_again_is_one_text() -> None:
    again = [Read(NOON + timedelta(seconds=n), MINE, MINE, "office") for n in range(500)]
    assert unusual(again, member(), USUAL) == []


def test_a_text_that_is_opened_at_night_is_told_of_once_for_that_night() -> None:
    late, early = datetime(2027, 1, 12, 22, 30, tzinfo=UTC), datetime(2027, 1, 13, 3, 0, tzinfo=UTC)
    found = unusual([*reads(3, at=late), *reads(2, at=early)], member(), USUAL)
    assert [(each.cause, each.key, each.texts) for each in found] == [("night", "2027-01-12", 5)]
    assert found[0].reason == "at 23:30 in Europe/Berlin, between 22:00 and 06:00"


def test_night_is_where_the_reader_lives() -> None:
    assert causes(reads(1), member(zone=ZoneInfo("Australia/Sydney")), USUAL) == ["night"]  # 22:00 there
    assert causes(reads(1), member(), USUAL) == []


@pytest.mark.parametrize(
    ("at", "begins", "ends", "night"),
    [
        ("05:59", "22:00", "06:00", "2027-01-11"),
        ("06:00", "22:00", "06:00", None),
        ("22:00", "22:00", "06:00", "2027-01-12"),
        ("00:30", "00:00", "05:00", "2027-01-12"),
        ("05:00", "00:00", "05:00", None),
        ("03:00", "00:00", "00:00", None),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(
    at: str, begins: str, ends: str, night: str | None
) -> None:
    limits = Limits(200, time.fromisoformat(begins), time.fromisoformat(ends))
    found = night_of(datetime.fromisoformat(f"2027-01-12T{at}"), limits)
    assert (found and found.isoformat()) == night


def test_a_network_that_a_reader_was_never_at_is_told_of_once() -> None:
    found = unusual([*reads(2), *reads(3, place="elsewhere")], member(), USUAL)
    assert [(each.cause, each.key, each.texts) for each in found] == [("place", "elsewhere", 3)]


def test_the_first_place_of_all_tells_nothing_and_the_second_does() -> None:
    newcomer = member(places=frozenset(), was_anywhere=False, has_read=False)
    assert causes(reads(1), newcomer, USUAL) == []
    assert causes([*reads(1), *reads(1, place="elsewhere")], newcomer, USUAL) == ["place"]


def test_where_a_request_came_from_may_be_unknown() -> None:
    assert causes(reads(1, place=""), member(), USUAL) == []


def test_a_token_that_reads_for_the_first_time_is_told_of() -> None:
    new = program(places=frozenset(), was_anywhere=False, has_read=False)
    (found,) = unusual(reads(2), new, USUAL)
    assert (found.cause, found.key, found.texts) == ("token", "first", 2)
    assert causes(reads(2), program(), USUAL) == []


def test_programs_have_no_night_but_may_read_too_much_and_from_elsewhere() -> None:
    at_night = NOON + timedelta(hours=14)
    assert causes(reads(1, at=at_night), program(), USUAL) == []
    assert causes(reads(300, at=at_night, place="elsewhere"), program(), USUAL) == ["many", "place"]


def test_a_workspace_may_call_other_things_usual() -> None:
    chosen = Limits.chosen({"texts_an_hour": 20, "night_begins": "00:00", "night_ends": "00:00"})
    assert causes(reads(21), member(), chosen) == ["many"]
    assert causes(reads(1, at=NOON + timedelta(hours=14)), member(), chosen) == []
    assert Limits.chosen({}) == USUAL
    assert problem_with(Limits(texts_an_hour=9)) and not problem_with(chosen)
