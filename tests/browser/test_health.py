"""The page of a mailbox in each state: one word, why, what to do, and the button that helps."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.graph.errors import MailboxUnusable, TryLater
from gatepost.isolation import inside
from gatepost.mailboxes import actions, connection, credential, gaps, watch
from gatepost.mailboxes.models import ConnectAttempt, Gap, Mailbox, Probe, Subscription
from tests.makers import (
    MONDAY,
    advance,
    clock_at,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)  # fmt: skip

from .test_pages import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def clock_file(tmp_path: Path) -> Iterator[Path]:
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def mailbox(site: str, clock_file: Path, settings: Any) -> Mailbox:
    """Read a moment ago, tried out, with notifications and a step that waits."""
    settings.GATEPOST_CLIENT_ID, settings.GATEPOST_CLIENT_SECRET = "app", "sandbox-secret"
    settings.GATEPOST_HOOKS_URL = "https://hooks.example.com/hooks/graph"
    member = make_member(make_workspace())
    mailbox = make_mailbox(member)
    make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    with inside(mailbox.workspace_id):
        of_mailbox = {"workspace_id": mailbox.workspace_id, "mailbox": mailbox}
        for name in ("profile", "folders", "changes", "calendar"):
            Probe.objects.create(**of_mailbox, name=name, outcome="works", tried_at=clock.now())
        Subscription.objects.create(
            **of_mailbox, microsoft_id="s-1", resource="inbox", wakes="mail", secret_index="-", notified_at=clock.now(),
            expires_at=clock.now() + timedelta(days=6), renew_at=clock.now() + timedelta(days=3),
        )  # fmt: skip
    return mailbox


def change(mailbox: Mailbox, **columns: Any) -> None:
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=mailbox.pk).update(**columns)


def limited(mailbox: Mailbox) -> None:
    change(mailbox, scopes=["User.Read", "Mail.Send", "Mail.Read", "Mail.ReadWrite"])


def unanswered(mailbox: Mailbox) -> None:
    watch.cannot_be_read(mailbox, TryLater("Microsoft cannot be reached (TimeoutError)."), again_at=MONDAY)
    change(mailbox, problem_since=MONDAY - timedelta(hours=1))


def signed_out(mailbox: Mailbox) -> None:
    connection.needs_reconnect(mailbox.workspace_id, mailbox.pk, "AADSTS700082")


def waiting(mailbox: Mailbox) -> None:
    connection.needs_reconnect(mailbox.workspace_id, mailbox.pk, "AADSTS65001")
    with inside(mailbox.workspace_id):
        ConnectAttempt.objects.create(
            workspace_id=mailbox.workspace_id, member=mailbox.member, again=mailbox, created_at=clock.now(),
            left_at=clock.now(), outcome="not_approved",
        )  # fmt: skip


def gone(mailbox: Mailbox) -> None:
    error = MailboxUnusable("inbox: 404", code="MailboxNotEnabledForRESTAPI")
    watch.cannot_be_read(mailbox, error, again_at=MONDAY)


def refused(mailbox: Mailbox) -> None:
    credential.refused("AADSTS7000222")


def paused(mailbox: Mailbox) -> None:
    watch.pause(mailbox.pk, workspace_id=mailbox.workspace_id, actor=by(mailbox.member))


def disconnected(mailbox: Mailbox) -> None:
    actions.disconnect(mailbox.pk, workspace_id=mailbox.workspace_id, actor=by(mailbox.member))


def well(mailbox: Mailbox) -> None:
    """As it was made."""


STATES: list[tuple[Callable[[Mailbox], None], str, str, str]] = [
    (well, "Connected", "Mail was last read", "Pause"),
    (limited, "Limited", "Meetings are not found", "Ask Microsoft for it"),
    (unanswered, "Limited", "It is tried again every minute", "Disconnect"),
    (waiting, "Waiting for approval", "an administrator must approve", "Connect again"),
    (signed_out, "Needs you", "for 90 days", "Connect again"),
    (gone, "Needs your IT", "still has an Exchange Online mailbox", "Disconnect"),
    (refused, "Needs Gatepost's operator", "Your mailbox is in order", "Disconnect"),
    (paused, "Paused", "Replies and meetings are still found", "Resume"),
    (disconnected, "Disconnected", "Steps that are due wait; none is lost", "Connect again"),
]


@pytest.mark.parametrize(
    ("bring", "word", "says", "button"), STATES, ids=lambda v: getattr(v, "__name__", "")
)
def test_each_state_says_in_a_word_what_is_and_offers_what_helps(
    page: Page, mailbox: Mailbox, bring: Callable[[Mailbox], None], word: str, says: str, button: str
) -> None:
    bring(mailbox)
    sign_in(page, mailbox.member)
    page.goto("/mailboxes/")
    expect(page.get_by_role("cell", name=word).locator(".chip")).to_have_text(word)
    page.goto(f"/mailboxes/{mailbox.pk}/")
    panel = page.locator(".health")
    expect(panel.locator(".chip")).to_have_text(word)
    expect(panel).to_contain_text(says)
    expect(page.locator("main").get_by_text(button, exact=True).first).to_be_visible()
    if "wait" in says or word in ("Needs you", "Paused"):
        expect(panel).to_contain_text("1 step is due and waits.")


def test_pausing_and_resuming_are_one_press_each(page: Page, mailbox: Mailbox) -> None:
    sign_in(page, mailbox.member)
    page.goto(f"/mailboxes/{mailbox.pk}/")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".health .chip")).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".health .chip")).to_have_text("Connected")


def told(mailbox: Mailbox, clock_file: Path) -> Member:
    signed_out(mailbox)
    advance(clock_file, timedelta(minutes=6))
    assert watch.tell_news(mailbox.pk, workspace_id=mailbox.workspace_id)
    return mailbox.member


def test_what_was_told_stands_on_every_page_until_it_is_put_away(
    page: Page, mailbox: Mailbox, clock_file: Path
) -> None:
    sign_in(page, told(mailbox, clock_file))
    for place in ("/inbox/", "/contacts/"):
        page.goto(place)
        expect(page.locator(".told")).to_contain_text("Needs you: alice@northwind.example.")
    page.get_by_role("button", name="Put away").click()
    expect(page.locator(".told")).to_have_count(0)
    page.goto("/inbox/")
    expect(page.locator("#told")).to_be_attached()
    expect(page.locator(".told")).to_have_count(0)


def test_a_gap_is_reported_on_the_page(page: Page, mailbox: Mailbox) -> None:
    with inside(mailbox.workspace_id):
        gap = gaps.begin(mailbox, Gap.Cause.DOWNTIME, began_at=MONDAY - timedelta(hours=5))
        Gap.objects.update(replies=2, meetings=1)
        gap.refresh_from_db()
        gaps.over(gap, due=12, last_step_due_at=MONDAY + timedelta(hours=2))
    sign_in(page, mailbox.member)
    page.goto(f"/mailboxes/{mailbox.pk}/")
    report = page.locator("#gaps")
    for part in ("Gatepost was not running", "2 replies", "1 meeting", "12 steps had waited"):
        expect(report).to_contain_text(part)
