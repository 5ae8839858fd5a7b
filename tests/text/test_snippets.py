import pytest

from gatepost.text import snippets, templates

TEXTS = {"pricing": "It costs {{ price | default: 'little' }}.", "bye": "Until soon"}


def test_a_snippet_stands_where_it_is_named_and_its_fields_are_filled():
    source = snippets.expand("{{ snippet.pricing }} {{snippet.bye}}, {{ first_name }}", TEXTS)
    assert templates.render(source, {"first_name": "Petra"}).text == "It costs little. Until soon, Petra"


def test_a_snippet_that_is_not_there_is_named_with_the_one_that_was_meant():
    with pytest.raises(templates.TemplateError, match="no snippet “prices”.*Did you mean “pricing”"):
        snippets.expand("One\n{{ snippet.prices }}", TEXTS)
    (problem,) = snippets.problems("One\n{{ snippet.prices }}", set(TEXTS))
    assert problem.line == 2


def test_a_snippet_in_a_snippet_stays_unknown_so_that_nothing_goes_round_in_circles():
    source = snippets.expand("{{ snippet.a }}", {"a": "{{ snippet.a }}"})
    assert templates.render(source, {}).missing == ("snippet",)


def test_a_snippet_with_a_filter_is_refused_in_words():
    (problem,) = templates.check("{{ snippet.pricing | upcase }}", known={"first_name"})
    assert "stands alone" in problem.message


def test_leaving_snippets_out_keeps_every_line():
    assert snippets.without("a\n{{ snippet.bye\n}}\nb") == "a\n\n\nb"
