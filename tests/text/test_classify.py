import json

import pytest

from gatepost.text.classify import classify_lines


def answer(row) -> dict:
    line = row if isinstance(row, str) else json.dumps(row)
    (out,) = classify_lines([line])
    return json.loads(out)


def test_a_mail_of_which_not_all_was_read_says_so():
    assert answer({"id": "a", "text": "No, thanks.\n" + "more\n" * 3_000})["cut"] is True


def test_a_line_in_is_a_line_out_with_every_field():
    result = answer({"id": "a", "text": "Reach out in Q2.", "received": "2026-11-23T09:00:00Z"})
    assert list(result) == [
        "id", "new_text", "label", "labels", "score", "evidence", "return_date", "return_precision",
        "third_party", "bounce", "version",
    ]  # fmt: skip
    assert (result["id"], result["label"], result["return_date"]) == ("a", "circle_back_later", "2027-04-01")


@pytest.mark.parametrize(
    "headers", [{"Auto-Submitted": "auto-replied"}, [{"name": "Auto-Submitted", "value": "auto-replied"}]]
)
def test_headers_come_as_an_object_or_as_a_list(headers):
    assert (
        answer({"id": 1, "text": "Away.", "subject": "Out of office", "headers": headers})["label"]
        == "out_of_office"
    )


def test_html_is_read_where_there_is_no_text():
    assert answer({"id": 1, "html": "<p>Not interested.</p><blockquote type=cite>x</blockquote>"})[
        "new_text"
    ] == ("Not interested.")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ({"id": 1}, "nothing to label"),
        ({"id": 1, "text": 5}, "“text” must be a text"),
        ({"id": 1, "text": "a", "received": "soon"}, "“received” must be a time"),
        ({"id": 1, "text": "a", "headers": "x"}, "“headers” must be"),
        ({"id": 1, "text": "a", "sent": 4}, "“sent” must be a list"),
    ],
)
def test_a_bad_line_says_what_to_do(row, says):
    assert says in answer(row)["error"]


def test_one_bad_line_does_not_stop_the_next():
    outs = [json.loads(line) for line in classify_lines(["{", "", '{"id": 2, "text": "stop"}'])]
    assert [out.get("label") for out in outs] == [None, "unsubscribe"]
