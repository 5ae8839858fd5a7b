from datetime import date

import pytest

from gatepost.conversations.rules import AUTOMATIC, LABELS, consequence
from gatepost.text import tone

TODAY, RETURN = date(2027, 1, 11), date(2027, 1, 20)


def follows(label, *also, bounce="", return_date=None):
    return consequence(label, also, bounce=bounce, return_date=return_date, today=TODAY)


def test_every_label_of_the_classifier_has_a_name_for_people():
    assert set(LABELS) == set(tone.LABELS)


@pytest.mark.parametrize("label", sorted(set(LABELS) - AUTOMATIC))
def test_any_answer_of_a_person_stops_the_sequence(label):
    assert follows(label).stop in ("reply", "opt_out")


@pytest.mark.parametrize(("label", "cause"), [("unsubscribe", "unsubscribe"), ("hard_no", "hard_no")])
@pytest.mark.parametrize("first", sorted(set(LABELS) - {"bounce", "unsubscribe", "hard_no"}))
def test_an_opt_out_suppresses_wherever_it_stands_among_the_labels(first, label, cause):
    assert (follows(label).stop, follows(label).suppress) == ("opt_out", cause)
    assert (follows(first, label).stop, follows(first, label).suppress) == ("opt_out", cause)


@pytest.mark.parametrize(
    ("bounce", "stop", "suppress", "pause"),
    [("hard", "bounce", "bounce", None), ("blocked", "bounce", "", None), ("soft", "", "", date(2027, 1, 13)),
     ("", "", "", date(2027, 1, 13))],
)  # fmt: skip
def test_a_bounce_suppresses_only_where_the_address_does_not_exist(bounce, stop, suppress, pause):
    found = follows("bounce", bounce=bounce)
    assert (found.stop, found.suppress, found.pause_until) == (stop, suppress, pause)


def test_an_absence_pauses_until_the_return_or_for_a_week():
    assert follows("out_of_office", return_date=RETURN).pause_until == RETURN
    assert follows("out_of_office").pause_until == date(2027, 1, 18)
    assert follows("out_of_office").stop == ""


def test_an_automatic_reply_changes_nothing():
    found = follows("auto_reply")
    assert (found.stop, found.suppress, found.pause_until, found.promise) == ("", "", None, False)


def test_later_with_a_date_is_a_promise_and_without_one_a_plain_reply():
    assert follows("circle_back_later", return_date=RETURN).promise
    assert not follows("circle_back_later").promise
    assert follows("circle_back_later").stop == "reply"


@pytest.mark.parametrize("label", sorted(LABELS))
def test_no_reply_ever_makes_more_mail_go_out(label):
    found = follows(label, return_date=RETURN)
    assert found.stop or found.pause_until or label == "auto_reply"
    assert found.reason
