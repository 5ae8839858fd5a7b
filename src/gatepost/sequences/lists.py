"""Reads for the pages of sequences: counts, steps as they are written, enrolments, who may be enrolled."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import display_name, found
from gatepost.errors import NotAllowed
from gatepost.mailboxes.features import why_it_may_not_send
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import require_may_send_from, seen_by
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences import tallies
from gatepost.sequences.actions import RUNNING
from gatepost.sequences.edits import CONDITIONS, StepDraft, Wording, delay_in_words
from gatepost.sequences.hours import days_off, hours_for
from gatepost.sequences.models import Absence, Enrolment, Sequence, Step, Task, Variant
from gatepost.sequences.queries import holds, steps_of
from gatepost.sequences.rules import Condition, Planned, dry_run
from gatepost.sequences.variants import Comparison, Result, compare
from gatepost.sequences.windows import zone_called
from gatepost.vault import names
from gatepost.web.weeks import Span


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
    """A step as it is written, how often it has left, and how its wordings do."""

    step: Step
    draft: StepDraft
    sent: int
    results: tuple[Result, ...]
    comparison: Comparison

    @property
    def delay(self) -> str:
        return delay_in_words(self.draft)

    @property
    def conditions(self) -> list[str]:
        return [CONDITIONS[Condition(each)] for each in self.draft.conditions]

    @property
    def wordings(self) -> list[tuple[str, Wording, Result, bool]]:
        """Letter, wording, result, and whether it is the best one so far; none where there is only one."""
        if len(self.results) < 2:
            return []
        found = zip(self.draft.wordings, self.results, strict=True)
        best = self.comparison.best
        return [(chr(65 + n), each, result, n == best) for n, (each, result) in enumerate(found)]

    @property
    def percent_sure(self) -> int:
        return int(self.comparison.confidence * 100)


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    enrolment: Enrolment
    contact: str
    mailbox: str
    is_overdue: bool  # it waits for its turn: the mailbox's limit, the sending hours, the reading of mail


def rows_of(sequences: list[Sequence]) -> list[SequenceRow]:
    """The sequences with their counts, in one query however many there are; in three where one was not counted yet."""
    counts = tallies.counts_of(sequence.pk for sequence in sequences)
    return [SequenceRow(each, _counts(counts[each.pk])) for each in sequences]


def _counts(of: tallies.Counts) -> Counts:
    return Counts(of["enrolled"], of["running"], of["replied"], of["met"], of["bounced"], of["sent"])


def _sent(messages: QuerySet[Message], *, by: str) -> Counter[UUID]:
    """How many of these messages have left, by one of their columns."""
    return Counter(
        dict(
            messages.filter(state__in=LEFT, reply_id__isnull=True).values_list(by).annotate(count=Count("*"))
        )
    )


def step_rows(sequence: Sequence) -> list[StepRow]:
    """The steps as those get them who are enrolled now, with what became of each wording."""
    messages = Message.objects.filter(sequence_id=sequence.pk)
    sent, by_variant = _sent(messages, by="step_id"), _sent(messages, by="variant_id")
    replied = Counter(
        dict(
            Enrolment.objects.filter(sequence=sequence, cause=Enrolment.Cause.REPLY)
            .values_list("last_variant")
            .annotate(count=Count("*"))
        )
    )
    rows = []
    for step in steps_of(sequence).prefetch_related("variants"):
        wordings = sorted(step.variants.all(), key=lambda each: each.pk)
        results = [Result(by_variant[each.pk], replied[each.pk]) for each in wordings]
        rows.append(StepRow(step, _draft(step, wordings), sent[step.pk], tuple(results), compare(results)))
    return rows


def drafts_of(sequence: Sequence) -> list[StepDraft]:
    """The steps as they are written now."""
    steps = steps_of(sequence).prefetch_related("variants")
    return [_draft(step, sorted(step.variants.all(), key=lambda each: each.pk)) for step in steps]


def _draft(step: Step, wordings: list[Variant]) -> StepDraft:
    first, *others = [
        Wording(names.open(each, "subject") or "", names.open(each, "body") or "", each.weight)
        for each in wordings
    ]
    return StepDraft(
        step.delay_minutes,
        first.subject,
        first.body,
        kind=step.kind,
        business_days=step.business_days,
        conditions=tuple(step.conditions),
        task_days=step.task_days,
        weight=first.weight,
        others=tuple(others),
    )


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


def may_override(member: Member) -> bool:
    """Who may enrol somebody in spite of another sequence or the cool-off."""
    role = Member.Role
    return member.role in (role.LEAD, role.ADMIN, role.OWNER)


def require_may_override(member: Member) -> None:
    if not may_override(member):
        raise NotAllowed(
            "Only team leads and administrators may enrol somebody who is in another sequence or was in one a "
            "short while ago."
        )


def require_may_enrol(member: Member, mailbox_id: UUID) -> None:
    """Contacts are enrolled from one's own mailbox; team leads and administrators may from any."""
    require_may_send_from(member, get_object_or_404(Mailbox, pk=mailbox_id))


def may_be_enrolled(
    workspace_id: UUID, sequence: Sequence, text: str = "", *, in_spite: bool = False
) -> QuerySet[Contact]:
    """Contacts who were never in this sequence; nor are in another, or were a short while ago, unless `in_spite`."""
    hinders = Q(sequence=sequence)
    if not in_spite:
        cool_since = clock.now() - timedelta(days=sequence.cool_off_days)
        hinders |= Q(state__in=RUNNING) | Q(ended_at__gt=cool_since)
    busy = Enrolment.objects.filter(contact=OuterRef("pk")).filter(hinders)
    return found(workspace_id, text).filter(~Exists(busy))


@dataclass(frozen=True, slots=True)
class From:
    """A mailbox to choose, with what is special about it."""

    id: UUID
    address: str
    follows_up: bool
    outreach_only: bool


def mailboxes_to_send_from(member: Member) -> list[From]:
    """The mailboxes that may send: the member's own first, and dedicated ones before others."""
    connected = Mailbox.objects.filter(state=Mailbox.State.CONNECTED).select_related("workspace")
    ordered = sorted(
        connected.order_by("-outreach_only", "connected_at"), key=lambda each: each.member_id != member.pk
    )
    return [
        From(each.pk, names.open(each, "address") or "", "drafts" in each.running, each.outreach_only)
        for each in ordered
        if "send" in each.running and not why_it_may_not_send(each)
    ]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as a list shows it. Subject and text stay closed."""

    task: Task
    contact: str
    mailbox: str
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class ChosenTasks:
    """Which tasks a list is narrowed to. Reports count by the same, so that a number and its rows agree."""

    sequence_id: UUID | None = None
    step_id: UUID | None = None
    variant_id: UUID | None = None
    member_id: UUID | None = None
    company_id: UUID | None = None
    answer: str = ""  # a reply with this label stands in its conversation
    ended_within: Span | None = None


def chosen_tasks(chosen: ChosenTasks) -> QuerySet[Task]:
    columns = {
        "enrolment__sequence_id": chosen.sequence_id, "step_id": chosen.step_id, "variant_id": chosen.variant_id,
        "mailbox__member_id": chosen.member_id, "contact__company_id": chosen.company_id,
    }  # fmt: skip
    rows = Task.objects.filter(**{column: value for column, value in columns.items() if value})
    if chosen.answer:
        # Of the concept above, by the names of its columns; and by its own column, without a join to all enrolments.
        conversations: Any = Enrolment._meta.get_field("conversation").related_model
        answered = conversations.objects.filter(replies__label=chosen.answer)
        rows = rows.filter(enrolment__in=answered.values("enrolment_id"))
    if chosen.ended_within:
        start, end = chosen.ended_within
        rows = rows.filter(ended_at__gte=start, ended_at__lt=end)
    return rows


def tasks_of(
    member: Member, state: str = Task.State.OPEN, chosen: ChosenTasks = ChosenTasks()
) -> QuerySet[Task]:
    """The tasks that this member sees; the oldest of those to do come first."""
    rows = chosen_tasks(chosen).filter(seen_by(member), state=state)
    if state == Task.State.OPEN:
        # A reminder shows on its day, not months before.
        rows = rows.exclude(kind=Task.Kind.REMINDER, due_at__gt=clock.now())
    return rows.select_related("contact", "mailbox", "enrolment__sequence").order_by("created_at")


def task_row(task: Task) -> TaskRow:
    overdue = task.due_at is not None and task.due_at < clock.now()
    return TaskRow(task, display_name(task.contact), names.open(task.mailbox, "address") or "", overdue)


def contacts_to_preview(workspace_id: UUID) -> list[tuple[UUID, str]]:
    return [(contact.pk, display_name(contact)) for contact in found(workspace_id)[:20]]


def absences(member: Member) -> QuerySet[Absence]:
    """Days off that are not over: one's own; team leads and administrators see everybody's."""
    rows = Absence.objects.filter(last_local_date__gte=clock.now().date() - timedelta(days=1))
    if not may_override(member):
        rows = rows.filter(member=member)
    return rows.select_related("member", "stand_in").order_by("first_local_date")


# A dry run


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One step of one contact in a dry run, on the contact's own clock."""

    contact: str
    contact_id: UUID
    time_zone: str
    planned: Planned
    what: str

    @property
    def local(self) -> datetime:
        return self.planned.at.astimezone(zone_called(self.time_zone))

    @property
    def wall_time(self) -> str:
        """As a word: a template would turn a moment into the reader's own time zone."""
        return f"{self.local:%H:%M}"


MOST_IN_A_RUN = 10


def mailbox_of(member: Member) -> Mailbox | None:
    """The mailbox that a member would enrol from: a connected one first. His days off count for it."""
    return Mailbox.objects.filter(member=member).order_by("state", "connected_at").first()


def dry_run_of(
    sequence: Sequence, contacts: list[Contact], mailbox: Mailbox | None, *, start: datetime
) -> list[tuple[date, list[RunEntry]]]:
    """What would be taken when if these contacts were enrolled at `start`, by the day on the contact's calendar."""
    steps = list(steps_of(sequence))
    away = days_off([mailbox.member_id]).get(mailbox.member_id, []) if mailbox else []
    days: dict[date, list[RunEntry]] = {}
    for contact in contacts:
        hours = hours_for(sequence, contact, mailbox, away)
        run = dry_run([step.facts for step in steps], hours, start=start, holds=holds(contact))
        for step, planned in zip(steps, run, strict=True):
            entry = RunEntry(
                display_name(contact), contact.pk, hours.time_zone, planned, step.get_kind_display()
            )
            days.setdefault(entry.local.date(), []).append(entry)
    return [(day, sorted(days[day], key=lambda each: each.planned.at)) for day in sorted(days)]
