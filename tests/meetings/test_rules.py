from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from gatepost.meetings.rules import (
    GONE,
    Before,
    Book,
    BookedBy,
    BriefFacts,
    Cancel,
    Change,
    Drop,
    EventFacts,
    Guest,
    Keep,
    Known,
    Match,
    Row,
    Rung,
    Said,
    Sent,
    Stands,
    Who,
    booked_by,
    brief_text,
    counting,
    decide_event,
    is_over,
    owed_to,
    series_of,
    stands_at,
    stops,
)

START = datetime(2027, 1, 14, 10, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
NOW = START - timedelta(days=3)
PETRA, KARL = UUID(int=1), UUID(int=2)


def guest(answer: str = "organizer", match: Match = Match.ADDRESS, who: UUID = PETRA) -> Guest:
    return Guest(who, match, answer)


# Petra invited the rep, who accepted.
EVENT = EventFacts(
    starts=START,
    ends=START + HALF_AN_HOUR,
    guests=(guest(),),
    booked_by=BookedBy.CONTACT,
    rep_answer="accepted",
)
KNOWN = Known(START, START + HALF_AN_HOUR, Rung.ACCEPTED, guests=frozenset({(PETRA, True)}))
OFF = replace(KNOWN, rung=Rung.CANCELLED)
ACCEPTED = Stands(Rung.ACCEPTED, "they invited you, and you accepted")
CALLED_OFF = Stands(Rung.CANCELLED, "the organiser called it off")


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        ({}, Book(ACCEPTED)),
        ({"guests": ()}, Drop("no enrolled contact")),
        ({"is_cancelled": True}, Drop("off before it was seen")),
        ({"rep_answer": "declined"}, Drop("off before it was seen")),
        ({"known": KNOWN}, Keep()),
        ({"known": KNOWN, "starts": START + HALF_AN_HOUR}, Change(moved=True, stands=None)),
        ({"known": KNOWN, "ends": START + 2 * HALF_AN_HOUR}, Change(moved=True, stands=None)),
        ({"known": replace(KNOWN, rung=Rung.PROPOSED)}, Change(moved=False, stands=ACCEPTED)),
        ({"known": KNOWN, "is_private": True}, Change(moved=False, stands=None)),
        ({"known": KNOWN, "guests": (guest(), guest("none", who=KARL))}, Change(moved=False, stands=None)),
        ({"known": KNOWN, "is_cancelled": True}, Cancel(CALLED_OFF)),
        ({"known": KNOWN, "guests": (guest("declined"),)}, Cancel(Stands(Rung.DECLINED, "they declined"))),
        ({"known": KNOWN, "rep_answer": "declined"}, Cancel(Stands(Rung.DECLINED, "you declined"))),
        (
            {"known": KNOWN, "guests": (), "is_uninvited": True},
            Cancel(Stands(Rung.CANCELLED, "they are no longer invited")),
        ),
        ({"known": OFF, "is_cancelled": True}, Keep()),
        ({"known": OFF}, Book(ACCEPTED)),
        ({"known": OFF, "starts": START + HALF_AN_HOUR}, Book(ACCEPTED)),
        (
            {"known": replace(KNOWN, rung=Rung.DISMISSED)},
            Drop("not with them, as a member said"),
        ),
    ],
)
def test_what_an_event_of_the_calendar_means(facts: dict, decision: object) -> None:
    assert decide_event(replace(EVENT, **facts), now=NOW) == decision


def test_a_meeting_that_took_place_is_not_undone_by_tidying_up_a_calendar() -> None:
    was = replace(KNOWN, rung=Rung.TOOK_PLACE)
    later = START + timedelta(days=1)
    assert decide_event(replace(EVENT, known=was, is_cancelled=True), now=later) == Keep()
    again = replace(
        EVENT, known=was, starts=START + timedelta(days=7), ends=START + timedelta(days=7, hours=1)
    )
    assert decide_event(again, now=later) == Book(ACCEPTED), "moved ahead of us it stands anew"


BY_REP = {"booked_by": BookedBy.REP, "rep_answer": "organizer"}


@pytest.mark.parametrize(
    ("facts", "rung"),
    [
        # The contact invites.
        ({"rep_answer": "notResponded", "is_tentative": True}, Rung.PROPOSED),
        ({"rep_answer": "tentativelyAccepted", "is_tentative": True}, Rung.PROPOSED),
        ({"rep_answer": "accepted"}, Rung.ACCEPTED),
        # The rep invites.
        ({**BY_REP, "guests": (guest("none"),), "is_tentative": True}, Rung.PROPOSED),
        ({**BY_REP, "guests": (guest("notResponded"),)}, Rung.ON_CALENDAR),
        ({**BY_REP, "guests": (guest("tentativelyAccepted"),)}, Rung.ON_CALENDAR),
        ({**BY_REP, "guests": (guest("accepted"),)}, Rung.ACCEPTED),
        ({**BY_REP, "guests": (guest("declined"),)}, Rung.DECLINED),
        ({**BY_REP, "guests": (guest("declined"), guest("accepted", who=KARL))}, Rung.ACCEPTED),
        # A booking page, which puts it straight into the calendar, or asks the rep.
        (
            {"booked_by": BookedBy.BOOKING_PAGE, "guests": (guest("none"),), "rep_answer": "none"},
            Rung.ACCEPTED,
        ),
        ({"booked_by": BookedBy.BOOKING_PAGE, "guests": (guest("none"),)}, Rung.ACCEPTED),
        # A colleague, or a page of Microsoft Bookings: the answers are not shown to those invited.
        ({"booked_by": BookedBy.COLLEAGUE, "guests": (guest("none"),)}, Rung.ON_CALENDAR),
        ({"booked_by": BookedBy.SOMEBODY_ELSE, "guests": (guest("accepted"),)}, Rung.ACCEPTED),
        ({"is_cancelled": True}, Rung.CANCELLED),
    ],
)
def test_a_rung_needs_its_evidence(facts: dict, rung: Rung) -> None:
    found = stands_at(replace(EVENT, **facts))
    assert found.rung == rung
    assert found.reason


@pytest.mark.parametrize(
    ("rung", "after"), [("accepted", Rung.TOOK_PLACE), ("on_calendar", Rung.TOOK_PLACE), ("proposed", None)]
)
def test_what_stands_until_its_time_has_passed_took_place_and_a_mere_proposal_did_not(
    rung: str, after: Rung | None
) -> None:
    found = is_over(rung, START, read_at=START)
    assert (found and found.rung) == after
    assert is_over(rung, START, read_at=START - timedelta(seconds=1)) is None


def test_of_a_meeting_that_was_never_answered_it_is_said_that_it_was_not() -> None:
    unanswered = is_over("on_calendar", START, read_at=START)
    assert unanswered is not None and "never answered" in unanswered.reason
    assert GONE.rung == Rung.CANCELLED


@pytest.mark.parametrize(
    ("organizer", "who", "found"),
    [
        ("petra@contoso.example", {"is_contact": True}, BookedBy.CONTACT),
        ("alice@northwind.example", {"is_rep": True, "is_internal": True}, BookedBy.REP),
        ("", {}, BookedBy.REP),
        ("no-reply@calendly.com", {}, BookedBy.BOOKING_PAGE),
        ("hello@cal.com", {}, BookedBy.BOOKING_PAGE),
        ("x@mail.youcanbook.me", {}, BookedBy.BOOKING_PAGE),
        ("x@notcalendly.com", {}, BookedBy.SOMEBODY_ELSE),
        ("demos@northwind.example", {"is_internal": True}, BookedBy.COLLEAGUE),
        ("assistant@agency.example", {}, BookedBy.SOMEBODY_ELSE),
    ],
)
def test_who_put_a_meeting_into_the_calendar(organizer: str, who: dict, found: BookedBy) -> None:
    nobody = {"is_contact": False, "is_rep": False, "is_internal": False}
    assert booked_by(organizer, **{**nobody, **who}) == found


def row(number: int, *, stands: bool = True, sure: bool = True) -> Row:
    return Row(UUID(int=number), START + timedelta(minutes=number), stands, sure)


def test_several_reps_at_one_meeting_count_once() -> None:
    assert counting([row(2), row(1), row(3)]) == UUID(int=1)
    assert counting([row(1, stands=False), row(2)]) == UUID(int=2), "whose calendar still has it"
    assert counting([row(1, stands=False), row(2, stands=False)]) == UUID(int=1)
    assert counting([row(1, sure=False), row(2)]) == UUID(int=2)
    assert counting([row(1, sure=False)]) is None


def test_all_dates_of_a_series_share_a_part_of_their_ids() -> None:
    master = "040000008200E00074C5B7101A82E00800000000F4B2A1D0"
    dates = [f"040000008200E00074C5B7101A82E00807EB01{day:02X}F4B2A1D0" for day in (4, 11, 18)]
    assert {series_of(each) for each in dates} == {series_of(master)} == {master}
    google = "abc123_20270114T090000Z@google.com"
    assert series_of(google) == series_of("abc123_20270121T090000Z@google.com") == "abc123@google.com"
    assert series_of("a_b_c@cal.com") == "a_b_c@cal.com"


def test_a_meeting_is_owed_to_the_last_mail_before_it_was_booked_within_thirty_days() -> None:
    def sent(number: int, days: float) -> Sent:
        return Sent(UUID(int=number), START - timedelta(days=days))

    assert owed_to([sent(1, 20), sent(2, 5), sent(3, -1)], START) == sent(2, 5)
    assert owed_to([sent(1, 30)], START) == sent(1, 30)
    assert owed_to([sent(1, 30.01), sent(2, -0.01)], START) is None


def test_a_meeting_that_was_over_when_somebody_was_enrolled_does_not_stop_them() -> None:
    assert not stops(enrolled_at=START, ends=START)
    assert stops(enrolled_at=START, ends=START + HALF_AN_HOUR)


FULL = BriefFacts(
    who=(
        Who("Petra Quandt", "Buyer", "Contoso", "accepted"),
        Who("Karl Weber", "", "Contoso", "tentativelyAccepted"),
    ),
    sequence="Fewer empty appointments",
    steps_sent=2,
    first_sent=date(2027, 1, 4),
    replies=(
        Said(date(2027, 1, 5), "Question", "What does it cost?"),
        Said(date(2027, 1, 8), "Interested", "Yes, let us talk."),
    ),
    promise="01 March 2027 (month)",
    promise_words="once the budget is through",
    earlier=(Before(date(2026, 6, 3), "Took place", "Liked the demo."),),
    notes="Bring the price list.",
)


def test_a_brief_says_who_it_is_how_it_came_about_and_what_was_said() -> None:
    assert brief_text(FULL).splitlines() == [
        "Who: Petra Quandt, Buyer, Contoso (accepted)",
        "Also: Karl Weber, Contoso (may come)",
        "How it came about: sequence “Fewer empty appointments”, 2 mails sent since 4 January 2027",
        "",
        "Last reply (8 January 2027, interested):",
        "Yes, let us talk.",
        "",
        "Before that (5 January 2027, question):",
        "What does it cost?",
        "",
        "Open promise: 01 March 2027 (month)",
        "“once the budget is through”",
        "",
        "Earlier meetings:",
        "- 3 June 2026: took place. Liked the demo.",
        "",
        "Notes: Bring the price list.",
    ]


def test_what_is_not_known_has_no_line() -> None:
    bare = BriefFacts((Who("Petra", "", ""),))
    assert brief_text(bare) == "Who: Petra\nNo reply by mail: booked directly."


def test_a_brief_says_where_only_the_company_was_recognised() -> None:
    assert "Not sure" in brief_text(replace(FULL, weak=True))
