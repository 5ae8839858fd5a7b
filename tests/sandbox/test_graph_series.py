"""Series, invitations and calendars: what learn.microsoft.com says of recurrencePattern, event-update, event-forward."""

from typing import Any

import pytest

from .conftest import Mailbox, Served, to_address

ALICE, BEN, CAROL = "alice@northwind.example", "ben@northwind.example", "carol@contoso.example"
WINDOW = "startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-04-01T00:00:00Z"


def series(pattern: dict[str, Any], limits: dict[str, Any], *, guests: tuple[str, ...] = (), **more: Any):
    return {
        "subject": "Weekly", "start": {"dateTime": "2027-03-01T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2027-03-01T09:30:00", "timeZone": "UTC"},
        "attendees": [to_address(guest) for guest in guests],
        "recurrence": {"pattern": pattern, "range": {"startDate": "2027-03-01", **limits}}, **more,
    }  # fmt: skip


MONDAYS = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]}
FOUR = {"type": "numbered", "numberOfOccurrences": 4}


def days(mailbox: Mailbox, window: str = WINDOW) -> list[str]:
    rows = mailbox.get(f"/me/calendarView?{window}&$top=100").json["value"]
    return [row["start"]["dateTime"][8:10] for row in rows if not row["isCancelled"]]


@pytest.mark.parametrize(
    ("pattern", "limits", "expected"),
    [
        (MONDAYS, FOUR, "01 08 15 22"),
        ({"type": "daily", "interval": 10}, {"type": "noEnd"}, "01 11 21 31"),
        ({**MONDAYS, "interval": 2, "daysOfWeek": ["monday", "friday"]}, {"type": "noEnd"}, "01 05 15 19 29"),
        ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, {"type": "noEnd"}, "31"),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "last"},
            {"type": "noEnd"}, "30",
        ),
        ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 4, "month": 3}, {"type": "noEnd"}, "04"),
        (
            {"type": "relativeYearly", "interval": 1, "month": 3, "daysOfWeek": ["friday"], "index": "second"},
            {"type": "noEnd"}, "12",
        ),
        ({"type": "daily", "interval": 1}, {"type": "endDate", "endDate": "2027-03-03"}, "01 02 03"),
    ],
)  # fmt: skip
def test_a_view_expands_every_kind_of_recurrence(
    alice: Mailbox, pattern: dict[str, Any], limits: dict[str, Any], expected: str
) -> None:
    made = alice.post("/me/events", series(pattern, limits))

    assert made.status == 201, made.text
    assert made.json["type"] == "seriesMaster"
    assert days(alice) == expected.split()


def test_a_bad_recurrence_is_refused(alice: Mailbox) -> None:
    for pattern in ({"type": "weekly", "interval": 1}, {"type": "sometimes"}, {}):
        answer = alice.post("/me/events", series(pattern, FOUR))
        assert (answer.status, answer.json["error"]["code"]) == (400, "ErrorPropertyValidationFailure")


def test_a_series_keeps_its_local_time_when_summer_time_begins(alice: Mailbox) -> None:
    zone = "W. Europe Standard Time"
    body = series(MONDAYS, {"type": "numbered", "numberOfOccurrences": 5}) | {
        "start": {"dateTime": "2027-03-01T09:00:00", "timeZone": zone},
        "end": {"dateTime": "2027-03-01T10:00:00", "timeZone": zone},
    }
    alice.post("/me/events", body)

    rows = alice.get(f"/me/calendarView?{WINDOW}&$top=100").json["value"]
    assert [row["start"]["dateTime"][11:13] for row in rows] == ["08", "08", "08", "08", "07"]


def test_occurrences_name_their_master_and_share_its_uid(alice: Mailbox) -> None:
    master = alice.post("/me/events", series(MONDAYS, FOUR)).json
    rows = alice.get(f"/me/events/{master['id']}/instances?{WINDOW}").json["value"]

    assert [row["type"] for row in rows] == ["occurrence"] * 4
    assert {row["seriesMasterId"] for row in rows} == {master["id"]}
    assert len({row["iCalUId"] for row in rows}) == 4  # differs for each occurrence, while uid is the same
    assert {row["uid"] for row in rows} == {master["uid"]}
    assert alice.get(f"/me/events/{rows[1]['id']}").json["start"] == rows[1]["start"]
    assert [row["type"] for row in alice.get("/me/events").json["value"]] == ["seriesMaster"]


def test_one_date_can_be_changed_cancelled_and_not_moved_past_its_neighbour(alice: Mailbox) -> None:
    master = alice.post("/me/events", series(MONDAYS, FOUR)).json
    rows = alice.get(f"/me/events/{master['id']}/instances?{WINDOW}").json["value"]

    changed = alice.call("PATCH", f"/me/events/{rows[1]['id']}", body={"subject": "Longer"}).json
    assert (changed["type"], changed["subject"]) == ("exception", "Longer")
    assert alice.call("DELETE", f"/me/events/{rows[2]['id']}").status == 204
    late = {"start": {"dateTime": "2027-03-23T09:00:00", "timeZone": "UTC"}}
    refused = alice.call("PATCH", f"/me/events/{rows[0]['id']}", body=late)
    assert refused.json["error"]["code"] == "ErrorOccurrenceCrossingBoundary"

    assert days(alice) == ["01", "08", "22"]
    assert alice.get(f"/me/events/{rows[2]['id']}").status == 404
    select = "$select=subject,cancelledOccurrences&$expand="
    shown = alice.get(f"/me/events/{master['id']}?{select.removesuffix('&$expand=')}").json
    assert shown["cancelledOccurrences"] == [f"OID.{master['id']}.2027-03-15"]
    kinds = [row["type"] for row in alice.get(f"/me/events/{master['id']}/instances?{WINDOW}").json["value"]]
    assert kinds == ["occurrence", "exception", "occurrence"]


def test_guests_of_a_series_get_one_request_and_every_date(
    alice: Mailbox, carol: Mailbox, sandbox: Served
) -> None:
    master = alice.post("/me/events", series(MONDAYS, FOUR, guests=(CAROL,))).json
    sandbox.settle()

    assert [mail["subject"] for mail in carol.inbox()] == ["Weekly"]
    assert days(carol) == ["01", "08", "15", "22"]
    rows = alice.get(f"/me/events/{master['id']}/instances?{WINDOW}").json["value"]
    assert alice.post(f"/me/events/{rows[1]['id']}/cancel", {"comment": "Holiday"}).status == 202
    sandbox.settle()
    assert days(carol) == ["01", "15", "22"]
    assert [mail["subject"] for mail in carol.inbox()][0] == "Canceled: Weekly"


def test_an_answer_to_one_date_reaches_the_organizers_copy_of_that_date(
    alice: Mailbox, carol: Mailbox, sandbox: Served
) -> None:
    alice.post("/me/events", series(MONDAYS, FOUR, guests=(CAROL,)))
    sandbox.settle()
    second = carol.get(f"/me/calendarView?{WINDOW}").json["value"][1]
    assert carol.post(f"/me/events/{second['id']}/decline", {"comment": "Away"}).status == 202
    sandbox.settle()

    states = [
        row["attendees"][0]["status"]["response"]
        for row in alice.get(f"/me/calendarView?{WINDOW}").json["value"]
    ]
    assert states == ["none", "declined", "none", "none"]
    [mail] = alice.inbox(["subject", "meetingMessageType"][0])
    assert mail["subject"] == "Declined: Weekly"


def single(*guests: str, **more: Any) -> dict[str, Any]:
    return {
        "subject": "Call", "start": {"dateTime": "2027-03-02T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2027-03-02T09:30:00", "timeZone": "UTC"},
        "attendees": [to_address(guest) for guest in guests], **more,
    }  # fmt: skip


def test_a_patch_of_attendees_alone_mails_only_those_that_changed(
    alice: Mailbox, carol: Mailbox, sandbox: Served
) -> None:
    ben = sandbox.sign_in(BEN)
    made = alice.post("/me/events", single(CAROL)).json
    both = {"attendees": [to_address(CAROL), to_address(BEN)]}
    alice.call("PATCH", f"/me/events/{made['id']}", body=both)
    sandbox.settle()
    assert (len(carol.inbox()), len(ben.inbox())) == (1, 1)

    alice.call("PATCH", f"/me/events/{made['id']}", body={"attendees": [to_address(CAROL)]})
    sandbox.settle()
    assert (len(carol.inbox()), [mail["subject"] for mail in ben.inbox()][0]) == (1, "Canceled: Call")
    alice.call("PATCH", f"/me/events/{made['id']}", body={"subject": "Other"})
    sandbox.settle()
    assert (len(carol.inbox()), len(ben.inbox())) == (2, 2)


def test_a_teams_meeting_dies_when_its_blob_is_lost_from_the_body(alice: Mailbox) -> None:
    made = alice.post(
        "/me/events", single(isOnlineMeeting=True, body={"contentType": "html", "content": "Hi"})
    )
    url = made.json["onlineMeeting"]["joinUrl"]
    assert url in made.json["body"]["content"]

    kept = {"body": {"contentType": "html", "content": made.json["body"]["content"] + "more"}}
    path = f"/me/events/{made.json['id']}"
    assert alice.call("PATCH", path, body=kept).json["isOnlineMeeting"]
    lost = alice.call("PATCH", path, body={"body": {"contentType": "html", "content": "All new"}}).json
    assert (lost["isOnlineMeeting"], lost["onlineMeeting"]) == (False, None)


def test_a_forwarded_meeting_invites_and_tells_the_organizer(
    alice: Mailbox, carol: Mailbox, sandbox: Served
) -> None:
    ben = sandbox.sign_in(BEN)
    alice.post("/me/events", single(CAROL))
    [copy] = carol.get(f"/me/calendarView?{WINDOW}").json["value"]
    body = {"toRecipients": [to_address(BEN)], "comment": "You too?"}
    assert carol.post(f"/me/events/{copy['id']}/forward", body).status == 202
    sandbox.settle()

    assert [mail["subject"] for mail in ben.inbox()] == ["FW: Call"]
    assert [row["subject"] for row in ben.get(f"/me/calendarView?{WINDOW}").json["value"]] == ["Call"]
    assert "Meeting Forward Notification: Call" in [mail["subject"] for mail in alice.inbox()]
    [own] = alice.get(f"/me/calendarView?{WINDOW}").json["value"]
    assert [guest["emailAddress"]["address"] for guest in own["attendees"]] == [CAROL, BEN]


def test_a_new_time_can_be_proposed_where_the_organizer_allows_it(
    alice: Mailbox, carol: Mailbox, sandbox: Served
) -> None:
    slot = {
        "start": {"dateTime": "2027-03-03T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2027-03-03T09:30:00", "timeZone": "UTC"},
    }
    alice.post("/me/events", single(CAROL))
    [copy] = carol.get(f"/me/calendarView?{WINDOW}").json["value"]
    path = f"/me/events/{copy['id']}/tentativelyAccept"
    assert carol.post(path, {"sendResponse": False, "proposedNewTime": slot}).status == 400
    assert carol.post(path, {"sendResponse": True, "proposedNewTime": slot}).status == 202
    sandbox.settle()

    [own] = alice.get(f"/me/calendarView?{WINDOW}").json["value"]
    assert own["attendees"][0]["proposedNewTime"] == slot
    mails = alice.get("/me/messages?$orderby=receivedDateTime desc").json["value"]
    assert mails[0]["meetingMessageType"] == "meetingTenativelyAccepted"  # Microsoft's own spelling


@pytest.mark.parametrize(("setting", "subject"), [("overwritten", "New"), ("kept", "Mine")])
def test_attendee_edits_after_the_organizers_next_update(
    alice: Mailbox, carol: Mailbox, sandbox: Served, setting: str, subject: str
) -> None:
    sandbox.control("switches", {"attendee_edits": setting})
    made = alice.post("/me/events", single(CAROL)).json
    [copy] = carol.get(f"/me/calendarView?{WINDOW}").json["value"]
    carol.call("PATCH", f"/me/events/{copy['id']}", body={"subject": "Mine"})
    alice.call("PATCH", f"/me/events/{made['id']}", body={"subject": "New"})

    [copy] = carol.get(f"/me/calendarView?{WINDOW}").json["value"]
    assert copy["subject"] == subject


def test_public_strings_travel_with_the_request_and_private_properties_do_not(
    alice: Mailbox, carol: Mailbox
) -> None:
    public = "String {00020329-0000-0000-C000-000000000046} Name Lead"
    private = "String {7b3d9c1e-1111-4222-8333-444455556666} Name Lead"
    properties = [{"id": public, "value": "leaks"}, {"id": private, "value": "stays"}]
    alice.post("/me/events", single(CAROL, singleValueExtendedProperties=properties))

    either = f"id eq '{public}' or id eq '{private}'".replace(" ", "%20")
    expand = f"$expand=singleValueExtendedProperties($filter={either})"
    [copy] = carol.get(f"/me/calendarView?{WINDOW}&{expand}").json["value"]
    assert copy["singleValueExtendedProperties"] == [{"id": public, "value": "leaks"}]


def test_the_delta_of_a_view_follows_a_series_and_what_leaves_the_window(alice: Mailbox) -> None:
    master = alice.post("/me/events", series(MONDAYS, FOUR)).json
    items, link = alice.delta(f"/me/calendarView/delta()?{WINDOW}")
    assert len(items) == 4
    assert alice.delta(link)[0] == []

    first = alice.get(f"/me/events/{master['id']}/instances?{WINDOW}").json["value"][0]
    moved = {
        "start": {"dateTime": "2027-02-27T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2027-02-27T09:30:00", "timeZone": "UTC"},
    }
    assert alice.call("PATCH", f"/me/events/{first['id']}", body=moved).status == 200
    items, link = alice.delta(link)
    assert [(item["id"], "@removed" in item) for item in items] == [(first["id"], True)]
    alice.call("DELETE", f"/me/events/{master['id']}")
    items, _ = alice.delta(link)
    assert [("@removed" in item) for item in items] == [True] * 3


def test_further_calendars_hold_events_of_their_own(alice: Mailbox) -> None:
    made = alice.post("/me/calendars", {"name": "Team"})
    assert made.status == 201
    path = f"/me/calendars/{made.json['id']}"
    event = alice.post(f"{path}/events", single()).json
    assert alice.post("/me/calendars", {"name": "Team"}).status == 409

    assert [row["subject"] for row in alice.get(f"{path}/calendarView?{WINDOW}").json["value"]] == ["Call"]
    assert alice.get(f"/me/calendarView?{WINDOW}").json["value"] == []
    assert alice.get(f"{path}/events/{event['id']}").status == 200
    assert alice.get(f"/me/calendar/events/{event['id']}").status == 404
    assert alice.get(f"/me/events/{event['id']}/calendar").json["name"] == "Team"
    assert [row["name"] for row in alice.get("/me/calendars").json["value"]] == ["Calendar", "Team"]
    assert alice.call("PATCH", path, body={"name": "Sales"}).json["name"] == "Sales"
    assert alice.call("DELETE", path).status == 204
    assert alice.call("DELETE", "/me/calendar").status in (403, 405, 501)


@pytest.mark.parametrize("setting", ["private_appointment", "hidden"])
def test_schedules_tell_busy_times_and_keep_private_events_private(
    alice: Mailbox, sandbox: Served, setting: str
) -> None:
    sandbox.control("switches", {"private_events": setting})
    ben = sandbox.sign_in(BEN)
    ben.post("/me/events", single(sensitivity="private"))
    body = {
        "schedules": [BEN, "nobody@northwind.example"], "availabilityViewInterval": 30,
        "startTime": {"dateTime": "2027-03-02T08:30:00", "timeZone": "UTC"},
        "endTime": {"dateTime": "2027-03-02T10:00:00", "timeZone": "UTC"},
    }  # fmt: skip
    found, unknown = alice.post("/me/calendar/getSchedule", body).json["value"]

    assert found["availabilityView"] == "020"
    subject = found["scheduleItems"][0].get("subject")
    assert subject == ("Private appointment" if setting == "private_appointment" else None)
    assert unknown["error"]["responseCode"] == "ErrorMailRecipientNotFound"


def test_reminders_are_snoozed_and_dismissed_with_200(alice: Mailbox) -> None:
    path = f"/me/events/{alice.post('/me/events', single()).json['id']}"
    later = {"newReminderTime": {"dateTime": "2027-03-02T08:55:00", "timeZone": "UTC"}}
    assert alice.post(f"{path}/snoozeReminder", later).status == 200
    assert alice.call("POST", f"{path}/dismissReminder", body=b"").status == 200
