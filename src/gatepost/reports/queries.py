"""What the reports count. Each figure counts rows that a list can show (`Chosen` of that list)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncWeek

from gatepost.accounts.models import Member
from gatepost.conversations.models import Reply
from gatepost.conversations.rules import AUTOMATIC
from gatepost.mailboxes.queries import seen_by
from gatepost.meetings.models import Meeting
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences.models import Sequence, Step
from gatepost.web.weeks import Span, monday_of

CONVERSATION = "conversation"
FIGURES = {
    "sent": Count("id"),
    "confirmed": Count("id", filter=Q(state=Message.State.CONFIRMED)),
}
ANSWERS = {
    "replied": Count(CONVERSATION, distinct=True),
    "interested": Count(CONVERSATION, distinct=True, filter=Q(label="interested")),
    "unsure": Count(CONVERSATION, distinct=True, filter=Q(label="unsure")),
    "opted_out": Count(CONVERSATION, distinct=True, filter=Q(label__in=("unsubscribe", "hard_no"))),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of some mails."""

    sent: int = 0
    confirmed: int = 0
    bounced: int = 0
    replied: int = 0  # conversations that a person answered in
    interested: int = 0
    unsure: int = 0
    opted_out: int = 0
    meetings: int = 0

    @property
    def labelled(self) -> int:
        """Answers whose label is known: the whole of which the interested are a share."""
        return self.replied - self.unsure


@dataclass(frozen=True, slots=True)
class StepFigures:
    step_id: UUID
    position: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class SequenceFigures:
    sequence: Sequence
    figures: Figures
    steps: tuple[StepFigures, ...]


@dataclass(frozen=True, slots=True)
class MemberFigures:
    member_id: UUID
    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Week:
    monday: date
    figures: Figures


class _Rows:
    """The rows that a member may count, within a span: each kind by the moment it happened."""

    def __init__(self, member: Member, span: Span | None) -> None:
        seen = seen_by(member)
        self.sent = _within(Message.objects.filter(seen, state__in=LEFT), "accepted_at", span)
        self.bounced = _within(Message.objects.filter(seen, bounced_at__isnull=False), "bounced_at", span)
        self.answers = _within(Reply.objects.filter(seen).exclude(label__in=AUTOMATIC), "received_at", span)
        self.meetings = _within(Meeting.objects.filter(seen, state=Meeting.State.BOOKED), "found_at", span)


def total(member: Member, span: Span | None) -> Figures:
    rows = _Rows(member, span)
    return Figures(
        **rows.sent.aggregate(**FIGURES),
        **rows.answers.aggregate(**ANSWERS),
        bounced=rows.bounced.count(),
        meetings=rows.meetings.count(),
    )


def by_sequence(member: Member, span: Span | None) -> list[SequenceFigures]:
    """Sequences of which something left or came back, newest first, with their steps."""
    rows = _Rows(member, span)
    whole = _grouped(
        rows, message="sequence_id", reply="message__sequence_id", meeting="enrolment__sequence_id"
    )
    each = _grouped(rows, message="step_id", reply="message__step_id", meeting="step_id")
    steps: defaultdict[UUID, list[StepFigures]] = defaultdict(list)
    for step in Step.objects.filter(pk__in=each).order_by("position"):
        steps[step.sequence_id].append(StepFigures(step.pk, step.position, each[step.pk]))
    found = Sequence.objects.filter(pk__in=whole).order_by("-created_at")
    return [SequenceFigures(sequence, whole[sequence.pk], tuple(steps[sequence.pk])) for sequence in found]


def by_member(member: Member, span: Span | None) -> list[MemberFigures]:
    rows = _Rows(member, span)
    owner = "mailbox__member_id"
    found = _grouped(rows, message=owner, reply=owner, meeting=owner)
    names = dict(Member.objects.filter(pk__in=found).values_list("pk", "name"))
    return sorted(
        (MemberFigures(key, names[key], figures) for key, figures in found.items()), key=lambda row: row.name
    )


def by_week(member: Member, span: Span, zone: ZoneInfo, *, now: datetime) -> list[Week]:
    """Every week of the span up to this one, also those in which nothing happened."""
    rows = _Rows(member, span)

    def week(column: str) -> TruncWeek:
        return TruncWeek(column, tzinfo=zone)

    found = _grouped(
        rows,
        message=week("accepted_at"),
        bounced=week("bounced_at"),
        reply=week("received_at"),
        meeting=week("found_at"),
    )
    figures = {moment.astimezone(zone).date(): each for moment, each in found.items()}
    monday, weeks = monday_of(span[0], zone), []
    while monday <= monday_of(now, zone):
        weeks.append(Week(monday, figures.get(monday, Figures())))
        monday += timedelta(days=7)
    return weeks


def _within(rows: QuerySet[Any], column: str, span: Span | None) -> QuerySet[Any]:
    return rows.filter(**{f"{column}__gte": span[0], f"{column}__lt": span[1]}) if span else rows


def _grouped(
    rows: _Rows, *, message: object, reply: object, meeting: object, bounced: object = None
) -> dict[Any, Figures]:
    """Figures by what each kind of row is grouped by; four queries, however many groups there are."""
    parts = (
        _counted(rows.sent, message, FIGURES),
        _counted(rows.bounced, bounced or message, {"bounced": Count("id")}),
        _counted(rows.answers, reply, ANSWERS),
        _counted(rows.meetings, meeting, {"meetings": Count("id")}),
    )
    found: defaultdict[Any, dict[str, int]] = defaultdict(dict)
    for part in parts:
        for group, counts in part:
            found[group].update(counts)
    return {group: Figures(**counts) for group, counts in found.items() if group is not None}


def _counted(
    rows: QuerySet[Any], group: object, counts: dict[str, Count]
) -> Iterable[tuple[Any, dict[str, int]]]:
    by = F(group) if isinstance(group, str) else group
    for row in rows.annotate(group=by).values("group").annotate(**counts).order_by():
        yield row.pop("group"), row


COLUMNS = tuple(column.name for column in fields(Figures))
