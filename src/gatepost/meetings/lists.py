"""Meetings as pages and reports choose and show them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from gatepost.accounts.models import Member
from gatepost.contacts.queries import display_name
from gatepost.mailboxes.queries import seen_by
from gatepost.meetings.models import Meeting
from gatepost.vault import names
from gatepost.web.weeks import Span

PARTS = ("upcoming", "past", "booked", "all")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which meetings a list shows. Reports count by the same, so that a number and its rows agree."""

    part: str = "upcoming"
    sequence_id: UUID | None = None
    step_id: UUID | None = None
    member_id: UUID | None = None
    found_within: Span | None = None


def chosen_meetings(chosen: Chosen, *, now: datetime) -> QuerySet[Meeting]:
    rows = Meeting.objects.all()
    if chosen.part == "upcoming":
        rows = rows.filter(ends_at__gte=now)
    elif chosen.part == "past":
        rows = rows.filter(ends_at__lt=now)
    elif chosen.part == "booked":
        rows = rows.filter(state=Meeting.State.BOOKED)
    if chosen.sequence_id:
        rows = rows.filter(enrolment__sequence_id=chosen.sequence_id)
    if chosen.step_id:
        rows = rows.filter(step_id=chosen.step_id)
    if chosen.member_id:
        rows = rows.filter(mailbox__member_id=chosen.member_id)
    if chosen.found_within:
        start, end = chosen.found_within
        rows = rows.filter(found_at__gte=start, found_at__lt=end)
    return rows


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """A meeting as a list shows it. Its subject and its brief stay closed."""

    meeting: Meeting
    contact: str
    mailbox: str
    has_brief: bool


def listed(rows: QuerySet[Meeting], member: Member) -> QuerySet[Meeting]:
    return rows.filter(seen_by(member)).select_related("contact", "mailbox", "enrolment__sequence", "brief")


def row_of(meeting: Meeting) -> MeetingRow:
    return MeetingRow(
        meeting,
        display_name(meeting.contact),
        names.open(meeting.mailbox, "address") or "",
        hasattr(meeting, "brief"),
    )
