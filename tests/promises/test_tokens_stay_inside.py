"""No token, code or secret stands in a dump, a log, a job's arguments, an address or a page, at the loudest log level."""

import sqlite3

import pytest

from gatepost.demo.stand import CLIENT_SECRET
from gatepost.mailboxes.models import Connection, Mailbox

from .conftest import Told
from .surfaces import dumps, files, found_in

# How each kind begins that the sandbox gives out; a part of its own randomness follows.
BEGINNINGS = {
    "access_token": "eyJ0eXAiOiJKV1QiLCJub25jZSI6",
    "refresh_token": "1.AXsandboxR.",
    "code": "1.AXsandbox.",
}


@pytest.fixture(scope="module")
def given_out(told: Told) -> dict[str, list[str]]:
    """Every token and code that the sandbox gave out and still knows, by kind."""
    with sqlite3.connect(f"file:{told.stand.folder / 'sandbox.sqlite'}?mode=ro", uri=True) as store:
        found = store.execute("SELECT kind, id FROM entity").fetchall()
    return {kind: [token for each, token in found if each == kind] for kind in BEGINNINGS}


def test_there_was_much_to_lose(told: Told, given_out: dict[str, list[str]]) -> None:
    assert len(told.rows(Connection)) == len(told.rows(Mailbox)) >= 2
    assert len(given_out["refresh_token"]) >= 10 and len(given_out["access_token"]) >= 2
    for kind, tokens in given_out.items():
        assert tokens and all(token.startswith(BEGINNINGS[kind]) for token in tokens)


def test_the_logs_were_as_loud_as_they_can_be(told: Told) -> None:
    worker = told.stand.log_of("worker")
    assert "debug   urllib3" in worker and "debug   msal" in worker and "debug   procrastinate" in worker


def test_no_dump_no_log_and_no_file_holds_a_token(told: Told, given_out: dict[str, list[str]]) -> None:
    # A piece from the middle: whoever keeps or prints a token in part is found too.
    pieces = {token[40:72] for tokens in given_out.values() for token in tokens}
    words = [*pieces, *BEGINNINGS.values(), CLIENT_SECRET]
    surfaces = [*dumps(told), *files(told)]
    assert any("worker.log" in name for name, _ in surfaces)
    assert found_in(surfaces, words) == []


def test_no_address_that_was_asked_of_us_or_of_microsoft_holds_a_token(
    told: Told, given_out: dict[str, list[str]]
) -> None:
    pieces = [token[40:72] for kind in ("access_token", "refresh_token") for token in given_out[kind]]
    asked = list(told.stand.requests())
    assert len(asked) > 100
    assert not [each["path"] for each in asked if any(piece in str(each.get("query")) for piece in pieces)]


def test_no_page_shows_a_token(told: Told, given_out: dict[str, list[str]]) -> None:
    pages = [f"{told.stand.url}/mailboxes/{each.pk}/" for each in told.mailboxes]
    pages += [f"{told.stand.url}/{each}/" for each in ("mailboxes", "privacy", "settings", "outbox")]
    shown = [(page, told.browser.open(page).text.encode()) for page in pages]
    assert all(told.browser.open(page).status == 200 for page in pages)
    assert found_in(shown, [token[40:72] for tokens in given_out.values() for token in tokens]) == []
