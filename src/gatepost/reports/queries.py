"""What the reports count. Each figure counts rows that a list can show (`Chosen` of that list)."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Aggregate, Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncWeek

from gatepost.accounts.models import Member
from gatepost.conversations.models import Reply
from gatepost.conversations.rules import AUTOMATIC
from gatepost.erasure.models import KeptFigures
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import seen_by
from gatepost.meetings.models import Meeting
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences.models import Sequence, Step
from gatepost.web.weeks import Span, monday_of

CONVERSATION = "conversation"
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


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a period, in all and divided each way."""

    whole: Figures
    sequences: list[SequenceFigures]  # those of which something left or came back, newest first
    members: list[MemberFigures]
    weeks: list[Week]  # every week up to this one, also those in which nothing happened
    erased: int = 0  # mails of the whole whose rows were erased since


# What a figure may be divided by, and the column of each table that says it.
SEQUENCE, STEP, MAILBOX, WEEK = "sequence", "step", "mailbox", "week"
MESSAGE = {SEQUENCE: F("sequence_id"), STEP: F("step_id"), MAILBOX: F("mailbox_id")}
REPLY = {SEQUENCE: F("message__sequence_id"), STEP: F("message__step_id"), MAILBOX: F("mailbox_id")}
MEETING = {SEQUENCE: F("enrolment__sequence_id"), STEP: F("step_id"), MAILBOX: F("mailbox_id")}


def report(member: Member, span: Span, zone: ZoneInfo, *, now: datetime) -> Report:
    """What happened in the span, in the mailboxes that the member may see.

    The messages, which are many, are counted in one pass, and by columns of theirs that an index can hold;
    everything else is a small part of them.
    """
    seen = seen_by(member)
    steps_sent = Message.objects.filter(seen, reply_id__isnull=True)  # what a member answers is no outreach
    left = _within(steps_sent.filter(state__in=LEFT), "accepted_at", span)
    came_back = _within(steps_sent.filter(bounced_at__isnull=False), "bounced_at", span)
    booked = _within(Meeting.objects.filter(seen, state=Meeting.State.BOOKED), "found_at", span)
    answers = _within(Reply.objects.filter(seen).exclude(label__in=AUTOMATIC), "received_at", span)
    sent = {"sent": Count("*"), "confirmed": Count("state", filter=Q(state=Message.State.CONFIRMED))}
    tallies = [
        *_tallied(left, {**MESSAGE, WEEK: TruncWeek("accepted_at", tzinfo=zone)}, sent),
        *_tallied(
            came_back, {**MESSAGE, WEEK: TruncWeek("bounced_at", tzinfo=zone)}, {"bounced": Count("*")}
        ),
        *_tallied(booked, {**MEETING, WEEK: TruncWeek("found_at", tzinfo=zone)}, {"meetings": Count("*")}),
    ]
    kept = _kept(member, span)
    answered_by = {**REPLY, WEEK: TruncWeek("received_at", tzinfo=zone)}

    def by(division: str) -> dict[Any, Figures]:
        # A conversation may be answered in twice, so its parts cannot be added up: each division asks anew.
        counted = _tallied(answers, {division: answered_by[division]}, ANSWERS)
        return _added_up([*tallies, *counted, *kept], division)

    steps: defaultdict[UUID, list[StepFigures]] = defaultdict(list)
    by_step, by_sequence, by_mailbox, by_week = by(STEP), by(SEQUENCE), by(MAILBOX), by(WEEK)
    for step in Step.objects.filter(pk__in=by_step).order_by("position"):
        steps[step.sequence_id].append(StepFigures(step.pk, step.position, by_step[step.pk]))
    sequences = Sequence.objects.filter(pk__in=by_sequence).order_by("-created_at")
    return Report(
        _added_up([*tallies, *_tallied(answers, {}, ANSWERS), *kept]).get(None, Figures()),
        [SequenceFigures(each, by_sequence[each.pk], tuple(steps[each.pk])) for each in sequences],
        _by_member(by_mailbox),
        [Week(monday, by_week.get(monday, Figures())) for monday in _mondays(span, zone, now)],
        sum(row["sent"] for row in kept),
    )


def _kept(member: Member, span: Span) -> list[dict[str, Any]]:
    """The numbers of what was erased, which belong to nobody: a rep, who sees his own, is not shown them."""
    if member.role == Member.Role.REP:
        return []
    gone = Q(erasure__isnull=True) | Q(erasure__finished_at__isnull=False)
    start, end = (moment.astimezone(ZoneInfo(member.workspace.time_zone)).date() for moment in span)
    rows = KeptFigures.objects.filter(gone, week_local_date__gte=start, week_local_date__lt=end)
    divisions = {SEQUENCE: F("sequence_id"), STEP: F("step_id"), WEEK: F("week_local_date")}
    tallies = _tallied(rows, divisions, {f"sum_{name}": Sum(name) for name in COLUMNS})
    return [
        {key.removeprefix("sum_"): value for key, value in row.items()} | {MAILBOX: None} for row in tallies
    ]


def _by_member(by_mailbox: dict[UUID, Figures]) -> list[MemberFigures]:
    """Everybody's figures: those of all his mailboxes. A conversation is in one mailbox, so they add up."""
    sums: dict[UUID, tuple[str, Counter[str]]] = {}
    for mailbox in (
        Mailbox.objects.filter(pk__in=by_mailbox).select_related("member").order_by("member__name")
    ):
        _name, counts = sums.setdefault(mailbox.member_id, (mailbox.member.name, Counter()))
        counts.update(asdict(by_mailbox[mailbox.pk]))
    return [MemberFigures(key, name, Figures(**counts)) for key, (name, counts) in sums.items()]


def _within(rows: QuerySet[Any], column: str, span: Span) -> QuerySet[Any]:
    return rows.filter(**{f"{column}__gte": span[0], f"{column}__lt": span[1]})


def _tallied(
    rows: QuerySet[Any], divisions: dict[str, Any], counts: Mapping[str, Aggregate]
) -> list[dict[str, Any]]:
    """One row for each combination of the divisions, with its counts."""
    if not divisions:
        return [rows.aggregate(**counts)]
    names = {f"by_{name}": column for name, column in divisions.items()}
    found = rows.annotate(**names).values(*names).annotate(**counts).order_by()
    return [{key.removeprefix("by_"): value for key, value in row.items()} for row in found]


def _added_up(tallies: list[dict[str, Any]], division: str | None = None) -> dict[Any, Figures]:
    """Figures by one division, or all under None. Rows without it (a meeting whose enrolment is gone) stand in none of its parts."""
    sums: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    for row in tallies:
        part = row[division] if division else None
        if division and part is None:
            continue
        part = part.date() if isinstance(part, datetime) else part
        sums[part].update({name: row[name] for name in COLUMNS if name in row})
    return {part: Figures(**counts) for part, counts in sums.items()}


def _mondays(span: Span, zone: ZoneInfo, now: datetime) -> list[date]:
    first, last = monday_of(span[0], zone), monday_of(now, zone)
    return [first + timedelta(days=days) for days in range(0, (last - first).days + 1, 7)]


COLUMNS = tuple(column.name for column in fields(Figures))
