"""Reads about erasures, and about what has been kept long enough."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce, TruncWeek

from gatepost.accounts.models import Member, Workspace
from gatepost.contacts.models import Contact, ContactImport, ImportPart
from gatepost.contacts.queries import address_index
from gatepost.conversations.models import Conversation, Reply
from gatepost.conversations.rules import AUTOMATIC
from gatepost.erasure import rules
from gatepost.erasure.models import Erasure
from gatepost.errors import NotAllowed
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import Found
from gatepost.meetings.models import Meeting
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment
from gatepost.vault import names
from gatepost.vault.sealing import index

RUNNING = (Enrolment.State.ACTIVE, Enrolment.State.PAUSED)
EVER = datetime(1970, 1, 1, tzinfo=UTC)


def unfinished() -> list[Found]:
    """Erasures that were ordered and are not done, in all workspaces."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT workspace_id, id FROM erasures_unfinished()")
        return [Found(*row) for row in cursor.fetchall()]


def erased_keys() -> list[str]:
    """Whose keys were destroyed ("mailbox:<id>"), in all workspaces."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT key FROM erased_keys()")
        return [row[0] for row in cursor.fetchall()]


def load_unfinished(workspace_id: UUID, erasure_id: UUID) -> Erasure | None:
    with inside(workspace_id):
        return Erasure.objects.filter(pk=erasure_id, finished_at__isnull=True).first()


def still_cleaning_up(erasure: Erasure) -> bool:
    """Whether a mailbox that goes is still ending what is ours at Microsoft. That has its own end (real time)."""
    with inside(erasure.workspace_id):
        return mailboxes_of(erasure).filter(clean_up_until__gt=datetime.now(UTC)).exists()


def mailboxes_of(erasure: Erasure) -> QuerySet[Mailbox]:
    """The mailboxes that go with it."""
    match erasure.kind:
        case Erasure.Kind.MAILBOX:
            return Mailbox.objects.filter(pk=erasure.subject_id)
        case Erasure.Kind.WORKSPACE:
            return Mailbox.objects.filter(workspace_id=erasure.workspace_id)
    return Mailbox.objects.none()


def drafts_to(erasure: Erasure) -> list[Message]:
    """Mails to the person that never left and may lie as drafts in mailboxes that are connected."""
    with inside(erasure.workspace_id):
        unsent = Message.objects.filter(contact_id=erasure.subject_id).exclude(state__in=(*LEFT, "sending"))
        connected = unsent.filter(mailbox__state=Mailbox.State.CONNECTED)
        return list(connected.select_related("mailbox", "contact"))


def require_may_erase(member: Member, mailbox: Mailbox) -> None:
    if not may_erase(member, mailbox):
        raise NotAllowed("Only its owner or an administrator may erase a mailbox.")


def may_erase(member: Member, mailbox: Mailbox) -> bool:
    return member.may_write and (member.may_administer or mailbox.member_id == member.pk)


def erasures() -> QuerySet[Erasure]:
    return Erasure.objects.order_by("-ordered_at")


def erased_on(mailbox: Mailbox, workspace: Workspace) -> datetime | None:
    """When a disconnected mailbox will be erased by itself, unless it is connected again."""
    if mailbox.state != Mailbox.State.DISCONNECTED or mailbox.disconnected_at is None:
        return None
    days = rules.days_kept("disconnected", workspace.retention)
    return mailbox.disconnected_at + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class KindRow:
    """A kind of data with the time that holds here."""

    kind: rules.Retention
    days: int
    usual: bool


def kinds(workspace: Workspace) -> list[KindRow]:
    return [
        KindRow(each, days, days == each.days)
        for each in rules.RETENTION
        for days in [rules.days_kept(each.kind, workspace.retention)]
    ]


@dataclass(frozen=True, slots=True)
class Going:
    """What an erasure will remove, in numbers, for whoever is asked to confirm it."""

    enrolments: int
    waiting: int
    sent: int
    replies: int
    meetings: int


def going_with(mailbox: Mailbox) -> Going:
    return _going(Q(mailbox=mailbox))


def going_with_contact(contact: Contact) -> Going:
    return _going(Q(contact=contact))


def _going(which: Q) -> Going:
    replies = Reply.objects.filter(conversation__in=Conversation.objects.filter(which))
    return Going(
        Enrolment.objects.filter(which).count(),
        Enrolment.objects.filter(which, state__in=RUNNING).count(),
        Message.objects.filter(which, state__in=LEFT).count(),
        replies.count(),
        Meeting.objects.filter(which).count(),
    )


# What reports go on counting

Figures = dict[tuple[date, UUID, UUID | None], Counter[str]]


def figures_of(which: Q, zone: ZoneInfo) -> Figures:
    """The numbers of some messages, conversations and meetings, by week, sequence and step.

    A conversation counts once, in the week and for the step of its first answer by a person.
    """
    found: Figures = defaultdict(Counter)
    left = Message.objects.filter(which, state__in=LEFT, accepted_at__isnull=False)
    confirmed = Count("id", filter=Q(state=Message.State.CONFIRMED))
    _count(found, left, "accepted_at", zone, sent=Count("id"), confirmed=confirmed)
    _count(
        found,
        Message.objects.filter(which, bounced_at__isnull=False),
        "bounced_at",
        zone,
        bounced=Count("id"),
    )
    booked = Meeting.objects.filter(which, state=Meeting.State.BOOKED, counts=True, enrolment__isnull=False)
    _count(found, booked, "found_at", zone, "enrolment__sequence_id", meetings=Count("id"))
    _count_answers(found, which, zone)
    return found


def _count(
    found: Figures,
    rows: QuerySet[Any],
    moment: str,
    zone: ZoneInfo,
    sequence: str = "sequence_id",
    **counts: Count,
) -> None:
    tallies = (
        rows.annotate(week=TruncWeek(moment, tzinfo=zone))
        .values("week", sequence, "step_id")
        .annotate(**counts)
    )
    for row in tallies.order_by():
        place = found[row["week"].date(), row[sequence], row["step_id"]]
        place.update({name: row[name] for name in counts})


def _count_answers(found: Figures, which: Q, zone: ZoneInfo) -> None:
    answers = Reply.objects.filter(conversation__in=Conversation.objects.filter(which)).exclude(
        label__in=AUTOMATIC
    )
    columns = ("conversation_id", "received_at", "label", "sequence_id", "step_id")
    places: dict[UUID, Counter[str]] = {}
    labels: dict[UUID, set[str]] = defaultdict(set)
    for conversation, received, label, sequence, step in (
        answers.order_by("received_at").values_list(*columns).iterator()
    ):
        local = received.astimezone(zone).date()
        places.setdefault(conversation, found[local - timedelta(days=local.weekday()), sequence, step])
        labels[conversation].add(label)
    for conversation, place in places.items():
        said = labels[conversation]
        place["replied"] += 1
        place["interested"] += "interested" in said
        place["unsure"] += "unsure" in said
        place["opted_out"] += bool(said & {"unsubscribe", "hard_no"})


# What has been kept long enough


def due_for_retention(now: datetime) -> list[UUID]:
    """Open workspaces that must be looked through."""
    due = Workspace.objects.filter(Q(retention_due_at__isnull=True) | Q(retention_due_at__lte=now))
    return list(due.filter(closed_at__isnull=True).values_list("pk", flat=True))


def forgotten_mailboxes(since: datetime) -> list[UUID]:
    gone = Mailbox.objects.filter(state=Mailbox.State.DISCONNECTED, disconnected_at__lt=since)
    return list(gone.filter(is_being_erased=False).values_list("pk", flat=True))


def forgotten_contacts(since: datetime, *, most: int) -> list[UUID]:
    """Contacts with whom nothing happened since then, and nothing is going to."""
    last_sent, last_reply = Max("messages__planned_at"), Max("conversations__last_reply_at")
    quiet = (
        Contact.objects.filter(created_at__lt=since)
        .annotate(last_sent=Coalesce(last_sent, EVER), last_reply=Coalesce(last_reply, EVER))
        .filter(last_sent__lt=since, last_reply__lt=since)
        .exclude(enrolments__state__in=RUNNING)
        .exclude(meetings__starts_at__gte=since)
    )
    return list(quiet.values_list("pk", flat=True)[:most])


def imports_naming(address: str) -> list[ContactImport]:
    """Imports of before whose rejected rows hold this address."""
    kept = ContactImport.objects.filter(rejected_rows__isnull=False)
    return [
        each for each in kept if address.casefold() in (names.open(each, "rejected_rows") or "").casefold()
    ]


def parts_naming(address: str) -> list[ImportPart]:
    """Pieces of imported files, and of their rejected rows, that hold this address."""
    parts = ImportPart.objects.iterator(chunk_size=10)
    return [each for each in parts if address.casefold() in (names.open(each, "content") or "").casefold()]


# Finding by what a person types


def find_mailbox(text: str) -> list[Mailbox]:
    """Mailboxes with this id or address, in whichever workspace. For the command line."""
    return _find(Mailbox, text, lambda workspace: Q(address_index=index(workspace, "address", text)))


def find_contact(text: str) -> list[Contact]:
    return _find(Contact, text, lambda workspace: Q(email_index=address_index(workspace, text)))


def find_workspace(text: str) -> list[Workspace]:
    asked = _id(text)
    open_ones = Workspace.objects.filter(closed_at__isnull=True)
    return list(open_ones.filter(Q(pk=asked) if asked else Q(name=text)))


def _find(model: Any, text: str, by: Any) -> list[Any]:
    asked, found = _id(text), []
    for workspace_id in Workspace.objects.filter(closed_at__isnull=True).values_list("pk", flat=True):
        with inside(workspace_id):
            found += model.objects.filter(Q(pk=asked) if asked else by(workspace_id))
    return found


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
