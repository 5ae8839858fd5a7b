import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from gatepost.graph import calendar, errors
from tests.graph.microsoft import error_body, microsoft

START, END = datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 3, 12, tzinfo=UTC)
NEXT = "https://graph.microsoft.com/v1.0/me/calendarView?$skip=200"
EVENT = {
    "id": "E1",
    "iCalUId": "uid-1",
    "changeKey": "k1",
    "start": {"dateTime": "2027-01-12T10:00:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2027-01-12T10:30:00.0000000", "timeZone": "UTC"},
    "organizer": {"emailAddress": {"address": "petra@contoso.example"}},
    "attendees": [
        {"emailAddress": {"address": "alice@northwind.example"}, "status": {"response": "declined"}},
        {"emailAddress": {"address": "room@northwind.example"}},
    ],
    "sensitivity": "private",
}


def use(answer, call):
    async def once():
        async with microsoft(answer) as asking:
            return await call(asking.gateway), asking

    return asyncio.run(once())


def window(answer):
    return use(answer, lambda gateway: calendar.window(gateway, START, END))


def test_the_window_shows_times_and_attendees_and_asks_for_no_subject_or_text():
    (event,), asking = window(lambda r: web.json_response({"value": [EVENT]}))
    assert event.starts == datetime(2027, 1, 12, 10, tzinfo=UTC)
    assert event.attendees == (("alice@northwind.example", "declined"), ("room@northwind.example", "none"))
    assert event.is_private and not event.is_cancelled
    asked = set(asking.requests[0].query["$select"].split(","))
    assert asked.isdisjoint({"subject", "body", "bodyPreview", "location", "onlineMeeting"})


def test_all_pages_of_the_window_are_read():
    def pages(request):
        second = "$skip" in request.query
        body = {"value": [{**EVENT, "id": "E2" if second else "E1"}]}
        return web.json_response(body if second else {**body, "@odata.nextLink": NEXT})

    events, _ = window(pages)
    assert [event.graph_id for event in events] == ["E1", "E2"]


def test_a_page_that_fails_makes_the_whole_window_unknown():
    def second_fails(request):
        if "$skip" in request.query:
            return web.json_response(error_body("ErrorServerBusy"), status=503)
        return web.json_response({"value": [EVENT], "@odata.nextLink": NEXT})

    with pytest.raises(errors.TryLater):
        window(second_fails)


def test_a_brief_is_private_free_and_has_no_attendees():
    shown = calendar.Shown("Brief", "<p>Who</p>", START, END)
    brief_id, asking = use(
        lambda r: web.json_response({"id": "B1"}, status=201),
        lambda gateway: calendar.create_brief(gateway, "key-1", shown),
    )
    body = json.loads(asking.bodies[0])
    assert brief_id == "B1"
    assert (body["sensitivity"], body["showAs"], body["transactionId"]) == ("private", "free", "key-1")
    assert "attendees" not in body


@pytest.mark.parametrize("sensitivity", ["private", "confidential"])
@pytest.mark.parametrize("series", [{}, {"seriesMasterId": "S1"}], ids=["alone", "a date of a series"])
def test_what_its_owner_marked_as_his_own_is_private(sensitivity, series):
    (event,), _ = window(
        lambda r: web.json_response({"value": [{**EVENT, "sensitivity": sensitivity, **series}]})
    )
    assert event.is_private


@pytest.mark.parametrize("sensitivity", ["normal", "personal", None])
def test_what_is_not_marked_is_not_private(sensitivity):
    (event,), _ = window(lambda r: web.json_response({"value": [{**EVENT, "sensitivity": sensitivity}]}))
    assert not event.is_private
