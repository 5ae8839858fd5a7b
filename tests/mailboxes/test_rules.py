import pytest

from gatepost.graph.shapes import SHAPES
from gatepost.mailboxes.rules import (
    PERMISSIONS,
    SIGN_IN,
    granted,
    missing,
    running_features,
    scopes_to_ask,
)

ALL = {"User.Read", "Mail.Send", "Mail.Read", "Mail.ReadWrite", "Calendars.Read", "Calendars.ReadWrite"}


def test_without_briefs_the_calendar_is_asked_for_reading_only():
    assert scopes_to_ask(briefs=True) - scopes_to_ask(briefs=False) == {"Calendars.ReadWrite"}


def test_everything_that_is_asked_for_has_a_reason_and_says_what_is_lost_without_it():
    asked = {permission.scope for permission in PERMISSIONS if permission.reason and permission.without}
    assert scopes_to_ask(briefs=True) == asked


def test_no_request_needs_a_permission_that_is_never_asked_for():
    assert {shape.scope for shape in SHAPES.values()} <= scopes_to_ask(briefs=True)


@pytest.mark.parametrize(
    ("scope", "have", "covered"),
    [
        ("Mail.Read", {"Mail.Read"}, True),
        ("Mail.Read", {"Mail.ReadWrite"}, True),
        ("Mail.ReadWrite", {"Mail.Read"}, False),
        ("Mail.Send", {"Mail.ReadWrite"}, False),
        ("openid", set(), True),
        ("Calendars.Read", {"Mail.ReadWrite"}, False),
    ],
)
def test_a_permission_to_write_contains_the_one_to_read(scope, have, covered):
    assert granted(scope, have) is covered


@pytest.mark.parametrize(
    ("have", "features"),
    [
        (ALL, {"send", "drafts", "replies", "meetings", "briefs"}),
        (ALL - {"Calendars.ReadWrite"}, {"send", "drafts", "replies", "meetings"}),
        ({"User.Read", "Mail.Send"}, {"send"}),
        ({"User.Read"}, set()),
    ],
)
def test_what_was_granted_decides_what_runs(have, features):
    assert running_features(have) == features


def test_what_is_missing_is_named():
    assert [p.scope for p in missing({*SIGN_IN, "Mail.Send", "Mail.ReadWrite"}, briefs=False)] == [
        "Calendars.Read"
    ]
    assert missing(ALL, briefs=True) == ()
