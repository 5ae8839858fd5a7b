"""Phrases of the lexicons: their notation, and that one pass over a text misses none."""

import pytest

from gatepost.text.lexicon.rules import lexicon
from gatepost.text.patterns import Many, Phrases, folded


def where(written: str, text: str) -> str | None:
    found = Phrases([written]).found(text)
    span = found.span(0) if 0 in found.possible else None
    return text[slice(*span)] if span else None


@pytest.mark.parametrize(
    ("written", "text", "words"),
    [
        ("not interested", "We are NOT\n interested, sorry.", "NOT\n interested"),
        ("not interested", "We are not\u00a0uninterested.", None),
        ("interess*", "Kein Interesse!", "Interesse"),
        ("kein ... bedarf", "Wir haben dafür kein akutes Bedürfnis, kein bisschen Bedarf.", "kein akutes Bedürfnis, kein bisschen Bedarf"),
        ("kein ... bedarf", "Kein Wort. Bedarf haben wir.", None),
        ("(exclu*|apag*) ... dados", "Solicito a exclusão dos meus dados.", "exclusão dos meus dados"),
        ("don't (write|call)", "Please don’t call", "don’t call"),
        ("merci ?,? ?non", "Merci, non", "Merci, non"),
        ("où", "ou", None),
    ],
)  # fmt: skip
def test_a_phrase_finds_its_words_where_they_stand(written: str, text: str, words: str | None) -> None:
    assert where(written, text) == words


def test_letters_of_other_scripts_are_letters_too() -> None:
    assert where("stop", "日stop") is None
    assert where("stop", "日 stop。") == "stop"


def test_folding_moves_no_character() -> None:
    text = "İSTANBUL ’tis ẞ Ελλάδα 日本 ａｂ 👍 é"
    assert len(folded(text)) == len(text)
    assert folded("É’Ł") == "é'ł"


def test_of_many_patterns_none_that_matches_is_left_out() -> None:
    many = Many([r"(?i)not (now|today)", r"\d{4}", r"(?i)jamais|never", r"[?]"])
    assert {number for number in many.possible("NEVER in 2027?")} >= {1, 2, 3}
    assert 0 not in many.possible("NEVER in 2027?")


def test_every_rule_of_the_lexicons_is_found_by_words_of_its_own() -> None:
    said = {rule.label for rule, _, _ in lexicon().said("Please take me off your list", ("unsubscribe",))}
    assert said == {"unsubscribe"}
    assert not list(lexicon().said("Please take me off your list", ("unsubscribe",), least=0.99))
