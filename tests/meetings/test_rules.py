from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatepost.meetings.rules import (
    Book,
    BriefFacts,
    Cancel,
    Drop,
    EventFacts,
    Keep,
    Known,
    Move,
    brief_text,
    decide_event,
)

START = datetime(2027, 1, 14, 10, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
KNOWN = Known(START, START + HALF_AN_HOUR, "k", cancelled=False)
EVENT = EventFacts(
    starts=START,
    ends=START + HALF_AN_HOUR,
    is_cancelled=False,
    with_contact=True,
    contact_declined=False,
    rep_declined=False,
    known=None,
)
OFF = replace(KNOWN, cancelled=True)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        ({}, Book()),
        ({"with_contact": False}, Drop("no enrolled contact")),
        ({"is_cancelled": True}, Drop("cancelled before it was seen")),
        ({"rep_declined": True}, Drop("cancelled before it was seen")),
        ({"known": KNOWN}, Keep()),
        ({"known": KNOWN, "starts": START + HALF_AN_HOUR}, Move()),
        ({"known": KNOWN, "ends": START + 2 * HALF_AN_HOUR}, Move()),
        ({"known": KNOWN, "is_cancelled": True}, Cancel("cancelled")),
        ({"known": KNOWN, "contact_declined": True}, Cancel("declined")),
        ({"known": KNOWN, "rep_declined": True}, Cancel("declined")),
        ({"known": OFF, "is_cancelled": True}, Keep()),
        ({"known": OFF}, Book()),
        ({"known": OFF, "starts": START + HALF_AN_HOUR}, Book()),
    ],
)
def test_what_an_event_of_the_calendar_means(facts, decision):
    assert decide_event(replace(EVENT, **facts)) == decision


FULL = BriefFacts(
    name="Petra Quandt",
    company="Contoso",
    title="Buyer",
    sequence="Fewer empty appointments",
    steps_sent=2,
    last_reply="Yes, let us talk.\n",
    last_label="Interested",
    promise="01 March 2027 (month)",
    meeting_subject="Intro",
)


def test_a_brief_says_who_it_is_how_it_came_about_and_what_was_said():
    assert brief_text(FULL).splitlines()[:4] == [
        "Who: Petra Quandt, Buyer, Contoso",
        "How it came about: sequence “Fewer empty appointments”, 2 mails sent",
        "Last reply (Interested):",
        "Yes, let us talk.",
    ]
    assert "Open promise: 01 March 2027 (month)" in brief_text(FULL)


def test_what_is_not_known_has_no_line():
    bare = BriefFacts("Petra", "", "", "", 0, "", "", "", "")
    assert brief_text(bare) == "Who: Petra\nNo reply by mail: booked directly."
