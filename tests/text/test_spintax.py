from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gatepost.text import spintax, templates

SOURCE = "{Hi|Hello|Good morning} {{ first_name | default: 'there' }}, {shall we {talk|meet}|any interest}?"


def said(source: str) -> list[str]:
    return [problem.message for problem in spintax.problems(source, templates.is_whole)]


def test_each_group_becomes_one_of_its_alternatives_and_liquid_stays_whole():
    assert spintax.spin(SOURCE, lambda number, count: count - 1) == (
        "Good morning {{ first_name | default: 'there' }}, any interest?"
    )
    assert spintax.spin(SOURCE, lambda number, count: 0) == (
        "Hi {{ first_name | default: 'there' }}, shall we talk?"
    )


def test_the_same_seed_gives_the_same_wording_and_seeds_share_the_alternatives_evenly():
    wordings = Counter(spintax.spin("{a|b|c}", spintax.chooser(f"{n}")) for n in range(3000))
    assert spintax.spin(SOURCE, spintax.chooser("x")) == spintax.spin(SOURCE, spintax.chooser("x"))
    assert set(wordings) == set("abc") and min(wordings.values()) > 900


def test_an_alternative_may_be_a_field():
    assert spintax.spin("{{{ first_name }}|you}", lambda number, count: 0) == "{{ first_name }}"
    assert spintax.spin("{you|{{ first_name }}}", lambda number, count: 1) == "{{ first_name }}"


def test_braces_without_a_bar_are_text():
    for source in (
        "a {b} c",
        "{{ a | upcase }}",
        "{",
        "}",
        "a|b",
        "{% if a %}x{% endif %}",
        "{ open {{ a }}",
    ):
        assert spintax.spin(source, spintax.chooser("x")) == source
        assert not spintax.has_alternatives(source) and said(source) == []


def test_what_is_wrong_is_said_with_its_line():
    (problem,) = spintax.problems("One\n{Hi|Hello", templates.is_whole)
    assert (problem.line, "Close these alternatives" in problem.message) == (2, True)
    assert "must be whole" in said("{ {% if company %}a|b} {% endif %}")[0]
    assert "at most 3 deep" in " ".join(said("{a|{b|{c|{d|e}}}}"))
    assert "at most 20" in said("{" + "|".join("abcdefghijklmnopqrstu") + "}")[0]


def test_each_alternative_is_shown_once_with_every_line_where_it_was():
    shown = list(spintax.every_alternative("{a|b\nb|c}\nlast"))
    assert [text.split() for text in shown] == [["a", "last"], ["b", "b", "last"], ["c", "last"]]
    assert {text.count("\n") for text in shown} == {2}


@given(st.text(alphabet="ab{}|% \n", max_size=60), st.text(max_size=5))
def test_whatever_is_written_it_ends_and_takes_nothing_from_elsewhere(source, seed):
    spun = spintax.spin(source, spintax.chooser(seed))
    assert Counter(spun) <= Counter(source)
    list(spintax.every_alternative(source))
    spintax.problems(source, templates.is_whole)
