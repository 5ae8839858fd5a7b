"""How a reply looks when it leaves a mail program."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from m365_sandbox.people.quoting import CLIENTS, Original, as_text, quoted, reply_subject
from m365_sandbox.people.wording import LANGUAGES

ORIGINAL = Original(
    from_name="Alice Berger",
    from_address="alice@northwind.example",
    to_name="Ann Lee",
    to_address="ann.lee@oakline.example",
    subject="Quick question",
    sent=datetime(2026, 11, 23, 9, 5, tzinfo=UTC),
    text="Hi Ann,\n\nhow do you plan <shifts> & breaks?\n\nAlice",
)
ANSWER = "With a pencil.\n\nAnn"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("client", CLIENTS)
def test_every_mail_program_quotes_the_original_in_every_language(client, language):
    body = quoted(ANSWER, ORIGINAL, client=client, language=language)
    assert body.text.startswith("With a pencil.")
    for line in ("how do you plan <shifts> & breaks?", "Alice Berger"):
        assert line in body.text
        assert body.html is None or line in unescape(body.html)
    assert "{" not in body.text and "%" not in body.text


@pytest.mark.parametrize(
    ("client", "mark"),
    [
        ("outlook-desktop", "border-top:solid #E1E1E1"),
        ("outlook-web", 'id="divRplyFwdMsg"'),
        ("gmail", 'class="gmail_quote"'),
        ("apple-mail", '<blockquote type="cite">'),
        ("iphone", "Sent from my iPhone"),
        ("thunderbird", 'class="moz-cite-prefix"'),
        ("yahoo", 'class="yahoo_quoted"'),
        ("gmx", 'name="quote"'),
    ],
)
def test_each_mail_program_leaves_its_mark(client, mark):
    assert mark in quoted(ANSWER, ORIGINAL, client=client, language="en").html


def test_plain_mail_has_no_html():
    assert quoted(ANSWER, ORIGINAL, client="plain", language="en").html is None


def test_an_answer_at_the_bottom_stands_below_the_marked_quote():
    text = quoted(ANSWER, ORIGINAL, client="plain", language="de", placement="bottom").text
    assert text.startswith("Am 23.11.26 um 09:05 schrieb Alice Berger:\n> Hi Ann,")
    assert text.rstrip().endswith(ANSWER)


def test_inline_answers_stand_between_the_pieces_of_the_quote():
    text = quoted("One.\n\nTwo.", ORIGINAL, client="thunderbird", language="en", placement="inline").text
    assert text.index("> Hi Ann") < text.index("One.") < text.index("> how do you") < text.index("Two.")


def test_a_mail_without_a_quote_is_only_itself():
    assert quoted(ANSWER, ORIGINAL, client="gmail", language="en", placement="none").text == ANSWER


def test_the_html_of_the_original_is_kept_without_its_page():
    original = replace(ORIGINAL, text="", html="<html><body><p>One</p><p>Two</p></body></html>")
    body = quoted(ANSWER, original, client="gmail", language="en")
    assert "> One\n> Two" in body.text
    assert "<p>One</p><p>Two</p>" in body.html and body.html.count("<body>") == 1


def test_html_becomes_lines_of_text():
    assert as_text("<p>a &amp; b</p><p>c<br>d</p>") == "a & b\nc\nd"


@pytest.mark.parametrize(
    ("subject", "client", "language", "answered"),
    [
        ("Hello", "gmail", "de", "Re: Hello"),
        ("Hello", "outlook-web", "de", "AW: Hello"),
        ("Hello", "outlook-desktop", "en", "RE: Hello"),
        ("Re: Hello", "outlook-web", "de", "Re: Hello"),
    ],
)
def test_the_subject_gets_one_prefix(subject, client, language, answered):
    assert reply_subject(subject, client, language) == answered
