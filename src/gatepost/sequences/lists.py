"""Reads for the pages of sequences: counts, steps as they are written, enrolments, who may be enrolled."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404

from gatepost.accounts.models import Member
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import display_name, found
from gatepost.errors import NotAllowed
from gatepost.mailboxes.features import why_it_may_not_send
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import require_may_send_from, seen_by
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences.actions import StepDraft
from gatepost.sequences.models import Enrolment, Sequence, Task, Variant
from gatepost.vault import names

RUNNING = (Enrolment.State.ACTIVE, Enrolment.State.PAUSED)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a sequence so far."""

    enrolled: int = 0
    running: int = 0
    replied: int = 0
    meetings: int = 0
    bounced: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class SequenceRow:
    sequence: Sequence
    counts: Counts


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it is written, and how often it has left."""

    step_id: UUID
    position: int
    delay_minutes: int
    subject: str
    body: str
    sent: int


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    enrolment: Enrolment
    contact: str
    mailbox: str
    is_overdue: bool  # it waits for its turn: the mailbox's limit, the sending hours, the reading of mail


def rows_of(sequences: list[Sequence]) -> list[SequenceRow]:
    """The sequences with their counts, in two queries however many there are."""
    ids = [sequence.pk for sequence in sequences]
    cause = Enrolment.Cause
    enrolled = {
        row["sequence_id"]: row
        for row in Enrolment.objects.filter(sequence_id__in=ids)
        .values("sequence_id")
        .annotate(
            enrolled=Count("id"),
            running=Count("id", filter=Q(state__in=RUNNING)),
            replied=Count("id", filter=Q(cause=cause.REPLY)),
            met=Count("id", filter=Q(cause=cause.MEETING)),
            bounced=Count("id", filter=Q(cause=cause.BOUNCE)),
        )
    }
    sent = _sent(Message.objects.filter(sequence_id__in=ids), by="sequence_id")
    return [SequenceRow(each, _counts(enrolled.get(each.pk), sent[each.pk])) for each in sequences]


def _counts(row: Mapping[str, Any] | None, sent: int) -> Counts:
    if row is None:
        return Counts(sent=sent)
    return Counts(row["enrolled"], row["running"], row["replied"], row["met"], row["bounced"], sent)


def _sent(messages: QuerySet[Message], *, by: str) -> Counter[UUID]:
    """How many of these messages have left, by one of their columns."""
    return Counter(dict(messages.filter(state__in=LEFT).values_list(by).annotate(count=Count("*"))))


def step_rows(sequence: Sequence) -> list[StepRow]:
    variants = (
        Variant.objects.filter(step__sequence=sequence)
        .select_related("step")
        .order_by("step__position", "id")
    )
    first: dict[UUID, Variant] = {}
    for variant in variants:
        first.setdefault(variant.step_id, variant)
    sent = _sent(Message.objects.filter(sequence_id=sequence.pk), by="step_id")
    return [
        StepRow(
            each.step_id,
            each.step.position,
            each.step.delay_minutes,
            names.open(each, "subject") or "",
            names.open(each, "body") or "",
            sent[each.step_id],
        )
        for each in first.values()
    ]


def drafts_of(sequence: Sequence) -> list[StepDraft]:
    return [StepDraft(row.delay_minutes, row.subject, row.body) for row in step_rows(sequence)]


def enrolments(sequence: Sequence, state: str = "") -> QuerySet[Enrolment]:
    rows = sequence.enrolments.select_related("contact", "mailbox")
    return rows.filter(state=state) if state in Enrolment.State.values else rows


def row_of(enrolment: Enrolment, *, now: datetime) -> EnrolmentRow:
    return EnrolmentRow(
        enrolment,
        display_name(enrolment.contact),
        names.open(enrolment.mailbox, "address") or "",
        is_overdue=enrolment.due_at is not None and enrolment.due_at <= now,
    )


def require_may_change(member: Member, sequence_id: UUID) -> None:
    """A sequence is changed by whoever wrote it, by team leads and administrators. 404 for one of elsewhere."""
    sequence = get_object_or_404(Sequence, pk=sequence_id)
    role = Member.Role
    if sequence.member_id != member.pk and member.role not in (role.LEAD, role.ADMIN, role.OWNER):
        raise NotAllowed("Only its author, team leads and administrators may change this sequence.")


def require_may_enrol(member: Member, mailbox_id: UUID) -> None:
    """Contacts are enrolled from one's own mailbox; team leads and administrators may from any."""
    require_may_send_from(member, get_object_or_404(Mailbox, pk=mailbox_id))


def may_be_enrolled(workspace_id: UUID, sequence: Sequence, text: str = "") -> QuerySet[Contact]:
    """Contacts who are in no sequence now and were never in this one."""
    busy = Enrolment.objects.filter(contact=OuterRef("pk")).filter(
        Q(state__in=RUNNING) | Q(sequence=sequence)
    )
    return found(workspace_id, text).filter(~Exists(busy))


@dataclass(frozen=True, slots=True)
class From:
    """A mailbox to choose, with what is special about it."""

    id: UUID
    address: str
    follows_up: bool
    outreach_only: bool


def mailboxes_to_send_from() -> list[From]:
    """The mailboxes that may send, dedicated ones first."""
    connected = Mailbox.objects.filter(state=Mailbox.State.CONNECTED).select_related("workspace")
    return [
        From(each.pk, names.open(each, "address") or "", "drafts" in each.running, each.outreach_only)
        for each in connected.order_by("-outreach_only", "connected_at")
        if "send" in each.running and not why_it_may_not_send(each)
    ]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as a list shows it. Subject and text stay closed."""

    task: Task
    contact: str
    mailbox: str


def tasks_of(member: Member, state: str = Task.State.OPEN) -> QuerySet[Task]:
    """The tasks that this member sees; the oldest of those to do come first."""
    rows = Task.objects.filter(seen_by(member), state=state)
    return rows.select_related("contact", "mailbox", "enrolment__sequence").order_by("created_at")


def task_row(task: Task) -> TaskRow:
    return TaskRow(task, display_name(task.contact), names.open(task.mailbox, "address") or "")


def contacts_to_preview(workspace_id: UUID) -> list[tuple[UUID, str]]:
    return [(contact.pk, display_name(contact)) for contact in found(workspace_id)[:20]]
