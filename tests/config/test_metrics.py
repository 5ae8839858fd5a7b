"""What a scrape says, over all workspaces, and what it never says."""

import threading
import time
import urllib.error
import urllib.request
from datetime import timedelta

import psycopg
import pytest
from django.db import connections

from gatepost import clock
from gatepost.config.metrics import FIGURES, Installation, serve
from gatepost.demo.stand import free_port
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_message


def figures() -> dict[tuple[str, str], float]:
    """Every sample by its name and label."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for metric in Installation().collect()
        for sample in metric.samples
    }


@pytest.fixture
def two_workspaces(committed_db: None) -> list[Mailbox]:
    return [make_mailbox(make_member(make_workspace())) for _ in range(2)]


def test_mailboxes_of_all_workspaces_are_counted(two_workspaces: list[Mailbox]) -> None:
    with inside(two_workspaces[0].workspace_id):
        Mailbox.objects.update(state="needs_reconnect")
    told = figures()
    assert told["gatepost_mailboxes", "connected"] == 1
    assert told["gatepost_mailboxes", "needs_reconnect"] == 1
    assert told["gatepost_mailboxes", "disconnected"] == 0


def test_the_mailbox_that_lags_most_is_told(two_workspaces: list[Mailbox]) -> None:
    for mailbox, minutes in zip(two_workspaces, (2, 30), strict=True):
        with inside(mailbox.workspace_id):
            Mailbox.objects.update(read_through=clock.now() - timedelta(minutes=minutes))
    assert 1800 <= figures()["gatepost_mail_read_behind_seconds", ""] < 1860


def test_mails_that_wait_for_a_decision_and_overdue_steps_are_counted(two_workspaces: list[Mailbox]) -> None:
    mailbox = two_workspaces[0]
    with inside(mailbox.workspace_id):
        member, workspace = mailbox.member, mailbox.workspace
    enrolment = make_enrolment(make_sequence(member), make_contact(workspace), mailbox)
    make_message(enrolment, state="held")
    make_message(enrolment, position=2, state="confirmed")
    with inside(mailbox.workspace_id):
        type(enrolment).objects.update(due_at=clock.now() - timedelta(minutes=6))
    told = figures()
    assert told["gatepost_messages", "held"] == 1
    assert ("gatepost_messages", "confirmed") not in told  # what has left is not counted at each scrape
    assert told["gatepost_steps_overdue", ""] == 1


def test_failed_jobs_are_told(committed_db: None) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, attempts) "
            "VALUES ('default', 'intake.sync', 0, '{}', 'failed', 1)"
        )
    assert figures()["gatepost_jobs", "failed"] == 1


def test_a_database_that_does_not_answer_is_a_figure_too(two_workspaces: list[Mailbox], database) -> None:
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("ALTER FUNCTION installation_figures RENAME TO away")
        try:
            told = figures()
        finally:
            owner.execute("ALTER FUNCTION away RENAME TO installation_figures")
    assert told["gatepost_database_up", ""] == 0
    assert not any(name == "gatepost_mailboxes" for name, _ in told)


def test_every_figure_of_the_database_has_a_name_and_every_name_a_figure(
    two_workspaces: list[Mailbox],
) -> None:
    names = {name for name, _ in figures()}
    always = {figure.metric for figure in FIGURES} - {"gatepost_last_sent_timestamp_seconds"}
    assert names >= always
    assert names - always <= {"gatepost_info", "gatepost_database_up", "gatepost_last_sent_timestamp_seconds"}


def served_at(port: int) -> str:
    """Its thread may not have been given a turn yet: the door opens within ten seconds."""
    ends = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.URLError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.02)


def test_a_scrape_is_plain_text_without_anything_about_anybody(two_workspaces: list[Mailbox]) -> None:
    port = free_port(9400)
    threading.Thread(target=serve, args=(port,), kwargs={"host": "127.0.0.1"}, daemon=True).start()
    text = served_at(port)
    assert 'gatepost_mailboxes{state="connected"} 2.0' in text
    assert "northwind" not in text and str(two_workspaces[0].pk) not in text
