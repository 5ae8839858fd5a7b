"""A stolen dump of the databases shows no address, name, subject, text or token of anybody in the mailboxes."""

from html import unescape

from gatepost.contacts.models import Contact
from gatepost.conversations.models import Reply
from gatepost.mailboxes.models import Connection
from gatepost.outbox.models import Message
from gatepost.vault import names

from .conftest import Told
from .surfaces import dumps, files, found_in


def test_the_dump_really_holds_the_rows(told: Told) -> None:
    everything = b"".join(content for _, content in dumps(told))
    for model in (Contact, Message, Reply, Connection):
        rows = told.rows(model)
        assert rows, f"there is no {model.__name__} to protect"
        assert all(str(row.pk).encode() in everything for row in rows)


def test_what_is_sealed_opens_with_the_key(told: Told) -> None:
    addresses = {names.open(contact, "email") for contact in told.rows(Contact)}
    assert addresses == {user["address"] for user in told.people}


def test_no_dump_shows_an_address_or_a_name(told: Told) -> None:
    words = [word for user in told.people for word in (user["address"], user["name"])]
    assert len(words) == 48
    assert found_in(dumps(told), words) == []


def test_no_dump_shows_a_subject_or_a_text(told: Told) -> None:
    truth = told.truth()["mailboxes"]
    subjects = {fact["subject"] for box in told.addresses() for fact in truth[box]["sent"]}
    texts = {
        line
        for box in told.addresses()
        for fact in truth[box]["replies"]
        for line in unescape(fact["new_text"]).splitlines()
        if len(line) > 20
    }
    assert len(subjects) >= 10 and len(texts) >= 10
    assert found_in(dumps(told), subjects | texts) == []


def test_no_file_of_the_database_or_log_shows_an_address_or_a_token(told: Told) -> None:
    words = [user["address"] for user in told.people]
    assert found_in(files(told), words) == []
    everything = b"".join(content for _, content in (*dumps(told), *files(told)))
    for form in (b"eyJ0eXAi", b"eyJhbGci", b"sandbox-secret-not-a-real-one"):
        assert form not in everything
