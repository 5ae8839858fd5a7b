"""What reps write with: snippets, the letterhead, and a preview that looks like the mail."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.mailboxes.letterhead import Letterhead, change
from gatepost.mailboxes.models import Mailbox
from gatepost.sequences.edits import StepDraft
from gatepost.sequences.models import Sequence
from gatepost.snippets import actions as snippets
from tests.browser.test_pages import sign_in
from tests.makers import make_contact, make_mailbox, make_member, make_sequence, make_workspace, rows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TEXT = "Hi {{ first_name }},\n\nthree **good** reasons:\n- one\n- two, see https://northwind.example\n\n{{ snippet.case_study }}"


@pytest.fixture
def alice(site: str) -> Member:
    member = make_member(make_workspace())
    actor = by(member)
    snippets.save(
        member.workspace_id, "case_study", "Others like {{ company }} save an hour a day.", actor=actor
    )
    mailbox = make_mailbox(member)
    signature = '<p><b>Alice Berger</b><br><a href="https://northwind.example">Northwind</a></p>'
    change(
        mailbox.pk,
        Letterhead("Alice Berger\nNorthwind", signature, "Harbour 1\n20457 Hamburg"),
        workspace_id=member.workspace_id,
        actor=actor,
    )
    make_contact(member.workspace)
    make_sequence(
        member, steps=(StepDraft(0, "For {{ company }}", TEXT), StepDraft(2880, "", "Just following up."))
    )
    return member


def shoot(page: Page, name: str) -> None:
    """For whoever wants to look: GATEPOST_SHOTS names a folder."""
    if folder := os.environ.get("GATEPOST_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_writing_open_without_a_complaint_and_fit_the_screen(
    page: Page, alice: Member, width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    sign_in(page, alice)
    page.set_viewport_size({"width": width, "height": 900})
    (sequence,), (mailbox,) = rows(Sequence, alice.workspace_id), rows(Mailbox, alice.workspace_id)
    for path, heading in (
        ("/snippets/", "Snippets"),
        ("/snippets/new/", "New snippet"),
        ("/snippets/called/case_study/", "case_study"),
        (f"/mailboxes/{mailbox.pk}/letterhead/", "Signature and sender"),
        (f"/sequences/{sequence.pk}/edit/", "Edit the steps"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        if "edit" in path:
            expect(page.locator("#preview article").first).to_be_visible()
        if "called" in path:
            expect(page.get_by_role("link", name="Fewer empty appointments")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        shoot(page, f"{heading.replace(' ', '-')}-{width}-{scheme}")


def test_the_preview_shows_bold_lists_the_snippet_and_the_signature_as_the_mail_will(
    page: Page, alice: Member
) -> None:
    sign_in(page, alice)
    (sequence,) = rows(Sequence, alice.workspace_id)
    page.goto(f"/sequences/{sequence.pk}/edit/")
    mail = page.locator("#preview article").first
    expect(mail.locator("b").first).to_have_text("good")
    expect(mail.locator("li")).to_have_count(2)
    expect(mail).to_contain_text("Others like Contoso save an hour a day.")
    expect(mail.get_by_role("link", name="Northwind", exact=True)).to_be_visible()
    mail.get_by_text("As text").click()
    expect(mail).to_contain_text("three good reasons:")


def test_a_press_puts_a_snippet_into_the_text(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    (sequence,) = rows(Sequence, alice.workspace_id)
    page.goto(f"/sequences/{sequence.pk}/edit/")
    page.get_by_label("Step 2").get_by_role("button", name="snippet.case_study").click()
    expect(page.locator("#body-1")).to_have_value(re.compile(r"\{\{ snippet\.case_study \}\}"))
