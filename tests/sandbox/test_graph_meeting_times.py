"""When people could meet, and with whom a calendar is shared."""

from typing import Any

import pytest

from .conftest import Mailbox, Served

# A Monday; everybody here works from 8 to 17 o'clock, UTC.
DAY = {"start": {"dateTime": "2027-03-01T00:00:00", "timeZone": "UTC"},
       "end": {"dateTime": "2027-03-02T00:00:00", "timeZone": "UTC"}}  # fmt: skip
BEN = {"type": "required", "emailAddress": {"address": "ben@northwind.example"}}


def asked(mailbox: Mailbox, **more: Any) -> dict[str, Any]:
    body = {"attendees": [BEN], "meetingDuration": "PT1H", "timeConstraint": {"timeSlots": [DAY]}, **more}
    answer = mailbox.post("/me/findMeetingTimes", body)
    assert answer.status == 200, answer.text
    return answer.json


def busy(mailbox: Mailbox, first: int, last: int, show_as: str = "busy") -> None:
    start, end = ({"dateTime": f"2027-03-01T{hour:02}:00:00", "timeZone": "UTC"} for hour in (first, last))
    made = mailbox.post("/me/events", {"subject": "x", "start": start, "end": end, "showAs": show_as})
    assert made.status == 201


def hours(found: dict[str, Any]) -> list[str]:
    return [row["meetingTimeSlot"]["start"]["dateTime"][11:16] for row in found["meetingTimeSuggestions"]]


@pytest.fixture
def ben(sandbox: Served) -> Mailbox:
    return sandbox.sign_in("ben@northwind.example")


def test_times_within_the_working_hours_at_which_both_are_free(alice: Mailbox, ben: Mailbox) -> None:
    busy(alice, 8, 12)
    busy(ben, 13, 16)

    found = asked(alice)

    assert hours(found) == ["12:00", "16:00"] and found["emptySuggestionsReason"] == ""
    first = found["meetingTimeSuggestions"][0]
    assert (first["confidence"], first["order"], first["organizerAvailability"]) == (100.0, 1, "free")
    assert [guest["availability"] for guest in first["attendeeAvailability"]] == ["free"]


def test_a_doubtful_time_comes_after_a_sure_one(alice: Mailbox, ben: Mailbox) -> None:
    busy(alice, 10, 17)
    busy(ben, 8, 9, "tentative")

    assert hours(asked(alice, maxCandidates=2, returnSuggestionReasons=True)) == ["09:00", "08:00"]


def test_outside_of_work_other_hours_count(alice: Mailbox) -> None:
    private = {"timeSlots": [DAY], "activityDomain": "unrestricted"}

    assert hours(asked(alice, timeConstraint=private, maxCandidates=1)) == ["00:00"]


def test_why_there_is_none(alice: Mailbox, ben: Mailbox) -> None:
    stranger = {"type": "required", "emailAddress": {"address": "x@elsewhere.example"}}

    busy(ben, 8, 17, "oof")
    assert asked(alice)["emptySuggestionsReason"] == "attendeesUnavailable"
    both = asked(alice, attendees=[BEN, stranger])
    assert both["emptySuggestionsReason"] == "attendeesUnavailableOrUnknown"
    busy(alice, 8, 17)
    assert asked(alice)["emptySuggestionsReason"] == "organizerUnavailable"


def test_a_duration_that_is_none_is_refused(alice: Mailbox) -> None:
    assert alice.post("/me/findMeetingTimes", {"meetingDuration": "an hour"}).status == 400


# Sharing

SHARED = "/me/calendar/calendarPermissions"


def test_a_calendar_is_shared_changed_and_shared_no_more(alice: Mailbox) -> None:
    [organisation] = alice.get(SHARED).json["value"]
    assert (organisation["role"], organisation["isRemovable"]) == ("freeBusyRead", False)

    made = alice.post(SHARED, {"role": "read", "emailAddress": {"address": "ben@northwind.example"}})
    assert made.status == 201 and made.json["isInsideOrganization"] is True
    assert made.json["emailAddress"]["name"] == "Ben Okafor"
    one = f"{SHARED}/{made.json['id']}"
    assert alice.call("PATCH", one, body={"role": "write"}).json["role"] == "write"
    assert alice.get(f"{SHARED}/$count").text == "2"
    assert alice.call("DELETE", one).status == 204 and alice.get(one).status == 404


def test_a_calendar_is_shared_with_somebody_once_and_in_a_role_that_exists(alice: Mailbox) -> None:
    ben = {"address": "ben@northwind.example"}
    assert alice.post(SHARED, {"role": "read", "emailAddress": ben}).status == 201
    assert alice.post(SHARED, {"role": "write", "emailAddress": ben}).status == 409
    outside = {"role": "write", "emailAddress": {"address": "carol@contoso.example"}}
    assert alice.post(SHARED, outside).status == 400


def test_what_the_organisation_sees_can_be_changed_and_not_removed(alice: Mailbox) -> None:
    one = f"{SHARED}/organisation"

    assert alice.call("PATCH", one, body={"role": "limitedRead"}).json["role"] == "limitedRead"
    assert [row["role"] for row in alice.get(SHARED).json["value"]] == ["limitedRead"]
    assert alice.call("DELETE", one).status == 403


def test_colleagues_may_have_more_roles_than_others(alice: Mailbox) -> None:
    path = "/me/calendar/allowedCalendarSharingRoles(User='{}')"
    own = alice.get(path.format("ben@northwind.example")).json["value"]
    others = alice.get(path.format("carol@contoso.example")).json["value"]

    assert "write" in own and "delegateWithPrivateEventAccess" in own
    assert others == ["none", "freeBusyRead", "limitedRead", "read"]
