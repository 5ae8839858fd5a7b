from datetime import UTC, date, datetime, timedelta, timezone

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.text import dates
from gatepost.text.lexicon.calendar_words import FEASTS_BY_THE_MOON, MONTHS, SEASONS

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
        ("Semester t.o.m. vecka 51.", date(2026, 12, 21), "week"),
        ("I'm out next week, Monday through Friday.", date(2026, 12, 5), "day"),
        ("I'm away until Friday, next week I'm available again.", date(2026, 11, 27), "day"),
        ("Siamo chiusi per ferie dal 20 al 27 novembre compreso.", date(2026, 11, 28), "day"),
        ("Estaré fuera del 3 al 14 de enero.", date(2027, 1, 14), "day"),
        ("I'll be due back on 3 January.", date(2027, 1, 3), "day"),
        ("Ich bin vom 24.11. bis Do. 3.12. in Urlaub.", date(2026, 12, 3), "day"),
        ("Ik ben afwezig van 25 november t/m do. 3 december.", date(2026, 12, 4), "day"),
        ("I'm out through the first week of January.", date(2027, 1, 11), "week"),
        ("De vuelta en jul.", date(2027, 7, 1), "month"),
        ("I'm out through December.", date(2027, 1, 1), "month"),
        ("Urlaub bis einschließlich Januar.", date(2027, 2, 1), "month"),
        ("Ich bin bis einschl. 20.12. abwesend.", date(2026, 12, 21), "day"),
        ("Réouverture le lundi 4 janvier, après les vacances d'hiver.", date(2027, 1, 4), "day"),
        (
            "Gesloten van 30 november t/m 4 december. Vanaf maandag 7 december staan we weer voor u klaar.",
            date(2026, 12, 7),
            "day",
        ),
    ],
)
def test_an_absence_names_the_day_of_return(text, day, precision):
    found = dates.find(text, RECEIVED, about_return=True)
    assert (found.date, found.precision) == (day, precision)


def test_a_day_on_which_something_else_happens_is_none_to_write_again_on():
    assert dates.find("El niño nació el viernes.", RECEIVED, about_return=False) is None
    assert dates.find("Bonne et nouvelle année ! Pas intéressé.", RECEIVED, about_return=False) is None
    assert (
        dates.find(
            "No date for my return yet. The project, due 30 November, has Anne.", RECEIVED, about_return=True
        )
        is None
    )
    for said in (
        "Happy with our agency. 5 years. Perhaps later.",
        "Not now. One day!",
        "We had a fair the first week of November.",
        "In der ersten Novemberwoche war Messe.",
    ):
        assert dates.find(said, RECEIVED, about_return=False) is None
    assert dates.find("Mijn vaste werkdagen zijn maandag en donderdag.", RECEIVED, about_return=True) is None


def test_a_season_that_runs_is_why_and_hardly_when():
    in_summer = datetime(2026, 6, 24, 9, 0, tzinfo=UTC)
    said = "Im Sommer ist hier niemand. Nach dem Sommer können wir gern drüber reden."
    assert dates.find(said, in_summer, about_return=False).date == date(2026, 9, 1)
    assert dates.find("Im Sommer ist hier niemand.", in_summer, about_return=False) is None
    for said in ("Try again next summer.", "Nächstes Jahr im Sommer gern wieder melden."):
        assert dates.find(said, in_summer, about_return=False).date == date(2027, 6, 21)


def test_after_eid_is_after_the_next_of_the_two():
    may = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
    assert dates.find("After Eid we can speak.", may, about_return=False).date == date(2026, 5, 31)
    assert dates.find("After Eid we can speak.", RECEIVED, about_return=False).date == date(2027, 3, 12)


@pytest.mark.parametrize(
    ("feast", "country", "named", "until_work"),
    [
        ("diwali", "SG", "Diwali", 1),
        ("ramadan", "TR", "Eid al-Fitr", 3),
        ("eid al-adha", "TR", "Eid al-Adha", 4),
        ("cny", "CN", "Chinese New Year (", 8),
    ],
)
def test_feasts_by_the_moon_are_those_of_the_package_that_knows_them(feast, country, named, until_work):
    official = holidays.country_holidays(country, years=range(2026, 2036), language="en_US")
    first_days = {day for day, name in official.items() if named in name and "observed" not in name}
    read = {day - timedelta(days=until_work) for day in FEASTS_BY_THE_MOON[feast]}
    assert read == {day for day in first_days if day - timedelta(days=1) not in first_days}


def test_in_north_america_the_month_comes_first():
    here = datetime(2026, 11, 30, 7, 2, tzinfo=timezone(timedelta(hours=-6)))
    assert dates.find("OOO thru 12/4", here, about_return=True).date == date(2026, 12, 5)
    assert dates.find("I am in LA, back on 12/4. Sean O'Brien", here, about_return=True).date == date(
        2026, 12, 4
    )
    assert dates.find("Ich bin bis 4/12 weg.", here, about_return=True).date == date(2026, 12, 4)
    assert dates.find("De vuelta el 4/12", here, about_return=True).date == date(2026, 12, 4)
    assert dates.find("Back on 4/12", RECEIVED, about_return=True).date == date(2026, 12, 4)


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("Reach out again in Q2.", date(2027, 4, 1), "quarter"),
        ("Melden Sie sich im Februar wieder.", date(2027, 2, 1), "month"),
        ("Contact me in two weeks.", date(2026, 12, 7), "week"),
        ("Try me again next month.", date(2026, 12, 1), "month"),
        ("Recontactez-moi à la rentrée.", date(2027, 9, 1), "season"),
        ("Let us talk again after the summer.", date(2027, 9, 1), "season"),
        ("Kommen Sie gern im Sommer 2028 wieder auf uns zu.", date(2028, 6, 21), "season"),
        ("Hör av dig efter jul.", date(2027, 1, 2), "season"),
        ("Jul är bråd tid, hör av dig i januari.", date(2027, 1, 1), "month"),
        ("Ask me again in Jul.", date(2027, 7, 1), "month"),
        ("Jul 2028 works, write again.", date(2028, 7, 1), "month"),
        ("Call me after the second week of January.", date(2027, 1, 18), "week"),
        ("Der Jahresabschluss ist am 31. Januar fällig, danach gern.", date(2027, 1, 31), "day"),
        ("Write to me. Our contract is up in June.", date(2027, 6, 1), "month"),
        ("Kindly connect post Diwali.", date(2027, 10, 29), "season"),
        ("After Eid we can speak.", date(2027, 3, 12), "season"),
        ("请春节后联系。", date(2027, 2, 14), "season"),
        ("Escríbeme la segunda semana de enero.", date(2027, 1, 11), "week"),
        ("Try me the first week of May.", date(2027, 5, 3), "week"),
        ("Melden Sie sich in der dritten Januarwoche.", date(2027, 1, 18), "week"),
        ("Melden Sie sich nach der dritten Januarwoche.", date(2027, 1, 25), "week"),
        ("Me chama mês que vem.", date(2026, 12, 1), "month"),
        ("Up to my elbows in auditors. Two weeks.", date(2026, 12, 7), "week"),
        (
            "Drop me a line the week of 11 January, no use in anything before it.",
            date(2027, 1, 11),
            "day",
        ),
        ("Volgende week donderdag weer, goed?", date(2026, 12, 3), "day"),
        ("Call me Thursday next week.", date(2026, 12, 3), "day"),
        ("Nächste Woche Donnerstag gern.", date(2026, 12, 3), "day"),
        ("Rappelez-moi jeudi de la semaine prochaine.", date(2026, 12, 3), "day"),
        ("Probeer het over een half jaartje nog eens.", date(2027, 5, 24), "month"),
        ("In einem halben Jahr gern wieder.", date(2027, 5, 24), "month"),
        ("Pasados Reyes hablamos.", date(2027, 1, 7), "season"),
        ("Not this side of Easter.", date(2027, 3, 30), "season"),
        ("Nicht vor Ostern.", date(2027, 3, 30), "season"),
        ("Mitte nächsten Jahres schreiben wir neu aus, melden Sie sich.", date(2027, 6, 15), "month"),
        ("Se ne riparla con l'anno nuovo.", date(2027, 1, 1), "quarter"),
        ("Rappelez-moi l'année prochaine.", date(2027, 1, 1), "quarter"),
        ("Get back in the first half of next year.", date(2027, 1, 1), "quarter"),
        ("Ask again at the end of next year.", date(2027, 12, 1), "month"),
        ("Hablamos a mediados del próximo año.", date(2027, 6, 15), "month"),
        ("Contact me through LinkedIn next week.", date(2026, 11, 30), "week"),
        ("Please send the inclusive price next week.", date(2026, 11, 30), "week"),
        ("Buon anno nuovo a tutti! Ci sentiamo martedì.", date(2026, 11, 24), "day"),
        ("Il est nécessaire de voir cela en septembre.", date(2027, 9, 1), "month"),
        (
            "Wir bauen um, fertig ist das im Mai geplant. Rufen Sie mich im September an.",
            date(2027, 9, 1),
            "month",
        ),
        (
            "Le contrat nous tient jusqu'au 31 décembre 2027. Nous comparons en octobre. Relancez-moi à ce moment-là.",
            date(2027, 10, 1),
            "month",
        ),
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


@pytest.mark.parametrize("year", ["0000", "0001", "1066", "9999"])
@pytest.mark.parametrize(
    "said",
    [
        "Out through December {}.", "In May {}.", "Im Sommer {}.", "Q1 {}.", "I kwartał {}.", "Through 31 December {}.",
        "Until {}-12-31 inclusive.", "Bis einschließlich 31.12.{}.", "The first week of May {}.",
        "Anno {}.",
    ],
)  # fmt: skip
def test_four_digits_that_are_no_year_make_no_date(said, year):
    for about_return in (True, False):
        assert dates.find(said.format(year), RECEIVED, about_return=about_return) is None


@given(
    st.text(alphabet="0123456789./-: ", max_size=12),
    st.sampled_from(sorted(MONTHS)),
    st.sampled_from(sorted(SEASONS)),
)
def test_no_digits_beside_the_words_of_a_date_end_the_reading(digits, month, season):
    for text in (
        f"back {digits} {month} {digits} inclusive",
        f"{season} {digits}",
        f"Q{digits} {digits}",
        f"until {digits}",
    ):
        dates.find(text, RECEIVED, about_return=True)
