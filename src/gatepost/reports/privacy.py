"""What was asked of Microsoft, what was looked at and dropped, and who opened what: reads of the records."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from gatepost.accounts.models import ApiToken, Member
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.conversations.models import Reply
from gatepost.graph.shapes import SHAPES
from gatepost.intake.models import DropCount
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings.models import CalendarCount
from gatepost.vault import names

# What an audit tag means, for people. A tag without a word is shown as it is.
WORDS = {
    tags.ABSENCE_GIVE_BACK: _("Days off given back"),
    tags.ABSENCE_TAKE: _("Days off taken"),
    tags.ALERT_CHOOSE: _("Chosen what access is usual"),
    tags.ALERT_RAISE: _("Unusual access told"),
    tags.BRIEF_REMOVE: _("Brief taken off the calendar"),
    tags.BRIEF_SWITCH: _("Brief of a meeting switched on or off"),
    tags.BRIEF_TIME: _("When to be told of meetings chosen"),
    tags.BRIEF_WRITE: _("Brief written"),
    tags.COMPANY_HOLD: _("Company left alone for a while"),
    tags.CONTACT_ADD: _("Contact added"),
    tags.CONTACT_EXPORT: _("All about a person downloaded"),
    tags.CONTACT_IMPORT: _("Contacts imported"),
    tags.COMPANY_HOLD: _("Held a company back, or wrote to it again"),
    tags.CONTACT_CHANGE: _("Changed contacts"),
    tags.CONTACT_FIELD: _("Changed the fields of your own"),
    tags.CONTACT_MERGE: _("Merged two contacts"),
    tags.SUPPRESSION_EXPORT: _("Took the do-not-contact list along"),
    tags.SUPPRESSION_IMPORT: _("Imported a do-not-contact list"),
    tags.CONTACT_SUPPRESS: _("Put on the do-not-contact list"),
    tags.CONTACT_SUPPRESSION_LIFT: _("Taken off the do-not-contact list"),
    tags.CONTENT_READ: _("Text opened"),
    tags.CONTACT_COOL_OFF: _("Contact left alone for a while"),
    tags.CONVERSATION_ASSIGN: _("Conversation given to somebody"),
    tags.CONVERSATION_SNOOZE: _("Conversation put off, or brought back"),
    tags.RULE_CHANGE: _("Changed what follows from a label"),
    tags.REPLY_ANSWER: _("Reply answered"),
    tags.CONVERSATION_DONE: _("Conversation done or reopened"),
    tags.DOMAIN_CHECK: _("Records of a sending domain looked up"),
    tags.ENROLMENT_DUE: _("Time of a step changed"),
    tags.ENROLMENT_FINISH: _("Enrolment finished"),
    tags.ENROLMENT_OVERRIDE: _("Enrolled in spite of another sequence"),
    tags.ENROLMENT_PASS_ON: _("Enrolment passed on to a colleague"),
    tags.ENROLMENT_PAUSE: _("Enrolment paused"),
    tags.ENROLMENT_RESUME: _("Enrolment goes on"),
    tags.ENROLMENT_SKIP: _("Step left out"),
    tags.ENROLMENT_START: _("Contact enrolled"),
    tags.ENROLMENT_STOP: _("Enrolment stopped"),
    tags.ERASURE_FINISH: _("Erased, with a receipt"),
    tags.ERASURE_ORDER: _("Erasing ordered"),
    tags.GAP_BEGIN: _("Mailbox was not read for a while"),
    tags.GAP_END: _("Mailbox was read up again"),
    tags.INVITATION_ACCEPT: _("Invitation accepted"),
    tags.INVITATION_REVOKE: _("Invitation taken back"),
    tags.INVITATION_SEND: _("Invitation sent"),
    tags.KEY_CHANGE: _("Changed a key"),
    tags.KEY_DESTROY_FORMER: _("Destroyed the former key"),
    tags.MAILBOX_CLEAN_UP: _("Access to a mailbox destroyed"),
    tags.MAILBOX_CONNECT: _("Mailbox connected"),
    tags.MAILBOX_CONNECT_GIVE_UP: _("Connecting given up"),
    tags.MAILBOX_CONNECT_LINK: _("Link to the page for IT changed"),
    tags.MAILBOX_CONNECT_REFUSED: _("Connecting failed"),
    tags.MAILBOX_CONNECT_REPORTED: _("Approval reported"),
    tags.MAILBOX_CONNECT_START: _("Connecting begun"),
    tags.MAILBOX_DISCONNECT: _("Mailbox disconnected"),
    tags.MAILBOX_HAND_OVER: _("Mailbox handed over"),
    tags.MAILBOX_HEALTH: _("Mailbox health changed"),
    tags.MAILBOX_LETTERHEAD: _("Signature or sender of a mailbox changed"),
    tags.MAILBOX_NEEDS_RECONNECT: _("Mailbox must be connected again"),
    tags.MAILBOX_PAUSE: _("Mailbox paused"),
    tags.MAILBOX_PROBE: _("Mailbox tried out"),
    tags.MAILBOX_RECONNECT: _("Mailbox connected again"),
    tags.MAILBOX_RESUME: _("Mailbox sends again"),
    tags.MAILBOX_SETTINGS: _("Mailbox settings changed"),
    tags.MEETING_ATTRIBUTE: _("Meeting attributed by hand"),
    tags.MEETING_BOOK: _("Meeting found"),
    tags.MEETING_CANCEL: _("Meeting off"),
    tags.MEETING_GO_ON: _("Answered whether to go on after a meeting"),
    tags.MEETING_MOVE: _("Meeting moved"),
    tags.MEETING_NOTES: _("Notes on a meeting written"),
    tags.MEETING_RUNG: _("Meeting reached another rung"),
    tags.MEETING_THEIRS: _("Said whom a meeting is with"),
    tags.MEMBER_ADD: _("Member added"),
    tags.MEMBER_REMOVE: _("Member removed"),
    tags.MEMBER_ROLE: _("Role changed"),
    tags.MEMBER_SESSIONS_END: _("Sessions ended"),
    tags.MEMBER_SIGN_IN: _("Signed in"),
    tags.MEMBER_SIGN_IN_CHANGE: _("Own way of signing in changed"),
    tags.MESSAGE_ACCEPT: _("Mail taken by Microsoft"),
    tags.MESSAGE_CANCEL: _("Mail cancelled"),
    tags.MESSAGE_CONFIRM: _("Mail found as sent"),
    tags.MESSAGE_DRAFT: _("Draft written"),
    tags.MESSAGE_HOLD: _("Mail held"),
    tags.MESSAGE_HURRY: _("Mail put before others"),
    tags.MESSAGE_PLAN: _("Mail planned"),
    tags.MESSAGE_POSTPONE: _("Mail postponed"),
    tags.MESSAGE_RESOLVE: _("Held mail decided"),
    tags.MESSAGE_RETURN: _("Mail did not leave, its draft waits again"),
    tags.MESSAGE_SEND: _("Mail sent"),
    tags.PROMISE_MAKE: _("Promise noted"),
    tags.QUARANTINE_DECIDE: _("Possible reply decided"),
    tags.RECOVERY_BEGIN: _("All sending stopped: the database was restored or copied"),
    tags.RECOVERY_COMPARE: _("Mailbox compared with the restored database"),
    tags.RECOVERY_GO: _("Sending goes on after a restore"),
    tags.REPLY_LABEL: _("Label corrected"),
    tags.REPLY_STORE: _("Reply stored"),
    tags.RETENTION_CHANGE: _("Times of keeping changed"),
    tags.RETENTION_EXPIRE: _("Kept long enough, and removed"),
    tags.RETENTION_LEDGER: _("Old requests removed from the ledger"),
    tags.SEQUENCE_ACTIVATE: _("Sequence activated"),
    tags.SEQUENCE_ARCHIVE: _("Sequence archived"),
    tags.SEQUENCE_EDIT: _("Sequence changed"),
    tags.SEQUENCE_PAUSE: _("Sequence paused"),
    tags.SNIPPET_REMOVE: _("Snippet removed"),
    tags.SNIPPET_SAVE: _("Snippet written"),
    tags.TASK_DONE: _("Task done"),
    tags.TASK_MAKE: _("Task made"),
    tags.TASK_SKIP: _("Task skipped"),
    tags.TOKEN_CREATE: _("API token made"),
    tags.TOKEN_REVOKE: _("API token revoked"),
    tags.VIEW_MAIL: _("Weekly mail of a view switched"),
    tags.VIEW_REMOVE: _("View of the reports removed"),
    tags.VIEW_SAVE: _("View of the reports saved"),
    tags.WORKSPACE_CREATE: _("Workspace made"),
    tags.WORKSPACE_EXPORT: _("Everything downloaded"),
    tags.WORKSPACE_FEATURES: _("Feature switched"),
    tags.WORKSPACE_LIMITS: _("Rules for mailboxes changed"),
    tags.WORKSPACE_SETTINGS: _("Workspace settings changed"),
    tags.WORKSPACE_SIGN_IN: _("Rules for signing in changed"),
}
# The same for the shapes of requests.
REQUESTS = {
    "profile": _("Account looked up"),
    "licences": _("Licences looked up"),
    "outlook-contacts": _("Contacts of Outlook listed"),
    "people": _("People listed"),
    "send.at-once": _("Mail written and sent at once"),
    "inbox.check": _("Inbox checked"),
    "folder.check": _("Folder checked"),
    "changes.check": _("List of new mail checked"),
    "calendar.check": _("Calendar checked"),
    "envelopes": _("New mail listed"),
    "envelopes.plain": _("New mail listed"),
    "envelope": _("References of a mail"),
    "sender": _("Sender of a mail"),
    "reply": _("Text of a reply"),
    "draft.find": _("Own draft looked for"),
    "draft.find-by-message-id": _("Own mail looked for"),
    "draft.look": _("Own draft looked at"),
    "draft.look.plain": _("Own draft looked at"),
    "draft.read": _("Own draft compared"),
    "draft.ours": _("Own mails listed"),
    "draft.create-mime": _("Draft written"),
    "draft.stamp": _("Own draft marked"),
    "draft.create": _("Draft written"),
    "draft.create-follow-up": _("Follow-up written"),
    "draft.send": _("Draft sent"),
    "drafts.ours": _("Own drafts looked for"),
    "draft.delete": _("Draft removed"),
    "calendar": _("Calendar looked at"),
    "event.look": _("Meeting looked up"),
    "event.details": _("Subject of a meeting"),
    "brief.find": _("Brief looked for"),
    "briefs.ours": _("Own briefs looked for"),
    "brief.create": _("Brief put on the calendar"),
    "brief.update": _("Brief on the calendar changed"),
    "brief.delete": _("Brief taken off the calendar"),
    "subscription.create": _("Notifications of mail asked for"),
    "subscription.create-calendar": _("Notifications of the calendar asked for"),
    "subscription.renew": _("Notifications renewed"),
    "subscription.delete": _("Notifications ended"),
}

READS_TEXT = "reply"  # the one shape of request that returns the text of a mail


@dataclass(frozen=True, slots=True)
class Asked:
    """How often one kind of request was made on a day, and why."""

    local_date: date
    shape: str
    what: str
    why: str
    count: int
    refused: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Envelopes of a day that were not ours, by reason: all that unrelated mail leaves behind."""

    local_date: date
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What a day's look into a mailbox came to."""

    envelopes: int  # looked at: ids and references
    replies: int  # texts of replies to our mail that were read
    others: int  # texts of any other mail: none, and counted so that it can be checked
    events: int  # calendar events of the window without a contact, at the last look


@dataclass(frozen=True, slots=True)
class Opened:
    """An entry of the record, with the name of whoever it was."""

    entry: AuditEntry
    who: str
    what: str
    detail: str


def mailbox_ids(member: Member, chosen: UUID | None) -> list[UUID]:
    """The mailboxes whose records a member may see, or the chosen one of them."""
    found = Mailbox.objects.filter(member=member) if member.role == Member.Role.REP else Mailbox.objects.all()
    return list((found.filter(pk=chosen) if chosen else found).values_list("pk", flat=True))


def mailbox_names(member: Member) -> list[tuple[UUID, str]]:
    found = Mailbox.objects.filter(pk__in=mailbox_ids(member, None)).order_by("connected_at")
    return [(mailbox.pk, names.open(mailbox, "address") or "") for mailbox in found]


def asked_of_microsoft(mailboxes: list[UUID], zone: ZoneInfo, *, since: datetime) -> list[Asked]:
    rows = (
        LedgerRow.objects.filter(mailbox_id__in=mailboxes, at__gte=since)
        .annotate(day=TruncDate("at", tzinfo=zone))
        .values("day", "shape")
        .annotate(count=Count("id"), refused=Count("id", filter=Q(status__gte=400) | Q(status=0)))
        .order_by("-day", "-count")
    )
    return [
        Asked(
            row["day"],
            row["shape"],
            str(REQUESTS.get(row["shape"], row["shape"])),
            SHAPES[row["shape"]].why if row["shape"] in SHAPES else "",
            row["count"],
            row["refused"],
        )
        for row in rows
    ]


def dropped(mailboxes: list[UUID], *, since: date) -> list[Dropped]:
    rows = (
        DropCount.objects.filter(mailbox_id__in=mailboxes, local_date__gte=since)
        .values("local_date", "reason")
        .annotate(sum=Sum("count"))
        .order_by("-local_date", "-sum")
    )
    return [Dropped(row["local_date"], row["reason"], row["sum"]) for row in rows]


def looked_at(mailbox: Mailbox, *, now: datetime) -> LookedAt:
    """What was looked at in this mailbox today, by its own day."""
    today = now.astimezone(ZoneInfo(mailbox.time_zone)).date()
    midnight = datetime.combine(today, datetime.min.time(), ZoneInfo(mailbox.time_zone))
    drops = (
        DropCount.objects.filter(mailbox=mailbox, local_date=today).aggregate(sum=Sum("count"))["sum"] or 0
    )
    count = CalendarCount.objects.filter(mailbox=mailbox, local_date=today).first()
    events = count.without_contact if count else 0
    replies = Reply.objects.filter(mailbox=mailbox, created_at__gte=midnight).count()
    texts = LedgerRow.objects.filter(
        mailbox_id=mailbox.pk, at__gte=midnight, shape=READS_TEXT, status__lt=300, status__gte=200
    )
    others = max(texts.values("item_hash").distinct().count() - replies, 0)
    return LookedAt(drops + replies, replies, others, events)


MOST_SHOWN = 5


def today(member: Member, chosen: UUID | None, *, now: datetime) -> list[tuple[str, LookedAt]]:
    """What today's looks came to, for each of the member's own mailboxes, or for the chosen one."""
    ids = mailbox_ids(member, chosen)
    found = Mailbox.objects.filter(pk__in=ids).order_by("connected_at")
    shown = found if chosen else found.filter(member=member)
    return [(names.open(box, "address") or "", looked_at(box, now=now)) for box in shown[:MOST_SHOWN]]


PARTS = ("people", "program", "everything")


def entries(mailboxes: list[UUID], *, part: str, member: Member) -> QuerySet[AuditEntry]:
    """Which people opened texts; which jobs of the program did; or everything that was done.

    A rep sees what concerns his own mailboxes.
    """
    rows = AuditEntry.objects.all()
    if part != "everything":
        rows = rows.filter(tag=tags.CONTENT_READ)
        rows = rows.filter(actor_kind="job") if part == "program" else rows.exclude(actor_kind="job")
    return rows.filter(mailbox_id__in=mailboxes) if member.role == Member.Role.REP else rows


def with_names(found: list[AuditEntry]) -> list[Opened]:
    people = _people()
    return [
        Opened(
            entry,
            people.get(entry.actor_id) or entry.actor_id or entry.actor_kind,
            str(WORDS.get(entry.tag, entry.tag)),
            _said(entry.detail),
        )
        for entry in found
    ]


def _said(detail: dict[str, Any]) -> str:
    def words(value: Any) -> str:
        if isinstance(value, dict):
            return ", ".join(f"{name} {each}" for name, each in value.items())
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    # A keyed hash of the network says something only beside another one (gatepost.alerts).
    return " · ".join(f"{name}: {words(value)}" for name, value in detail.items() if name != "place")


LEDGER_DAYS = timedelta(days=7)
EXPORT_DAYS = 30
ROWS_AT_ONCE = 2000

# What a file to take along tells of each record, in this order.
RECORD_COLUMNS = (
    "at",
    "who",
    "who_kind",
    "who_id",
    "what",
    "tag",
    "about_id",
    "mailbox",
    "mailbox_id",
    "detail",
    "id",
)
LEDGER_COLUMNS = ("at", "mailbox", "mailbox_id", "what", "shape", "why", "reason", "item", "status", "bytes", "milliseconds", "client_request_id", "id")  # fmt: skip


def record_rows(member: Member, span: tuple[datetime, datetime]) -> Iterator[list[object]]:
    """Everything that was done and opened in that time, oldest first; a rep's what concerns his own mailboxes."""
    addresses, people = dict(mailbox_names(member)), _people()
    found = (
        entries(list(addresses), part="everything", member=member).filter(at__range=span).order_by("at", "id")
    )
    for each in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield [
            each.at.isoformat(), people.get(each.actor_id, ""), each.actor_kind, each.actor_id,
            str(WORDS.get(each.tag, each.tag)), each.tag, each.subject_id, addresses.get(each.mailbox_id or UUID(int=0), ""),
            each.mailbox_id, json.dumps(each.detail, sort_keys=True), each.pk,
        ]  # fmt: skip


def ledger_rows(member: Member, span: tuple[datetime, datetime]) -> Iterator[list[object]]:
    """Every request to Microsoft in that time, oldest first; a rep's those about his own mailboxes."""
    addresses = dict(mailbox_names(member))
    found = LedgerRow.objects.filter(mailbox_id__in=list(addresses), at__range=span).order_by("at", "id")
    for each in found.iterator(chunk_size=ROWS_AT_ONCE):
        shape = SHAPES.get(each.shape)
        yield [
            each.at.isoformat(), addresses[each.mailbox_id], each.mailbox_id,
            str(REQUESTS.get(each.shape, each.shape)), each.shape, shape.why if shape else "", each.reason, each.item_hash,
            each.status, each.bytes, each.milliseconds, each.client_request_id, each.pk,
        ]  # fmt: skip


def _people() -> dict[str, str]:
    """Names by the ids that entries hold: of members, and of API tokens with whose they are."""
    people = {str(key): name for key, name in Member.objects.values_list("pk", "name")}
    tokens = ApiToken.objects.values_list("pk", "name", "member__name")
    return people | {str(key): f"{name} ({whose})" for key, name, whose in tokens}
