"""Joining, a second factor and a passkey, in a real browser."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from gatepost.accounts import invitations
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.isolation import inside
from tests.makers import PASSWORD, make_member, make_workspace

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def alice(site: str) -> Member:
    return make_member(make_workspace())


@pytest.fixture
def window(chromium: Browser, site: str) -> Iterator[Page]:
    """A window on "localhost": a passkey belongs to a name, and an IP address is none."""
    context = chromium.new_context(base_url=site.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Page, member: Member) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Email address").fill(member.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def inbox(page: Page) -> Any:
    return expect(page.get_by_role("heading", name="Inbox"))


def show_who(page: Page) -> None:
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def test_an_invited_person_joins_and_signs_in_again(window: Page, alice: Member) -> None:
    sent = invitations.invite("dora@northwind.example", "rep", by=alice, actor=by(alice))
    with inside(alice.workspace_id):
        link = invitations.link_of(sent.invitation)
    window.goto("/join/" + link.partition("/join/")[2])
    window.get_by_label("Your name").fill("Dora Diaz")
    window.get_by_label("Password").fill(PASSWORD)
    window.get_by_role("button", name="Join", exact=True).click()
    inbox(window).to_be_visible()
    window.get_by_role("button", name="Sign out").click()
    window.get_by_label("Email address").fill("dora@northwind.example")
    window.get_by_label("Password").fill(PASSWORD)
    window.get_by_role("button", name="Sign in", exact=True).click()
    inbox(window).to_be_visible()
    expect(window.get_by_role("navigation", name="Main").get_by_text("Dora Diaz")).to_be_visible()


def test_an_authenticator_app_is_set_up_and_then_asked_for(window: Page, alice: Member) -> None:
    sign_in(window, alice)
    window.goto("/account/")
    window.get_by_role("link", name="Set up an app").click()
    show_who(window)
    secret = window.locator("#totp-key").inner_text()

    def code(steps: int = 0) -> str:
        return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))

    window.get_by_label("2. Type the code").fill(code())
    window.get_by_role("button", name="Switch on").click()
    expect(window.get_by_role("heading", name="Recovery codes")).to_be_visible()
    window.get_by_role("button", name="Sign out").click()
    sign_in(window, alice)
    window.get_by_label("Code of your authenticator app").fill(code(1))  # each code works once
    window.get_by_role("button", name="Sign in", exact=True).click()
    inbox(window).to_be_visible()


def test_a_passkey_is_added_and_then_signs_in_alone(window: Page, alice: Member) -> None:
    devtools = window.context.new_cdp_session(window)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(window, alice)
    window.goto("/account/")
    window.get_by_role("link", name="Add a passkey").click()
    show_who(window)
    window.get_by_label("What to call it").fill("Alice's laptop")
    window.get_by_role("button", name="Add it").click()
    expect(window.get_by_role("heading", name="Recovery codes")).to_be_visible()
    window.goto("/account/")
    expect(window.get_by_role("row", name="Alice's laptop")).to_be_visible()
    window.get_by_role("button", name="Sign out").click()
    window.get_by_role("button", name="Use a passkey").click()
    inbox(window).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_of_people_are_no_wider_than_the_screen(window: Page, alice: Member, width: int) -> None:
    sign_in(window, alice)
    inbox(window).to_be_visible()
    window.set_viewport_size({"width": width, "height": 800})
    for path in ("/account/", "/settings/members/", f"/settings/members/{alice.pk}/", "/settings/sign-in/"):
        window.goto(path)
        assert window.evaluate("document.documentElement.scrollWidth") <= width, path
