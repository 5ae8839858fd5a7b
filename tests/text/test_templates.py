import pytest

from gatepost.text import templates

KNOWN = {"first_name", "last_name", "company"}


def test_a_field_is_filled():
    assert templates.render("Hi {{ first_name }}", {"first_name": "Ada"}) == templates.Rendered("Hi Ada", ())


@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_field_without_a_value_is_reported_missing(value):
    assert templates.render("Hi {{ first_name }}", {"first_name": value}).missing == ("first_name",)


def test_a_default_stands_in_for_a_missing_field():
    rendered = templates.render('Hi {{ first_name | capitalize | default: "there" }}', {})
    assert rendered == templates.Rendered("Hi there", ())


def test_a_field_inside_a_branch_not_taken_is_not_missing():
    source = "{% if company %}At {{ company }}{% else %}Hello{% endif %}"
    assert templates.render(source, {}) == templates.Rendered("Hello", ())


def test_a_value_is_never_read_as_a_template():
    assert templates.render("{{ first_name }}", {"first_name": "{{ company }}"}).text == "{{ company }}"


def test_a_subject_cannot_start_another_header():
    rendered = templates.render_subject(
        "Hello {{ first_name }}", {"first_name": "A\r\nBcc: b@c.example\u2028x"}
    )
    assert rendered.text == "Hello A Bcc: b@c.example x"


def test_fields_used_are_named():
    assert templates.fields_used("{{ first_name }} {% if company %}x{% endif %}") == {"first_name", "company"}


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("Hi\n{{ frist_name }}", 2, "Did you mean {{ first_name }}?"),
        ("{{ first_name | shout }}", 1, "There is no filter “shout”"),
        ("{% for x in company %}{% endfor %}", 1, "“{% for %}” cannot stand here"),
        ("\n\n{{ first_name", 3, "Close this field"),
        ("{first_name}", 1, "two braces"),
        ("{{ company.size }}", 1, "has no parts"),
        ("{% if company %}", 1, "cannot be read"),
        ("{% include 'secrets' %}", 1, "cannot stand here"),
    ],
)
def test_a_problem_says_where_and_what_to_do(source, line, says):
    (problem,) = templates.check(source, known=KNOWN)
    assert problem.line == line
    assert says in problem.message


def test_a_good_template_has_no_problems():
    assert templates.check('Hi {{ first_name | default: "there" }} at {{ company }}', known=KNOWN) == []


def test_a_broken_template_is_not_filled():
    with pytest.raises(templates.TemplateError):
        templates.render("{{ first_name", {})


def test_an_output_beyond_the_cap_is_refused():
    with pytest.raises(templates.TemplateError, match="longer than"):
        templates.render("{{ company }}" * 100, {"company": "x" * 5_000})


def test_ten_thousand_opened_fields_are_refused_before_parsing():
    assert "Close this field" in templates.check("{{" * 10_000, known=KNOWN)[0].message


@pytest.mark.parametrize(
    "value", ["", "  ", "\n\t", "\u200b", "\u2060\ufeff", "\x00\x07", "\u202e", "\u3164", "\u2800", "\u00ad"]
)
def test_a_value_that_shows_nothing_is_missing_and_a_default_stands_in(value):
    assert templates.render("Hi {{ first_name }},", {"first_name": value}).missing == ("first_name",)
    filled = templates.render("Hi {{ first_name | default: 'there' }},", {"first_name": value})
    assert (filled.text, filled.missing) == ("Hi there,", ())


@pytest.mark.parametrize(
    "source",
    [
        'Hi {{ first_name | default: "" }},',
        "Hi {{ first_name | default }},",
        "{{ first_name | default: ' ' | upcase }}",
    ],
)
def test_an_empty_default_is_refused_and_never_fills_a_hole(source):
    assert "leaves a hole" in templates.check(source, known={"first_name"})[0].message
    assert templates.render(source, {}).missing == ("first_name",)


def test_a_value_keeps_its_letters_and_lines_and_loses_what_no_mail_shows():
    filled = templates.render("{{ a }}", {"a": "שלום\r\nÅsa\x00\x1b[31m\u202e x\ud800"})
    assert filled.text == "שלום\nÅsa[31m x"


def test_a_value_that_is_no_name_any_more_stops_the_mail():
    with pytest.raises(templates.TemplateError, match="longer than 10,000"):
        templates.render("Hi {{ first_name }}", {"first_name": "x" * 64_000})
