"""Both forms of a log line say the same, and neither says what has no field."""

import json
import logging
import sys

import pytest

from gatepost.config.logs import OneLine, OneObject


def entry(**extra: object) -> logging.LogRecord:
    made = logging.LogRecord("gatepost.jobs", logging.WARNING, __file__, 1, "trying again", (), None)
    made.created = 1_799_999_999.5
    made.__dict__.update(extra)
    return made


def test_an_object_holds_what_a_line_says() -> None:
    told = json.loads(OneObject().format(entry(job="intake.sync", count=3)))
    assert told == {
        "at": "2027-01-15T07:59:59.500+00:00", "level": "warning", "where": "gatepost.jobs", "event": "trying again",
        "job": "intake.sync", "count": 3,
    }  # fmt: skip
    assert (
        OneLine()
        .format(entry(job="intake.sync"))
        .endswith('gatepost.jobs: trying again {"job": "intake.sync"}')
    )


@pytest.mark.parametrize("form", [OneLine(), OneObject()])
def test_what_has_no_field_is_not_printed(form: logging.Formatter) -> None:
    assert "petra" not in form.format(entry(address="petra@contoso.example", token="petra-token"))


def test_a_traceback_stays_on_the_line_of_its_object() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        made = entry()
        made.exc_info = sys.exc_info()
    text = OneObject().format(made)
    assert "\n" not in text
    assert "ValueError" in json.loads(text)["traceback"]


@pytest.mark.parametrize("form", [OneLine(), OneObject()])
def test_a_traceback_names_places_and_shows_no_value(form: logging.Formatter) -> None:
    def reads(text: str) -> None:
        raise ValueError("cannot be read")

    made = entry()
    try:
        reads(" ".join(["says", "petra"]))
    except ValueError:
        made.exc_info = sys.exc_info()
    said = form.format(made)
    assert "cannot be read" in said and "in reads" in said and "says petra" not in said
