from collections.abc import Callable
from typing import Any

import pytest

from gatepost.outbox import sending
from tests import makers
from tests.at_once import without_threads
from tests.outbox.received import CAROL, Post
from tests.sandbox.conftest import Mailbox, alice, carol, sandbox, stage

__all__ = ["alice", "carol", "sandbox", "stage"]
ROUTES = {"json": "http://localhost:8000", "mime": "https://gatepost.example.com"}


@pytest.fixture
def post(db: None, alice: Mailbox, carol: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Post:
    without_threads(monkeypatch, sending)
    member = makers.make_member(makers.make_workspace())
    contact = makers.make_contact(member.workspace, CAROL, first_name="Carol", last_name="Diaz")
    return Post(alice, carol, makers.make_mailbox(member), contact)


@pytest.fixture
def by_route(settings: Any) -> Callable[[str], None]:
    """Chooses the route: mail is written as MIME where the world can reach our address."""

    def choose(route: str) -> None:
        settings.GATEPOST_PUBLIC_URL = ROUTES[route]

    return choose
