"""People, from a letter to single sign-on, with the sandbox in Microsoft's place."""

import re
from html import unescape

from gatepost.accounts.models import Member
from gatepost.accounts.rules import SINGLE_SIGN_ON
from gatepost.demo import seed as seeding
from gatepost.demo.browser import Browser

from .standing import until
from .story import Story


def test_from_an_invitation_by_letter_to_signing_in_with_microsoft(unconnected: Story) -> None:
    stand, browser = unconnected.stand, unconnected.browser
    stand.tell("users", address="dora@northwind.example", name="Dora Diaz", kind="rep")

    # The owner links his own account, lets its organisation in, and asks for single sign-on.
    choose(browser.open(f"{stand.url}/account/").press("Link a Microsoft account"), unconnected.address)
    confirm(browser)
    assert unconnected.address in browser.text and "/account/" in browser.address
    tenant = re.search(r"<code>([0-9a-f-]{36})</code>", browser.open("/settings/sign-in/").text)
    assert tenant
    browser.press("Save", tenants=tenant[1], requires="")
    confirm(browser)
    browser.press("Sign out")
    choose(browser.open(f"{stand.url}/sign-in/").press("Continue with Microsoft"), unconnected.address)
    browser.open(f"{stand.url}/settings/sign-in/").press("Save", tenants=tenant[1], requires=SINGLE_SIGN_ON)
    confirm(browser)
    assert "Saved" in browser.text

    # A letter invites Dora, who joins with her own account and signs in with it again.
    browser.open(f"{stand.url}/settings/members/invite/")
    browser.press("Send the invitation", email="dora@northwind.example", role="lead")
    letters = Browser()
    link = r'href="([^"]+/join/[^"]+)"'
    until(lambda: bool(re.search(link, letters.open(f"{stand.url}/letters/").text)), "the letter")
    found = re.search(link, letters.text)
    assert found
    dora = Browser()
    choose(dora.open(unescape(found[1])).press("Join with Microsoft"), "dora@northwind.example")
    assert dora.status == 200 and "/inbox/" in dora.address and "Dora Diaz" in dora.text
    (member,) = unconnected.rows(Member, name="Dora Diaz")
    assert member.role == "lead"
    again = Browser()
    choose(again.open(f"{stand.url}/sign-in/").press("Continue with Microsoft"), "dora@northwind.example")
    assert again.status == 200 and "/inbox/" in again.address


def choose(browser: Browser, account: str) -> None:
    """At Microsoft: the account, and Accept where it asks for the first time."""
    browser.press(account)
    if 'value="accept"' in browser.text:
        browser.press("Accept")


def confirm(browser: Browser) -> None:
    """Some pages ask once more who it is."""
    if "/account/confirm/" in browser.address:
        browser.press("Go on", password=seeding.PASSWORD)
