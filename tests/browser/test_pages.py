import pytest
from playwright.sync_api import Page, expect

from gatepost.accounts.models import Member
from gatepost.sequences.models import Enrolment
from tests.makers import (
    PASSWORD,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_meeting, make_message, make_reply

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PLACES = (
    "Inbox",
    "Sequences",
    "Contacts",
    "Outbox",
    "Meetings",
    "Reports",
    "Mailboxes",
    "Privacy",
    "Settings",
)


@pytest.fixture
def alice(site: str) -> Member:
    """Alice with a mailbox, a sequence, an answer and a meeting."""
    member = make_member(make_workspace())
    enrolment = make_enrolment(make_sequence(member), make_contact(member.workspace), make_mailbox(member))
    make_reply(make_message(enrolment), text="Thanks. Yes, let us talk on Tuesday.", words="let us talk")
    make_meeting(enrolment, brief="Petra Quandt, Contoso")
    return member


def sign_in(page: Page, member: Member) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Email address").fill(member.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_every_place_opens_without_a_complaint_of_the_browser(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    for place in PLACES:
        page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
        expect(page.get_by_role("heading", level=1, name=place)).to_be_visible()


@pytest.mark.parametrize("width", [390, 820, 1280, 1920])
def test_no_page_is_wider_than_the_screen(page: Page, alice: Member, width: int) -> None:
    sign_in(page, alice)
    page.set_viewport_size({"width": width, "height": 800})
    for place in PLACES:
        page.goto(f"/{place.lower()}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place


def test_on_a_phone_the_navigation_folds_away(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    page.set_viewport_size({"width": 390, "height": 800})
    places = page.get_by_role("navigation", name="Main")
    expect(places).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    places.get_by_role("link", name="Contacts").click()
    expect(page.get_by_role("heading", level=1, name="Contacts")).to_be_visible()


def test_the_preview_follows_what_is_typed(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    page.get_by_role("link", name="Sequences", exact=True).click()
    page.get_by_role("link", name="Fewer empty appointments").click()
    page.get_by_role("link", name="Edit steps").click()
    preview = page.locator("#preview")
    expect(preview.get_by_text("Quick question, Petra", exact=True)).to_be_visible()
    step = page.get_by_role("group", name="Step 1")
    step.get_by_label("Text").fill("Dear ")
    step.get_by_role("button", name="last_name").click()
    expect(preview.get_by_text("Dear Quandt", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add a step").click()
    expect(page.get_by_role("heading", name="Step 4")).to_be_visible()
    page.get_by_role("group", name="Step 4").get_by_label("Text").fill("Goodbye.")
    expect(preview.get_by_text("Goodbye.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Saved.")


def test_contacts_are_found_while_typing(page: Page, alice: Member) -> None:
    make_contact(alice.workspace, first_name="Jonas", last_name="Weber", company="Wingtip")
    sign_in(page, alice)
    page.goto("/contacts/")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("searchbox").press_sequentially("wing")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("link", name="Jonas Weber")).to_be_visible()


def test_ticking_the_head_ticks_the_page_and_enrols_it(page: Page, alice: Member) -> None:
    for _ in range(2):
        make_contact(alice.workspace)
    sign_in(page, alice)
    page.goto("/sequences/")
    page.get_by_role("link", name="Fewer empty appointments").click()
    page.get_by_role("link", name="Enrol contacts").click()
    page.get_by_label("Tick all of this page").check()
    page.get_by_role("button", name="Enrol the ticked").click()
    expect(page.get_by_role("status")).to_have_text("2 enrolled.")
    assert len(rows(Enrolment, alice.workspace_id)) == 3


def test_a_contact_page_fills_in_what_happened(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    page.goto("/contacts/")
    page.get_by_role("link", name="Petra Quandt").click()
    expect(page.get_by_role("link", name="Step 1 sent")).to_be_visible()
    expect(page.get_by_role("link", name="Answered")).to_be_visible()
    expect(page.get_by_role("heading", name="Meetings")).to_be_visible()


def test_a_reply_is_read_corrected_and_done(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    page.get_by_role("link", name="Petra Quandt").click()
    expect(page.locator("mark")).to_have_text("let us talk")
    page.get_by_text("Correct the label").click()
    page.get_by_role("button", name="Question").click()
    expect(page.get_by_text("First labelled: Interested")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()


def test_without_javascript_a_sequence_is_written_and_previewed(
    chromium: object, site: str, alice: Member
) -> None:
    context = chromium.new_context(base_url=site, java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    sign_in(page, alice)
    page.goto("/sequences/new/")
    page.get_by_label("Name").fill("By hand")
    page.get_by_role("button", name="Write its steps").click()
    page.get_by_label("Subject").fill("Hello {{ first_name }}")
    page.get_by_label("Text").fill("Shall we talk?")
    page.get_by_role("button", name="Show the preview").click()
    expect(page.get_by_text("Hello Petra")).to_be_visible()
    page.go_back()
    page.get_by_label("Subject").fill("Hello {{ first_name }}")
    page.get_by_label("Text").fill("Shall we talk?")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    context.close()
