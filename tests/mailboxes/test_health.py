"""How a mailbox is, from what is known of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatepost.mailboxes import health
from gatepost.mailboxes.health import Facts, LookAgain, Problem, Tell

NOW = datetime(2027, 1, 12, 9, 0, tzinfo=UTC)
AGO = {
    name: NOW - timedelta(minutes=minutes) for name, minutes in (("just", 1), ("while", 20), ("long", 2000))
}
WELL = Facts(state="connected", state_code="", state_since=AGO["long"], read_through=AGO["just"])
SIGNED_OUT = replace(WELL, state="needs_reconnect", state_code="AADSTS50173", state_since=AGO["while"])
PROBLEM = Problem("wait", "503", "Microsoft does not answer.", AGO["while"])


def word(facts):
    return health.of(facts, now=NOW).word


def test_a_mailbox_that_was_read_a_moment_ago_is_connected():
    assert word(WELL) == "connected"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(WELL, state="disconnected"), "disconnected"),
        (SIGNED_OUT, "needs_rep"),
        (replace(SIGNED_OUT, state_code="never-heard-of"), "needs_rep"),
        (replace(SIGNED_OUT, state_code="AADSTS53003"), "needs_it"),
        (replace(SIGNED_OUT, approval_asked_at=AGO["just"]), "waiting_for_approval"),
        (replace(SIGNED_OUT, approval_asked_at=AGO["long"]), "needs_rep"),
        (replace(WELL, registration_since=AGO["just"], registration_code="AADSTS7000222"), "needs_operator"),
        (replace(WELL, problem=replace(PROBLEM, who="it", since=AGO["just"])), "needs_it"),
        (replace(WELL, paused_at=AGO["just"]), "paused"),
        (replace(WELL, problem=PROBLEM), "limited"),
        (replace(WELL, problem=replace(PROBLEM, since=AGO["just"])), "connected"),
        (replace(WELL, read_through=AGO["while"]), "limited"),
        (replace(WELL, read_through=AGO["while"], sync_every=timedelta(minutes=10)), "connected"),
        (replace(WELL, read_through=None, reading_since=AGO["just"]), "connected"),
        (replace(WELL, read_through=None, reading_since=AGO["while"]), "limited"),
        (replace(WELL, calendar_problem="ErrorAccessDenied"), "limited"),
        (replace(WELL, missing=("Meetings are not found.",)), "limited"),
    ],
)
def test_one_word_says_how_it_is(facts, expected):
    assert word(facts) == expected


@pytest.mark.parametrize(
    ("graver", "milder"),
    [
        ({"state": "disconnected"}, {"registration_since": AGO["just"]}),
        ({"state": "needs_reconnect"}, {"registration_since": AGO["just"]}),
        ({"registration_since": AGO["just"]}, {"problem": replace(PROBLEM, who="it")}),
        ({"problem": replace(PROBLEM, who="it")}, {"paused_at": AGO["just"]}),
        ({"paused_at": AGO["just"]}, {"missing": ("x",)}),
        ({"read_through": AGO["long"]}, {"missing": ("x",)}),
    ],
)
def test_the_gravest_thing_is_said(graver, milder):
    assert health.of(replace(WELL, **graver, **milder), now=NOW) == health.of(
        replace(WELL, **graver), now=NOW
    )


@pytest.mark.parametrize(
    "facts",
    [
        replace(WELL, state="disconnected"),
        SIGNED_OUT,
        replace(SIGNED_OUT, state_code="AADSTS53003"),
        replace(SIGNED_OUT, approval_asked_at=AGO["just"]),
        replace(WELL, registration_since=AGO["just"], registration_code="AADSTS7000222"),
        replace(WELL, problem=replace(PROBLEM, who="it")),
        replace(WELL, paused_at=AGO["just"]),
        replace(WELL, problem=PROBLEM),
        replace(WELL, read_through=AGO["long"]),
        replace(WELL, missing=("Meetings are not found.",)),
    ],
)
def test_whatever_is_amiss_says_since_when_what_to_do_and_what_is_held_back(facts):
    found = health.of(facts, now=NOW)
    assert found.since <= NOW
    assert found.to_do and found.held_back


def test_the_sign_in_ended_after_ninety_days_is_explained_in_words():
    found = health.of(replace(SIGNED_OUT, state_code="AADSTS700082"), now=NOW)
    assert "90 days" in found.why and found.step == "connect"


def test_a_sign_in_that_is_asked_for_again_and_again_names_the_policy_behind_it():
    daily = replace(SIGNED_OUT, state_code="AADSTS70043")
    assert "Sign-in frequency" not in health.of(replace(daily, signed_out_often=1), now=NOW).to_do
    assert "second time in 30 days" in health.of(replace(daily, signed_out_often=2), now=NOW).to_do
    assert "Sign-in frequency" in health.of(replace(daily, signed_out_often=9), now=NOW).to_do


# When somebody is told


def test_a_blip_is_not_told_and_looked_at_again_when_it_is_none_any_more():
    found = health.of(replace(SIGNED_OUT, state_since=AGO["just"]), now=NOW)
    assert health.news("connected", found, now=NOW) == LookAgain(AGO["just"] + timedelta(minutes=5))


def test_what_stays_is_told_once():
    found = health.of(SIGNED_OUT, now=NOW)
    assert health.news("connected", found, now=NOW) == Tell(by_letter=True)
    assert health.news("needs_rep", found, now=NOW + timedelta(hours=9)) is None


@pytest.mark.parametrize("change", [{"paused_at": AGO["long"]}, {"state": "disconnected"}])
def test_no_letter_tells_of_what_its_owner_did(change):
    found = health.of(replace(WELL, **change), now=NOW)
    assert health.news("connected", found, now=NOW) == Tell(by_letter=False)


@pytest.mark.parametrize(
    ("refusals", "hours", "for_good"), [(1, 9, False), (9, 9, False), (30, 0.5, False), (10, 1, True)]
)
def test_an_unknown_refusal_waits_until_it_came_often_and_long(refusals, hours, for_good):
    since = NOW - timedelta(hours=hours)
    assert health.refused_for_good(refusals, since, now=NOW) is for_good


@pytest.mark.parametrize(
    ("days", "stage"),
    [(31, None), (30, 30), (15, 30), (14, 14), (8, 14), (7, 7), (2, 7), (1, 1), (0, 0), (-3, 0)],
)
def test_the_end_of_a_credential_is_warned_of_in_stages(days, stage):
    assert health.stage(days) == stage
