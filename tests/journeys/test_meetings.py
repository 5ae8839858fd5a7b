"""Meetings that contacts book, and the brief beside them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from gatepost.accounts.membership import by
from gatepost.mailboxes import features
from gatepost.meetings.models import Brief, Meeting
from gatepost.sequences.models import Enrolment

from .standing import Standing
from .story import TWO_DAYS, OtherMailbox, Story

BOOKED = timedelta(hours=2)


@pytest.fixture
def with_briefs(stand: Standing) -> Iterator[Story]:
    """A rep whose briefs are shown in the calendar."""
    begun = Story.begin(stand, connect=False)
    features.switch(begun.workspace.id, "briefs", True, actor=by(begun.rep))
    begun.connect()
    yield begun
    begun.end()


def book(story: Story, after: timedelta = BOOKED) -> Any:
    """A contact who was written to has booked; the sequence would go on otherwise."""
    petra = story.prospect("books_meeting")
    story.enrol(petra)
    story.settle()
    story.wait(after)
    return petra


def event_of(story: Story, petra: Any) -> tuple[OtherMailbox, dict[str, Any]]:
    """The organizer's calendar, and the event in it."""
    organizer = OtherMailbox.of(story.stand, story.address_of(petra))
    (event,) = organizer.events()
    return organizer, event


def test_a_meeting_that_a_contact_books_is_found_and_stops_the_sequence(story: Story) -> None:
    # An hour after our mail she books; seven minutes later she may write, too, which would stop the sequence just as well.
    story.stand.set_rate(1)
    petra = book(story, after=timedelta(minutes=62))
    (meeting,) = story.rows(Meeting)
    assert meeting.state == Meeting.State.BOOKED and meeting.booked_by_contact
    enrolment = story.enrolment(petra)
    assert (enrolment.state, enrolment.cause) == (Enrolment.State.STOPPED, Enrolment.Cause.MEETING)
    story.wait(TWO_DAYS)
    assert len(story.sent_to(petra)) == 1


def test_the_brief_is_a_private_event_of_the_rep_without_attendees_just_before_the_meeting(
    with_briefs: Story,
) -> None:
    book(with_briefs)
    (meeting,) = with_briefs.rows(Meeting)
    (shown,) = with_briefs.truth()["events_created"]
    assert shown["sensitivity"] == "private" and shown["attendees"] == []
    assert datetime.fromisoformat(shown["start"]) == meeting.starts_at - timedelta(minutes=15)
    invited = [fact for fact in with_briefs.truth()["sent"] if "Brief" in fact["subject"]]
    assert invited == [], "a brief mails nobody"
    page = with_briefs.browser.open(f"{with_briefs.stand.url}/meetings/{meeting.pk}/")
    assert page.status == 200 and "Petra Quandt" in page.text


def test_a_meeting_that_was_moved_takes_its_brief_along(with_briefs: Story) -> None:
    petra = book(with_briefs)
    (before,) = with_briefs.rows(Meeting)
    organizer, event = event_of(with_briefs, petra)
    later = {"timeZone": "UTC"}
    organizer.ask(
        "PATCH", f"/me/events/{event['id']}",
        {
            "start": {"dateTime": (before.starts_at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S"), **later},
            "end": {"dateTime": (before.ends_at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S"), **later},
        },
    )  # fmt: skip
    with_briefs.wait(timedelta(minutes=10))
    (after,) = with_briefs.rows(Meeting)
    assert after.starts_at == before.starts_at + timedelta(days=1)
    facts = with_briefs.truth()
    assert len(facts["events_created"]) == 1 and facts["events_changed"], "the same event was changed"
    assert with_briefs.enrolment(petra).state == Enrolment.State.STOPPED


def test_a_cancelled_meeting_takes_its_brief_away_and_the_sequence_stays_stopped(with_briefs: Story) -> None:
    petra = book(with_briefs)
    organizer, event = event_of(with_briefs, petra)
    organizer.ask("POST", f"/me/events/{event['id']}/cancel", {"comment": "Something came up."})
    with_briefs.wait(timedelta(minutes=10))
    (meeting,) = with_briefs.rows(Meeting)
    assert meeting.state == Meeting.State.CANCELLED
    assert len(with_briefs.truth()["events_deleted"]) == 1
    with_briefs.wait(TWO_DAYS)
    assert with_briefs.enrolment(petra).state == Enrolment.State.STOPPED
    assert len(with_briefs.sent_to(petra)) == 1


def test_an_event_of_the_contact_is_never_changed_by_us(with_briefs: Story) -> None:
    petra = book(with_briefs)
    _, before = event_of(with_briefs, petra)
    with_briefs.wait(TWO_DAYS)
    _, after = event_of(with_briefs, petra)
    assert after["changeKey"] == before["changeKey"]
    ours = {fact["id"] for fact in with_briefs.truth()["events_created"]}
    touched = {
        request["path"].rsplit("/", 1)[-1]
        for request in with_briefs.graph_requests(0)
        if request["method"] in ("PATCH", "DELETE") and "/events/" in request["path"]
    }
    assert touched <= ours


def test_switching_briefs_off_removes_our_events_and_keeps_the_brief_in_gatepost(with_briefs: Story) -> None:
    book(with_briefs)
    (created,) = with_briefs.truth()["events_created"]
    page = with_briefs.browser.open(f"{with_briefs.stand.url}/mailboxes/permissions/")
    page.press("briefs", on="no")
    with_briefs.settle()
    (deleted,) = with_briefs.truth()["events_deleted"]
    assert deleted["iCalUId"] == created["iCalUId"]
    (brief,) = with_briefs.rows(Brief)
    assert brief.event_id == "" and brief.text is not None


def test_once_briefs_are_off_the_next_connect_does_not_ask_to_write_the_calendar(with_briefs: Story) -> None:
    features.switch(with_briefs.workspace.id, "briefs", False, actor=by(with_briefs.rep))
    with_briefs.browser.open(f"{with_briefs.stand.url}/mailboxes/new/").press("Microsoft account")
    asked = next(each for each in reversed(with_briefs.browser.redirects) if "authorize?" in each)
    assert "Calendars.ReadWrite" not in asked and "Calendars.Read" in asked
