"""Meetings as pages and reports choose and show them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from gatepost.accounts.models import Member
from gatepost.contacts.queries import display_name
from gatepost.conversations.models import Reply
from gatepost.mailboxes.queries import seen_by
from gatepost.meetings.models import Meeting
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
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
    variant_id: UUID | None = None
    company_id: UUID | None = None
    answer: str = ""  # a reply with this label stands in its conversation
    state: str = ""
    found_within: Span | None = None
    mailed_within: Span | None = None  # the mail before it had left then, and was seen among the sent ones


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
    if chosen.company_id:
        rows = rows.filter(contact__company_id=chosen.company_id)
    if chosen.answer:
        answered = Reply.objects.filter(label=chosen.answer)
        rows = rows.filter(enrolment__in=answered.values("conversation__enrolment"))
    if chosen.state:
        rows = rows.filter(state=chosen.state)
    if chosen.found_within:
        start, end = chosen.found_within
        rows = rows.filter(found_at__gte=start, found_at__lt=end)
    if chosen.variant_id or chosen.mailed_within:
        rows = rows.filter(Exists(_mail_before(chosen)))
    return rows


def _mail_before(chosen: Chosen) -> QuerySet[Message]:
    """The mail of the step that was the last one before the meeting."""
    mails = Message.objects.filter(
        enrolment_id=OuterRef("enrolment_id"), step_id=OuterRef("step_id"), state__in=LEFT
    )
    if chosen.variant_id:
        mails = mails.filter(variant_id=chosen.variant_id)
    if chosen.mailed_within:
        start, end = chosen.mailed_within
        mails = mails.filter(state=Message.State.CONFIRMED, accepted_at__gte=start, accepted_at__lt=end)
    return mails


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
