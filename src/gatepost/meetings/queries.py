"""What is known about the events of a calendar window, and what a brief may say."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gatepost.audit.record import job as by_job
from gatepost.audit.reveal import reveal
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import display_name
from gatepost.conversations.models import Promise, Reply
from gatepost.conversations.rules import LABELS
from gatepost.graph.calendar import Event
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings.models import Brief, Meeting
from gatepost.meetings.rules import BriefFacts, EventFacts, Known
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.vault import names
from gatepost.vault.sealing import index

BY_SYNC = by_job("meetings.sync")


@dataclass(frozen=True, slots=True)
class Judged:
    """An event with what we know of it."""

    event: Event
    facts: EventFacts
    contact_id: UUID | None
    enrolment_id: UUID | None
    meeting: Meeting | None


def judge(mailbox: Mailbox, events: list[Event]) -> list[Judged]:
    """Each event with its facts. An event without an enrolled contact is known by its attendees' hashes only."""
    workspace_id = mailbox.workspace_id

    def hashed(address: str) -> str:
        return index(workspace_id, "address", address)

    people = {
        e.graph_id: [hashed(a) for a in {e.organizer, *(a for a, _ in e.attendees)} if a] for e in events
    }
    uids = {e.graph_id: index(workspace_id, "ical-uid", e.ical_uid) for e in events}
    with inside(workspace_id):
        enrolments = _enrolments({p for each in people.values() for p in each})
        meetings = {
            m.ical_uid_index: m
            for m in Meeting.objects.filter(mailbox=mailbox, ical_uid_index__in=uids.values())
        }
    judged = []
    for event in events:
        with_contact = [enrolments[p] for p in people[event.graph_id] if p in enrolments]
        enrolment = with_contact[0] if with_contact else None
        meeting = meetings.get(uids[event.graph_id])
        answers = {hashed(address): response for address, response in event.attendees}
        known = meeting and Known(
            meeting.starts_at, meeting.ends_at, meeting.change_key, meeting.state != Meeting.State.BOOKED
        )
        facts = EventFacts(
            starts=event.starts,
            ends=event.ends,
            is_cancelled=event.is_cancelled,
            with_contact=enrolment is not None or meeting is not None,
            contact_declined=enrolment is not None
            and answers.get(enrolment.contact.email_index) == "declined",
            rep_declined=any(answers.get(own) == "declined" for own in mailbox.own_address_indexes),
            known=known or None,
        )
        judged.append(
            Judged(
                event,
                facts,
                enrolment.contact_id if enrolment else meeting.contact_id if meeting else None,
                enrolment.pk if enrolment else meeting.enrolment_id if meeting else None,
                meeting,
            )
        )
    return judged


def _enrolments(address_indexes: set[str]) -> dict[str, Enrolment]:
    """The latest enrolment of each contact with one of these addresses, running or ended."""
    rows = Enrolment.objects.filter(contact__email_index__in=address_indexes).select_related("contact")
    return {row.contact.email_index: row for row in rows.order_by("created_at")}


def vanished(mailbox: Mailbox, start: datetime, end: datetime, seen: set[str]) -> list[Meeting]:
    """Booked meetings of the window that the calendar no longer lists."""
    with inside(mailbox.workspace_id):
        booked = Meeting.objects.filter(
            mailbox=mailbox, state=Meeting.State.BOOKED, starts_at__gte=start, starts_at__lt=end
        )
        return [meeting for meeting in booked if meeting.ical_uid_index not in seen]


def last_step_sent(enrolment_id: UUID | None) -> UUID | None:
    if enrolment_id is None:
        return None
    sent = (
        Message.objects.filter(enrolment_id=enrolment_id, accepted_at__isnull=False)
        .order_by("-position")
        .first()
    )
    return sent.step_id if sent else None


def briefs_to_show(mailbox: Mailbox, now: datetime) -> list[Meeting]:
    """Coming meetings whose brief is wanted, with what they need."""
    with inside(mailbox.workspace_id):
        meetings = Meeting.objects.filter(mailbox=mailbox, state=Meeting.State.BOOKED, ends_at__gte=now)
        return list(meetings.select_related("contact__company", "enrolment__sequence", "brief"))


def briefs_to_remove(mailbox: Mailbox, *, on_calendar: bool) -> list[Brief]:
    """Briefs whose event must leave the calendar: of meetings that are off, or all where it is switched off."""
    with inside(mailbox.workspace_id):
        shown = Brief.objects.filter(mailbox=mailbox).exclude(event_id="").select_related("meeting")
        return [brief for brief in shown if not on_calendar or brief.meeting.state != Meeting.State.BOOKED]


def on_calendar(mailbox: Mailbox) -> bool:
    """Whether briefs go into this calendar: switched on for workspace and mailbox, and granted."""
    with inside(mailbox.workspace_id):
        return "briefs" in Mailbox.objects.select_related("workspace").get(pk=mailbox.pk).running


@dataclass(frozen=True, slots=True)
class BriefSources:
    """What a brief is written from, its texts still closed. `digest` is the same as long as they are."""

    reply: Reply | None
    promise: Promise | None
    name: str
    company: str
    title: str
    sequence: str
    steps_sent: int
    digest: str


def brief_sources(meeting: Meeting) -> BriefSources:
    contact: Contact = meeting.contact
    reply = (
        Reply.objects.filter(conversation__contact=contact, conversation__mailbox_id=meeting.mailbox_id)
        .exclude(label__in=["bounce", "auto_reply", "out_of_office"])
        .order_by("-received_at")
        .first()
    )
    promise = (
        Promise.objects.filter(conversation__contact=contact, done=False).order_by("due_local_date").first()
    )
    name = display_name(contact)
    company = (names.open(contact.company, "name") or "") if contact.company else ""
    title = names.open(contact, "title") or ""
    sequence = meeting.enrolment.sequence.name if meeting.enrolment else ""
    steps_sent = Message.objects.filter(contact=contact, accepted_at__isnull=False).count()
    parts = [
        *((str(reply.pk), reply.label) if reply else ()),
        *((str(promise.pk), str(promise.due_local_date), promise.precision) if promise else ()),
        meeting.change_key, meeting.starts_at.isoformat(), name, company, title, sequence, str(steps_sent),
    ]  # fmt: skip
    digest = index(meeting.workspace_id, "brief", json.dumps(parts))
    return BriefSources(reply, promise, name, company, title, sequence, steps_sent, digest)


def brief_facts(meeting: Meeting, sources: BriefSources) -> BriefFacts:
    """What the brief may say. The contact's last reply is opened for it, which leaves an audit entry."""
    reply, promise = sources.reply, sources.promise
    text = reveal(BY_SYNC, reply, "text", reason="brief")["text"] if reply else ""
    subject = reveal(BY_SYNC, meeting, "subject", reason="brief")["subject"] if meeting.subject else ""
    return BriefFacts(
        name=sources.name,
        company=sources.company,
        title=sources.title,
        sequence=sources.sequence,
        steps_sent=sources.steps_sent,
        last_reply=(text or "")[:2000],
        last_label=LABELS.get(reply.label, reply.label) if reply else "",
        promise=f"{promise.due_local_date:%d %B %Y} ({promise.precision})" if promise else "",
        meeting_subject=subject or "",
    )
