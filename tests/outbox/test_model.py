"""Proof 1: every world that can be reached, searched. The full bounds: ./dev soak sends --model."""

import re
from functools import cache

import pytest

from gatepost.outbox.protocol import TRANSITIONS, Event, Route
from tests.outbox.model.designs import KNOWN_BAD
from tests.outbox.model.search import Searched, search
from tests.outbox.model.world import Bounds

ONE_DRAFT = {"crashes": 0, "in_flight": 1, "items": 1}
HOLDS = {
    "as documented": Bounds(crashes=1, in_flight=1, items=1),
    "two drafts": Bounds(crashes=0, in_flight=1, items=2, workers=1, search_lags=True),
    "a second send is accepted": Bounds(second_send_accepted=True, crashes=1, in_flight=1, items=1),
    "the search lags and ids change": Bounds(search_lags=True, ids_change=True, **ONE_DRAFT),
    "a mail stays a draft, and the gate may close": Bounds(may_stay=True, may_stop=True, **ONE_DRAFT),
    "the submit flag can be read": Bounds(flag_readable=True, **ONE_DRAFT),
    "written in MIME": Bounds(route=Route.MIME, **ONE_DRAFT),
    "deleted by hand, refused, and a person says send": Bounds(
        deleted_by_hand=True, may_stop=True, person=True, workers=1, crashes=1, in_flight=1, items=1
    ),
    "restored from a backup": Bounds(
        restore=True, search_lags=True, ids_change=True, workers=1, crashes=0, in_flight=1, items=2
    ),
}


@cache
def searched(assumed: str) -> tuple[Searched, frozenset[str]]:
    """What was found, and all that happened in some world."""
    words: set[str] = set()
    return search(HOLDS[assumed], watch=words.add), frozenset(words)


@pytest.mark.parametrize("assumed", HOLDS)
def test_no_way_leads_to_a_mail_sent_twice_lost_or_falsely_recorded(assumed: str) -> None:
    found, _ = searched(assumed)
    assert (found.wrong, found.trace) == ("", [])
    assert found.states > 400, "so few states prove nothing"


@pytest.mark.parametrize("design", KNOWN_BAD)
def test_the_search_finds_what_is_wrong_with_other_designs(design: str) -> None:
    found = search(KNOWN_BAD[design][1], KNOWN_BAD[design][0])
    assert found.wrong == "sent twice"
    assert len(found.trace) <= 25


def test_the_model_takes_every_transition_of_the_table() -> None:
    """Otherwise it would prove something about a smaller table than the product's."""
    taken = {word for assumed in HOLDS for word in searched(assumed)[1]}
    not_for_a_model = {
        Event.SAID_SENT,  # what a person says is not for a model to judge
        *(Event.TRY_AT_ONCE, Event.NEVER_LEFT),  # without a draft, tests/outbox/test_send_only.py
        Event.REMOVED,  # disconnecting, tests/outbox/test_sending.py
    }
    named = {event for event in TRANSITIONS if any(event.name in re.findall(r"\w+", word) for word in taken)}
    assert set(TRANSITIONS) - named == not_for_a_model
