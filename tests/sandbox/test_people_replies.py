"""The corpus of replies: enough of each kind, nobody real, nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from itertools import combinations

import pytest

from m365_sandbox.people import corpus
from m365_sandbox.people.companies import BY_DOMAIN
from m365_sandbox.people.quoting import CLIENTS
from m365_sandbox.people.wording import LANGUAGES, spell

REPLIES = corpus.replies()
MONDAY = date(2026, 11, 23)
ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\w")


def test_there_are_more_than_two_hundred_replies_and_no_id_twice():
    assert len(REPLIES) >= 200
    assert len({reply.id for reply in REPLIES}) == len(REPLIES)


def test_every_label_has_its_share():
    counts = Counter(reply.label for reply in REPLIES)
    assert set(counts) == set(corpus.LABELS)
    common = ("interested", "question", "not_interested", "circle_back_later")
    assert {label: n for label, n in counts.items() if n < (14 if label in common else 8)} == {}


def test_more_than_a_third_is_not_english_and_all_nine_languages_occur():
    counts = Counter(reply.language for reply in REPLIES)
    assert set(counts) == set(LANGUAGES)
    assert counts["en"] < len(REPLIES) * 2 / 3
    assert min(counts[language] for language in ("de", "fr", "es", "it", "nl")) >= 14


def test_further_labels_and_clients_are_known():
    for reply in REPLIES:
        assert set(reply.labels) <= set(corpus.LABELS) - {reply.label}, reply.id
        assert reply.client in CLIENTS, reply.id
        assert reply.placement in ("top", "bottom", "inline", "none"), reply.id
        assert reply.occasion in ("answer", "meeting", "forwarded"), reply.id


def test_every_author_is_somebody_else_and_works_at_a_company_we_know():
    assert {reply.author.domain for reply in REPLIES} <= set(BY_DOMAIN)
    addresses = Counter(reply.author.address for reply in REPLIES)
    assert [address for address, times in addresses.items() if times > 1] == []


def test_no_two_replies_share_seven_words_in_a_row():
    runs = {reply.id: _runs(reply.text) for reply in REPLIES if not reply.bounce}
    shared = [(a, b, runs[a] & runs[b]) for a, b in combinations(runs, 2) if runs[a] & runs[b]]
    assert shared == []


def _runs(text: str, length: int = 7) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_addresses_in_the_text_are_under_a_reserved_domain():
    found = [address for reply in REPLIES for address in ADDRESS.findall(reply.text)]
    assert found
    assert [address for address in found if not address.endswith(".example")] == []


def test_a_third_party_with_an_address_stands_in_the_text_or_in_copy():
    for reply in REPLIES:
        if reply.third_party and reply.third_party["address"]:
            in_copy = reply.third_party["kind"] == "introduced"
            assert in_copy or reply.third_party["address"] in reply.text, reply.id


def test_every_date_in_a_text_is_written_out_in_its_language():
    for reply in REPLIES:
        assert not re.search(r"[{}%]", corpus.dated(reply.text, MONDAY, reply.language)), reply.id


def test_the_date_meant_is_always_to_come_and_in_the_text_where_it_is_a_day():
    for reply in (reply for reply in REPLIES if reply.return_date):
        for today in (MONDAY + timedelta(days=n) for n in range(0, 400, 37)):
            assert corpus.day_meant(reply.return_date, today) > today, reply.id
        days = re.findall(r"\{date:\+(\d+)d", reply.text)
        assert "in_days" not in reply.return_date or str(reply.return_date["in_days"]) in days, reply.id


@pytest.mark.parametrize(
    ("meant", "day"),
    [
        ({"in_days": 1}, date(2026, 11, 24)),
        ({"in_days": 5}, date(2026, 11, 30)),  # a Saturday becomes the Monday after
        ({"in_days": 1, "inclusive": True}, date(2026, 11, 25)),
        ({"in_weeks": 2}, date(2026, 12, 7)),
        ({"in_months": 2}, date(2027, 1, 1)),
        ({"next": "04-01"}, date(2027, 4, 1)),
        ({"next": "12-24"}, date(2026, 12, 24)),
        ({"weekday": 0}, date(2026, 11, 30)),
        (None, None),
    ],
)
def test_words_for_a_date_mean_one_day(meant, day):
    assert corpus.day_meant(meant, MONDAY) == day


def test_a_date_is_spelled_in_the_reader_s_language():
    assert spell(MONDAY, "%A %-d %B %Y", "fr") == "lundi 23 novembre 2026"
    assert spell(MONDAY, "%A, %d. %B", "de") == "Montag, 23. November"


def test_somebody_else_says_the_same_under_their_own_name_and_address():
    reply = corpus.reply("en-later-date")
    text = corpus.renamed(reply.text, reply.author, "Ada Poe", "ada.poe@oakline.example", "Oakline Property")
    assert "Ada Poe" in text and "Oakline Property" in text
    assert "Carmela" not in text and "Pinecrest" not in text


def test_a_reply_greets_the_one_who_wrote():
    assert corpus.addressed("Hi Alice,", "Ben Okafor", "ben@northwind.example") == "Hi Ben,"


def test_an_unknown_reply_says_where_ids_are_found():
    with pytest.raises(KeyError, match="people/replies"):
        corpus.reply("no-such-reply")
