"""Saved views, their weekly mail, and how mailboxes are doing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.actions import bounced
from gatepost.post.letters import write
from gatepost.reports import actions, queries
from gatepost.reports.jobs import find_due
from gatepost.reports.models import SavedView
from tests.makers import (
    clock_at,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, make_reply, signed_in, text_of

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_view_is_saved_opened_mailed_and_removed(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    client.post(
        "/reports/views/save/", {"name": " Interest ", "address": "weeks=26&by=member&label=interested&x=1"}
    )
    [view] = rows(SavedView, alice.workspace_id)
    assert (view.name, view.address, view.mail_due_at) == (
        "Interest",
        "label=interested&weeks=26&by=member",
        None,
    )
    assert 'href="/reports/?label=interested&amp;weeks=26&amp;by=member" aria-current="page"' in (
        client.get(f"/reports/?{view.address}").content.decode()
    )
    client.post(f"/reports/views/{view.pk}/", {"change": "mail"})
    assert rows(SavedView, alice.workspace_id)[0].mail_due_at > clock.now()
    client.post(f"/reports/views/{view.pk}/", {"change": "keep"})
    assert rows(SavedView, alice.workspace_id)[0].mail_due_at is None
    client.post(f"/reports/views/{view.pk}/", {"change": "remove"})
    assert rows(SavedView, alice.workspace_id) == []
    assert "No view is saved" in text_of(client.get("/reports/views/"))


def test_a_view_is_its_members_own(db: None) -> None:
    alice = make_member(make_workspace())
    view = actions.save_view(alice, "Mine", {}, weekly=False)
    ben = signed_in(make_member(alice.workspace, "Ben"))
    assert "Mine" not in text_of(ben.get("/reports/views/"))
    assert ben.post(f"/reports/views/{view.pk}/", {"change": "remove"}).status_code == 404


def test_two_views_of_a_member_have_two_names(db: None) -> None:
    alice = make_member(make_workspace())
    actions.save_view(alice, "Mine", {}, weekly=False)
    with pytest.raises(Conflict):
        actions.save_view(alice, "Mine", {}, weekly=False)


def test_a_view_without_a_name_is_refused(db: None) -> None:
    with pytest.raises(BadInput):
        actions.save_view(make_member(make_workspace()), "  ", {}, weekly=False)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 23, 5, 59, tzinfo=UTC), datetime(2026, 3, 23, 6, 0, tzinfo=UTC)),
        # Meanwhile the clocks change.
        (datetime(2026, 3, 23, 6, 0, tzinfo=UTC), datetime(2026, 3, 30, 5, 0, tzinfo=UTC)),
    ],
)
def test_the_weekly_mail_is_due_on_monday_at_seven_there(now: datetime, due: datetime) -> None:
    assert actions.next_monday(BERLIN, now) == due


def test_the_weekly_mail_tells_of_the_week_that_ended_and_leaves_once(
    db: None, settings: object, tmp_path: Path
) -> None:
    settings.GATEPOST_SMTP_URL = "smtp://localhost"  # type: ignore[attr-defined]
    alice = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(alice), make_contact(alice.workspace), make_mailbox(alice))
    with clock_at(datetime(2027, 1, 11, 9, 0, tzinfo=UTC), tmp_path):  # a Monday
        view = actions.save_view(alice, "All of it", {}, weekly=True)
        make_message(enrolment, sent=datetime(2027, 1, 12, 9, 0, tzinfo=UTC))
        make_message(enrolment, position=2, sent=datetime(2027, 1, 18, 5, 0, tzinfo=UTC))
        assert find_due() == 0
    with clock_at(datetime(2027, 1, 18, 6, 0, tzinfo=UTC), tmp_path):
        assert (find_due(), find_due()) == (1, 0)
        with inside(alice.workspace_id):
            letter = write(actions.WEEKLY, view.pk)
    assert letter is not None and letter.to == alice.user.email
    assert letter.subject == "All of it: week of 11 Jan 2027"
    assert "Sent: 1 (0)" in letter.text
    assert "/reports/?since=2027-01-11&until=2027-01-17\n" in letter.text
    assert mail.outbox == []


def test_a_member_who_was_removed_gets_no_mail(db: None) -> None:
    alice = make_member(make_workspace())
    view = actions.save_view(alice, "All of it", {}, weekly=True)
    with inside(alice.workspace_id):
        Member.objects.filter(pk=alice.pk).update(removed_at=clock.now())
        assert write(actions.WEEKLY, view.pk) is None


def test_health_tells_what_left_today_of_the_limit_and_what_came_back(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox, sequence = make_mailbox(alice), make_sequence(alice)
    mails = [
        make_message(make_enrolment(sequence, make_contact(alice.workspace), mailbox), sent=clock.now())
        for _ in range(3)
    ]
    old = make_message(
        make_enrolment(sequence, make_contact(alice.workspace), mailbox),
        sent=clock.now() - timedelta(days=40),
    )
    make_reply(mails[0], "unsubscribe")
    make_reply(old, "hard_no")
    with inside(alice.workspace_id):
        bounced(mails[1])
        Mailbox.objects.update(daily_limit=20)
        [health] = queries.health_of_mailboxes(alice, now=clock.now() + timedelta(seconds=1))
        assert (
            queries.health_of_mailboxes(make_member(alice.workspace, "Ben", role="rep"), now=clock.now())
            == []
        )
    assert (health.sent_today, health.limit_today, health.percent_of_limit) == (3, 20, 15)
    assert (health.confirmed, health.bounced.part, health.complained.part) == (3, 1, 1)
    assert "3 of 20" in text_of(signed_in(alice).get("/reports/health/"))
