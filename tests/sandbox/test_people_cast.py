"""The world that the sandbox starts with."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from m365_sandbox.people.behaviour import Incoming, Person, react
from m365_sandbox.people.cast import build, prospects_csv
from m365_sandbox.people.unrelated import CLASSES

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = 86_400


@pytest.fixture(scope="module")
def world():
    return build(7, start=START)


def people(world) -> list[Person]:
    return [Person.from_json(user["person"]) for user in world["users"] if user["kind"] == "prospect"]


def test_the_world_has_the_size_asked_for(world):
    assert len(people(world)) == 120
    assert len(world["mail"]) == 2400
    assert 25 <= len(world["tenants"]) <= 45


def test_the_world_is_plain_values_and_the_same_for_the_same_seed(world):
    assert json.loads(json.dumps(build(7, start=START))) == world
    assert build(8, start=START, unrelated=0)["users"] != world["users"]


def test_a_prospect_is_the_same_in_a_larger_world(world):
    larger = build(7, prospects=300, unrelated=0, start=START)
    assert people(larger)[:120] == people(world)


def test_a_very_large_world_has_no_address_twice():
    users = build(7, prospects=5000, unrelated=0, start=START)["users"]
    assert len({user["address"] for user in users}) == len({user["id"] for user in users}) == len(users)


def test_the_people_whom_demo_and_tests_rely_on_are_there(world):
    reps = {user["address"]: user["role"] for user in world["users"] if user["kind"] == "rep"}
    assert reps == {
        "alice@northwind.example": "user",
        "ben@northwind.example": "user",
        "chloe@northwind.example": "user",
        "dana@northwind.example": "admin",
        "erin@fabrikam.example": "user",
        "frank@fabrikam.example": "admin",
    }
    policies = {tenant["domain"]: tenant["consent_policy"] for tenant in world["tenants"]}
    assert policies["northwind.example"] == "legacy"
    assert policies["fabrikam.example"] == "recommended-2026-07"
    assert world["apps"][0]["client_id"] == "6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5"


def test_every_user_belongs_to_a_tenant_and_has_that_domain(world):
    domains = {tenant["id"]: tenant["domain"] for tenant in world["tenants"]}
    assert [u for u in world["users"] if u["address"].partition("@")[2] != domains[u["tenant"]]] == []


def test_all_behaviours_occur_in_their_shares(world):
    counts = Counter(str(person.behaviour) for person in people(world))
    assert counts["reply"] + counts["opts_out"] == 80
    assert counts["out_of_office"] == counts["books_meeting"] == 10
    assert counts["bounce_hard"] + counts["bounce_soft"] == 6
    assert {"forwards", "silent", "auto_reply"} <= set(counts)
    assert any(person.later_reply_id for person in people(world))


def test_a_small_cast_has_the_common_behaviours():
    few = {str(person.behaviour) for person in people(build(7, prospects=20, unrelated=0, start=START))}
    assert {"reply", "opts_out", "out_of_office", "books_meeting", "silent"} <= few


def test_the_first_prospects_all_say_something_different(world):
    said = [person.reply_id for person in people(world) if person.behaviour in ("reply", "opts_out")]
    assert len(set(said)) == len(said)


def test_every_prospect_reacts_to_its_message_or_is_silent(world):
    for person in people(world):
        message = Incoming(
            from_address="alice@northwind.example",
            from_name="Alice Berger",
            to_address=person.address,
            subject="Quick question",
            text="Hello,\n\nshall we?\n\nAlice",
            internet_message_id="<1@northwind.example>",
            received=START,
            count_from_sender=1
            if person.answers_message == 1 or _is_machine(person)
            else person.answers_message,
        )
        actions = react(person, message, now=START, thread=[])
        assert bool(actions) is (person.behaviour != "silent"), person
        assert all(action.after.total_seconds() > 0 for action in actions)


def _is_machine(person: Person) -> bool:
    return person.behaviour in ("out_of_office", "auto_reply", "bounce_hard", "bounce_soft")


def test_those_who_are_named_have_a_mailbox(world):
    addresses = {user["address"] for user in world["users"]}
    colleagues = [person.colleague["address"] for person in people(world) if person.colleague]
    assert colleagues and set(colleagues) <= addresses


def test_unrelated_mail_is_of_every_class_half_of_it_before_the_start(world):
    counts = Counter(mail["class"] for mail in world["mail"])
    assert set(counts) == set(CLASSES) and min(counts.values()) > 150
    offsets = [mail["offset_seconds"] for mail in world["mail"]]
    assert 1000 < sum(offset < 0 for offset in offsets) < 1400
    assert max(offsets) <= 10 * DAY and min(offsets) >= -60 * DAY
    assert 0 not in offsets


def test_unrelated_mail_goes_to_the_reps_only(world):
    reps = {user["address"] for user in world["users"] if user["kind"] == "rep"}
    assert {mail["mailbox"] for mail in world["mail"]} == reps


def test_every_canary_is_unique_and_stands_in_subject_and_body(world):
    entries = world["mail"] + world["events"]
    canaries = [entry["canary"] for entry in entries]
    assert len(set(canaries)) == len(canaries)
    for entry in entries:
        assert entry["canary"] in entry["subject"]
        assert entry["canary"] in (entry.get("text") or entry["body"])


def test_internal_mail_comes_from_a_colleague_who_exists(world):
    users = {user["address"] for user in world["users"]}
    internal = [mail for mail in world["mail"] if mail["class"].startswith("internal")]
    assert {mail["from"]["address"] for mail in internal} <= users
    assert all(mail["from"]["address"] != mail["mailbox"] for mail in internal)


def test_no_address_or_link_is_outside_the_reserved_domains(world):
    text = json.dumps(world)
    hosts = re.findall(r"[\w.+-]+@([\w.-]+\w)", text) + re.findall(r"https?://([\w.-]+)", text)
    assert {host for host in hosts if not host.endswith(".example")} == set()


def test_events_lie_around_the_start_and_some_are_private(world):
    assert {event["private"] for event in world["events"]} == {True, False}
    assert all(-14 * DAY < event["offset_seconds"] < 35 * DAY for event in world["events"])


def test_the_prospects_come_as_a_list_to_import(world):
    rows = list(csv.DictReader(io.StringIO(prospects_csv(world))))
    assert [row["email"] for row in rows] == [person.address for person in people(world)]
    assert all(all(row.values()) for row in rows)


def test_who_comes_back_writes_in_the_language_of_the_absence(world):
    back = [person for person in people(world) if person.later_reply_id]
    assert back
    assert {person.reply_id[:2] == person.later_reply_id[:2] for person in back} == {True}
