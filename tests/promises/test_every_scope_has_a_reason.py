"""Every permission has a reason: one table asks for them, switches features, and makes the page for IT."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gatepost.accounts.membership import by
from gatepost.graph.shapes import SHAPES
from gatepost.mailboxes import features, permissions_page
from gatepost.mailboxes.rules import ALWAYS, CHOICES, FEATURES, PERMISSIONS, PROFILES, SIGN_IN, scopes_to_ask
from tests.journeys.story import Story

from .conftest import Told

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("profile", PROFILES)
def test_each_permission_that_is_asked_for_is_explained(profile: str) -> None:
    explained = {each.scope: each for each in PERMISSIONS}
    for scope in scopes_to_ask(PROFILES[profile]):
        assert explained[scope].reason and explained[scope].without and explained[scope].shown


@pytest.mark.parametrize("profile", PROFILES)
def test_each_permission_that_is_asked_for_is_used_by_a_request_or_the_sign_in(profile: str) -> None:
    used = {shape.scope for shape in SHAPES.values()}
    assert scopes_to_ask(PROFILES[profile]) <= used | set(SIGN_IN)


def test_each_request_needs_a_permission_of_the_table() -> None:
    assert {shape.scope for shape in SHAPES.values()} <= {each.scope for each in PERMISSIONS}


def test_each_permission_belongs_to_a_feature_or_the_sign_in() -> None:
    needed = {need for feature in FEATURES for need in feature.needs} | set(SIGN_IN)
    assert {each.scope for each in PERMISSIONS} == needed


def asked_of_microsoft(story: Story, button: str = "Microsoft account") -> dict[str, list[str]]:
    """The query of the address to which the browser is sent."""
    story.browser.open(f"{story.stand.url}/mailboxes/new/").press(button)
    address = next(each for each in reversed(story.browser.redirects) if "/authorize?" in each)
    return parse_qs(urlsplit(address).query)


def scopes_in(query: dict[str, list[str]]) -> set[str]:
    return {scope.rpartition("/")[2] for scope in query["scope"][0].split()}


def test_what_the_browser_asks_microsoft_for_is_exactly_the_table(story: Story) -> None:
    query = asked_of_microsoft(story)
    assert scopes_in(query) == scopes_to_ask(PROFILES["standard"])
    assert query["prompt"] == ["select_account"]


def test_for_sending_only_the_browser_asks_for_that_and_no_more(story: Story) -> None:
    query = asked_of_microsoft(story, "Microsoft account, sending only")
    assert scopes_in(query) == scopes_to_ask(PROFILES["send only"]) == {*SIGN_IN, "Mail.Send"}


def test_each_switch_changes_what_the_browser_asks_for_and_with_all_on_it_is_the_full_profile(
    story: Story,
) -> None:
    actor, workspace_id = by(story.rep), story.workspace.id
    for feature in CHOICES:
        features.switch(workspace_id, feature.name, True, actor=actor)
        story.workspace.refresh_from_db()
        assert scopes_in(asked_of_microsoft(story)) == scopes_to_ask(story.workspace.features)
    assert scopes_in(asked_of_microsoft(story)) == scopes_to_ask(PROFILES["full"])
    for feature in CHOICES:
        features.switch(workspace_id, feature.name, False, actor=actor)
    assert scopes_in(asked_of_microsoft(story)) == scopes_to_ask(ALWAYS)


def test_the_page_before_microsofts_gives_the_reason_of_each_permission(story: Story) -> None:
    page = story.browser.open(f"{story.stand.url}/mailboxes/new/")
    for permission in PERMISSIONS:
        if permission.scope in scopes_to_ask(PROFILES["standard"]):
            assert permission.reason.partition(":")[0] in page.text


def test_the_page_in_the_docs_is_made_from_the_table() -> None:
    assert (ROOT / "docs/permissions.md").read_text() == permissions_page.page()


def test_only_permissions_of_the_table_were_ever_granted(told: Told) -> None:
    known = {each.scope for each in PERMISSIONS}
    assert all(set(mailbox.scopes) <= known for mailbox in told.mailboxes)
