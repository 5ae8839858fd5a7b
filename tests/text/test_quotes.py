import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.text import bodies, boundaries, lines, quotes

SHARED = Path(os.environ.get("GATEPOST_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FIXTURES = SHARED / "reply-fixtures"

OURS = "Hi Ada,\n\nwould a short call about your intake suit you?\nReply stop and you hear no more from us.\n\nBob"
NEW = "Thanks, not for us.\n\nAda"


def marked(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, Nov 23, 2026 at 9:30 AM Bob Stone <bob@ours.example> wrote:",
        "On Mon, Nov 23, 2026 at 9:30 AM Bob Stone <\nbob@ours.example> wrote:",
        "Am Mo., 23. Nov. 2026 um 09:30 Uhr schrieb Bob Stone <bob@ours.example>:",
        "Le lun. 23 nov. 2026 à 09:30, Bob Stone <bob@ours.example> a écrit :",
        "El lun, 23 nov 2026 a las 9:30, Bob Stone (<bob@ours.example>) escribió:",
        "Il giorno lun 23 nov 2026 alle ore 09:30 Bob Stone <bob@ours.example> ha scritto:",
        "Op ma 23 nov 2026 om 09:30 schreef Bob Stone <bob@ours.example>:",
        "Em seg., 23 de nov. de 2026 às 09:30, Bob Stone <bob@ours.example> escreveu:",
        "Den mån 23 nov. 2026 kl 09:30 skrev Bob Stone <bob@ours.example>:",
        "pon., 23 lis 2026 o 09:30 Bob Stone <bob@ours.example> napisał(a):",
        "2026年11月23日(月) 9:30 Bob Stone <bob@ours.example>:",
        "-----Original Message-----\nFrom: Bob Stone\nSent: Monday\nTo: Ada\nSubject: Intake",
        "Von: Bob Stone <bob@ours.example>\nGesendet: Montag, 23. November 2026 09:30\nAn: Ada\nBetreff: Intake",
        "De : Bob Stone\nEnvoyé : lundi 23 novembre 2026\nÀ : Ada\nObjet : Intake",
        "________________________________\nFrom: Bob Stone\nSubject: Intake",
    ],
)
@pytest.mark.parametrize("quote", [OURS, marked(OURS)], ids=["bare", "marked"])
def test_what_stands_under_an_attribution_is_quoted(attribution, quote):
    assert quotes.extract(f"{NEW}\n\n{attribution}\n\n{quote}\n").new_text == NEW


def test_our_mail_is_known_again_without_any_attribution():
    assert quotes.extract(f"{NEW}\n\n{OURS}", sent=[OURS]).new_text == NEW


def test_an_answer_below_the_quote_is_found():
    text = f"On Mon, Nov 23, 2026 at 9:30 AM Bob <bob@ours.example> wrote:\n{marked(OURS)}\n\n{NEW}"
    assert quotes.extract(text).new_text == NEW


def test_answers_between_the_quoted_lines_are_kept_in_order():
    text = "Bob <b@ours.example> wrote on 23.11.2026 09:30:\n> When?\n\nTuesday.\n\n> Where?\n\nHere."
    assert quotes.extract(text).new_text == "Tuesday.\nHere."


def test_a_forward_is_a_part_of_its_own():
    parts = quotes.extract(
        f"Can you take this?\n\n---------- Forwarded message ---------\nFrom: Bob\n\n{OURS}"
    )
    assert parts.new_text == "Can you take this?"
    assert "short call" in parts.forwarded


def test_signature_tagline_and_banner_are_no_new_text():
    parts = quotes.extract(
        "[EXTERNAL] Do not click links.\n\nNo, thanks.\n\nSent from my iPhone\n-- \nAda\nTel. 0123"
    )
    assert parts.new_text == "No, thanks."
    assert "Ada" in parts.signature
    assert parts.tagline == "Sent from my iPhone"


def test_a_sentence_that_begins_like_a_tagline_is_text():
    text = "Sent from my desk, which is easier than my phone."
    assert quotes.extract(text).new_text == text


def test_sign_off_and_footer_are_no_part_of_the_message():
    parts = quotes.extract(
        "Hi Bob,\n\nNo.\n\nKind regards\nAda Byron\nTel. +44 20 7946 0000\nada@theirs.example"
    )
    assert parts.message == "Hi Bob,\nNo."
    assert parts.sign_off == "Kind regards"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_change_nothing(end):
    text = f"{NEW}\n\nOn 23.11.2026 09:30 Bob <bob@ours.example> wrote:\n{marked(OURS)}"
    assert quotes.extract(text.replace("\n", end)).new_text == NEW


@pytest.mark.parametrize(
    "html",
    [
        (
            '<div>No.</div><div class="gmail_quote"><div class="gmail_attr">On x wrote:</div>'
            '<blockquote class="gmail_quote">Ours</blockquote></div>'
        ),
        '<p>No.</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Bob</div><div>Ours</div>',
        '<p>No.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0"><p>From: Bob</p></div><p>Ours</p>',
        '<div>No.</div><div><blockquote type="cite">Ours</blockquote></div>',
        '<div>No.</div><div class="moz-cite-prefix">On x, Bob wrote:</div><blockquote type="cite">Ours</blockquote>',
        '<div>No.</div><div id="x_x_divRplyFwdMsg">From: Bob</div><p>Ours</p>',
        '<div>No.</div><div class="yahoo_quoted" id="yahoo_quoted_1">Ours</div>',
    ],
)
def test_the_containers_of_mail_programs_are_quoted(html):
    assert quotes.extract(None, html).new_text == "No."


def test_a_mail_without_text_gives_an_empty_new_text():
    assert quotes.extract("").new_text == ""
    assert quotes.extract(None, "<html><body></body></html>").new_text == ""


HOSTILE = {
    "on": "On " * 20_000,
    "attributions": "On Monday 3 May 2021 at 10:00, John Smith <a@b.example>\n" * 3_000,
    "marked": "> hello world\n" * 30_000,
    "word": "x" * 1_000_000,
    "newlines": "hi\n" + "\n" * 200_000 + "x",
    "spaces": "hi" + " " * 100_000 + "x",
    "dashes": "-" * 100_000,
    "underscores": "_" * 100_000,
    "headers": "From: a@b.example\n" * 10_000,
    "taglines": "Sent from my " * 10_000,
    "marks": "\n".join(">" * n for n in range(1, 1_500)),
    "regards": "Best regards\n" * 10_000,
    "angles": "<" * 50_000,
    "links": "http://a.example/c " * 10_000,
    "digits": "1" * 100_000,
    "ats": "a@" * 50_000,
    "times": "a@b.example 12:00 <" * 8_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_looked_at_a_bounded_number_of_times(name, monkeypatch):
    looks = 0
    found = boundaries._is_attribution

    def counted(joined: str, first: str) -> bool:
        nonlocal looks
        looks += 1
        return found(joined, first)

    monkeypatch.setattr(boundaries, "_is_attribution", counted)
    parts = quotes.extract(HOSTILE[name])
    assert looks <= boundaries.ATTRIBUTION_LINES * lines.MAX_LINES
    assert len(parts.new_text) <= len(HOSTILE[name])


def test_hostile_html_ends():
    assert quotes.extract(None, "<div>" * 7_000 + "No.").new_text == "No."


def test_of_html_only_so_many_tags_are_looked_at():
    html = "<p>No.</p>" + "<i></i>" * bodies.MAX_TAGS + "<p>And far below it more.</p>"
    assert quotes.extract(None, html).new_text == "No."


def test_an_attribution_is_looked_for_a_little_above_its_quote_only():
    far, near = ("See here:" + "<i></i>" * number + "<blockquote>Ours.</blockquote>" for number in (500, 5))
    assert "Ours" in quotes.extract(None, f"No.<br>{far}").new_text
    assert "Ours" not in quotes.extract(None, f"No.<br>{near}").new_text


@given(st.text(max_size=400))
def test_the_new_text_is_made_of_lines_of_the_input_in_order(text):
    parts = quotes.extract(text)
    at = 0
    for line in filter(str.strip, parts.new_text.split("\n")):
        at = parts.source.find(line.strip(), at)
        assert at >= 0
        at += len(line.strip())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Yes.\n\n====\n\nMessage du : 12/12/2016 13:20\nDe : \"Bob\" <bob@ours.example>\nA : ada@theirs.example\nHi", "Yes."),
        ("Yes.\n\nDate: Wed, 16 May 2012 00:15:02 -0600\nTo: bob@ours.example\n\nHi Ada", "Yes."),
        ("Yes.--- On Wed, Apr 4, 2012 at 3:59 PM, bob@ours.example wrote:\n> Hi", "Yes."),
        ("Yes.\n\nOn Tue, Apr 11, 2017 at 10:07 PM Bob\n\n<\nmailto:bob@ours.example\n> wrote:\nHi Ada", "Yes."),
        ("Yes.\n\nSent from TypeApp\nOn Jun 17, 2017, at 14:15, Bob <bob@ours.example> wrote:\nHi Ada", "Yes."),
        ("Yes.\n\nᐧ", "Yes."),
    ],
)  # fmt: skip
def test_a_quote_is_found_where_its_head_is_unusual(text, left):
    assert quotes.extract(text).new_text == left


def test_a_bare_blockquote_below_an_answer_is_the_mail_that_it_answers_if_it_is_the_only_one():
    parts = quotes.extract(None, "<div>Yes.</div><blockquote>Hi Ada</blockquote><div>Ada</div>")
    assert (parts.new_text, parts.quoted) == ("Yes.\nAda", "> Hi Ada")
    cited = "<div>You say</div><blockquote>free</blockquote><div>and</div><blockquote>fast</blockquote>"
    assert quotes.extract(None, cited).new_text == "You say\nfree\nand\nfast"


def test_an_attribution_in_an_element_of_its_own_makes_a_quote_of_what_follows():
    html = "<p>Yes.</p><div>Le 3 mai, Bob :</div><blockquote>Bonjour Ada</blockquote><p>A.</p><blockquote>b</blockquote>"
    assert "Bonjour" not in quotes.extract(None, html).new_text


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the public reply fixtures are not here")
@pytest.mark.parametrize(("form", "floor"), [("text", 0.92), ("html", 0.90)])
def test_public_fixtures_are_cut_as_their_sources_say(form, floor):
    rows = [row for row in public_fixtures() if row["format"] == form]
    right = sum(is_as_expected(row) for row in rows)
    assert right / len(rows) >= floor


def public_fixtures():
    seen = set()
    for file in sorted(FIXTURES.glob("*.jsonl")):
        for row in map(json.loads, file.read_text("utf-8").splitlines()):
            if not row["dup_of"] and row["input_sha1"] not in seen and row["policy"] != "sig-only":
                seen.add(row["input_sha1"])
                yield row


def is_as_expected(row) -> bool:
    html = row["format"] == "html"
    parts = quotes.extract(None if html else row["input"], row["input"] if html else None)
    kinds = quotes.NEW_TEXT | (
        {"signature", "tagline", "disclaimer"} if row["policy"] == "keep-sig" else set()
    )
    return is_answer(row, parts.parts(kinds))


def is_answer(row, left) -> bool:
    """Whether this is what the source of the row says is left of it."""
    got = _dense(left)
    if row["expected"] is None:
        return all(_dense(part) in got for part in row["contains"]) and not any(
            _dense(part) in got for part in row["not_contains"]
        )
    html = row["format"] == "html"
    return got == _dense(bodies.html_to_text(row["expected"]) if html else row["expected"])


def _dense(text: str) -> str:
    return re.sub(r"\s+", "", quotes.normalise(text))


def test_a_line_to_write_above_heads_a_ticket_of_its_own_and_cuts_off_what_stands_below_an_answer():
    line = "##- Please type your reply above this line -##"
    ticket = f"{line}\n\nYour request (48213) has been received."
    assert "has been received" in quotes.extract(ticket, None).new_text
    assert quotes.extract(f"Fine by me.\n\n{ticket}", None).new_text == "Fine by me."
    assert (
        quotes.extract("Fine by me.\n\n____ Reply above this line ____\n\nYour request.", None).new_text
        == "Fine by me."
    )
    points = "1) Preis\n- Antwort siehe oben\n2) Laufzeit\n- Bitte nehmen Sie uns aus dem Verteiler."
    assert quotes.extract(points, None).new_text == points
