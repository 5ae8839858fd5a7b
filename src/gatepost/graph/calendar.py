"""The calendar (Calendars.Read), and our own private events in it (Calendars.ReadWrite). Only `meetings` imports this.

Not by calendarView/delta: that refuses $select, so every event would come whole, with subject and text.
An event with attendees is never written to: that would mail them, and can destroy its join link.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gatepost.graph.gateway import Gateway
from gatepost.graph.shapes import BRIEF_KEY
from gatepost.graph.wire import moment, person, written


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the window shows it: no subject, no text, no place."""

    graph_id: str
    ical_uid: str
    change_key: str
    starts: datetime
    ends: datetime
    is_cancelled: bool
    organizer: str
    attendees: tuple[tuple[str, str], ...]  # (address, response)
    is_private: bool
    answer: str = "none"  # the calendar's owner's own
    is_all_day: bool = False
    is_tentative: bool = False  # the time is only held
    in_series: bool = False
    created: datetime | None = None  # in this calendar


@dataclass(frozen=True, slots=True)
class Shown:
    """What our own private event says, and when."""

    subject: str
    html: str
    starts: datetime
    ends: datetime


async def window(gateway: Gateway, start: datetime, end: datetime) -> list[Event]:
    """Every event between two moments, all pages. An error anywhere raises: no event is ever missing silently."""
    body = await gateway.ask("calendar", start=written(start), end=written(end))
    events = [_event(each) for each in body.get("value") or ()]
    while link := body.get("@odata.nextLink"):
        body = await gateway.follow("calendar", link)
        events += [_event(each) for each in body.get("value") or ()]
    return events


async def look(gateway: Gateway, graph_id: str) -> Event:
    """One event as it is now. Raises NotThere."""
    return _event(await gateway.ask("event.look", id=graph_id))


async def subject_of(gateway: Gateway, graph_id: str) -> str:
    """The subject of a matched meeting. Raises NotThere."""
    return str((await gateway.ask("event.details", id=graph_id)).get("subject") or "")


async def find_brief(gateway: Gateway, key: str) -> str | None:
    """The id of our own event with this key."""
    found = (await gateway.ask("brief.find", key=key, item=key)).get("value") or []
    return found[0]["id"] if found else None


async def own_briefs(gateway: Gateway) -> dict[str, str]:
    """The id of each event of ours in this calendar, with the key that we gave it."""
    body = await gateway.ask("briefs.ours")
    found = list(body.get("value") or ())
    while link := body.get("@odata.nextLink"):
        body = await gateway.follow("briefs.ours", link)
        found += body.get("value") or ()
    return {
        each["id"]: next((str(ours["value"]) for ours in each.get("singleValueExtendedProperties") or ()), "")
        for each in found
    }


async def create_brief(gateway: Gateway, key: str, shown: Shown) -> str:
    """A private event without attendees; its id. The transaction id makes a repeat find the first one."""
    body = {
        **_content(shown),
        "showAs": "free",
        "sensitivity": "private",
        "isReminderOn": False,
        "categories": ["Gatepost"],
        "transactionId": key,
        "singleValueExtendedProperties": [{"id": BRIEF_KEY, "value": key}],
    }
    return str((await gateway.ask("brief.create", body=body, item=key))["id"])


async def update_brief(gateway: Gateway, graph_id: str, shown: Shown) -> None:
    """Raises NotThere when it was removed by hand."""
    await gateway.ask("brief.update", id=graph_id, body=_content(shown))


async def delete_brief(gateway: Gateway, graph_id: str) -> None:
    await gateway.ask("brief.delete", id=graph_id)


def _content(shown: Shown) -> dict[str, Any]:
    return {
        "subject": shown.subject,
        "body": {"contentType": "html", "content": shown.html},
        "start": {"dateTime": shown.starts.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"},
        "end": {"dateTime": shown.ends.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"},
    }


def _event(item: dict[str, Any]) -> Event:
    return Event(
        graph_id=item["id"],
        ical_uid=item.get("iCalUId") or item["id"],
        change_key=item.get("changeKey") or "",
        starts=moment(item["start"]["dateTime"]),
        ends=moment(item["end"]["dateTime"]),
        is_cancelled=bool(item.get("isCancelled")),
        organizer=person(item.get("organizer"))[1],
        attendees=tuple(
            (person(each)[1], _answer(each.get("status"))) for each in item.get("attendees") or ()
        ),
        is_private=item.get("sensitivity") in ("private", "confidential"),
        answer=_answer(item.get("responseStatus")),
        is_all_day=bool(item.get("isAllDay")),
        is_tentative=item.get("showAs") == "tentative",
        in_series=bool(item.get("seriesMasterId")),
        created=moment(item["createdDateTime"]) if item.get("createdDateTime") else None,
    )


def _answer(status: dict[str, Any] | None) -> str:
    return str((status or {}).get("response") or "none")
