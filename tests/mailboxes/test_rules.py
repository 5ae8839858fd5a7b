from uuid import UUID

import pytest

from gatepost.accounts.models import features_at_first
from gatepost.graph.shapes import SHAPES
from gatepost.mailboxes.rules import (
    ALWAYS,
    CHOICES,
    FEATURES,
    PERMISSIONS,
    PROFILES,
    SIGN_IN,
    explained,
    granted,
    may_send_as,
    missing,
    permissions_of,
    running_features,
    scopes_to_ask,
    switched,
    wanted_features,
    why_not_here,
)

STANDARD, FULL, SEND_ONLY = PROFILES["standard"], PROFILES["full"], PROFILES["send only"]
ALL = scopes_to_ask(FULL)
# Amplemarket, "How to connect a Microsoft mailbox and permissions required".
THE_ARTICLES_ELEVEN = {
    "openid", "profile", "offline_access", "User.Read", "Mail.Read", "Mail.ReadWrite", "Mail.Send",
    "Calendars.Read", "Calendars.ReadWrite", "Contacts.Read", "People.Read",
}  # fmt: skip
TENANT = UUID("11111111-2222-4333-8444-555555555555")


def test_the_full_profile_is_the_eleven_permissions_of_the_reference_article():
    assert ALL == THE_ARTICLES_ELEVEN


def test_a_new_workspace_asks_for_no_more_than_its_features_need():
    assert set(features_at_first()) | ALWAYS == STANDARD
    assert ALL - scopes_to_ask(STANDARD) == {"Calendars.ReadWrite", "Contacts.Read", "People.Read"}


def test_sending_only_asks_for_nothing_that_an_administrator_must_accept():
    assert scopes_to_ask(SEND_ONLY) == {*SIGN_IN, "Mail.Send"}
    assert not any(permission.by_administrator for permission in permissions_of(scopes_to_ask(SEND_ONLY)))


def test_everything_that_is_asked_for_has_a_reason_and_says_what_is_lost_without_it():
    asked = {permission.scope for permission in PERMISSIONS if permission.reason and permission.without}
    assert asked == ALL


def test_no_request_needs_a_permission_that_is_never_asked_for():
    assert {shape.scope for shape in SHAPES.values()} <= ALL


@pytest.mark.parametrize("feature", CHOICES, ids=lambda feature: feature.name)
def test_a_permission_is_asked_for_only_while_a_feature_that_needs_it_is_on(feature):
    with_it, without = scopes_to_ask({feature.name}), scopes_to_ask(FULL - {feature.name})
    others = {need for each in FEATURES if each != feature for need in each.needs}
    assert set(feature.needs) <= with_it
    assert set(feature.needs) - others == ALL - without


@pytest.mark.parametrize(
    ("before", "name", "on", "after"),
    [
        (set(), "briefs", True, {"briefs", "meetings"}),
        ({"briefs", "meetings"}, "meetings", False, set()),
        ({"briefs", "meetings"}, "briefs", False, {"meetings"}),
        ({"drafts", "replies", "meetings"}, "replies", False, {"meetings"}),
        ({"meetings"}, "drafts", True, {"drafts", "replies", "meetings"}),
        ({"people"}, "people", True, {"people"}),
    ],
)
def test_a_feature_is_switched_together_with_what_it_makes_no_sense_without(before, name, on, after):
    assert switched(before, name, on=on) == after


def test_a_mailbox_is_meant_to_do_what_its_workspace_does_less_what_was_left_out_for_it():
    in_use = {"drafts", "replies", "meetings", "briefs"}
    assert wanted_features(in_use, send_only=False, briefs=True) == ALWAYS | in_use
    assert wanted_features(in_use, send_only=False, briefs=False) == ALWAYS | in_use - {"briefs"}
    assert wanted_features(in_use, send_only=True, briefs=True) == ALWAYS


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
        (ALL, FULL),
        (ALL - {"Calendars.ReadWrite"}, FULL - {"briefs"}),
        ({"User.Read", "Mail.Send", "Mail.Read"}, {"sign-in", "send", "replies"}),
        ({"User.Read", "Mail.Send"}, {"sign-in", "send"}),
        ({"User.Read"}, {"sign-in"}),
        (set(), set()),
    ],
)
def test_what_was_granted_decides_what_runs(have, features):
    assert running_features(have, FULL) == features


def test_what_is_not_wanted_does_not_run_though_it_was_granted():
    assert running_features(ALL, SEND_ONLY) == SEND_ONLY


def test_what_is_missing_is_named():
    have = {*SIGN_IN, "Mail.Send", "Mail.ReadWrite"}
    assert [p.scope for p in missing(have, STANDARD)] == ["Calendars.Read"]
    assert missing(ALL, FULL) == ()


def test_each_permission_is_explained_with_its_features_and_its_requests_and_no_others():
    for each in explained():
        assert all(each.permission.scope in feature.needs for feature in each.features)
        assert {shape.scope for shape in each.requests} <= {each.permission.scope}
    assert [shape.name for each in explained(["Mail.Send"]) for shape in each.requests] == [
        "draft.send",
        "send.at-once",
    ]
    assert {each.permission.scope for each in explained(scopes_to_ask(SEND_ONLY))} == scopes_to_ask(SEND_ONLY)


@pytest.mark.parametrize(
    ("domain", "domains", "tenants", "says"),
    [
        ("northwind.example", [], [], ""),
        ("northwind.example", ["northwind.example"], [str(TENANT)], ""),
        ("Northwind.example", ["northwind.example"], [], ""),
        (
            "gmail.example",
            ["a.example", "b.example"],
            [],
            "a.example or b.example, and this one is of gmail.example",
        ),
        (
            "northwind.example.evil.example",
            ["northwind.example"],
            [],
            "this one is of northwind.example.evil",
        ),
        ("northwind.example", [], ["99999999-8888-4777-8666-555555555555"], f"another (tenant {TENANT})"),
    ],
)
def test_a_workspace_takes_only_the_mailboxes_that_it_allows(domain, domains, tenants, says):
    answer = why_not_here(domain, TENANT, domains=domains, tenants=tenants)
    assert (says in answer) if says else answer == ""


def test_mail_leaves_from_allowed_domains_only():
    assert may_send_as("a.example", []) and may_send_as("A.example", ["a.example"])
    assert not may_send_as("b.example", ["a.example"])
