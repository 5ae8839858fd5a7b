"""Access to texts is limited and logged: whoever opens one leaves an entry that the mailbox's owner can read."""

from collections import Counter

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.audit.reveal import reveal
from gatepost.conversations.models import Conversation, Reply
from gatepost.demo import seed as seeding
from gatepost.isolation import inside
from gatepost.outbox.models import Message

from .conftest import Told


def readings(told: Told) -> Counter[object]:
    """How often each row was opened by people, by the record. The worker opens texts beside them: those that are due."""
    return Counter(
        entry.subject_id for entry in told.rows(AuditEntry, tag=tags.CONTENT_READ, actor_kind="member")
    )


def test_each_draft_that_was_written_left_an_entry_for_opening_its_text(told: Told) -> None:
    written = {each.pk for each in told.rows(Message, drafted_at__isnull=False)}
    opened = {
        e.subject_id for e in told.rows(AuditEntry, tag=tags.CONTENT_READ) if e.detail["what"] == "message"
    }
    assert written and written <= opened


def test_a_page_that_shows_texts_leaves_one_entry_for_each_row_that_it_opened(told: Told) -> None:
    conversation = next(each for each in told.rows(Conversation) if each.mailbox_id == told.mailboxes[0].pk)
    shown = {each.pk for each in told.rows(Reply, conversation=conversation)}
    before = readings(told)
    page = told.browser.open(f"{told.stand.url}/inbox/{conversation.pk}/")
    assert page.status == 200
    opened = readings(told) - before
    assert shown <= set(opened) and set(opened.values()) == {1}
    entries = told.rows(AuditEntry, tag=tags.CONTENT_READ, actor_kind="member", subject_id=next(iter(shown)))
    assert entries[-1].actor_id == str(told.members[0].pk)


def test_a_list_opens_no_text(told: Told) -> None:
    before = readings(told)
    for page in ("inbox", "outbox", "contacts", "meetings", "reports", "mailboxes", "privacy"):
        assert told.browser.open(f"{told.stand.url}/{page}/").status == 200
    assert readings(told) == before


def test_where_the_entry_cannot_be_written_nothing_is_opened(told: Told) -> None:
    reply = told.rows(Reply)[0]
    before = readings(told)
    with pytest.raises(Exception, match="row-level security"):
        reveal(by(told.members[0]), reply, "text", reason="without its workspace")
    assert readings(told) == before


def test_a_colleague_without_the_right_sees_no_text_and_leaves_no_entry(told: Told) -> None:
    ben = seeding.sign_in(told.stand, told.addresses()[1])  # type: ignore[arg-type]
    others = next(each for each in told.rows(Conversation) if each.mailbox_id == told.mailboxes[0].pk)
    before = readings(told)
    assert ben.open(f"{told.stand.url}/inbox/{others.pk}/").status in (403, 404)
    assert readings(told) == before


def test_the_owner_reads_on_the_privacy_page_who_opened_what(told: Told) -> None:
    page = told.browser.open(f"{told.stand.url}/privacy/")
    assert page.status == 200 and told.members[0].name in page.text


@pytest.mark.parametrize("table", ["gatepost_auditentry", "gatepost_ledgerrow"])
@pytest.mark.parametrize(
    "change", ["DELETE FROM {}", "UPDATE {} SET workspace_id = workspace_id", "TRUNCATE {}"]
)
def test_the_program_itself_cannot_change_the_record(told: Told, table: str, change: str) -> None:
    with psycopg.connect(told.stand.app) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(change.format(table))  # type: ignore[arg-type]


def test_nothing_of_a_workspace_is_seen_from_another(told: Told) -> None:
    other = accounts.create_workspace("Somebody else")
    with inside(other.id):
        assert not Reply.objects.exists() and not Message.objects.exists()
        assert set(AuditEntry.objects.values_list("workspace_id", flat=True)) == {other.id}
