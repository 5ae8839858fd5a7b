import pytest
from playwright.sync_api import Page, expect

from gatepost.accounts.models import Member
from tests.browser.test_pages import sign_in
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_message

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def alice(site: str) -> Member:
    """Alice with three mails that wait."""
    member = make_member(make_workspace())
    sequence, mailbox = make_sequence(member), make_mailbox(member)
    for name in ("Petra", "Quirin", "Rosa"):
        contact = make_contact(member.workspace, first_name=name)
        make_message(
            make_enrolment(sequence, contact, mailbox),
            state="planned",
            reason="the limit of 50 mails a day from this mailbox is reached",
        )
    return member


def test_what_is_ticked_is_skipped_and_one_is_put_before_the_others(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    page.goto("/outbox/?part=waiting")
    page.get_by_label("Tick all of this page").check()
    page.get_by_label("Quirin Quandt").uncheck()
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("status")).to_have_text("Done: 2 mails.")
    page.get_by_role("link", name="Quirin Quandt").click()
    page.get_by_role("button", name="Before others").click()
    expect(page.get_by_text("Before others of its mailbox")).to_be_visible()
