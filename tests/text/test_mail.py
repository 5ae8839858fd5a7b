import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.text import mail
from gatepost.text.bodies import html_to_text


def test_paragraphs_lists_links_and_bold_are_made_from_what_was_written():
    html = mail.as_html(
        "Hi Petra,\n\nthree **good** reasons:\n- one\n- two, see https://a.example/x.\n\n2. second\n3. third"
    )
    assert html == (
        "<p>Hi Petra,</p>\n<p>three <b>good</b> reasons:</p>\n"
        '<ul><li>one</li><li>two, see <a href="https://a.example/x">https://a.example/x</a>.</li></ul>\n'
        '<ol start="2"><li>second</li><li>third</li></ol>'
    )


def test_the_text_part_has_no_marks_of_bold_and_all_the_rest():
    assert mail.as_text("A **bold** word\r\n- one\n- two") == "A bold word\n- one\n- two"


@pytest.mark.parametrize(
    "text", ["- Anna", "1. May 2027", "5 * 3 * 2", "J*** S***", "** no **", "2 ** 3 ** 4", "**", "a ** b"]
)
def test_what_only_looks_like_a_mark_stays_as_it_is(text):
    assert mail.as_html(text) == f"<p>{text}</p>" and mail.as_text(text) == text


def test_nothing_of_the_text_becomes_a_tag():
    assert mail.as_html("<script>x</script> **<b onclick=1>**") == (
        "<p>&lt;script&gt;x&lt;/script&gt; <b>&lt;b onclick=1&gt;</b></p>"
    )


@given(st.text(alphabet=st.sampled_from("ab *-1.\n<>&\"'{}é‮/:"), max_size=120))
def test_both_parts_say_the_same_words(text):
    points = re.compile(r"^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+(?=\S)", re.M)

    def words(said: str) -> list[str]:
        return points.sub("", said).split()

    shown = html_to_text(mail.as_html(text))
    plain = mail.as_text(text)
    assert "".join(words(shown)).replace("*", "") == "".join(words(plain)).replace("*", "")
    assert mail.sanitised(mail.as_html(text)).count("<") == mail.as_html(text).count("<")


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>x", '<img src="https://t.example/p.gif">x', '<a href="javascript:alert(1)">x</a>',
        '<p style="display:none">x</p>', '<p onclick="a()">x</p>', "<style>p{}</style>x", "<!-- hidden -->x",
        '<iframe src="https://t.example"></iframe>x', '<a href="data:text/html,x">x</a>', '<form action="/">x</form>',
    ],
)  # fmt: skip
def test_a_signature_holds_nothing_that_runs_loads_styles_or_hides(html):
    clean = mail.sanitised(html)
    assert "x" in clean
    for part in ("script", "img", "style", "onclick", "javascript", "data:", "iframe", "form", "hidden"):
        assert part not in clean


def test_a_signature_keeps_its_links_and_its_bold_words():
    html = '<p><b>Alice</b><br><a href="https://northwind.example">Northwind</a></p>'
    assert mail.sanitised(html) == html
