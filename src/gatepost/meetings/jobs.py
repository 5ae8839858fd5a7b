"""Reading the calendar window, and keeping briefs beside the meetings in it."""

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from gatepost import clock
from gatepost.graph import calendar
from gatepost.graph.errors import ApprovalNeeded, GraphError, NotThere, Refused
from gatepost.graph.gateway import Gateway
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import due_for_calendar, load, rest
from gatepost.meetings import actions, queries, rules
from gatepost.meetings.models import Brief, Meeting
from gatepost.meetings.queries import Judged
from gatepost.text.bodies import text_to_html

REAL_PAUSE = timedelta(seconds=2)


@tick("meetings.find-due", every_seconds=0.25)
def find_due_calendars() -> int:
    found = due_for_calendar(clock.now())
    for each in found:
        with inside(each.workspace_id):
            enqueue("meetings.sync", once_for=each.id, workspace=str(each.workspace_id), mailbox=str(each.id))
    return len(found)


@job("meetings.sync")
async def sync_calendar(workspace: str, mailbox: str) -> None:
    """Meetings with contacts are known, those that vanished were looked up, briefs stand beside them.

    An error changes nothing: "no meeting" is never concluded from it.
    """
    box = await in_thread(load, UUID(workspace), UUID(mailbox))
    if box is None:
        return
    if "meetings" not in box.running:
        await _leave_the_calendar(box)
        await in_thread(rest, box, "calendar_due_at")
        return
    started = clock.now()
    interval = clock.at_least(timedelta(seconds=settings.GATEPOST_SYNC_EVERY), real=REAL_PAUSE)
    try:
        async with gateway_for(box, reason="looking for meetings") as gateway:
            dropped = await _read_window(box, gateway)
            await _keep_briefs(box, gateway)
    except GraphError as error:
        refused = error.code or "refused" if isinstance(error, (ApprovalNeeded, Refused)) else ""
        await in_thread(actions.try_again, box, next_sync=clock.now() + interval, refused=refused)
        return
    except Exception:
        await in_thread(actions.try_again, box, next_sync=clock.now() + interval)
        raise  # an error of ours: for the log and the operator
    await in_thread(actions.calendar_read, box, started, dropped, next_sync=clock.now() + interval)


async def _read_window(mailbox: Mailbox, gateway: Gateway) -> int:
    """How many events were dropped on their attendees."""
    now = clock.now()
    start, end = now - rules.PAST, now + rules.FUTURE
    await in_thread(actions.know_domains, await in_thread(queries.contacts_without_domain, mailbox))
    events = await calendar.window(gateway, start, end)
    ours = await in_thread(queries.own_events, mailbox)
    theirs = [each for each in events if each.graph_id not in ours]
    judged = await in_thread(queries.judge, mailbox, theirs, now=now)
    dropped = 0
    for each in judged:
        dropped += isinstance(await _follow(mailbox, each, gateway, now), rules.Drop)
    seen = {each.uid_index for each in judged}
    for meeting in await in_thread(queries.vanished, mailbox, start, end, seen):
        await _look_up(mailbox, meeting, gateway, now)
    for meeting in await in_thread(queries.over, mailbox, now):
        await in_thread(actions.took_place, meeting, read_at=now)
    return dropped


async def _follow(mailbox: Mailbox, judged: Judged, gateway: Gateway, now: datetime) -> object:
    """What the event means, and that is done."""
    decision = rules.decide_event(judged.facts, now=now)
    match decision:
        case rules.Book(stands):
            await in_thread(actions.book, mailbox, judged, await _subject(judged, gateway), stands)
        case rules.Change():
            await in_thread(actions.change, judged, decision)
        case rules.Cancel(stands):
            assert judged.meeting is not None
            await in_thread(actions.cancel, judged.meeting, stands)
    return decision


async def _subject(judged: Judged, gateway: Gateway) -> str:
    """A private event's subject is not asked for: only that the time is taken is ours to know."""
    if judged.event.is_private:
        return ""
    try:
        return await calendar.subject_of(gateway, judged.event.graph_id)
    except NotThere:
        return ""


async def _look_up(mailbox: Mailbox, meeting: Meeting, gateway: Gateway, now: datetime) -> None:
    """A meeting that the list no longer shows: cancelled, or only moved out of the window."""
    try:
        event = await calendar.look(gateway, meeting.graph_id)
    except NotThere:
        await in_thread(actions.cancel, meeting, rules.GONE)
        return
    (judged,) = await in_thread(queries.judge, mailbox, [event], now=now)
    if judged.meeting is not None and judged.meeting.pk == meeting.pk:
        await _follow(mailbox, judged, gateway, now)


async def _keep_briefs(mailbox: Mailbox, gateway: Gateway) -> None:
    on_calendar = await in_thread(queries.on_calendar, mailbox)
    await _remove_all(mailbox, gateway, on_calendar=on_calendar)
    coming = await in_thread(queries.briefs_to_show, mailbox, clock.now())
    for meeting, (brief, text) in zip(coming, await in_thread(actions.write_briefs, coming), strict=True):
        if on_calendar and queries.is_shown(meeting):
            await _show(brief, meeting, text, gateway)


async def _leave_the_calendar(mailbox: Mailbox) -> None:
    """Nothing of ours is in a calendar that is looked at no more."""
    if await in_thread(queries.briefs_to_remove, mailbox, on_calendar=False):
        async with gateway_for(mailbox, reason="removing our own events") as gateway:
            await _remove_all(mailbox, gateway, on_calendar=False)


async def _remove_all(mailbox: Mailbox, gateway: Gateway, *, on_calendar: bool) -> None:
    """Events of ours are gone whose reason is gone: also those whose contact was erased, or that a crash forgot."""
    left = await in_thread(queries.briefs_to_remove, mailbox, on_calendar=on_calendar)
    for brief in left:
        await _remove(brief, gateway)
    looks_for_lost = await in_thread(queries.first_look_today, mailbox, clock.now())
    if (left and not on_calendar) or looks_for_lost:
        kept = await in_thread(queries.brief_keys, mailbox) if on_calendar else frozenset()
        # Without the permission they are the rep's to remove: reading the calendar goes on.
        with suppress(ApprovalNeeded):
            for event_id, key in (await calendar.own_briefs(gateway)).items():
                if key not in kept:
                    with suppress(NotThere):
                        await calendar.delete_brief(gateway, event_id)


async def _show(brief: Brief, meeting: Meeting, text: str | None, gateway: Gateway) -> None:
    """The rep's own private event beside the meeting says what the brief says."""
    starts, ends = rules.brief_slot(
        meeting.starts_at, meeting.first_local_date, ZoneInfo(meeting.mailbox.time_zone)
    )
    digest = hashlib.sha256(f"{brief.content_hash}|{starts.isoformat()}".encode()).hexdigest()
    if brief.event_id and brief.event_hash == digest:
        return
    if text is None:  # written before, and not shown yet
        text = await in_thread(actions.open_brief, brief)
    content = calendar.Shown(rules.brief_title(text), text_to_html(text), starts, ends)
    event_id = brief.event_id or await calendar.find_brief(gateway, str(brief.pk))
    if event_id:
        try:
            await calendar.update_brief(gateway, event_id, content)
        except NotThere:
            event_id = ""  # removed by hand: write it anew
    if not event_id:
        event_id = await calendar.create_brief(gateway, str(brief.pk), content)
    await in_thread(actions.brief_shown, brief, event_id, digest)


async def _remove(brief: Brief, gateway: Gateway) -> None:
    # Without the permission it is the rep's to remove: reading the calendar goes on.
    with suppress(NotThere, ApprovalNeeded):
        await calendar.delete_brief(gateway, brief.event_id)
    await in_thread(actions.brief_shown, brief, "", "")


@tick("meetings.find-tellings", every_seconds=5)
def tell_of_meetings() -> int:
    """Members are told of the meetings ahead at the time of their choice."""
    found = queries.brief_times_due(clock.now())
    for each in found:
        actions.tell_of_briefs(each.id, workspace_id=each.workspace_id)
    return len(found)
