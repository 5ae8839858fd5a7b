"""Mails made to hold their reader up. How long each takes: `gatepost bench extract`; here, how much is looked at."""

import pytest

from gatepost.bench import extract
from gatepost.text import bodies, quotes

MAILS = dict(extract.mails())


@pytest.mark.parametrize(
    "name", ["html: formatted paragraphs", "html: wide quotes", "html: adopted", "html: pairs"]
)
def test_a_tree_is_walked_for_so_many_elements_and_what_was_left_out_is_said(name):
    flat = bodies.flatten(MAILS[name][1])
    assert len(flat.pieces) <= 4 * bodies.MAX_NODES
    assert flat.cut


def test_a_tag_keeps_its_attributes_until_they_are_too_many():
    many = "<div " + " ".join(f"a{number}=1" for number in range(3_000)) + ">"
    assert bodies._limited(f"<p class=x>{many}Yes.") == ("<p class=x><div>Yes.", False)


def test_a_long_picture_in_a_tag_is_no_reason_to_cut():
    parts = quotes.extract(*MAILS["html: a picture"])
    assert (parts.new_text.split("\n")[0], parts.cut) == ("Yes, thanks", False)


def test_what_closes_a_tag_that_was_left_out_closes_no_other():
    deep = bodies.MAX_DEPTH + 5
    html = "<div style='display:none'>" + "<div>" * deep + "a" + "</div>" * deep + "b</div>Yes."
    assert quotes.extract(None, html).new_text == "Yes."


@pytest.mark.parametrize("depth", [bodies.MAX_DEPTH // 2, bodies.MAX_DEPTH * 3])
def test_text_below_many_open_tags_is_read(depth):
    assert quotes.extract(None, "<div><b>" * depth + "Not now, sorry.").new_text == "Not now, sorry."


def test_an_answer_below_a_long_quote_is_read():
    quoted = "".join(f"<p>A line of ours, number {number}.</p>" for number in range(400))
    parts = quotes.extract(None, f"<blockquote type=cite>{quoted}</blockquote><p>Yes, call me.</p>")
    assert (parts.new_text, parts.cut) == ("Yes, call me.", False)


def test_where_lines_are_too_many_the_first_are_read_and_the_rest_is_said_to_be_missing():
    parts = quotes.extract("No, thanks.\n" + "more\n" * 3_000)
    assert parts.new_text.startswith("No, thanks.\nmore") and parts.cut


def test_an_ordinary_mail_is_not_cut():
    assert not quotes.extract("Yes.\n\nOn 3 May 2021 Al <a@b.example> wrote:\n> x\n").cut
    assert not quotes.extract(
        None, "<div style='color:red'>Yes.</div><blockquote type=cite>x</blockquote>"
    ).cut


def test_an_attribution_is_found_below_lines_that_only_look_like_one():
    dated = "3 May 2021: the pump was looked at\n" * 100
    parts = quotes.extract(f"{dated}See you.\n\nOn 3 May 2021 Al <a@b.example> wrote:\n> Ours\n")
    assert parts.new_text.endswith("See you.")


def test_every_hostile_mail_is_taken_apart():
    for name in list(MAILS)[::9]:
        parts = quotes.extract(*MAILS[name], sent=(extract.SENT,))
        assert extract.SENT.split("\n")[2] not in parts.new_text, name
