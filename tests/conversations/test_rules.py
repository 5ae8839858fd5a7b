from datetime import date

import pytest

from gatepost.conversations.rules import (
    AUTOMATIC,
    COURSES,
    DEFAULTS,
    FIXED,
    LABELS,
    Rule,
    check,
    consequence,
    courses_of,
    urgency,
)
from gatepost.text import tone

TODAY, RETURN = date(2027, 1, 11), date(2027, 1, 20)


def follows(label, *also, bounce="", return_date=None, **own):
    return consequence(
        label, also, bounce=bounce, return_date=return_date, today=TODAY, table={**DEFAULTS, **own}
    )


def test_every_label_of_the_classifier_has_a_name_for_people():
    assert set(LABELS) == set(tone.LABELS)


@pytest.mark.parametrize("label", sorted(set(LABELS) - AUTOMATIC))
def test_after_any_answer_of_a_person_nothing_more_goes_out_by_itself(label):
    found = follows(label)
    assert found.stop in ("reply", "opt_out") or (found.pause and found.until is None)


@pytest.mark.parametrize("label", ["interested", "question", "not_the_right_person", "referral", "unsure"])
def test_what_needs_a_person_becomes_a_task_at_once(label):
    assert follows(label).task


def test_an_unsure_reply_ends_nothing_before_a_person_has_looked():
    assert (follows("unsure").stop, follows("unsure").pause) == ("", True)


def test_not_interested_begins_a_cool_off_and_a_gone_person_is_suppressed():
    assert follows("not_interested").cool_off_days == 90
    assert follows("left_company").suppress == "left_company"


def test_a_workspace_has_its_own_table():
    own = follows("interested", interested=Rule("pause", cool_off_days=5))
    assert (own.stop, own.pause, own.task, own.cool_off_days) == ("", True, False, 5)


@pytest.mark.parametrize("label", sorted(FIXED))
@pytest.mark.parametrize("weaker", [Rule("pause", suppress=True), Rule("end"), Rule("go_on")])
def test_nobody_can_weaken_a_no_or_a_bounce(label, weaker):
    assert "cannot be weakened" in check(label, weaker)


@pytest.mark.parametrize("label", sorted(set(LABELS) - AUTOMATIC))
def test_no_table_lets_a_sequence_go_on_after_a_persons_answer(label):
    assert check(label, Rule("go_on"))
    assert "go_on" not in courses_of(label)


def test_a_table_in_bounds_is_fine_and_one_out_of_bounds_is_not():
    assert all(check(label, rule) == "" for label, rule in DEFAULTS.items())
    assert set(DEFAULTS) == set(LABELS)
    assert check("auto_reply", Rule(COURSES[0])) == ""
    assert check("other", Rule("end", cool_off_days=731))
    assert check("splendid", Rule("end"))


def test_who_wants_something_stands_before_who_wants_nothing_and_machines_come_last():
    order = sorted(LABELS, key=urgency)
    assert set(order[:2]) == {"interested", "question"}
    assert order.index("unsure") < order.index("not_interested") < order.index("auto_reply")
    assert urgency("circle_back_later", promised=True) == 0


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
    assert (found.stop, found.suppress, found.until) == (stop, suppress, pause)


def test_an_absence_pauses_until_the_return_or_for_a_week():
    assert follows("out_of_office", return_date=RETURN).until == RETURN
    assert follows("out_of_office").until == date(2027, 1, 18)
    assert follows("out_of_office").stop == ""


def test_an_automatic_reply_changes_nothing():
    found = follows("auto_reply")
    assert (found.stop, found.suppress, found.until, found.promise) == ("", "", None, False)


def test_later_with_a_date_is_a_promise_and_without_one_a_plain_reply():
    assert follows("circle_back_later", return_date=RETURN).promise
    assert not follows("circle_back_later").promise
    assert follows("circle_back_later").task, "a later without a day is for a person"
    assert follows("circle_back_later", return_date=RETURN).hold_company
    assert follows("circle_back_later").stop == "reply"


@pytest.mark.parametrize("label", sorted(LABELS))
def test_no_reply_ever_makes_more_mail_go_out(label):
    found = follows(label, return_date=RETURN)
    assert found.stop or found.pause or label == "auto_reply"
    assert found.reason
