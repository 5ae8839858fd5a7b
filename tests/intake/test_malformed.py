"""Malformed mail neither stops the intake nor holds it up. `./dev soak malformed` does it at length."""

import pytest

from gatepost.conversations.models import Reply
from gatepost.intake import jobs
from tests.at_once import without_threads
from tests.intake.malformed import CORPUS, Hostile, Mail, corpus, mutants
from tests.intake.test_sync import Story
from tests.makers import MONDAY, clock_at, rows


@pytest.fixture
def hostile(db, tmp_path, monkeypatch):
    without_threads(monkeypatch, jobs)
    with clock_at(MONDAY, tmp_path):
        yield Hostile(Story())


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of malformed mail is not here")
def test_malformed_mail_and_mutants_of_it_are_stored_like_any_reply(hostile):
    mails = [*corpus()[::32], *mutants(24, seed=1)]
    for mail in mails:
        hostile.receive(mail)
    assert hostile.wrong == []
    assert hostile.stored == len(mails) == len(rows(Reply, hostile.story.mailbox.workspace_id))


def test_a_mail_of_nothing_but_bytes_that_cannot_be_shown_is_stored(hostile):
    hostile.receive(Mail("nul", "Subject: \x00\x1b", "\x00\x01\x02" * 1000, is_html=True))
    assert (hostile.wrong, hostile.stored) == ([], 1)
