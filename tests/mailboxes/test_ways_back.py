"""What comes back from Microsoft: only the right state, code and session together, and a good identity token, connect."""

from itertools import product
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gatepost.mailboxes.actions import Connected, NotConnected, finish_connect
from gatepost.mailboxes.models import Connection, Mailbox
from m365_sandbox.entra.orders import WRONG_ID_TOKENS
from tests.makers import make_member, make_workspace, rows
from tests.sandbox.conftest import Served, sandbox, stage

from .microsoft import accept, leave, signing_in_at

__all__ = ["sandbox", "stage"]

ALICE, BEN, DANA = (f"{name}@northwind.example" for name in ("alice", "ben", "dana"))
KINDS = ("right", "missing", "replayed", "swapped", "foreign")


class World:
    """Alice, Ben her colleague, and Charlie of another workspace, each in a browser of their own."""

    def __init__(self, sandbox: Served) -> None:
        self.sandbox = sandbox
        self.alice = make_member(make_workspace())
        self.ben = make_member(self.alice.workspace, "Ben")
        self.charlie = make_member(make_workspace("Elsewhere"), "Charlie")
        # Ways back that were used: Charlie connected a mailbox with them.
        self.used = accept(sandbox, leave(self.charlie, "charlies"), DANA)
        assert isinstance(finish_connect(self.used, session_key="charlies"), Connected)

    def try_with(self, state: str, code: str, session: str) -> Any:
        """Alice comes back with these; all that is not right is somebody else's, of another time, or made up."""

        def begun(member: Any, session: str) -> str:
            return dict(parse_qsl(leave(member, session)))["state"]

        hers = leave(self.alice, "alices")
        states = {
            "right": lambda: dict(parse_qsl(hers))["state"], "missing": lambda: None,
            "replayed": lambda: self.used["state"], "swapped": lambda: begun(self.alice, "alices"),
            "foreign": lambda: begun(self.charlie, "charlies"),
        }  # fmt: skip
        codes = {
            "right": lambda: accept(self.sandbox, hers, ALICE)["code"], "missing": lambda: None,
            "replayed": lambda: self.used["code"],
            "swapped": lambda: accept(self.sandbox, leave(self.alice, "alices"), BEN)["code"],
            "foreign": lambda: "made-up",
        }  # fmt: skip
        sessions = {
            "right": "alices", "missing": "", "replayed": "alices-of-yesterday", "swapped": "bens",
            "foreign": "charlies",
        }  # fmt: skip
        given = {"state": states[state](), "code": codes[code]()}
        parameters = {name: value for name, value in given.items() if value is not None}
        return finish_connect(parameters, session_key=sessions[session])


@pytest.fixture
def world(committed_db: None, sandbox: Served, settings: Any) -> Any:
    with signing_in_at(sandbox, settings):
        yield World(sandbox)


def test_the_right_state_code_and_session_connect(world: World) -> None:
    assert isinstance(world.try_with("right", "right", "right"), Connected)
    assert len(rows(Connection, world.alice.workspace_id)) == 1


@pytest.mark.parametrize("state", KINDS)
def test_any_other_state_code_and_session_store_no_token(world: World, state: str) -> None:
    before = rows(Connection, world.charlie.workspace_id)
    tried = 0
    for code, session in product(KINDS, KINDS):
        if (state, code, session) == ("right", "right", "right"):
            continue
        result = world.try_with(state, code, session)
        assert isinstance(result, NotConnected), (state, code, session)
        assert rows(Connection, world.alice.workspace_id) == [], (state, code, session)
        assert rows(Mailbox, world.alice.workspace_id) == [], (state, code, session)
        tried += 1
    after = rows(Connection, world.charlie.workspace_id)
    assert [bytes(each.refresh_token) for each in after] == [bytes(each.refresh_token) for each in before]
    assert tried == (24 if state == "right" else 25)


@pytest.mark.parametrize("wrong", WRONG_ID_TOKENS)
def test_an_identity_token_that_is_wrong_connects_nothing(
    committed_db: None, sandbox: Served, settings: Any, wrong: str
) -> None:
    alice = make_member(make_workspace())
    with signing_in_at(sandbox, settings):
        back = accept(sandbox, leave(alice, "alices"), ALICE)
        sandbox.control("orders", {"wrong": wrong})
        result = finish_connect(back, session_key="alices")
    assert isinstance(result, NotConnected), WRONG_ID_TOKENS[wrong]
    assert "Nothing was connected." in result.refusal.happened
    assert rows(Connection, alice.workspace_id) == [] and rows(Mailbox, alice.workspace_id) == []
