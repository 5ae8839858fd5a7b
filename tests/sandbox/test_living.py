"""The whole: prospects who answer, bounce, book meetings and opt out, while the clock runs."""

from collections.abc import Iterator
from typing import Any

import pytest

from m365_sandbox.store import Store

from .conftest import Served, Stage

pytestmark = pytest.mark.xdist_group("living")


@pytest.fixture(scope="module")
def living(stage: Stage) -> Iterator[Served]:
    with stage.with_app(seed=7, prospects=40, unrelated=60, store=Store()) as served:
        _write_to_everybody(served)
        yield served


def _write_to_everybody(living: Served) -> None:
    """… and let two weeks pass."""
    alice = living.sign_in("alice@northwind.example")
    prospects = [p for p in living.control("people") if p["kind"] == "prospect"]
    for prospect in prospects:
        alice.send(alice.draft(prospect["address"], "Quick question", "Would a call next week suit you?"))
    living.settle()
    for _ in range(14):
        living.advance(86400)


def people(sandbox: Served, behaviour: str) -> list[dict[str, Any]]:
    everyone = sandbox.control("people")
    return [p for p in everyone if p["kind"] == "prospect" and p["person"]["behaviour"] == behaviour]


def test_every_prospect_does_what_is_in_their_nature(living: Served) -> None:
    truth = living.truth("alice@northwind.example")
    replied = {fact["from"].lower() for fact in truth["replies"]}
    first = {p["address"] for p in people(living, "reply") if p["person"]["answers_message"] == 1}
    assert first and first <= replied
    assert all(fact["label"] for fact in truth["replies"])
    bounced = {fact["to"] for fact in truth["bounces"] if fact["kind"] == "hard"}
    assert bounced == {p["address"] for p in people(living, "bounce_hard")}
    absent = {fact["from"] for fact in truth["automatic"]}
    assert {p["address"] for p in people(living, "out_of_office")} <= absent
    booked = {fact["organizer"] for fact in truth["meetings"]}
    ready = {p["address"] for p in people(living, "books_meeting") if p["person"]["answers_message"] == 1}
    assert booked == ready
    assert len(truth["unrelated"]) > 0
    assert living.control("truth")["duplicates"] == []


def test_a_reply_cites_the_mail_it_answers_and_can_be_read(living: Served) -> None:
    fact = living.truth("alice@northwind.example")["replies"][0]
    alice = living.sign_in("alice@northwind.example")

    expand = "singleValueExtendedProperties($filter=id eq 'String 0x1042')"
    query = f"$filter=internetMessageId eq '{fact['internetMessageId']}'&$select=uniqueBody,subject&$expand={expand}"
    prefer = {"Prefer": 'outlook.body-content-type="text"'}
    [reply] = alice.get(f"/me/messages?{query}", headers=prefer).json["value"]
    assert reply["singleValueExtendedProperties"][0]["value"] == fact["inReplyTo"]
    assert reply["uniqueBody"]["content"].strip()
