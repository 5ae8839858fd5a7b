"""Erased means erased: neither the database nor a dump of it, also one from before, shows a word of it any more.

Each test erases the mailbox of a rep of its own. Before, what will be looked for is found; else the search proves nothing.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from gatepost.accounts.membership import by
from gatepost.config.postgres import bins
from gatepost.contacts.models import Contact, Suppression
from gatepost.conversations.models import Reply
from gatepost.erasure import commands
from gatepost.erasure.models import Erasure
from gatepost.mailboxes.models import Connection, Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences import actions as sequences
from gatepost.sequences import enrolments
from gatepost.sequences.edits import StepDraft
from gatepost.vault import keys
from tests.journeys.standing import Standing, until
from tests.journeys.story import Story

from .conftest import Told
from .surfaces import administrator, kept_keys, opened

CANARIES = {"in our mail": "cnry-ours-51c7", "in the reply": "cnry-reply-9e02"}
STEPS = (
    StepDraft(0, f"Quick question {CANARIES['in our mail']}", "Hi {{ first_name }}, shall we talk?"),
    StepDraft(2 * 24 * 60, "", "Hi {{ first_name }}, just following up."),
)


def with_an_answer(story: Story) -> Contact:
    """Somebody was written to, and has answered."""
    petra = story.prospect()
    story.enrol(petra, steps=STEPS)
    story.settle()
    story.answer(petra, f"Yes, let us talk about {CANARIES['in the reply']}.")
    story.wait(timedelta(minutes=10))
    assert len(story.replies(petra)) == 1
    return petra


def readable(story: Story) -> list[str]:
    """Which canaries can be read with all that the installation has."""
    keys._keys.forget()
    # A sequence is the team's own text, and stays; what was made of it for a contact goes.
    texts = opened(story.workspace.id, without={"Variant"})
    return [where for where, canary in CANARIES.items() if canary in texts]


def order(story: Story) -> None:
    page = story.browser.open(f"{story.stand.url}/mailboxes/{story.mailbox.pk}/erase/")
    page.press("Erase this mailbox", confirm=story.address)
    assert "Being erased" in page.text or "is erased" in page.text


def erase(story: Story) -> Erasure:
    order(story)
    until(lambda: bool(story.rows(Erasure, finished_at__isnull=False)), "it is erased")
    (done,) = story.rows(Erasure)
    return done


def test_after_it_the_living_database_and_its_dump_show_nothing(story: Story) -> None:
    petra = with_an_answer(story)
    mailbox = story.mailbox
    assert readable(story) == list(CANARIES)
    done = erase(story)
    assert readable(story) == []
    assert not story.rows(Message) and not story.rows(Reply) and not story.rows(Connection)
    assert [each.pk for each in story.rows(Contact)] == [petra.pk]
    assert done.left_at_microsoft == []
    assert kept_keys(story.stand.keystore, f"mailbox:{mailbox.pk}") == []
    said = dump(story.stand)
    assert str(done.pk).encode() in said and str(petra.pk).encode() in said
    for gone in (str(mailbox.microsoft_object), mailbox.identity_index):
        assert gone.encode() not in said


def test_a_dump_from_before_that_is_restored_shows_nothing_either(
    story: Story, told: Told, tmp_path: Path
) -> None:
    with_an_answer(story)
    mailbox = story.mailbox
    before = tmp_path / "before.sql"
    before.write_bytes(dump(story.stand))
    assert readable(story) == list(CANARIES)
    erase(story)
    with restored(story.stand, before):
        assert story.rows(Mailbox, pk=mailbox.pk) and story.rows(Message) and story.rows(Reply), (
            "its rows are back"
        )
        assert readable(story) == []
        others = opened(told.workspace.id)
        assert all(address in others for address in told.addresses()), "what was not erased can be read there"


def test_a_key_that_a_backup_of_the_keystore_brings_back_is_destroyed_again(story: Story) -> None:
    with_an_answer(story)
    owner = f"mailbox:{story.mailbox.pk}"
    with psycopg.connect(story.stand.keystore) as keystore:
        kept = keystore.execute(
            "SELECT name, wrapped FROM wrapped_key WHERE starts_with(name, %s)", [owner]
        ).fetchall()
    assert kept
    erase(story)
    with psycopg.connect(story.stand.keystore) as keystore:
        keystore.cursor().executemany("INSERT INTO wrapped_key (name, wrapped) VALUES (%s, %s)", kept)
    until(lambda: not kept_keys(story.stand.keystore, owner), "the worker destroyed it again", seconds=120)


def test_a_worker_that_is_killed_in_the_middle_finishes_when_it_is_back(story: Story) -> None:
    with_an_answer(story)
    order(story)
    for _ in range(3):
        story.stand.kill("worker")
        story.stand.start()
    until(lambda: bool(story.rows(Erasure, finished_at__isnull=False)), "it is erased", seconds=120)
    (done,) = story.rows(Erasure)
    assert readable(story) == [] and not story.rows(Mailbox)
    assert done.counts["messages"] == done.counts["replies"] == 1


def test_in_the_middle_of_sending_at_most_the_mail_in_flight_still_leaves(story: Story) -> None:
    people = [story.prospect(name=f"Prospect Number{n}") for n in range(15)]
    story.enrol(*people, steps=STEPS[:1])
    until(lambda: len(story.truth().get("sent", ())) >= 3, "a few mails have left")
    order(story)
    left = len(story.truth()["sent"])
    until(lambda: bool(story.rows(Erasure, finished_at__isnull=False)), "it is erased")
    story.wait(timedelta(hours=2))
    assert len(story.truth()["sent"]) <= left + 1 < len(people)


def test_whoever_opted_out_is_never_written_to_again(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra, steps=STEPS)
    story.settle()
    story.answer(petra, "Please unsubscribe me. Do not write to me again.")
    story.wait(timedelta(minutes=10))
    assert story.rows(Suppression)
    erase(story)
    story.connect()
    story.settle()
    sequence = sequences.create_sequence(story.workspace.id, "Another", member=story.rep)
    actor = by(story.rep)
    sequences.save_steps(sequence.pk, STEPS, workspace_id=story.workspace.id, actor=actor)
    enrolled = enrolments.enrol(
        sequence.pk, [petra.pk], story.mailbox.pk, workspace_id=story.workspace.id, actor=actor
    )
    assert enrolled.count == 0 and enrolled.skipped == ((petra.pk, "is on the do-not-contact list"),)
    story.wait(timedelta(days=3))
    assert len(story.sent_to(petra)) == 1


def test_a_person_is_gone_and_the_mailbox_goes_on(story: Story) -> None:
    petra, karl = with_an_answer(story), story.prospect(name="Karl Ohm")
    story.enrol(karl)
    story.settle()
    page = story.browser.open(f"{story.stand.url}/contacts/{petra.pk}/erase/")
    page.press("Erase this person", confirm=story.address_of(petra))
    until(lambda: bool(story.rows(Erasure, finished_at__isnull=False)), "the person is erased")
    assert readable(story) == []
    assert [each.pk for each in story.rows(Contact)] == [karl.pk]
    story.wait(timedelta(days=5))
    assert len(story.messages(karl)) == 2 and len(story.sent_to(petra)) == 1


def test_the_receipt_is_genuine_opens_without_signing_in_and_names_nobody(story: Story) -> None:
    with_an_answer(story)
    address = story.address
    done = erase(story)
    checked = commands.check(done.receipt)
    assert checked.is_signed and checked.is_ours
    assert checked.said["rows"]["messages"] == checked.said["rows"]["replies"] == 1
    personal = (address, story.rep.name, "Petra", "customer-", *CANARIES.values())
    assert not [word for word in personal if word.casefold() in done.receipt.casefold()]
    assert json.loads(done.receipt)["receipt"]["keys_destroyed"] == [f"mailbox:{done.subject_id}"]


# Dumps


def dump(stand: Standing) -> bytes:
    """The main database as its administrator backs it up."""
    done = subprocess.run(
        [str(bins() / "pg_dump"), "--inserts", administrator(stand, "gatepost")],
        capture_output=True,
        check=True,
    )
    return done.stdout


@contextmanager
def restored(stand: Standing, file: Path) -> Iterator[None]:
    """That dump is the main database now, as far as this process sees."""
    server = administrator(stand, "postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
    try:
        command = [str(bins() / "psql"), "--quiet", "--file", str(file), administrator(stand, "restored")]
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            env={**os.environ, "PGOPTIONS": "-c client_min_messages=error"},
        )
        connections.close_all()
        before = dict(connections.databases["default"])
        connections.databases["default"]["NAME"] = "restored"
        try:
            with psycopg.connect(administrator(stand, "restored"), autocommit=True) as connection:
                connection.execute("GRANT CONNECT ON DATABASE restored TO PUBLIC")
            yield
        finally:
            connections.close_all()
            connections.databases["default"].update(before)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP DATABASE restored WITH (FORCE)")


@pytest.fixture(autouse=True)
def forget_keys() -> Iterator[None]:
    yield
    keys._keys.forget()
