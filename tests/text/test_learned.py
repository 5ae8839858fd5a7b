"""The labeller that learned: what it hears, where its evidence stands, and what is left of it without its encoder."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gatepost.bench import classify as bench
from gatepost.text import learned, ngrams
from gatepost.text.encoder import MAX_CHARS, PROMPT, Encoded, prompt
from gatepost.text.labeller import LABELS_OF_MACHINES, LABELS_OF_PEOPLE, Scores
from gatepost.text.learned import LearnedLabeller, shipped
from gatepost.text.lines import clauses
from gatepost.text.tone import ReplyInput, classify

NUMBERS = json.loads((learned.WEIGHTS / "model.json").read_text())["numbers"]


def chances(**of: float) -> Scores:
    return Scores(of, ())


def chosen(**of: float) -> str:
    return shipped().choose("", chances(**of)).label


def test_a_likely_wish_to_be_left_alone_keeps_anything_friendly_from_being_said() -> None:
    assert chosen(interested=0.8, unsubscribe=0.1, hard_no=0.1) == "unsure"
    assert chosen(interested=0.9, unsubscribe=0.1) == "interested"


def test_any_other_label_gives_way_to_it_where_it_is_likelier() -> None:
    assert chosen(not_interested=0.75, unsubscribe=0.05, hard_no=0.2) == "hard_no"
    assert chosen(not_interested=0.8, unsubscribe=0.05, hard_no=0.15) == "not_interested"


def test_stop_and_never_again_count_together_where_one_of_them_comes_first() -> None:
    assert chosen(hard_no=0.2, unsubscribe=0.06, interested=0.1, other=0.18) == "hard_no"
    assert chosen(hard_no=0.2, unsubscribe=0.04, interested=0.1, other=0.18) == "unsure"


def test_below_the_threshold_nothing_is_said() -> None:
    assert chosen(interested=0.35, question=0.34, other=0.31) == "unsure"
    assert chosen(interested=0.45, question=0.30, other=0.25) == "interested"


def test_of_a_machine_the_likeliest_of_its_own_labels_is_taken_however_little_that_is() -> None:
    scores = chances(interested=0.9, out_of_office=0.04, auto_reply=0.06)
    assert shipped().choose("", scores, LABELS_OF_MACHINES).label == "auto_reply"


def test_nothing_friendly_stands_beside_a_refusal_or_where_one_is_likely() -> None:
    choice = shipped().choose("", chances(unsubscribe=0.5, interested=0.3, hard_no=0.25))
    assert (choice.label, choice.also) == ("unsubscribe", ("hard_no",))
    choice = shipped().choose("", chances(not_interested=0.5, interested=0.3, hard_no=0.2))
    assert (choice.label, choice.also) == ("not_interested", ())


def test_nine_of_ten_replies_by_other_hands_are_labelled_rightly_and_no_refusal_looks_friendly() -> None:
    rows = bench.replies("development")
    said = [bench.Said(tone.label, tone.score) for tone in map(_tone, rows)]
    figures = bench.quality(rows, said)
    assert figures["accuracy"] >= 0.88 and figures["macro_f1"] >= 0.88
    assert figures["accuracy_of_the_surest_75_percent"] >= 0.95
    assert figures["leave_us_alone_recall"] >= 0.93 and figures["leave_us_alone_shown_as_friendly"] == 0


def _tone(row: dict):
    return classify(ReplyInput(id="", text=row["text"]))


def test_without_its_encoder_it_says_so_and_is_still_better_than_the_phrases() -> None:
    heads = learned.Heads.load(learned.WEIGHTS, LABELS_OF_PEOPLE)
    alone = LearnedLabeller(heads, NUMBERS, "1", None)
    assert alone.version == "1-ngrams" and shipped().version == "5"
    rows = bench.replies("development")
    right = sum(
        alone.choose(row["text"], alone.scores(row["text"])).label == row["labels"][0] for row in rows
    )
    assert right / len(rows) > 0.65


def test_the_evidence_is_the_sentence_that_decided() -> None:
    text = "The weather has been dreadful here.\n\nKindly let our two firms go their separate ways for good."
    tone = classify(ReplyInput(id="", text=text))
    assert tone.evidence
    for each in tone.evidence:
        assert tone.new_text[each.start : each.end] == each.quote
        assert "weather" not in each.quote


# The pieces


def test_the_prompt_collapses_white_space_and_knows_where_each_character_came_from() -> None:
    text = "  Two\n\n words  "
    prompted, origin = prompt(text)
    assert prompted == PROMPT + "Two words"
    placed = [
        (char, place) for char, place in zip(prompted, origin, strict=True) if place >= 0 and char != " "
    ]
    assert all(text[place] == char for char, place in placed) and len(placed) == len("Twowords")


def test_a_long_text_is_cut() -> None:
    prompted, origin = prompt("word " * 50_000)
    assert len(prompted) == len(origin) == len(PROMPT) + MAX_CHARS


def test_clauses_are_sentences_and_lines_without_the_space_around_them() -> None:
    text = "One. Two!\n three.com is four\n"
    assert [text[start:end] for start, end in clauses(text)] == ["One.", "Two!", "three.com is four"]


def test_ngrams_are_a_vector_of_length_one_or_nothing() -> None:
    rarity = np.ones(ngrams.BUCKETS, np.float32)
    assert np.linalg.norm(ngrams.weighed("Not now, please.", rarity)[1]) == pytest.approx(1.0)
    assert not len(ngrams.weighed("", rarity)[0])
    assert not ngrams.weighed("Not now", 0 * rarity)[1].any()


@dataclass
class Blind:
    """An encoder whose vocabulary lacks half of every text."""

    def encode(self, text: str) -> Encoded:
        return Encoded(np.ones((4, 384), np.float32), ((0, 0), (0, 1), (1, 2), (0, 0)), unknown=0.5)


def test_a_text_whose_words_the_vocabulary_lacks_gets_no_label() -> None:
    heads = learned.Heads.load(learned.WEIGHTS, LABELS_OF_PEOPLE)
    blind = LearnedLabeller(heads, NUMBERS, "1", Blind())  # type: ignore[arg-type]
    assert blind.choose("Yes, please call.", blind.scores("Yes, please call.")).label == "unsure"


def test_the_weights_know_every_label_of_people_in_order() -> None:
    assert tuple(json.loads((learned.WEIGHTS / "model.json").read_text())["labels"]) == LABELS_OF_PEOPLE


def test_the_two_parts_are_by_different_hands_and_share_no_more_than_formulas() -> None:
    training, development = bench.replies("training"), bench.replies("development")
    assert not {row["writer"] for row in training} & {row["writer"] for row in development}
    assert (len(training), len(development)) == (3_920, 1_941)
    assert all(set(row["labels"]) <= set(LABELS_OF_PEOPLE) for row in training + development)
    for length, most in ((7, 75), (11, 11)):  # as data/replies/README.md tells
        known = {run for row in training for run in bench.runs_of_words(row["text"], length)}
        alike = [row for row in development if known & bench.runs_of_words(row["text"], length)]
        assert len([row for row in alike if len(row["text"].split()) > 4]) <= most


def test_the_development_replies_lie_where_the_bench_looks() -> None:
    assert Path(__file__).parents[2] / "data/replies" == bench.REPLIES
