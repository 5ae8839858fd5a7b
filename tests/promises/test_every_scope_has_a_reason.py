"""Every permission has a reason: one table asks for them, switches features, and makes the page for IT."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gatepost.graph.shapes import SHAPES
from gatepost.mailboxes import permissions_page
from gatepost.mailboxes.rules import FEATURES, PERMISSIONS, SIGN_IN, scopes_to_ask
from tests.journeys.story import Story

from .conftest import Told

ROOT = Path(__file__).parents[2]
BOTH = [True, False]


@pytest.mark.parametrize("briefs", BOTH)
def test_each_permission_that_is_asked_for_is_explained(briefs: bool) -> None:
    explained = {each.scope: each for each in PERMISSIONS}
    for scope in scopes_to_ask(briefs=briefs):
        assert explained[scope].reason and explained[scope].without and explained[scope].shown


@pytest.mark.parametrize("briefs", BOTH)
def test_each_permission_that_is_asked_for_is_used_by_a_request_or_the_sign_in(briefs: bool) -> None:
    used = {shape.scope for shape in SHAPES.values()}
    assert scopes_to_ask(briefs=briefs) <= used | set(SIGN_IN)


def test_each_request_needs_a_permission_of_the_table() -> None:
    assert {shape.scope for shape in SHAPES.values()} <= {each.scope for each in PERMISSIONS}


def test_each_permission_belongs_to_a_feature_or_the_sign_in() -> None:
    needed = {need for feature in FEATURES for need in feature.needs} | set(SIGN_IN)
    assert {each.scope for each in PERMISSIONS} == needed


def test_what_the_browser_asks_microsoft_for_is_exactly_the_table(story: Story) -> None:
    story.browser.open(f"{story.stand.url}/mailboxes/new/").press("Microsoft account")
    address = next(each for each in reversed(story.browser.redirects) if "/authorize?" in each)
    query = parse_qs(urlsplit(address).query)
    assert {scope.rpartition("/")[2] for scope in query["scope"][0].split()} == scopes_to_ask(briefs=False)
    assert query["prompt"] == ["select_account"]


def test_the_page_before_microsofts_gives_the_reason_of_each_permission(story: Story) -> None:
    page = story.browser.open(f"{story.stand.url}/mailboxes/new/")
    for permission in PERMISSIONS:
        if permission.scope in scopes_to_ask(briefs=False):
            assert permission.reason.partition(":")[0] in page.text


def test_the_page_in_the_docs_is_made_from_the_table() -> None:
    assert (ROOT / "docs/permissions.md").read_text() == permissions_page.page()


def test_only_permissions_of_the_table_were_ever_granted(told: Told) -> None:
    known = {each.scope for each in PERMISSIONS}
    assert all(set(mailbox.scopes) <= known for mailbox in told.mailboxes)
