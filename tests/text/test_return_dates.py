"""How many return dates are read right, and how many are invented: on sentences of our own, and on the replies of the
development part, whose writers knew none of the rules."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gatepost.text import dates

RECEIVED = datetime(2027, 2, 8, 9, 0, tzinfo=UTC)  # a Monday; Easter is on 28 March
DEVELOPMENT = Path(__file__).parents[2] / "data" / "replies" / "development"
TOLERANCE = {"day": 1, "week": 6, "month": 31, "quarter": 92, "season": 45}

ABSENT = [
    ("Back on the 14th.", "2027-02-14"),
    ("I'm away till the 22nd, no phone up here.", "2027-02-22"),
    ("I shall be joining office on 3rd March.", "2027-03-03"),
    ("We are closed up to and including 26 February.", "2027-02-27"),
    ("I am away from tomorrow until the 2nd.", "2027-03-02"),
    ("Our shop reopens on Monday, 15 February.", "2027-02-15"),
    ("On leave 10/02/2027 to 19/02/2027, back 22/02/2027.", "2027-02-22"),
    ("Ab dem 24. bin ich wieder am Platz.", "2027-02-24"),
    ("Wir haben vom 15. bis 19. Februar geschlossen.", "2027-02-19"),
    ("Bin ab Donnerstag, 18. Februar wieder da.", "2027-02-18"),
    ("Ab KW 9 wieder im Dienst.", "2027-03-01"),
    ("Je suis en déplacement jusqu'au 20.", "2027-02-20"),
    ("Absente, de retour le lundi 22 février.", "2027-02-22"),
    ("Vuelvo el día 25.", "2027-02-25"),
    ("Estoy fuera hasta el 19 de febrero inclusive.", "2027-02-20"),
    ("Volto dia 22.", "2027-02-22"),
    ("Riapriamo lunedì 15.", "2027-02-15"),
    ("Sono in ferie fino al 19 febbraio compreso.", "2027-02-20"),
    ("Ik ben terug op 1 maart.", "2027-03-01"),
    ("Morgen weer aan de slag.", "2027-02-09"),
    ("Jag är tillbaka den 3 mars.", "2027-03-03"),
    ("Jeg er tilbage den 1. marts.", "2027-03-01"),
    ("Wracam 1 marca.", "2027-03-01"),
    ("Do 19. února čerpám dovolenou.", "2027-02-19"),
    ("2月15日まで不在です。", "2027-02-16"),
    ("本人２月２２日恢复办公。", "2027-02-22"),
]
LATER = [
    ("Ask me again after Easter.", "2027-03-30"),
    ("Nach Ostern gern.", "2027-03-30"),
    ("Se ne riparla dopo Pasqua.", "2027-03-30"),
    ("Pasando Semana Santa hablamos.", "2027-03-30"),
    ("Etter påske passer det bedre.", "2027-03-30"),
    ("Depois do Carnaval a gente conversa.", "2027-02-10"),
    ("Na Pinksteren graag.", "2027-05-18"),
    ("Two weeks from now I can breathe.", "2027-02-22"),
    ("Give me three weeks or so.", "2027-03-01"),
    ("Tra un paio di settimane con più calma.", "2027-02-22"),
    ("Could you nudge me on Monday week?", "2027-02-22"),
    ("Try me the week after next.", "2027-02-22"),
    ("Melden Sie sich im Jänner wieder.", "2028-01-01"),
    ("Probeer het half mei nog eens.", "2027-05-15"),
    ("Hör av dig i mars.", "2027-03-01"),
    ("Ozvěte se až v únoru 2028.", "2028-02-01"),
    ("Proszę przypomnieć się w II kwartale.", "2027-04-01"),
    ("Contact us next quarter.", "2027-04-01"),
    ("Drop me a line at the end of the month.", "2027-02-28"),
    ("Nächstes Jahr im Herbst reden wir weiter.", "2027-09-01"),
    ("Pasado el verano volveremos sobre ello.", "2027-09-01"),
    ("四月以降に改めてご連絡ください。", "2027-04-01"),
    ("二週間後にまたご連絡ください。", "2027-02-22"),
    ("明年第二季再來信。", "2028-04-01"),
]
NO_DATE = [
    "Call me on +44 1632 960 771.",
    "Meet us on the 3rd floor.",
    "Our contract ends on 30 November 2027.",
    "Joignez l'accueil au 01 00 00 00 17.",
    "My father had a fall.",
    "Das kostet uns am 3. Standort zu viel.",
    "I set out the reasons below.",
    "We came back on 3 January 2027.",
    "Our invoice 4711 of 12 March is open.",
    "Not now, sorry.",
]


def test_the_set_of_our_own_holds_sixty():
    assert len(ABSENT) + len(LATER) + len(NO_DATE) == 60


@pytest.mark.parametrize(("text", "day"), ABSENT)
def test_the_day_of_return_is_read(text, day):
    found = dates.find(text, RECEIVED, about_return=True)
    assert (
        found is not None and abs((found.date - date.fromisoformat(day)).days) <= TOLERANCE[found.precision]
    )
    assert found.precision == "week" or found.date == date.fromisoformat(day)


@pytest.mark.parametrize(("text", "day"), LATER)
def test_the_day_to_write_again_is_read(text, day):
    found = dates.find(text, RECEIVED, about_return=False)
    assert found is not None and found.date == date.fromisoformat(day)


@pytest.mark.parametrize("text", NO_DATE)
def test_no_day_is_invented(text):
    assert dates.find(text, RECEIVED, about_return=True) is None
    assert dates.find(text, RECEIVED, about_return=False) is None


def test_fifty_five_of_sixty_are_right_and_at_most_five_invented_in_replies_by_other_hands():
    told = right = invented = 0
    for reply in _replies():
        about_return = reply["labels"][0] == "out_of_office"
        found = dates.find(
            reply["text"], datetime.fromisoformat(reply["received"]), about_return=about_return
        )
        if not (day := reply.get("return_date")):
            invented += found is not None
            continue
        told += 1
        tolerance = TOLERANCE[reply["return_precision"]]
        right += found is not None and abs((found.date - date.fromisoformat(day)).days) <= tolerance
    assert told >= 60
    assert right / told >= 55 / 60
    assert invented <= 5


def _replies():
    for part in sorted(DEVELOPMENT.glob("*.jsonl")):
        for line in part.read_text().splitlines():
            reply = json.loads(line)
            if reply.get("received") and reply["labels"][0] in ("out_of_office", "circle_back_later"):
                yield reply
