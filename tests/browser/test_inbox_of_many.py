"""An inbox with a hundred thousand open conversations, with the keyboard alone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.conversations import rules
from tests.browser.test_inbox import answered
from tests.browser.test_pages import sign_in
from tests.makers import fresh, make_contact, make_mailbox, make_member, make_sequence, make_workspace

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

OTHERS, CONTACTS = 100_000, 50
LABELS = ["not_interested", "out_of_office", "question", "unsure"]


@pytest.fixture
def alice(site: str) -> Member:
    return make_member(make_workspace())


def filled(member: Member) -> None:
    """So many conversations of the last years, of enrolments that ended; nothing of their mails."""
    sequence, mailbox = make_sequence(member), make_mailbox(member, "many@northwind.example")
    contacts = [make_contact(member.workspace, first_name=f"Contact{n}").pk for n in range(CONTACTS)]
    values: dict[str, Any] = {
        "workspace": member.workspace_id, "sequence": sequence.pk, "mailbox": mailbox.pk, "contacts": contacts,
        "labels": LABELS, "urgencies": [rules.urgency(each) for each in LABELS], "others": OTHERS,
        "newest": clock.now() - timedelta(days=1),
    }  # fmt: skip
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO gatepost_enrolment (id, workspace_id, sequence_id, contact_id, mailbox_id, state, cause, reason,
                edition, next_position, last_skipped, created_at, ended_at, stepped_at)
            SELECT gen_random_uuid(), %(workspace)s, %(sequence)s, (%(contacts)s::uuid[])[1 + n %% cardinality(%(contacts)s)],
                %(mailbox)s, 'stopped', 'reply', '', 1, 2, false, at, at, at
            FROM (SELECT n, %(newest)s::timestamptz - n * interval '10 minutes' AS at FROM generate_series(1, %(others)s) AS n) AS each
            """,
            values,
        )
        cursor.execute(
            """
            INSERT INTO gatepost_conversation (id, workspace_id, mailbox_id, contact_id, enrolment_id, label, urgency,
                unread, done, last_reply_at)
            SELECT gen_random_uuid(), %(workspace)s, mailbox_id, contact_id, id, (%(labels)s::text[])[1 + n %% 4],
                (%(urgencies)s::int[])[1 + n %% 4], false, false, ended_at
            FROM (SELECT *, row_number() OVER (ORDER BY ended_at) AS n FROM gatepost_enrolment
                  WHERE workspace_id = %(workspace)s) AS each
            """,
            values,
        )
        cursor.execute("ANALYZE gatepost_conversation, gatepost_enrolment")  # as autovacuum does


def test_a_rep_works_through_an_inbox_of_a_hundred_thousand(page: Page, alice: Member) -> None:
    filled(alice)
    petra, otto = answered(alice, "Petra", "interested"), answered(alice, "Otto", "unsure")
    sign_in(page, alice)
    page.goto("/inbox/")
    labels = page.get_by_role("navigation", name="Which label")
    expect(labels.get_by_role("link", name="Unsure 25001")).to_be_visible()
    expect(page.locator("tr[data-row]")).to_have_count(50)

    page.keyboard.press("j")
    expect(
        page.get_by_role("link", name="Petra Quandt")
    ).to_be_focused()  # the most urgent, and the newest of them
    page.keyboard.press("e")
    expect(page.get_by_text("Done.", exact=True)).to_be_visible()
    assert fresh(petra).done
    first = shown(page)
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("after="))
    second = shown(page)
    assert len(second) == 50 and not set(first) & set(second)
    page.keyboard.press("b")
    expect(page.locator(f'[id="{first[0]}"]')).to_be_visible()
    assert shown(page) == first

    labels.get_by_role("link", name="Unsure").focus()
    page.keyboard.press("Enter")
    expect(labels.locator("[aria-current]")).to_have_text("Unsure 25001")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Otto Quandt")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Otto Quandt").first).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_text("Alice corrected it to Interested")).to_be_visible()
    assert fresh(otto).label == "interested"


def shown(page: Page) -> list[str]:
    """The conversations on the page, in their order."""
    return page.locator("tr[data-row] th a").evaluate_all("links => links.map(link => link.id)")
