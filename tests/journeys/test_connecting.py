"""Connecting a mailbox, as a rep and an administrator see it."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from gatepost.accounts import actions as accounts
from gatepost.demo import seed as seeding
from gatepost.demo.browser import Browser
from gatepost.mailboxes.models import ConnectAttempt, Connection, Folder, Mailbox

from .standing import Standing
from .story import Story

RETURN = "Return to the application without granting consent"


def to_microsoft(story: Story) -> Browser:
    return seeding.go_to_microsoft(story.browser, story.stand)  # type: ignore[arg-type]


def shows_the_waiting_room(browser: Browser) -> bool:
    return (
        browser.status == 200
        and "/mailboxes/attempts/" in browser.address
        and "A ready text to forward" in browser.text
    )


@pytest.fixture
def strict_domain(stand: Standing) -> str:
    """An organisation in which only an administrator may consent, as Microsoft recommends since July 2026."""
    domain = "strict-company.example"
    stand.tell("tenants", domain=domain, consent_policy="recommended-2026-07", admin_consent_workflow=False)
    stand.tell("users", address=f"it@{domain}", name="Ida Torp", kind="rep", role="admin")
    stand.tell("grants", tenant=domain, revoke=True)
    return domain


@pytest.fixture
def strict(stand: Standing, strict_domain: str) -> Iterator[Story]:
    """A rep of that organisation."""
    begun = Story.begin(stand, connect=False, domain=strict_domain)
    yield begun
    begun.end()


def test_two_clicks_connect_a_mailbox_and_its_page_says_what_was_granted(unconnected: Story) -> None:
    page = unconnected.connect()
    assert page.status == 200 and unconnected.address in page.text
    for scope in ("Mail.Send", "Mail.ReadWrite", "Calendars.Read"):
        assert scope in page.text
    unconnected.settle()
    assert unconnected.mailbox.is_connected and unconnected.mailbox.read_through is not None


@pytest.mark.parametrize("cancel", ["bare", "described"])
def test_a_cancelled_consent_leads_to_help_and_connects_nothing(unconnected: Story, cancel: str) -> None:
    unconnected.stand.switch(cancel=cancel)
    page = to_microsoft(unconnected).press(unconnected.address).press("Cancel")
    assert shows_the_waiting_room(page)
    assert not unconnected.rows(Mailbox) and not unconnected.rows(Connection)


def test_after_a_cancelled_consent_the_help_page_leads_on_to_a_connected_mailbox(unconnected: Story) -> None:
    to_microsoft(unconnected).press(unconnected.address).press("Cancel")
    unconnected.browser.press("Try again").press(unconnected.address).press("Accept")
    assert unconnected.mailbox.is_connected


def test_where_an_administrator_must_approve_the_rep_comes_back_to_a_text_for_it(strict: Story) -> None:
    page = to_microsoft(strict).press(strict.address)
    assert "Need admin approval" in page.text
    assert shows_the_waiting_room(page.press(RETURN))
    assert not strict.rows(Mailbox)


def test_where_microsoft_redirects_instead_of_showing_a_page_the_waiting_room_opens_too(
    strict: Story,
) -> None:
    strict.stand.switch(admin_needed="redirect")
    assert shows_the_waiting_room(to_microsoft(strict).press(strict.address))


def test_once_the_administrator_approved_the_rep_connects_without_being_asked(strict: Story) -> None:
    waiting = to_microsoft(strict).press(strict.address).press(RETURN)
    link = re.search(r'href="([^"]*adminconsent[^"]*)"', waiting.text)
    assert link is not None, "the waiting room offers no link for the administrator"
    administrator = Browser()
    administrator.open(unescape(link[1])).press(f"it@{strict.address.partition('@')[2]}").press("Accept")
    assert administrator.status == 200 and "permissions were accepted" in administrator.text
    assert not strict.rows(Mailbox), "an administrator's consent connects nothing by itself"
    page = strict.browser.press("Try again").press(strict.address)
    assert "/mailboxes/" in page.address and strict.mailbox.is_connected


def test_an_administrator_who_refuses_is_told_that_nothing_changed(strict: Story) -> None:
    waiting = to_microsoft(strict).press(strict.address).press(RETURN)
    link = re.search(r'href="([^"]*adminconsent[^"]*)"', waiting.text)
    assert link is not None
    administrator = Browser()
    administrator.open(unescape(link[1])).press(f"it@{strict.address.partition('@')[2]}").press("Cancel")
    assert "Not approved" in administrator.text


def test_connecting_again_keeps_the_mailbox_and_where_it_had_read_to(story: Story) -> None:
    story.settle()
    before = story.mailbox
    positions = {folder.name: folder.position for folder in story.rows(Folder, left_out="")}
    page = story.connect()
    assert "Connected again" in page.text
    (after,) = story.rows(Mailbox)
    assert (after.pk, after.is_connected) == (before.pk, True)
    assert set(positions) == {folder.name for folder in story.rows(Folder, left_out="")} and all(
        positions.values()
    )
    assert len(story.rows(Connection)) == 1


def test_a_colleague_cannot_take_over_a_mailbox_that_is_connected(story: Story) -> None:
    accounts.add_member(
        story.workspace.id, email=f"colleague-{story.number}@northwind.example", name="Karl Kollege", role="rep",
        password=seeding.PASSWORD, actor=accounts.INSTALLER,
    )  # fmt: skip
    other = seeding.sign_in(story.stand, f"colleague-{story.number}@northwind.example")  # type: ignore[arg-type]
    page = seeding.go_to_microsoft(other, story.stand).press(story.address)  # type: ignore[arg-type]
    assert page.status == 400 and "A colleague connected this mailbox already" in page.text
    (mailbox,) = story.rows(Mailbox)
    assert mailbox.member_id == story.rep.pk and mailbox.is_connected


def test_a_mailbox_of_another_workspace_cannot_be_connected_here(story: Story, unconnected: Story) -> None:
    page = to_microsoft(unconnected).press(story.address)
    assert page.status == 400 and "belongs to another workspace" in page.text
    assert not unconnected.rows(Mailbox) and story.mailbox.is_connected


def test_the_way_back_from_microsoft_works_once_and_only_in_the_browser_that_began(
    unconnected: Story,
) -> None:
    page = to_microsoft(unconnected).press(unconnected.address)
    redirects = page.press("Accept").redirects
    back = next(each for each in reversed(redirects) if "/mailboxes/connected/" in each)
    again = unconnected.browser.open(back)
    assert again.status == 400 and "cannot be finished" in again.text
    elsewhere = Browser().open(back)
    assert elsewhere.status == 400 and "cannot be finished" in elsewhere.text
    assert len(unconnected.rows(Mailbox)) == 1
    assert [each.outcome for each in unconnected.rows(ConnectAttempt)] == [ConnectAttempt.Outcome.CONNECTED]


def test_a_rep_who_does_not_have_a_licensed_mailbox_is_told_so(unconnected: Story) -> None:
    unconnected.stand.tell("users", address=unconnected.address, licensed=False)
    page = unconnected.connect()
    assert page.status == 400 and "This account has no mailbox" in page.text
    assert not unconnected.rows(Mailbox)


def test_a_wrong_client_secret_is_the_operators_and_no_mailbox_is_called_broken(story: Story) -> None:
    story.settle()
    story.stand.tell("apps", secret_expired=True)
    try:
        page = to_microsoft(story).press(story.address)
        assert page.status == 400 and "Gatepost itself must be corrected" in page.text
        assert story.mailbox.is_connected
    finally:
        story.stand.tell("apps", secret_expired=False)
