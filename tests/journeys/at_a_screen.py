"""A rep and an administrator at real browsers: what they press is counted, and nothing of ours is called."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect

from gatepost.accounts import actions as accounts
from gatepost.accounts.models import Member, Workspace
from gatepost.demo.seed import PASSWORD
from tests import makers

from .standing import Standing

# A machine that does much else at the same time is slow, and not wrong.
PATIENCE = 60_000
RETURN = "Return to the application without granting consent"


@dataclass
class AtAScreen:
    """Somebody with a browser window. `clicks` since it was last set to nothing."""

    page: Page
    address: str = ""
    clicks: list[str] = field(default_factory=list)

    def press(self, name: str) -> None:
        self.clicks.append(name)
        target = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        target.first.click()

    def choose(self, address: str = "") -> None:
        """The account, on Microsoft's page."""
        self.press(address or self.address)

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)

    def heading(self, text: str) -> None:
        expect(self.page.get_by_role("heading", level=1, name=re.compile(text))).to_be_visible(
            timeout=PATIENCE
        )


@dataclass
class Rep(AtAScreen):
    stand: Standing = None  # type: ignore[assignment]
    workspace: Workspace = None  # type: ignore[assignment]
    member: Member = None  # type: ignore[assignment]

    def opens(self, path: str) -> None:
        self.page.goto(f"{self.stand.url}{path}")

    def adds_a_mailbox(self) -> None:
        """To Microsoft's account picker, counted from the list of mailboxes."""
        self.opens("/mailboxes/")
        self.clicks.clear()
        self.press("Add mailbox")
        self.press("Microsoft account")

    def rows(self, model: Any, **conditions: Any) -> list[Any]:
        return makers.rows(model, self.workspace.id, **conditions)


def organisation(stand: Standing, **tenant: Any) -> str:
    """A new organisation with an administrator of its own; its domain."""
    domain = f"org-{secrets.token_hex(4)}.example"
    stand.tell("tenants", domain=domain, name=f"Company {domain[4:12]}", **tenant)
    stand.tell("users", address=f"it@{domain}", name="Ida Torp", kind="prospect", role="admin")
    return domain


@contextmanager
def a_rep(
    stand: Standing, chromium: Browser, domain: str, *, role: str = "user", workspace: Workspace | None = None,
    **user: Any,
) -> Iterator[Rep]:  # fmt: skip
    """A rep of that organisation, signed in to Gatepost in a window of his own."""
    number = secrets.token_hex(4)
    address, name = f"rep-{number}@{domain}", f"Rita {number.title()}"
    stand.tell("users", address=address, name=name, kind="rep", role=role, **user)
    workspace = workspace or accounts.create_workspace(f"Workspace {number}")
    member = accounts.add_member(
        workspace.id, email=address, name=name, role="owner", password=PASSWORD, actor=accounts.INSTALLER
    )
    with a_window(chromium) as page:
        page.goto(f"{stand.url}/sign-in/")
        page.get_by_label("Email address").fill(address)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1, name="Inbox")).to_be_visible(timeout=PATIENCE)
        yield Rep(page, address, [], stand, workspace, member)


@contextmanager
def a_window(chromium: Browser) -> Iterator[Page]:
    """A browser that knows nothing of any other. Gatepost's pages make it complain of nothing."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []
