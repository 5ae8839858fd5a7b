"""Booking, moving and cancelling meetings as the calendar shows them, and writing briefs."""

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import record
from gatepost.audit.reveal import reveal
from gatepost.isolation import inside
from gatepost.mailboxes import gaps
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings import queries, rules
from gatepost.meetings.models import Brief, CalendarCount, Meeting
from gatepost.meetings.queries import BY_SYNC, Judged
from gatepost.sequences import actions as sequences
from gatepost.vault.sealing import index, seal


def book(mailbox: Mailbox, judged: Judged, subject: str) -> Meeting:
    """The meeting is known and its contact gets no further step, in one transaction."""
    event = judged.event
    assert judged.contact_id is not None  # rules.decide_event books only what has a contact
    with inside(mailbox.workspace_id):
        meeting = judged.meeting or Meeting(
            workspace_id=mailbox.workspace_id,
            mailbox=mailbox,
            contact_id=judged.contact_id,
            ical_uid_index=index(mailbox.workspace_id, "ical-uid", event.ical_uid),
            found_at=clock.now(),
        )
        organizer = index(mailbox.workspace_id, "address", event.organizer)
        meeting.enrolment_id = judged.enrolment_id
        meeting.step_id = queries.last_step_sent(judged.enrolment_id)
        meeting.booked_by_contact = organizer not in mailbox.own_address_indexes
        meeting.state = Meeting.State.BOOKED
        _set_time(meeting, judged)
        seal(meeting, "subject", subject or None)
        meeting.save()
        record(BY_SYNC, tags.MEETING_BOOK, meeting, mailbox_id=mailbox.id)
        if judged.enrolment_id is not None:
            sequences.stop(
                judged.enrolment_id,
                "meeting",
                "booked a meeting",
                workspace_id=mailbox.workspace_id,
                actor=BY_SYNC,
            )
    return meeting


def move(judged: Judged) -> None:
    """The meeting has its new time; its brief follows."""
    meeting = judged.meeting
    assert meeting is not None
    with inside(meeting.workspace_id):
        _set_time(meeting, judged)
        meeting.save()
        record(BY_SYNC, tags.MEETING_MOVE, meeting)


def cancel(meeting: Meeting, reason: str) -> None:
    """The meeting is off. The enrolment stays stopped: whether to go on is the rep's to say."""
    with inside(meeting.workspace_id):
        meeting.state = Meeting.State.DECLINED if reason == "declined" else Meeting.State.CANCELLED
        meeting.save(update_fields=["state"])
        record(BY_SYNC, tags.MEETING_CANCEL, meeting, reason=reason)


def write_brief(meeting: Meeting) -> tuple[Brief, str | None]:
    """The brief says what is known now. Returns it with its text; None where nothing changed and nothing was opened."""
    with inside(meeting.workspace_id):
        sources = queries.brief_sources(meeting)
        brief = Brief.objects.filter(meeting=meeting).first() or Brief(
            workspace_id=meeting.workspace_id, mailbox_id=meeting.mailbox_id, meeting=meeting
        )
        if brief.facts_hash == sources.digest:
            return brief, None
        text = rules.brief_text(queries.brief_facts(meeting, sources))
        digest = hashlib.sha256(text.encode()).hexdigest()
        changed, brief.facts_hash = brief.content_hash != digest, sources.digest
        if changed:
            brief.content_hash, brief.written_at = digest, clock.now()
            seal(brief, "text", text)
        brief.save()
        if changed:
            record(BY_SYNC, tags.BRIEF_WRITE, brief)
    return brief, text


def open_brief(brief: Brief) -> str:
    """The brief's text, to show it in the calendar. Opening it leaves an audit entry."""
    with inside(brief.workspace_id):
        return reveal(BY_SYNC, brief, "text", reason="brief on the calendar")["text"] or ""


def brief_shown(brief: Brief, event_id: str, event_hash: str) -> None:
    """The rep's calendar shows the brief as this event; "" when it was removed."""
    with inside(brief.workspace_id):
        Brief.objects.filter(pk=brief.pk).update(event_id=event_id, event_hash=event_hash)
        if not event_id:
            record(BY_SYNC, tags.BRIEF_REMOVE, brief)


def calendar_read(mailbox: Mailbox, started: datetime, without_contact: int, *, next_sync: datetime) -> None:
    """The window was read. Of the events without a contact only their number stays: the day's latest, not a sum."""
    today = clock.now().astimezone(ZoneInfo(mailbox.time_zone)).date()
    with inside(mailbox.workspace_id):
        CalendarCount.objects.update_or_create(
            mailbox=mailbox,
            local_date=today,
            defaults={"workspace_id": mailbox.workspace_id, "without_contact": without_contact},
        )
        before = Mailbox.objects.select_for_update().get(pk=mailbox.pk)
        changes: dict[str, object] = {"calendar_read_through": started, "calendar_problem": ""}
        # A notification that came while we read has set the time anew: it must not be pushed away.
        if before.calendar_due_at is None or not started < before.calendar_due_at <= clock.now():
            changes["calendar_due_at"] = next_sync
        if before.calendar_problem:
            changes["tell_at"] = clock.now()
        Mailbox.objects.filter(pk=mailbox.pk).update(**changes)
        if before.calendar_read_through is None:
            gap = gaps.open_gap(before)
            found = Meeting.objects.filter(mailbox=mailbox, found_at__gte=gap.ended_at).count() if gap else 0
            gaps.calendar_is_in(before, meetings=found)


def try_again(mailbox: Mailbox, *, next_sync: datetime, refused: str = "") -> None:
    """The calendar could not be read. `refused` is Microsoft's code of a definite no: nothing waits for it then."""
    with inside(mailbox.workspace_id):
        this = Mailbox.objects.filter(pk=mailbox.pk)
        this.update(calendar_due_at=next_sync)
        if refused and this.exclude(calendar_problem=refused).update(
            calendar_problem=refused[:60], tell_at=clock.now()
        ):
            gaps.calendar_is_in(mailbox, meetings=0)


def _set_time(meeting: Meeting, judged: Judged) -> None:
    event = judged.event
    meeting.graph_id, meeting.change_key = event.graph_id, event.change_key
    meeting.starts_at, meeting.ends_at = event.starts, event.ends
