"""Calendar enrichment can be switched off; without it the permission to write calendars is not even asked for."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from gatepost.accounts.membership import by
from gatepost.mailboxes import features
from gatepost.mailboxes.actions import change_settings
from gatepost.meetings.models import Brief, Meeting
from tests.journeys.story import Story

from .conftest import Told


def asked_for(story: Story) -> set[str]:
    """The permissions in the address that the browser is sent to."""
    story.browser.open(f"{story.stand.url}/mailboxes/new/").press("Microsoft account")
    address = next(each for each in reversed(story.browser.redirects) if "/authorize?" in each)
    scopes = parse_qs(urlsplit(address).query)["scope"][0].split()
    return {scope.rpartition("/")[2] for scope in scopes}


def book(story: Story) -> None:
    story.enrol(story.prospect("books_meeting"))
    story.settle()
    story.wait(timedelta(hours=2))


def test_while_it_is_on_it_writes_into_calendars(told: Told) -> None:
    written = [fact for box in told.truth()["mailboxes"].values() for fact in box["events_created"]]
    assert len(written) == len(told.rows(Brief)) > 0
    assert all(fact["attendees"] == [] and fact["sensitivity"] == "private" for fact in written)


def test_a_new_workspace_does_not_ask_to_write_calendars(story: Story) -> None:
    assert "briefs" not in story.workspace.features
    assert "Calendars.ReadWrite" not in asked_for(story)


def test_the_permission_is_asked_for_while_it_is_on_and_no_more_afterwards(story: Story) -> None:
    features.switch(story.workspace.id, "briefs", True, actor=by(story.rep))
    assert "Calendars.ReadWrite" in asked_for(story)
    features.switch(story.workspace.id, "briefs", False, actor=by(story.rep))
    assert "Calendars.ReadWrite" not in asked_for(story)


def test_off_meetings_are_found_and_no_calendar_is_written(story: Story) -> None:
    book(story)
    assert len(story.rows(Meeting)) == 1 and len(story.rows(Brief)) == 1
    assert story.truth()["events_created"] == []


def test_one_mailbox_can_switch_it_off_for_itself_and_our_event_is_gone(story: Story) -> None:
    features.switch(story.workspace.id, "briefs", True, actor=by(story.rep))
    story.connect()
    book(story)
    assert len(story.truth()["events_created"]) == 1
    change_settings(
        story.mailbox.pk, workspace_id=story.workspace.id, daily_limit=50, gap_seconds=2,
        briefs_on_calendar=False, actor=by(story.rep),
    )  # fmt: skip
    story.settle()
    assert len(story.truth()["events_deleted"]) == 1
