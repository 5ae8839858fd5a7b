from datetime import UTC, date, datetime

import pytest

from gatepost.text import dates

RECEIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("I am away until 3 December and back on Friday 4 December.", date(2026, 12, 4), "day"),
        ("Out of office from 20 November to 30 November.", date(2026, 11, 30), "day"),
        ("I am on leave through December 4.", date(2026, 12, 5), "day"),
        ("Ich bin bis einschließlich 04.12.2026 nicht im Büro.", date(2026, 12, 5), "day"),
        ("Je suis absente jusqu'au 4 décembre inclus.", date(2026, 12, 5), "day"),
        ("Estaré de vuelta el 4 de diciembre.", date(2026, 12, 4), "day"),
        ("Sarò assente fino al 4 dicembre compreso.", date(2026, 12, 5), "day"),
        ("Ik ben afwezig tot en met 4 december.", date(2026, 12, 5), "day"),
        ("I will return on 11 January.", date(2027, 1, 11), "day"),
        ("Back on Thursday.", date(2026, 11, 26), "day"),
        ("Ich bin ab KW 50 wieder da.", date(2026, 12, 7), "week"),
    ],
)
def test_an_absence_names_the_day_of_return(text, day, precision):
    found = dates.find(text, RECEIVED, about_return=True)
    assert (found.date, found.precision) == (day, precision)


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("Reach out again in Q2.", date(2027, 4, 1), "quarter"),
        ("Melden Sie sich im Februar wieder.", date(2027, 2, 1), "month"),
        ("Contact me in two weeks.", date(2026, 12, 7), "week"),
        ("Try me again next month.", date(2026, 12, 1), "month"),
        ("Recontactez-moi à la rentrée.", date(2027, 9, 1), "season"),
        ("Let us talk again after the summer.", date(2027, 9, 1), "season"),
    ],
)
def test_a_wish_to_talk_later_names_when(text, day, precision):
    found = dates.find(text, RECEIVED, about_return=False)
    assert (found.date, found.precision) == (day, precision)


@pytest.mark.parametrize(
    "text",
    [
        "I was away until 3 November.",
        "Call 0123 456789 in urgent cases.",
        "We have used it since 2019.",
        "Thanks, noted.",
        "Our invoice 12.11 is open.",
    ],
)
def test_what_names_no_coming_day_gives_no_date(text):
    assert dates.find(text, RECEIVED, about_return=True) is None


def test_the_words_of_the_date_are_quoted():
    assert dates.find("Back on 4 December.", RECEIVED, about_return=True).quote == "4 December"
