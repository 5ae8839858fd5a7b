"""What the reports count. Each figure counts rows that a list shows: by the list's own choice (its `Chosen`)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from functools import cache, cached_property, partial
from itertools import chain
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import BitOr
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Aggregate,
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from gatepost.accounts.models import Member
from gatepost.contacts.models import Company
from gatepost.conversations import lists as conversations
from gatepost.conversations.models import Reply
from gatepost.conversations.rules import AUTOMATIC, OPT_OUTS
from gatepost.erasure.models import KeptFigures
from gatepost.mailboxes.letterhead import sender_address
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import seen_by
from gatepost.meetings import lists as meetings
from gatepost.meetings.models import Meeting
from gatepost.outbox import lists as outbox
from gatepost.outbox.limits import Limit, of_day
from gatepost.outbox.models import Message
from gatepost.reports import counted
from gatepost.reports.grouping import Grouped, Median, gathered, grouped, medians, summed
from gatepost.reports.rules import Rate, rate
from gatepost.sequences import lists as sequences
from gatepost.sequences.models import Enrolment, Sequence, Step, Task, Variant
from gatepost.vault import names
from gatepost.web.labels import LABELS
from gatepost.web.weeks import Span, monday_of, span_of

# What a report can be divided by.
SEQUENCE, STEP, VARIANT, MEMBER, COMPANY, WEEK = "sequence", "step", "variant", "member", "company", "week"
DIVISIONS = (SEQUENCE, STEP, VARIANT, MEMBER, COMPANY)
# Of a division that can have any number of parts, those to which most was sent.
MOST_PARTS = 50


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a report is narrowed to. Nothing chosen: the whole workspace, as far as the member sees it."""

    sequence_id: UUID | None = None
    step_id: UUID | None = None
    variant_id: UUID | None = None
    member_id: UUID | None = None
    company_id: UUID | None = None
    label: str = ""  # only what was answered so, and what came of it


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of some mails."""

    planned: int = 0
    sent: int = 0
    confirmed: int = 0
    bounced: int = 0
    replied: int = 0  # conversations that a person answered in
    labelled: int = 0  # those with an answer whose label is known: of these the interested are a share
    interested: int = 0
    unsure: int = 0
    opted_out: int = 0
    promises: int = 0  # conversations with a reply that promises something
    meetings: int = 0
    tasks: int = 0  # done
    labels: Mapping[str, int] = field(default_factory=dict)  # conversations by the labels of their replies
    rungs: Mapping[str, int] = field(default_factory=dict)  # meetings by how surely they are one
    days_to_reply: float | None = None  # the median, from a mail to its answer
    days_to_meeting: float | None = None  # the median, from the first mail to the meeting being booked


NUMBERS = tuple(each.name for each in fields(Figures) if each.type is int)
# What is kept of erased mails (erasure.KeptFigures).
KEPT = ("sent", "confirmed", "bounced", "replied", "interested", "unsure", "opted_out", "meetings")


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of one sequence, step, wording, person or company."""

    id: UUID
    name: str
    figures: Figures
    below: tuple["Part", ...] = ()  # the steps of a sequence


@dataclass(frozen=True, slots=True)
class Week:
    """The figures of a week, or of as much of it as lies in the report's span."""

    first: date
    last: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a period, in all and divided."""

    whole: Figures
    weeks: tuple[Week, ...]  # every week of the span, also those in which nothing happened
    parts: tuple[Part, ...]
    erased: int = 0  # mails of the whole whose rows were erased since


def report(
    member: Member,
    chosen: Chosen,
    span: Span,
    zone: ZoneInfo,
    *,
    by: str = SEQUENCE,
    medians_of_parts: bool = False,
) -> Report:
    """What happened in the span, in the mailboxes that the member may see. Medians are of the whole alone, unless asked for.

    The number of queries depends on nothing. Each table is read once for all weeks and parts; of the messages, which are
    many, only those of weeks that are not counted yet (`counted`), unless company or label narrow them.
    """
    weeks = _weeks(span, zone)
    starts = tuple(start for start, _first, _last in weeks)
    counting = _Counting(member, chosen, span, zone, starts, by, medians_of_parts=medians_of_parts)
    by_week = counting.by(WEEK)
    shown = tuple(
        Week(first, last, by_week.get(number, Figures()))
        for number, (_start, first, last) in enumerate(weeks, start=1)
    )
    return Report(counting.whole(), shown, _parts(counting, by), counting.erased)


# Counting


def _took(end: str, start: Any) -> ExpressionWrapper:
    return ExpressionWrapper(F(end) - start, output_field=DurationField())


# By division, the column of each table that says it.
_OF_MESSAGE = {
    SEQUENCE: F("sequence_id"), STEP: F("step_id"), VARIANT: F("variant_id"), MEMBER: F("mailbox__member_id"),
    COMPANY: F("contact__company_id"),
}  # fmt: skip
_OF_REPLY = {
    SEQUENCE: F("sequence_id"), STEP: F("step_id"), VARIANT: F("variant_id"),
    MEMBER: F("mailbox__member_id"), COMPANY: F("conversation__contact__company_id"),
}  # fmt: skip
_MAILS_BEFORE = Message.objects.filter(
    enrolment_id=OuterRef("enrolment_id"), state__in=outbox.LEFT, reply_id__isnull=True
).order_by()
# Looked up for each: for a join all enrolments would be read.
_OF_ENROLMENT = Subquery(Enrolment.objects.filter(pk=OuterRef("enrolment_id")).values("sequence_id"))
_OF_MEETING = {
    SEQUENCE: _OF_ENROLMENT, STEP: F("step_id"),
    VARIANT: Subquery(_MAILS_BEFORE.filter(step_id=OuterRef("step_id")).values("variant_id")[:1]),
    MEMBER: F("mailbox__member_id"), COMPANY: F("contact__company_id"),
}  # fmt: skip
_OF_TASK = {
    # Its step says it too, and there are few.
    SEQUENCE: Coalesce("step__sequence_id", _OF_ENROLMENT, output_field=UUIDField()), STEP: F("step_id"), VARIANT: F("variant_id"),
    MEMBER: F("mailbox__member_id"), COMPANY: F("contact__company_id"),
}  # fmt: skip

# What was answered in a conversation, as a number: a bit for each label, one for any other, and one for a promise.
_LABELS = (*LABELS, "")
_ANSWERED: Any = BitOr(
    Case(*(When(label=name, then=Value(1 << n)) for n, name in enumerate(LABELS)), default=Value(1 << len(LABELS)))
    + Case(When(promise__isnull=False, then=Value(1 << len(_LABELS))), default=Value(0))
)  # fmt: skip


@cache
def _kinds(answered: int) -> tuple[str, ...]:
    """The figures in which such a conversation counts."""
    labels = {name for n, name in enumerate(_LABELS) if answered >> n & 1}
    persons = labels.difference(AUTOMATIC)
    found = {
        "replied": persons, "labelled": persons - {"unsure"}, "interested": labels & {"interested"},
        "unsure": labels & {"unsure"}, "opted_out": labels & set(OPT_OUTS), "promises": answered >> len(_LABELS) & 1,
    }  # fmt: skip
    return (
        *(kind for kind, counts in found.items() if counts),
        *(f"label_{name}" for name in labels if name),
    )


def _conversations(rows: QuerySet[Reply], columns: Mapping[str, Any]) -> Grouped:
    """A conversation may be answered in twice: it counts once in each part, and once in all."""
    sums: defaultdict[tuple[str, Any], Counter[str]] = defaultdict(Counter)
    for column, part, answered, many in gathered(rows, columns, "conversation_id", _ANSWERED):
        for kind in _kinds(answered):
            sums[column, part][kind] += many
    for (column, part), counts in sums.items():
        yield column, part, dict(counts)


# The reply says when our mail had left, if that was known by then.
_MAILED = Coalesce(
    "mailed_at", Subquery(Message.objects.filter(pk=OuterRef("message_id")).values("accepted_at"))
)
_STANDS = Q(state=Meeting.State.BOOKED)
_FIRST_MAIL = Subquery(
    _MAILS_BEFORE.values("enrolment_id").annotate(first=Min("accepted_at")).values("first")
)
_MEETINGS: dict[str, Aggregate] = {
    "meetings": Count("pk", filter=_STANDS),
    **{f"rung_{rung}": Count("pk", filter=Q(rung=rung)) for rung in Meeting.Rung.values},
}


@dataclass(frozen=True, slots=True)
class _Family:
    """Rows of one table that are counted together, by one moment of theirs."""

    rows: Callable[["_Counting"], QuerySet[Any]]
    moment: str
    divisions: Mapping[str, Any]
    counts: Callable[[QuerySet[Any], Mapping[str, Any]], Grouped]
    of_messages: bool = False  # of which counts of whole weeks are kept
    medians: Mapping[str, tuple[Any, Q]] = field(default_factory=dict)  # of a value, in some of the rows


def _sums(**counts: Aggregate) -> Callable[[QuerySet[Any], Mapping[str, Any]], Grouped]:
    return partial(summed, counts=counts)


_CONFIRMED = Q(state=Message.State.CONFIRMED)
_FAMILIES = (
    _Family(
        lambda counting: counting.messages(part="sent"), "accepted_at", _OF_MESSAGE,
        _sums(
            sent=Count("*"),
            confirmed=Count("state", filter=_CONFIRMED),
            came_back=Count("state", filter=_CONFIRMED & Q(bounced_at__isnull=False)),
        ),
        of_messages=True,
    ),
    _Family(
        lambda counting: counting.messages(planned=True), "planned_at", _OF_MESSAGE, _sums(planned=Count("*")),
        of_messages=True,
    ),
    _Family(
        lambda counting: counting.messages(bounced=True), "bounced_at", _OF_MESSAGE, _sums(bounced=Count("*")),
        of_messages=True,
    ),
    _Family(
        lambda counting: counting.replies(), "received_at", _OF_REPLY, _conversations,
        medians={"days_to_reply": (_took("received_at", _MAILED), ~Q(label__in=AUTOMATIC))},
    ),
    _Family(
        lambda counting: counting.meetings(), "found_at", _OF_MEETING, _sums(**_MEETINGS),
        medians={"days_to_meeting": (_took("found_at", _FIRST_MAIL), _STANDS)},
    ),
    _Family(lambda counting: counting.tasks(), "ended_at", _OF_TASK, _sums(tasks=Count("*"))),
)  # fmt: skip


# The same of the weeks that were counted.
_OF_COUNT = {
    SEQUENCE: F("count__sequence_id"), STEP: F("count__step_id"), VARIANT: F("count__variant_id"),
    MEMBER: F("count__mailbox_id"),
}  # fmt: skip
_COUNTED: dict[str, Any] = {name: Coalesce(Sum(f"count__{name}"), 0) for name in counted.COUNTS}


# By division, which ones are shown with it. Companies are many: the largest are asked for by themselves.
_TOGETHER = {SEQUENCE: (SEQUENCE, STEP), STEP: (STEP,), VARIANT: (VARIANT,), MEMBER: (MEMBER,)}


class _Counting:
    """One report's counting: by weeks, by a division, in all."""

    def __init__(
        self,
        member: Member,
        chosen: Chosen,
        span: Span,
        zone: ZoneInfo,
        starts: tuple[datetime, ...],
        by: str = "",
        *,
        medians_of_parts: bool = False,
    ) -> None:
        self.member, self.chosen, self.span, self.zone, self.starts = member, chosen, span, zone, starts
        self.division, self.medians_of_parts = by, medians_of_parts
        self.together = (WEEK, *_TOGETHER.get(by, ()))
        self.seen = seen_by(member)
        self.kept = self._kept()
        self.erased = sum(row["sent"] for row in self.kept)

    def _narrowed(self) -> dict[str, Any]:
        chosen = self.chosen
        return {
            "sequence_id": chosen.sequence_id, "step_id": chosen.step_id, "variant_id": chosen.variant_id,
            "member_id": chosen.member_id, "company_id": chosen.company_id,
        }  # fmt: skip

    def messages(self, **which: Any) -> QuerySet[Message]:
        chosen = outbox.Chosen(**self._narrowed(), answer=self.chosen.label, within=self.span, **which)
        return outbox.chosen_messages(chosen).filter(self.seen)

    def replies(self) -> QuerySet[Reply]:
        chosen = conversations.Chosen(
            **self._narrowed(), part="all", label=self.chosen.label, replied_within=self.span
        )
        return conversations.chosen_replies(chosen).filter(self.seen)

    def meetings(self) -> QuerySet[Meeting]:
        chosen = meetings.Chosen(
            **self._narrowed(), part="counted", answer=self.chosen.label, found_within=self.span
        )
        return meetings.chosen_meetings(chosen, now=self.span[1]).filter(self.seen)

    def tasks(self) -> QuerySet[Task]:
        chosen = sequences.ChosenTasks(**self._narrowed(), answer=self.chosen.label, ended_within=self.span)
        return sequences.chosen_tasks(chosen).filter(self.seen, state=Task.State.DONE)

    @cached_property
    def counted(self) -> dict[str, dict[Any, dict[str, Any]]]:
        """By division and part the counts; by "" those of all. Rows without a part (a meeting whose enrolment is gone)
        stand in none."""
        sums: dict[str, dict[Any, dict[str, Any]]] = {
            each: defaultdict(dict) for each in ("", *self.together)
        }
        weeks = set()  # of which the messages were counted
        for column, part, counts in self._of_counted_weeks():
            if part is not None or not column:
                _add(sums[column.removeprefix("of_")][part], counts)
            if column == f"of_{WEEK}":
                weeks.add(part)
        for family in _FAMILIES:
            columns = {f"of_{each}": self._column(family, each) for each in self.together}
            rows = family.rows(self)
            if family.of_messages:
                rows = rows.filter(self._outside(weeks, family.moment))
            found = chain(family.counts(rows, columns), self._medians(family, rows, columns))
            for column, part, counts in found:
                if part is not None or not column:
                    _add(sums[column.removeprefix("of_")][part], counts)
        for row in self.kept:
            of_them = {name: row[name] for name in (*KEPT, "labelled")}
            for division, parts in sums.items():
                part = row.get(division)
                if part is not None or not division:
                    _add(parts[part], of_them)
        return sums

    def _of_counted_weeks(self) -> Grouped:
        """Of messages in weeks of this report that were counted: one row at least by each of these weeks. In one
        statement, so that none is counted anew between a look at which ones there are and their counts."""
        chosen = self.chosen
        if chosen.company_id or chosen.label or not self.starts:
            return
        ends = (*self.starts[1:], self.span[1])
        weeks = counted.valid_weeks().filter(starts_at__in=self.starts, ends_at__in=ends)
        narrowed = Q(counts__mailbox_id__isnull=True)
        if self.division == MEMBER:
            narrowed = ~narrowed
        if chosen.member_id or self.member.role == Member.Role.REP:
            boxes = Mailbox.objects.all()
            if chosen.member_id:
                boxes = boxes.filter(member_id=chosen.member_id)
            if self.member.role == Member.Role.REP:
                boxes = boxes.filter(member=self.member)
            narrowed = Q(counts__mailbox_id__in=list(boxes.values_list("pk", flat=True)))
        for column in ("sequence_id", "step_id", "variant_id"):
            if wanted := getattr(chosen, column):
                narrowed &= Q((f"counts__{column}", wanted))
        rows = weeks.annotate(count=FilteredRelation("counts", condition=narrowed))
        columns = {
            f"of_{each}": self._week_of("starts_at") if each == WEEK else _OF_COUNT[each]
            for each in self.together
        }
        owners = dict(Mailbox.objects.values_list("pk", "member_id")) if self.division == MEMBER else {}
        for column, part, counts in grouped(rows, columns, _COUNTED):
            yield column, owners.get(part) if column == f"of_{MEMBER}" else part, counts

    def _outside(self, weeks: set[Any], moment: str) -> Q:
        """In none of these weeks."""
        spans: list[tuple[datetime, datetime]] = []
        ends = (*self.starts[1:], self.span[1])
        for number, (start, end) in enumerate(zip(self.starts, ends, strict=True), start=1):
            if number in weeks:
                continue
            if spans and spans[-1][1] == start:
                start = spans.pop()[0]
            spans.append((start, end))
        found = Q(pk__in=[]) if weeks else Q()
        for start, end in spans if weeks else ():
            found |= Q((f"{moment}__gte", start), (f"{moment}__lt", end))
        return found

    def mails(self) -> dict[str, int]:
        """How many mails of the span were seen among the sent ones, and how many of them came back."""
        sums = {"confirmed": 0, "came_back": 0}
        weeks = set()
        for column, part, counts in self._of_counted_weeks():
            if column:
                weeks.add(part)
            else:
                _add(sums, {name: counts[name] for name in sums})
        rest = self.messages(part="confirmed").filter(self._outside(weeks, "accepted_at"))
        _add(sums, rest.aggregate(confirmed=Count("*"), came_back=Count("bounced_at")))
        return sums

    def whole(self) -> Figures:
        return _figures(self.counted[""][None])

    def by(self, division: str) -> dict[Any, Figures]:
        return {part: _figures(counts) for part, counts in self.counted[division].items()}

    def of(self, division: str, parts: list[UUID]) -> dict[Any, Figures]:
        """The figures of a few of many parts."""
        sums: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for family in _FAMILIES:
            column = {"part_of": self._column(family, division)}
            rows = family.rows(self).annotate(**column).filter(part_of__in=parts)
            for name, part, counts in chain(family.counts(rows, column), self._medians(family, rows, column)):
                if name:
                    sums[part].update(counts)
        return {part: _figures(counts) for part, counts in sums.items()}

    def _medians(self, family: _Family, rows: QuerySet[Any], columns: Mapping[str, Any]) -> Grouped:
        for name, (value, which) in family.medians.items():
            if self.medians_of_parts:
                yield from medians(rows.filter(which), columns, name, value)
            else:
                yield "", None, rows.filter(which).aggregate(**{name: Median(value)})

    def _column(self, family: _Family, division: str) -> Any:
        return self._week_of(family.moment) if division == WEEK else family.divisions[division]

    def largest(self, division: str) -> list[UUID]:
        """The parts to which most was sent."""
        rows = self.messages(part="sent").annotate(part_of=_OF_MESSAGE[division])
        found = rows.filter(part_of__isnull=False).values("part_of").annotate(sent=Count("*"))
        return [row["part_of"] for row in found.order_by("-sent", "part_of")[:MOST_PARTS]]

    def _week_of(self, moment: str) -> Func:
        """The number of the week, from 1. The same midnights as the lists', so that neither differs in the night when
        the clocks change; and quicker than turning each moment into a local day."""
        starts = Value(list(self.starts), output_field=ArrayField(DateTimeField()))
        return Func(F(moment), starts, function="width_bucket", output_field=IntegerField())

    def _kept(self) -> list[dict[str, Any]]:
        """The numbers of what was erased, which are known by week, sequence and step alone and belong to nobody: a
        rep, who sees his own, is not shown them, nor is any report that is narrowed in another way."""
        chosen = self.chosen
        narrowed = chosen.member_id or chosen.variant_id or chosen.company_id or chosen.label
        if self.member.role == Member.Role.REP or narrowed:
            return []
        gone = Q(erasure__isnull=True) | Q(erasure__finished_at__isnull=False)
        rows = KeptFigures.objects.filter(gone)
        if chosen.sequence_id:
            rows = rows.filter(sequence_id=chosen.sequence_id)
        if chosen.step_id:
            rows = rows.filter(step_id=chosen.step_id)
        start, end = (moment.astimezone(self.zone).date() for moment in self.span)
        rows = rows.filter(week_local_date__gte=start, week_local_date__lt=end)
        sums = {f"sum_{name}": Sum(name) for name in KEPT}
        found: Any = rows.values("week_local_date", "sequence_id", "step_id").annotate(**sums).order_by()
        firsts = [start.astimezone(self.zone).date() for start in self.starts]
        return [
            {
                WEEK: sum(1 for first in firsts if first <= row["week_local_date"]) or None,
                SEQUENCE: row["sequence_id"],
                STEP: row["step_id"],
                **{name: row[f"sum_{name}"] for name in KEPT},
                "labelled": row["sum_replied"] - row["sum_unsure"],
            }
            for row in found
        ]


def _add(counts: dict[str, Any], row: Mapping[str, Any]) -> None:
    """Counts add up; the medians stand in one row alone."""
    for name, value in row.items():
        counts[name] = counts[name] + value if name in counts else value


def _figures(counts: Mapping[str, Any]) -> Figures:
    def below(prefix: str) -> dict[str, int]:
        found = {
            name.removeprefix(prefix): value for name, value in counts.items() if name.startswith(prefix)
        }
        return {name: value for name, value in found.items() if value}

    return Figures(
        **{name: counts.get(name, 0) for name in NUMBERS},
        labels=below("label_"),
        rungs=below("rung_"),
        days_to_reply=_days(counts.get("days_to_reply")),
        days_to_meeting=_days(counts.get("days_to_meeting")),
    )


def _days(span: timedelta | None) -> float | None:
    return None if span is None else span / timedelta(days=1)


def _weeks(span: Span, zone: ZoneInfo) -> list[tuple[datetime, date, date]]:
    """Where each week of the span begins, its first and its last day; both ends as the span cuts them."""
    start, end = span
    last = (end - timedelta(microseconds=1)).astimezone(zone).date()
    found = []
    monday = monday_of(start, zone)
    while (begins := max(span_of(monday, zone)[0], start)) < end:
        sunday = monday + timedelta(days=6)
        found.append((begins, begins.astimezone(zone).date(), min(sunday, last)))
        monday += timedelta(days=7)
    return found


# Parts and their names


def _parts(counting: _Counting, by: str) -> tuple[Part, ...]:
    if by == SEQUENCE:
        return _by_sequence(counting)
    found = counting.of(by, counting.largest(by)) if by == COMPANY else counting.by(by)
    name = {STEP: _step_names, VARIANT: _variant_names, MEMBER: _member_names, COMPANY: _company_names}[by]
    words = name(list(found))
    parts = [Part(key, words[key], figures) for key, figures in found.items() if key in words]
    return tuple(sorted(parts, key=lambda part: (-part.figures.sent, part.name, part.id)))


def _by_sequence(counting: _Counting) -> tuple[Part, ...]:
    """The sequences, newest first, each with its steps."""
    by_sequence, by_step = counting.by(SEQUENCE), counting.by(STEP)
    steps: defaultdict[UUID, list[Part]] = defaultdict(list)
    for step in Step.objects.filter(pk__in=by_step).order_by("edition", "position"):
        steps[step.sequence_id].append(Part(step.pk, str(step.position), by_step[step.pk]))
    return tuple(
        Part(each.pk, each.name, by_sequence[each.pk], tuple(steps[each.pk]))
        for each in Sequence.objects.filter(pk__in=by_sequence).order_by("-created_at")
    )


def _sequence_names(sequence_id: UUID) -> dict[UUID, str]:
    return dict(Sequence.objects.filter(pk=sequence_id).values_list("pk", "name"))


def _step_names(ids: list[UUID]) -> dict[UUID, str]:
    steps = Step.objects.filter(pk__in=ids).select_related("sequence")
    return {step.pk: f"{step.sequence.name} · {step.position}" for step in steps}


def _variant_names(ids: list[UUID]) -> dict[UUID, str]:
    """Sequence, step and the wording's letter, as its page writes it."""
    asked, found = set(ids), {}
    steps = Step.objects.filter(variants__in=ids).distinct()
    for step in steps.select_related("sequence").prefetch_related("variants"):
        for number, variant in enumerate(sorted(step.variants.all(), key=lambda each: each.pk)):
            if variant.pk in asked:
                found[variant.pk] = f"{step.sequence.name} · {step.position}{chr(65 + number)}"
    return found


def _member_names(ids: list[UUID]) -> dict[UUID, str]:
    return dict(Member.objects.filter(pk__in=ids).values_list("pk", "name"))


def _company_names(ids: list[UUID]) -> dict[UUID, str]:
    return {each.pk: names.open(each, "name") or "" for each in Company.objects.filter(pk__in=ids)}


def chosen_in_words(chosen: Chosen) -> list[tuple[str, str]]:
    """What a report is narrowed to: the parameter of its address, and its name. What is gone has none."""
    found = [
        (SEQUENCE, _sequence_names(chosen.sequence_id) if chosen.sequence_id else {}, chosen.sequence_id),
        (STEP, _step_names([chosen.step_id]) if chosen.step_id else {}, chosen.step_id),
        (VARIANT, _variant_names([chosen.variant_id]) if chosen.variant_id else {}, chosen.variant_id),
        (MEMBER, _member_names([chosen.member_id]) if chosen.member_id else {}, chosen.member_id),
        (COMPANY, _company_names([chosen.company_id]) if chosen.company_id else {}, chosen.company_id),
    ]  # fmt: skip
    return [(parameter, words.get(key, "–")) for parameter, words, key in found if key]


# Comparing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the mails that left in a span and were seen among the sent ones: shares of them, whenever it came."""

    confirmed: int
    bounced: Rate
    replied: Rate
    interested: Rate  # of the answers whose label is known
    opted_out: Rate
    meetings: Rate


def outcome(member: Member, chosen: Chosen, span: Span, zone: ZoneInfo) -> Outcome:
    """Counted by mail and not by the day on which something came of it: only so is it a share of them."""
    weeks = tuple(start for start, _first, _last in _weeks(span, zone))
    counting = _Counting(member, chosen, span, zone, weeks)
    mails = counting.mails()
    narrowed = counting._narrowed()
    asked = conversations.Chosen(
        **narrowed, part="all", label=chosen.label, answered=True, mailed_within=span
    )
    answered = conversations.chosen_replies(asked).filter(counting.seen)
    answers = Counter(
        {kind: n for _all, _part, found in _conversations(answered, {}) for kind, n in found.items()}
    )
    booked = meetings.chosen_meetings(
        meetings.Chosen(**narrowed, part="booked", answer=chosen.label, mailed_within=span), now=span[1]
    ).filter(counting.seen)
    confirmed = mails["confirmed"]
    return Outcome(
        confirmed,
        rate(mails["came_back"], confirmed),
        rate(answers["replied"], confirmed),
        rate(answers["interested"], answers["labelled"]),
        rate(answers["opted_out"], confirmed),
        rate(booked.values("enrolment_id").distinct().count(), confirmed),
    )


# Health: limits, and what came of the mails lately

LATELY = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Health:
    """How near a mailbox is to its limit today, and how its mails of the last four weeks fared."""

    mailbox_id: UUID
    address: str
    owner: str
    sent_today: int
    limit_today: int  # less than its own limit while it starts slowly
    daily_limit: int
    confirmed: int
    bounced: Rate
    complained: Rate  # opted out, or refused any further contact

    @property
    def percent_of_limit(self) -> int:
        return min(100, round(100 * self.sent_today / self.limit_today)) if self.limit_today else 100


def health_of_mailboxes(member: Member, *, now: datetime) -> list[Health]:
    """Each mailbox that the member sees and that is not disconnected, in three queries and one for each time zone."""
    found = Mailbox.objects.exclude(state=Mailbox.State.DISCONNECTED).select_related("member")
    if member.role == Member.Role.REP:
        found = found.filter(member=member)
    boxes = list(found.order_by("connected_at"))
    ids = [each.pk for each in boxes]
    today: dict[UUID, int] = {}
    for zone in sorted({each.time_zone for each in boxes}):
        own = [each.pk for each in boxes if each.time_zone == zone]
        midnight = Limit("", 0, "", time_zone=zone).counts_from(now)
        left = Message.objects.filter(mailbox_id__in=own, left_at__gte=midnight)
        today |= dict(left.values_list("mailbox_id").annotate(sent=Count("*")).order_by())
    span = (now - LATELY, now)
    mails = outbox.chosen_messages(outbox.Chosen(part="confirmed", within=span)).filter(mailbox__in=ids)
    fared = {
        row["mailbox_id"]: row
        for row in mails.values("mailbox_id")
        .annotate(confirmed=Count("*"), came_back=Count("bounced_at"))
        .order_by()
    }
    asked = conversations.Chosen(part="all", opted_out=True, mailed_within=span)
    refused = conversations.chosen_replies(asked).filter(mailbox__in=ids)
    complained = dict(
        refused.values_list("mailbox_id").annotate(n=Count("conversation", distinct=True)).order_by()
    )
    rows = []
    for box in boxes:
        row = fared.get(box.pk, {"confirmed": 0, "came_back": 0})
        allowed = of_day(box.daily_limit, box.slow_start_days, box.slow_start_at, now, box.time_zone)
        rows.append(
            Health(
                box.pk, names.open(box, "address") or "", box.member.name, today.get(box.pk, 0), allowed, box.daily_limit,
                row["confirmed"], rate(row["came_back"], row["confirmed"]),
                rate(complained.get(box.pk, 0), row["confirmed"]),
            )
        )  # fmt: skip
    return rows


def sending_domains() -> list[str]:
    """The domains that mailboxes of this workspace send from, in alphabetical order."""
    boxes = Mailbox.objects.exclude(state=Mailbox.State.DISCONNECTED)
    return sorted({sender_address(box).rpartition("@")[2].casefold() for box in boxes})


def variants_of(step_id: UUID) -> list[tuple[UUID, str]]:
    """The wordings of a step with their letters."""
    found = sorted(Variant.objects.filter(step_id=step_id).values_list("pk", flat=True))
    return [(key, chr(65 + number)) for number, key in enumerate(found)]
