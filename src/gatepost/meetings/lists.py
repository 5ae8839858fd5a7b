"""Meetings as pages and reports choose and show them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from gatepost.accounts.models import Member
from gatepost.audit.record import Actor
from gatepost.audit.reveal import reveal
from gatepost.contacts.queries import display_name
from gatepost.conversations.models import Reply
from gatepost.mailboxes.queries import seen_by
from gatepost.meetings import rules
from gatepost.meetings.models import BriefTime, Guest, Meeting, Rung
from gatepost.meetings.queries import zone_of_member
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment, Sequence
from gatepost.vault import names
from gatepost.web.weeks import Span

PARTS = ("upcoming", "soon", "asks", "past", "booked", "counted", "all")
SHOWN_FIRST = 20  # mails to attribute a meeting to


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
    found_within: Span | None = None
    mailed_within: Span | None = None  # the mail before it had left then, and was seen among the sent ones
    rung: str = ""


def chosen_meetings(chosen: Chosen, *, now: datetime, member: Member | None = None) -> QuerySet[Meeting]:
    rows = Meeting.objects.exclude(rung=Meeting.Rung.DISMISSED)
    if chosen.part == "upcoming":
        rows = rows.filter(ends_at__gte=now)
    elif chosen.part == "soon" and member is not None:
        zone = zone_of_member(member.pk)
        start, _ = rules.told_span(rules.Day.SAME, zone, now=now)
        _, end = rules.told_span(rules.Day.BEFORE, zone, now=now)
        rows = rows.filter(ends_at__gte=start, starts_at__lt=end)
    elif chosen.part == "asks":
        rows = rows.filter(asks=True)
    elif chosen.part == "past":
        rows = rows.filter(ends_at__lt=now)
    elif chosen.part == "counted":
        rows = rows.filter(counts=True)
    elif chosen.part == "booked":
        rows = rows.filter(state=Meeting.State.BOOKED, counts=True)
    if chosen.rung:
        rows = rows.filter(rung=chosen.rung)
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
    if chosen.found_within:
        start, end = chosen.found_within
        rows = rows.filter(found_at__gte=start, found_at__lt=end)
    if chosen.variant_id or chosen.mailed_within:
        rows = rows.filter(Exists(_mail_before(chosen)))
    return rows


def _mail_before(chosen: Chosen) -> QuerySet[Message]:
    """The mail of the step that was the last one before the meeting."""
    mails = Message.objects.filter(
        enrolment_id=OuterRef("enrolment_id"),
        step_id=OuterRef("step_id"),
        state__in=LEFT,
        reply_id__isnull=True,
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


@dataclass(frozen=True, slots=True)
class GuestRow:
    guest: Guest
    name: str
    answer: str


@dataclass(frozen=True, slots=True)
class SentRow:
    message: Message
    sequence: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All there is to show of one meeting, its texts opened."""

    row: MeetingRow
    subject: str
    brief: str | None
    notes: str
    rungs: list[Rung]
    guests: list[GuestRow]
    also: list[str]  # other mailboxes of ours whose calendars have it
    sent: list[SentRow]  # what it may be attributed to, newest first
    may_go_on: bool  # a sequence that it stopped could be taken up again
    is_past: bool


def whole(meeting: Meeting, actor: Actor, *, reason: str, now: datetime) -> Whole:
    """The meeting with its texts. That somebody opened them is in the record."""
    row = row_of(meeting)
    opened = reveal(actor, meeting, "subject", "notes", reason=reason)
    guests = list(Guest.objects.filter(meeting=meeting).select_related("contact").order_by("id"))
    others = Meeting.objects.filter(ical_uid_index=meeting.ical_uid_index).exclude(pk=meeting.pk)
    contact_ids = {meeting.contact_id, *(each.contact_id for each in guests)}
    sent = Message.objects.filter(contact_id__in=contact_ids, accepted_at__isnull=False)
    stopped = Enrolment.objects.filter(
        pk__in=[each.enrolment_id for each in guests if each.enrolment_id],
        state=Enrolment.State.STOPPED,
        cause=Enrolment.Cause.MEETING,
    )
    return Whole(
        row,
        opened["subject"] or "",
        reveal(actor, meeting.brief, "text", reason=reason)["text"] if row.has_brief else None,
        opened["notes"] or "",
        list(Rung.objects.filter(meeting=meeting)),
        [_guest_row(each) for each in guests],
        [names.open(each.mailbox, "address") or "" for each in others.select_related("mailbox")],
        _with_sequences(list(sent.order_by("-accepted_at")[:SHOWN_FIRST])),
        meeting.rung in rules.OFF and stopped.exists(),
        meeting.starts_at <= now,
    )


def _guest_row(guest: Guest) -> GuestRow:
    # Where only the company is recognised, the answer is somebody else's.
    answer = "" if guest.match == rules.Match.COMPANY else rules.ANSWERED.get(guest.answer, "")
    return GuestRow(guest, display_name(guest.contact), answer)


def _with_sequences(sent: list[Message]) -> list[SentRow]:
    found = Sequence.objects.filter(pk__in={each.sequence_id for each in sent})
    called = {each.pk: each.name for each in found}
    return [SentRow(each, called.get(each.sequence_id, "")) for each in sent]


def brief_time_of(member: Member) -> BriefTime:
    """When the member is told of meetings; the usual where they never chose."""
    found = BriefTime.objects.filter(member=member).first()
    return found or BriefTime(workspace_id=member.workspace_id, member=member)


def asked(member: Member) -> int:
    """How many meetings wait for an answer of those who see them."""
    return chosen_meetings(Chosen("asks"), now=datetime.min).filter(seen_by(member)).count()
