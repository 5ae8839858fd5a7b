"""The inbox with the keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from gatepost.accounts.models import Member
from gatepost.conversations.models import Conversation, Correction
from tests.browser.test_pages import sign_in
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, make_reply

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def alice(site: str) -> Member:
    return make_member(make_workspace())


def answered(member: Member, name: str, label: str) -> Conversation:
    sequence = make_sequence(member)
    mailbox = make_mailbox(member, f"{name.lower()}@northwind.example")
    contact = make_contact(member.workspace, first_name=name)
    return make_reply(make_message(make_enrolment(sequence, contact, mailbox)), label).conversation


def test_a_rep_works_through_the_inbox_with_the_keyboard_alone(page: Page, alice: Member) -> None:
    petra, otto = answered(alice, "Petra", "interested"), answered(alice, "Otto", "unsure")
    sign_in(page, alice)
    page.goto("/inbox/")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Petra Quandt")).to_be_focused()
    page.keyboard.press("e")
    expect(page.get_by_text("Done.", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Otto Quandt")).to_be_focused()
    assert fresh(petra).done
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Otto Quandt").first).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("Alice corrected it to Question")).to_be_visible()
    assert [each.after for each in rows(Correction, alice.workspace_id)] == ["question"]
    page.keyboard.press("z")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Snoozed. A reply brings it back.")).to_be_visible()
    assert fresh(otto).snoozed_until is not None


def test_the_list_of_keys_opens_and_closes_by_key(page: Page, alice: Member) -> None:
    conversation = answered(alice, "Petra", "interested")
    sign_in(page, alice)
    for address in ("/inbox/", f"/inbox/{conversation.pk}/"):
        page.goto(address)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
