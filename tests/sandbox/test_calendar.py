"""The calendar: windows, invitations, answers, and what travels to whom."""

from datetime import datetime, timedelta
from typing import Any

from .conftest import Mailbox, Served, to_address

START = datetime(2027, 3, 1, 9, 0)
WINDOW = "startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-03-08T00:00:00Z"


def event(
    subject: str = "Call", *, days: int = 0, guests: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    start = START + timedelta(days=days)
    return {
        "subject": subject, "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": (start + timedelta(minutes=30)).isoformat(), "timeZone": "UTC"},
        "attendees": [{**to_address(guest), "type": "required"} for guest in guests], **more,
    }  # fmt: skip


def view(mailbox: Mailbox, more: str = "") -> list[dict[str, Any]]:
    return mailbox.get(f"/me/calendarView?{WINDOW}{more}").json["value"]


def test_a_view_holds_what_lies_in_its_window(alice: Mailbox) -> None:
    for name, days in (("before", -1), ("within", 2), ("after", 9)):
        alice.post("/me/events", event(name, days=days))

    assert [row["subject"] for row in view(alice)] == ["within"]
    [row] = view(alice, "&$select=id,iCalUId,start")
    assert {name for name in row if not name.startswith("@")} == {"id", "iCalUId", "start"}


def test_a_view_is_paged(alice: Mailbox) -> None:
    for hour in range(5):
        alice.post("/me/events", event(f"{hour}"))

    first = alice.get(f"/me/calendarView?{WINDOW}&$top=3&$select=subject").json
    second = alice.get(first["@odata.nextLink"]).json
    assert len(first["value"]) == 3
    assert {row["subject"] for row in first["value"] + second["value"]} == {"0", "1", "2", "3", "4"}


def test_the_delta_of_a_view_refuses_select_and_reports_what_went(alice: Mailbox) -> None:
    assert alice.get(f"/me/calendarView/delta?{WINDOW}&$select=id").status == 400

    made = alice.post("/me/events", event()).json
    items, link = alice.delta(f"/me/calendarView/delta?{WINDOW}")
    assert [item["subject"] for item in items] == ["Call"]
    alice.call("DELETE", f"/me/events/{made['id']}")
    assert [(item["id"], "@removed" in item) for item in alice.delta(link)[0]] == [(made["id"], True)]


def test_the_same_transaction_makes_one_event(alice: Mailbox) -> None:
    first = alice.post("/me/events", event(transactionId="t1")).json
    second = alice.post("/me/events", event(transactionId="t1")).json

    assert (first["id"], len(view(alice))) == (second["id"], 1)


def test_an_invitation_lies_in_the_inbox_and_in_the_calendar(alice: Mailbox, carol: Mailbox) -> None:
    made = carol.post("/me/events", event("Intro", guests=("alice@northwind.example",))).json

    [copy] = view(alice)
    assert (copy["iCalUId"], copy["isOrganizer"]) == (made["iCalUId"], False)
    assert copy["organizer"]["emailAddress"]["address"] == "carol@contoso.example"
    [mail] = alice.get("/me/mailFolders/inbox/messages").json["value"]
    assert mail["@odata.type"] == "#microsoft.graph.eventMessageRequest"
    assert mail["meetingMessageType"] == "meetingRequest"


def test_an_acceptance_reaches_the_organizer(alice: Mailbox, carol: Mailbox) -> None:
    made = carol.post("/me/events", event("Intro", guests=("alice@northwind.example",))).json
    [copy] = view(alice)
    assert alice.post(f"/me/events/{copy['id']}/accept", {"sendResponse": True}).status == 202

    [guest] = carol.get(f"/me/events/{made['id']}?$select=attendees").json["attendees"]
    assert guest["status"]["response"] == "accepted"
    [mail] = carol.get("/me/mailFolders/inbox/messages").json["value"]
    assert (mail["subject"], mail["meetingMessageType"]) == ("Accepted: Intro", "meetingAccepted")
    assert carol.post(f"/me/events/{made['id']}/accept").status == 400


def test_an_organizers_change_travels_with_mail_and_a_small_one_silently(
    alice: Mailbox, carol: Mailbox
) -> None:
    made = carol.post("/me/events", event("Intro", guests=("alice@northwind.example",))).json
    carol.call("PATCH", f"/me/events/{made['id']}", body={"subject": "Intro, later"})
    assert [row["subject"] for row in view(alice)] == ["Intro, later"]
    assert len(alice.inbox()) == 2

    carol.call("PATCH", f"/me/events/{made['id']}", body={"categories": ["Blue"]})
    assert len(alice.inbox()) == 2
    carol.served.control("switches", {"organizer_small_patch": "notifies"})
    carol.call("PATCH", f"/me/events/{made['id']}", body={"categories": ["Red"]})
    assert len(alice.inbox()) == 3


def test_a_cancelled_meeting_says_so(alice: Mailbox, carol: Mailbox) -> None:
    made = carol.post("/me/events", event("Intro", guests=("alice@northwind.example",))).json
    carol.call("DELETE", f"/me/events/{made['id']}")

    [copy] = view(alice)
    assert copy["isCancelled"] is True
    assert alice.inbox()[0]["subject"] == "Canceled: Intro"


def test_a_private_event_without_guests_mails_nobody(sandbox: Served, alice: Mailbox) -> None:
    key = "String {8d5a1f3e-0000-4000-8000-1234567890ab} Name GatepostBrief"
    extra = {"singleValueExtendedProperties": [{"id": key, "value": "b1"}]}
    made = alice.post("/me/events", event("Brief", sensitivity="private", showAs="free", **extra)).json

    assert (made["sensitivity"], made["showAs"]) == ("private", "free")
    found = alice.get(
        f"/me/events?$select=id&$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{key}' and ep/value eq 'b1')"
        f"&$expand=singleValueExtendedProperties($filter=id eq '{key}')"
    ).json["value"]
    assert [row["singleValueExtendedProperties"][0]["value"] for row in found] == ["b1"]
    assert "delivery" not in sandbox.control("truth")["counts"]


def test_times_are_given_in_the_preferred_zone(alice: Mailbox) -> None:
    made = alice.post("/me/events", event()).json

    prefer = {"Prefer": 'outlook.timezone="W. Europe Standard Time"'}
    shown = alice.get(f"/me/events/{made['id']}?$select=start", headers=prefer).json
    assert shown["start"] == {
        "dateTime": "2027-03-01T10:00:00.0000000",
        "timeZone": "W. Europe Standard Time",
    }


def test_an_event_has_at_most_500_attendees(alice: Mailbox) -> None:
    """Learn: event resource type, attendees."""
    moment = {"dateTime": "2027-03-01T09:00:00", "timeZone": "UTC"}
    for count, status in ((500, 201), (501, 400)):
        guests = [{"type": "required", **to_address(f"p{n}@elsewhere.example")} for n in range(count)]
        event = {"subject": "e", "start": moment, "end": moment, "attendees": guests}
        assert alice.post("/me/events", event).status == status


def test_what_comes_only_when_it_is_selected(alice: Mailbox) -> None:
    """Learn: event resource type."""
    moment = {"dateTime": "2027-03-01T09:00:00", "timeZone": "UTC"}
    made = alice.post("/me/events", {"subject": "e", "start": moment, "end": moment}).json
    only = {"cancelledOccurrences", "exceptionOccurrences", "occurrenceId"}

    assert not only & set(alice.get(f"/me/events/{made['id']}").json)
    assert only <= set(alice.get(f"/me/events/{made['id']}?$select={','.join(sorted(only))}").json)


def test_accept_decline_cancel_answer_202_and_delete_204(sandbox: Served, alice: Mailbox) -> None:
    """Learn: event: accept, decline, cancel, delete."""
    moment = {"dateTime": "2027-03-01T09:00:00", "timeZone": "UTC"}
    guest = {"type": "required", **to_address("ben@northwind.example")}
    own = [
        alice.post("/me/events", {"subject": "e", "start": moment, "end": moment, "attendees": [guest]}).json[
            "id"
        ]
        for _ in range(2)
    ]
    sandbox.settle()
    ben = sandbox.sign_in("ben@northwind.example")
    first, second = (event["id"] for event in ben.get("/me/events").json["value"])

    assert ben.post(f"/me/events/{first}/accept", {"comment": "Yes"}).status == 202
    assert ben.post(f"/me/events/{second}/decline", {"sendResponse": False}).status == 202
    assert alice.post(f"/me/events/{own[0]}/cancel", {"comment": "Sorry"}).status == 202
    assert alice.call("DELETE", f"/me/events/{own[1]}").status == 204
