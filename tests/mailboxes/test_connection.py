"""Tokens: stored before they are used, renewed by one at a time, and never given up for somebody else's mistake."""

import asyncio
import logging
import re
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import OperationalError

from gatepost import clock
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.graph.errors import ReconnectNeeded, RegistrationWrong, TryLater
from gatepost.graph.gateway import Asked
from gatepost.graph.oauth import Tokens
from gatepost.isolation import inside
from gatepost.mailboxes import connection
from gatepost.mailboxes.connection import MailboxAccess, gateway_for
from gatepost.mailboxes.models import Connection, Mailbox
from gatepost.vault import tokens
from gatepost.vault.sealing import index
from tests.at_once import at_once, without_threads
from tests.makers import MONDAY, advance, clock_at, fresh, make_mailbox, make_member, make_workspace, rows


class Entra:
    """Microsoft's token endpoint in memory: each refresh token works once and is followed by a new one."""

    def __init__(self, *, error=None, during=lambda: None):
        self.error, self.during, self.used, self.claims = error, during, [], []

    def refresh(self, refresh_token, scopes, *, tenant, claims=""):
        self.used.append((refresh_token, tenant))
        self.claims.append(claims)
        self.during()
        if self.error is not None:
            raise self.error
        number = len(self.used)
        return Tokens(f"access-{number}", f"refresh-{number}", 3600, frozenset(scopes))


@pytest.fixture
def clock_file(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def microsoft(monkeypatch):
    entra = Entra()
    monkeypatch.setattr(connection, "entra", lambda: entra)
    return entra


@pytest.fixture
def mailbox(db, clock_file, microsoft, monkeypatch):
    without_threads(monkeypatch, connection)
    return make_mailbox(make_member(make_workspace()))


def stored(mailbox):
    return rows(Connection, mailbox.workspace_id, mailbox=mailbox)[0]


def access(mailbox):
    return MailboxAccess(mailbox.workspace_id, mailbox.pk, frozenset(mailbox.scopes), "test")


def token(mailbox, **options):
    return at_once(access(mailbox).token(**options))


def test_the_first_token_is_made_from_the_refresh_token_at_the_mailboxes_own_tenant(mailbox, microsoft):
    assert token(mailbox) == "access-1"
    assert microsoft.used == [("refresh-token", mailbox.microsoft_tenant)]


def test_a_rotated_refresh_token_is_stored_before_the_access_token_is_used(mailbox):
    token(mailbox)
    assert tokens.open(stored(mailbox), "refresh_token") == "refresh-1"
    assert tokens.open(stored(mailbox), "previous_refresh_token") == "refresh-token"


def test_a_token_that_is_still_good_is_used_again_by_everybody(mailbox, microsoft):
    assert [token(mailbox), token(mailbox)] == ["access-1", "access-1"]
    assert len(microsoft.used) == 1


def test_good_tokens_of_many_mailboxes_are_read_by_one_statement(mailbox, django_assert_num_queries):
    other, gone = (make_mailbox(make_member(mailbox.workspace)) for _ in range(2))
    given = [token(mailbox), token(other), token(gone)]
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=gone.pk).update(state=Mailbox.State.DISCONNECTED)
        with django_assert_num_queries(1):
            found = connection._stored_tokens([other.pk, gone.pk, mailbox.pk])
    assert [each and each[0] for each in found] == [given[1], None, given[0]]


def test_a_token_that_ends_soon_is_renewed(mailbox, microsoft, clock_file):
    token(mailbox)
    advance(clock_file, timedelta(minutes=58, seconds=1))
    assert token(mailbox) == "access-2"
    assert [used for used, _ in microsoft.used] == ["refresh-token", "refresh-1"]


def test_a_token_that_microsoft_no_longer_takes_is_renewed_at_once(mailbox):
    one = access(mailbox)
    assert at_once(one.token()) == "access-1"
    assert at_once(one.token(renew=True)) == "access-2"


def test_while_another_refreshes_nobody_else_does(mailbox, microsoft, monkeypatch):
    waits = []

    async def other_finishes(seconds):
        waits.append(seconds)
        connection._save_refreshed(
            mailbox.workspace_id,
            stored(mailbox).pk,
            Tokens("access-of-other", "refresh-of-other", 3600, frozenset()),
        )

    monkeypatch.setattr(connection, "asyncio", SimpleNamespace(sleep=other_finishes))
    assert (
        connection._token_or_lease(mailbox.workspace_id, mailbox.pk)[0] == "refresh"
    )  # the other one holds it
    assert token(mailbox) == "access-of-other"
    assert (len(waits), microsoft.used) == (1, [])


def test_a_refresher_that_was_killed_is_forgotten_after_its_lease(mailbox):
    connection._token_or_lease(mailbox.workspace_id, mailbox.pk)
    with inside(mailbox.workspace_id):
        row = stored(mailbox)
        row.refreshing_until -= connection.REFRESH_LEASE
        row.save()
    assert token(mailbox) == "access-1"


def test_a_failed_refresh_gives_its_place_to_the_next_one(mailbox, microsoft):
    microsoft.error = TryLater("busy")
    with pytest.raises(TryLater):
        token(mailbox)
    assert stored(mailbox).refreshing_until is None
    microsoft.error = None
    assert token(mailbox) == "access-2"


def use(mailbox):
    async def one_request():
        async with gateway_for(mailbox, reason="test") as gateway:
            await gateway._access.token()

    return one_request()


@pytest.fixture
def no_http(monkeypatch):
    async def nothing():
        return None

    monkeypatch.setattr(connection, "shared_session", nothing)


def test_a_refused_refresh_token_asks_the_rep_and_deletes_nothing(mailbox, microsoft, no_http):
    microsoft.error = ReconnectNeeded("sign in again", code="AADSTS50173")
    with pytest.raises(ReconnectNeeded):
        at_once(use(mailbox))
    asked = fresh(mailbox)
    assert asked.state == Mailbox.State.NEEDS_RECONNECT and "AADSTS50173" in asked.state_reason
    assert tokens.open(stored(mailbox), "refresh_token") == "refresh-token"
    assert len(rows(AuditEntry, mailbox.workspace_id, tag="mailbox:needs-reconnect")) == 1


def test_a_wrong_app_registration_marks_no_mailbox_as_broken(mailbox, microsoft, no_http):
    microsoft.error = RegistrationWrong("secret expired", code="AADSTS7000222")
    with pytest.raises(RegistrationWrong):
        at_once(use(mailbox))
    assert fresh(mailbox).state == Mailbox.State.CONNECTED


def test_a_throttled_mailbox_is_left_in_peace_for_as_long_as_microsoft_said(mailbox, microsoft, no_http):
    microsoft.error = TryLater("throttled", retry_after=timedelta(seconds=90))
    with pytest.raises(TryLater):
        at_once(use(mailbox))
    assert fresh(mailbox).not_before == clock.now() + timedelta(seconds=90)


def test_a_disconnected_mailbox_gives_no_token(mailbox, microsoft):
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=mailbox.pk).update(state=Mailbox.State.DISCONNECTED)
    with pytest.raises(ReconnectNeeded):
        token(mailbox)
    assert microsoft.used == []


def test_two_workers_that_need_a_token_at_once_make_one_request(committed_db, clock_file, microsoft):
    mailbox = make_mailbox(make_member(make_workspace()))

    async def both():
        return await asyncio.gather(*(access(mailbox).token() for _ in range(4)))

    assert asyncio.run(both()) == ["access-1"] * 4
    assert len(microsoft.used) == 1


@pytest.mark.parametrize("was_stored", [False, True])
def test_a_request_is_in_the_ledger_once_whatever_became_of_its_round(mailbox, monkeypatch, was_stored):
    """A round that is taken back takes the rows of all its requests with it, and none of them was not made."""
    write = connection.rounds.start

    async def lost(*round):
        if was_stored:
            await write(*round)
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(connection.rounds, "start", lost)
    gate = access(mailbox)
    at_once(gate.record(Asked("profile", "", uuid4(), 200, 12, 1.0)))
    at_once(gate.settled())
    assert len(rows(LedgerRow, mailbox.workspace_id)) == 1


def test_a_row_of_the_ledger_says_which_request_with_what_answer_and_its_item_as_a_keyed_hash(mailbox):
    asked = Asked("reply", "AAMkAGI2", uuid4(), 200, 4711, 12.5)
    gate = access(mailbox)
    at_once(gate.record(asked))
    at_once(gate.settled())
    (row,) = rows(LedgerRow, mailbox.workspace_id)
    assert (row.mailbox_id, row.shape, row.reason, row.at) == (mailbox.pk, "reply", "test", MONDAY)
    assert (row.client_request_id, row.status, row.bytes, row.milliseconds) == (
        asked.client_request_id,
        200,
        4711,
        12.5,
    )
    assert row.item_hash == index(mailbox.workspace_id, "item", "AAMkAGI2") != "AAMkAGI2"


def test_no_log_line_tells_a_token_at_whatever_level(mailbox, microsoft, caplog):
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "gatepost"):
        assert [token(mailbox), token(mailbox, renew=True)] == ["access-1", "access-2"]
        microsoft.error = TryLater("busy")
        with pytest.raises(TryLater):
            token(mailbox, renew=True)
        logging.getLogger("gatepost.mailboxes").debug("that much is heard")
    told = [f"{line.getMessage()} {line.__dict__}" for line in caplog.records]
    assert any("that much is heard" in line for line in told)
    assert [line for line in told if re.search(r"access-\d|refresh-(\d|token)", line)] == []
