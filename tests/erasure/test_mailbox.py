"""Erasing a mailbox: its key, its rows, its receipt; and what stays."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.conf import settings
from django.db import transaction

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.audit.models import AuditEntry
from gatepost.contacts.actions import suppress
from gatepost.contacts.models import Contact, Suppression
from gatepost.conversations.models import Conversation, Reply
from gatepost.erasure import actions, queries, receipts
from gatepost.erasure.models import Erasure, KeptFigures
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.models import Connection, Folder, Mailbox
from gatepost.meetings.models import Brief, Meeting
from gatepost.outbox.models import Message
from gatepost.reports.queries import KEPT, Chosen, Figures, Report, report
from gatepost.sequences import enrolments
from gatepost.sequences.models import Enrolment
from gatepost.vault import keys, names
from gatepost.vault.sealing import NotReadable
from gatepost.vault.signing import public_key
from tests.makers import fresh, make_mailbox, rows
from tests.pages import make_message

from .conftest import Office, carry_on

OF_A_MAILBOX = (Message, Reply, Conversation, Enrolment, Meeting, Brief, Folder)


def kept_keys(owner: str) -> list[str]:
    with psycopg.connect(settings.GATEPOST_KEYSTORE_URL) as keystore:
        return [
            row[0]
            for row in keystore.execute("SELECT name FROM wrapped_key WHERE starts_with(name, %s)", [owner])
        ]


def order(office: Office, confirm: str = "alice@northwind.example") -> Erasure:
    return actions.erase_mailbox(
        office.mailbox.pk, workspace_id=office.id, confirm=confirm, actor=by(office.alice)
    )


def test_its_key_and_its_rows_are_gone_and_the_other_mailbox_is_as_it_was(office: Office) -> None:
    assert kept_keys(f"mailbox:{office.mailbox.pk}")
    done = office.erase_mailbox()
    assert done.finished_at is not None
    assert kept_keys(f"mailbox:{office.mailbox.pk}") == []
    assert not rows(Mailbox, office.id, pk=office.mailbox.pk)
    for model in OF_A_MAILBOX:
        left = rows(model, office.id)
        assert left and {row.mailbox_id for row in left} == {office.other_mailbox.pk}
    assert names.open(fresh(office.other_mailbox), "address") == "ben@northwind.example"


def test_a_row_that_somebody_copied_before_can_be_read_no_more(office: Office) -> None:
    copy = fresh(office.message)
    office.erase_mailbox()
    with pytest.raises(NotReadable):
        keys._keys.forget()
        names.open(office.mailbox, "address")
    assert kept_keys(f"mailbox:{office.mailbox.pk}") == [], "looking makes no new key"
    assert copy.subject is not None


def test_contacts_stay_and_whoever_opted_out_is_never_enrolled_again(office: Office) -> None:
    suppress(office.id, "petra@contoso.example", cause=Suppression.Cause.UNSUBSCRIBE, actor=by(office.alice))
    office.erase_mailbox()
    assert len(rows(Contact, office.id)) == 2
    another = make_mailbox(office.alice, "alice@northwind.example")
    enrolled = enrolments.enrol(
        office.message.sequence_id,
        [office.contact.pk],
        another.pk,
        workspace_id=office.id,
        actor=by(office.alice),
    )
    assert enrolled.count == 0 and enrolled.skipped[0][1] == "is on the do-not-contact list"


def test_the_numbers_of_reports_stay(office: Office) -> None:
    def kept(figures: Figures) -> list[int]:
        return [getattr(figures, name) for name in KEPT]

    def whole() -> Report:
        year = (clock.now() - timedelta(days=365), clock.now() + timedelta(days=1))
        with inside(office.id):
            return report(office.alice, Chosen(), year, ZoneInfo("Europe/Berlin"))

    before = whole()
    office.erase_mailbox()
    after = whole()
    assert kept(after.whole) == kept(before.whole)
    assert (after.whole.sent, after.whole.meetings, after.erased) == (2, 2, 1)
    assert [kept(each.figures) for each in after.parts] == [kept(each.figures) for each in before.parts]
    assert [kept(each.figures) for each in after.weeks] == [kept(each.figures) for each in before.weeks]


def test_the_receipt_is_signed_counts_the_rows_and_names_nobody(office: Office) -> None:
    done = office.erase_mailbox()
    checked = receipts.check(done.receipt, public=public_key(actions.RECEIPTS))
    assert checked.is_signed and checked.is_ours
    said = checked.said
    assert said["subject"] == str(office.mailbox.pk) and said["ordered_by"] == f"owner {office.alice.pk}"
    assert said["keys_destroyed"] == [f"mailbox:{office.mailbox.pk}"]
    assert {"messages": 1, "replies": 1, "meetings": 1, "mailboxes": 1, "folders": 3}.items() <= said[
        "rows"
    ].items()
    for personal in ("northwind.example", "contoso", "alice", "petra", "Quandt"):
        assert personal not in done.receipt.casefold()


def test_it_says_what_is_left_at_microsoft(office: Office) -> None:
    ordered = order(office)
    with inside(office.id):
        Mailbox.objects.filter(pk=office.mailbox.pk).update(
            clean_up_until=datetime.now(UTC) - timedelta(seconds=1)
        )
    carry_on(ordered)
    assert fresh(ordered).left_at_microsoft == ["briefs", "drafts", "notifications"]
    assert json.loads(fresh(ordered).receipt)["receipt"]["left_at_microsoft"] == [
        "briefs",
        "drafts",
        "notifications",
    ]


def test_it_stops_at_once_and_waits_for_what_ends_at_microsoft_half_a_minute_at_most(office: Office) -> None:
    ordered = order(office)
    mailbox = fresh(office.mailbox)
    assert mailbox.state == "disconnected" and mailbox.is_being_erased
    assert datetime.now(UTC) < mailbox.clean_up_until <= datetime.now(UTC) + timedelta(seconds=30)
    carry_on(ordered)
    assert fresh(ordered).began_at is None and rows(Connection, office.id, mailbox=office.mailbox)


def test_without_the_right_address_nothing_happens(office: Office) -> None:
    with pytest.raises(BadInput, match="Nothing was erased"), transaction.atomic():
        order(office, confirm="ben@northwind.example")
    assert fresh(office.mailbox).is_connected and not rows(Erasure, office.id)


def test_a_second_order_is_the_same_erasure(office: Office) -> None:
    assert order(office).pk == order(office, confirm=" Alice@Northwind.example ").pk


@pytest.mark.parametrize("steps", range(6))
def test_a_crash_anywhere_goes_on_where_it_was(office: Office, steps: int) -> None:
    for position in (2, 3):
        make_message(office.enrolment, position=position)
    ordered = order(office)
    with inside(office.id):
        Mailbox.objects.filter(pk=office.mailbox.pk).update(clean_up_until=None)
    if steps:
        keys.destroy("mailbox", office.mailbox.pk)
        actions.begin(ordered, [])
    for _ in range(steps - 1):
        assert actions.remove_some(ordered)
    # Here everything ends, and the tick finds it again.
    assert [each.id for each in queries.unfinished()] == [ordered.pk]
    carry_on(ordered)
    done = fresh(ordered)
    assert done.counts["messages"] == 3 and done.counts["replies"] == 1 and done.counts["mailboxes"] == 1
    assert queries.unfinished() == [] and not rows(Mailbox, office.id, pk=office.mailbox.pk)
    assert sum(each.sent for each in rows(KeptFigures, office.id, erasure=done)) == 3


def test_a_job_that_runs_twice_changes_nothing(office: Office) -> None:
    done = office.erase_mailbox()
    carry_on(done)
    actions.begin(done, [])
    actions.finish(done)
    assert fresh(done).receipt == done.receipt


def test_the_order_and_the_end_are_in_the_record(office: Office) -> None:
    office.erase_mailbox()
    found = {each.tag: each for each in rows(AuditEntry, office.id, tag__startswith="erasure:")}
    assert set(found) == {"erasure:order", "erasure:finish"}
    assert found["erasure:order"].actor_id == str(office.alice.pk)
    assert found["erasure:finish"].detail["rows"] > 5
