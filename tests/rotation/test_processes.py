"""Keys are changed by a process of its own, killed in the middle, while this one goes on reading and writing."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.contacts.models import Contact
from gatepost.errors import GatepostError
from gatepost.graph.oauth import Tokens
from gatepost.isolation import COVER_LOCK, cover, inside
from gatepost.mailboxes.connection import store_tokens
from gatepost.mailboxes.models import Connection, Mailbox
from gatepost.rotation import actions, commands, covers, queries
from gatepost.snippets.models import Snippet
from gatepost.vault import generations, keys, names, tokens
from gatepost.vault.sealing import seal
from tests.makers import fresh, make_contact, rows
from tests.operate.installation import environment

from .conftest import KEPT, Office, make_office, pass_time, state

MANY = 3 * actions.BATCH


@pytest.fixture
def office(committed_db: None) -> Office:
    office = make_office()
    with inside(office.id):
        snippets = []
        for number in range(MANY):
            snippet = Snippet(
                workspace_id=office.id, name=f"text-{number}", created_at=clock.now(), changed_at=clock.now()
            )
            seal(snippet, "body", f"What we say {number}")
            snippets.append(snippet)
        Snippet.objects.bulk_create(snippets)
    return office


@pytest.fixture
def gatepost(database: Any, tmp_path: Any) -> Any:
    """`gatepost …` in a process of its own, on this test's databases."""
    given = environment(
        tmp_path,
        DATABASE_URL=database.app,
        GATEPOST_OWNER_DATABASE_URL=database.owner,
        GATEPOST_KEYSTORE_URL=database.keystore,
        GATEPOST_KEY_FILE=str(settings.GATEPOST_KEY_FILE),
        GATEPOST_SECRET_KEY="not-a-secret-" * 4,
    )

    def start(*command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gatepost", *command], env=given, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


class Busy(threading.Thread):
    """Somebody who adds the same ten contacts again and again, renews tokens and reads, until he is told to stop."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.office, self.stopped, self.rounds, self.problems = office, threading.Event(), 0, []

    def run(self) -> None:
        try:
            while not self.stopped.wait(0.02):
                self.round()
                self.rounds += 1
        except BaseException as error:  # shown by the test
            self.problems.append(error)
        finally:
            connections.close_all()

    def round(self) -> None:
        office, number = self.office, self.rounds
        try:
            make_contact(office.alice.workspace, f"again-{number % 10}@contoso.example")
        except GatepostError as error:
            if number < 10:
                raise AssertionError("a new contact was refused") from error
        else:
            assert number < 10, "a second contact with the same address"
        with inside(office.id):
            connection = Connection.objects.select_for_update().get(mailbox=office.mailbox)
            assert tokens.open(connection, "refresh_token") == f"refresh-{number}"
            store_tokens(connection, Tokens(f"access-{number}", f"refresh-{number + 1}", 3600, frozenset()))
            connection.save()
        assert names.open(fresh(office.mailbox), "address") == "alice@northwind.example"
        assert names.open(fresh(office.contact), "email") == "petra@contoso.example"


@pytest.fixture
def busy(office: Office) -> Iterator[Busy]:
    someone = Busy(office)
    with inside(office.id):
        connection = Connection.objects.get(mailbox=office.mailbox)
        seal(connection, "refresh_token", "refresh-0")
        connection.save()
    someone.start()
    yield someone
    someone.stopped.set()
    someone.join()


def test_killed_in_the_middle_while_others_read_and_write_nothing_fails_and_nothing_is_lost(
    office: Office, busy: Busy, gatepost: Any
) -> None:
    with gatepost("keys", "rotate", "--workspace", str(office.id)) as first:
        said = []
        for line in first.stdout:
            said.append(line)
            if "sealed anew …" in line and int(re.match(r"\d+", line)[0]) > actions.BATCH:
                first.send_signal(signal.SIGKILL)
                break
    assert first.returncode == -signal.SIGKILL, said
    assert all(state(owner).is_changing for owner in office.owners)
    left = queries.left(office.of_workspace)
    assert 0 < left < MANY, "it was in the middle"

    everything = [*office.owners, office.of_indexes]
    for owner in everything:
        pass_time(owner, timedelta(minutes=30))
    keys._keys.forget()  # as everybody has by then
    looks = 0
    while any(state(owner).is_changing for owner in everything):
        commands.carry_on(lambda said: None)
        looks += 1
        assert looks < 12
    busy.stopped.set()
    busy.join()

    assert not busy.problems
    assert busy.rounds > 10
    for owner in everything:
        assert queries.left(owner) == 0 and not state(owner).is_changing
    assert covers.found(office.id).now == generations.covering(office.id)[1].newest
    assert len(rows(Contact, office.id)) == 11, "the same addresses were refused throughout"
    assert {names.open(each, "body") for each in rows(Snippet, office.id)} == {
        f"What we say {number}" for number in range(MANY)
    }


def test_a_row_that_somebody_is_changing_is_left_to_the_next_look(committed_db: None, database: Any) -> None:
    office = make_office()
    owner = office.of_mailbox
    actions.change(owner, keep_former=KEPT, actor=INSTALLER)
    _, sealer = generations.sealer(owner.key)
    with psycopg.connect(database.owner) as other:
        other.execute("SELECT 1 FROM gatepost_mailbox WHERE id = %s FOR UPDATE", [office.mailbox.pk])
        batch = actions.reseal_some(owner, Mailbox, sealer, after=None)
        assert batch.resealed == 0
        assert actions.anything_left(owner, Mailbox, sealer, but=())
    assert actions.reseal_some(owner, Mailbox, sealer, after=None).resealed == 1
    assert not actions.anything_left(owner, Mailbox, sealer, but=())


def test_a_slice_waits_for_those_who_are_inside_and_gives_way_where_they_stay(
    office: Office, database: Any
) -> None:
    began_to_move(office)
    entered, may_leave = threading.Event(), threading.Event()

    def stay() -> None:
        with inside(office.id):
            entered.set()
            may_leave.wait(30)
        connections.close_all()

    someone = threading.Thread(target=stay)
    someone.start()
    entered.wait(30)
    with pytest.raises(covers.Busy):
        covers.move_slice(office.id)
    assert covers.found(office.id).slices == 0
    may_leave.set()
    someone.join()
    assert covers.move_slice(office.id) is not None
    assert covers.found(office.id).slices == 1


def test_whoever_waits_for_a_slice_sees_afterwards_how_its_hashes_are_stored(
    office: Office, database: Any
) -> None:
    began_to_move(office)
    seen: list[int] = []

    def enter() -> None:
        with inside(office.id):
            seen.append(cover(connections["default"]).slices)
        connections.close_all()

    someone = threading.Thread(target=enter)
    with psycopg.connect(database.owner) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({COVER_LOCK})", [str(office.id)])
        someone.start()
        while not other.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ).fetchone():
            assert someone.is_alive(), "it did not wait"
        other.execute("UPDATE gatepost_cover SET slices = 7 WHERE id = %s", [office.id])
    someone.join()
    assert seen == [7]


def began_to_move(office: Office) -> None:
    actions.change(office.of_indexes, keep_former=KEPT, actor=INSTALLER)
    covers.take_over(office.id, generations.covering(office.id)[1].newest)
    covers.announced(office.id)
