"""Messages as pages and reports choose and show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.contacts.queries import display_name
from gatepost.mailboxes.queries import seen_by
from gatepost.outbox.models import Message
from gatepost.vault import names
from gatepost.vault.sealing import index
from gatepost.web.weeks import Span

State = Message.State
LEFT = (State.ACCEPTED, State.CONFIRMED)
PARTS = {
    "waiting": (State.PLANNED, State.DRAFTED, State.SENDING),
    "held": (State.HELD,),
    "sent": LEFT,
    "confirmed": (State.CONFIRMED,),
    "cancelled": (State.CANCELLED,),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which messages a list shows. Reports count by the same, so that a number and its rows agree."""

    part: str = ""
    sequence_id: UUID | None = None
    step_id: UUID | None = None
    member_id: UUID | None = None
    variant_id: UUID | None = None
    company_id: UUID | None = None
    answer: str = ""  # a reply with this label answered it
    within: Span | None = None  # sent then; where `bounced`, come back then; where `planned`, planned then
    bounced: bool = False
    came_back: bool = False  # whenever that was
    planned: bool = False


def chosen_messages(chosen: Chosen) -> QuerySet[Message]:
    messages = Message.objects.all()
    if chosen.part in PARTS:
        messages = messages.filter(state__in=PARTS[chosen.part])
    if chosen.sequence_id:
        messages = messages.filter(sequence_id=chosen.sequence_id)
    if chosen.step_id:
        messages = messages.filter(step_id=chosen.step_id)
    if chosen.member_id:
        messages = messages.filter(mailbox__member_id=chosen.member_id)
    if chosen.variant_id:
        messages = messages.filter(variant_id=chosen.variant_id)
    if chosen.company_id:
        messages = messages.filter(contact__company_id=chosen.company_id)
    if chosen.answer:
        # By their ids: two such replies to one mail are still one mail.
        messages = messages.filter(pk__in=_answered(chosen.answer))
    if chosen.within:
        moment = "bounced_at" if chosen.bounced else "planned_at" if chosen.planned else "accepted_at"
        start, end = chosen.within
        # As reports count: what a member answers is no outreach.
        messages = messages.filter(**{f"{moment}__gte": start, f"{moment}__lt": end}, reply_id__isnull=True)
    # A span of bounces says it by itself, and is planned better alone.
    if chosen.came_back or (chosen.bounced and not chosen.within):
        messages = messages.filter(bounced_at__isnull=False)
    return messages


def _answered(label: str) -> QuerySet[Any]:
    """The ids of messages that a reply with this label answered: the replies' own column, without a join."""
    replies: Any = Message._meta.get_field("replies").related_model  # of a concept above
    return replies.objects.filter(label=label).values("message_id")


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as a list shows it. Subject and text stay closed."""

    message: Message
    contact: str
    mailbox: str


def listed(rows: QuerySet[Message], member: Member) -> QuerySet[Message]:
    return rows.filter(seen_by(member)).select_related("contact", "mailbox")


def row_of(message: Message) -> MessageRow:
    return MessageRow(message, display_name(message.contact), names.open(message.mailbox, "address") or "")


# What became of a message, as its page tells it: what we recorded, and what we asked Microsoft.
RECORDED = {
    tags.MESSAGE_PLAN: _("Planned"),
    tags.MESSAGE_DRAFT: _("Draft noted"),
    tags.MESSAGE_SEND: _("About to be sent"),
    tags.MESSAGE_ACCEPT: _("Noted as taken by Microsoft"),
    tags.MESSAGE_RETURN: _("Noted as not sent"),
    tags.MESSAGE_CONFIRM: _("Noted as seen among the sent mails"),
    tags.MESSAGE_HOLD: _("Held for a decision"),
    tags.MESSAGE_HURRY: _("Put before others by a member"),
    tags.MESSAGE_POSTPONE: _("Postponed by a member"),
    tags.MESSAGE_CANCEL: _("Cancelled"),
    tags.MESSAGE_RESOLVE: _("A person decided"),
}
ASKED = {
    "draft.find": _("Looked for it by its key"),
    "draft.find-by-message-id": _("Looked for it by its Message-ID"),
    "draft.look": _("Looked at it"),
    "draft.look.plain": _("Looked at it"),
    "draft.read": _("Compared its draft with what was written"),
    "draft.create": _("Asked Microsoft to write the draft"),
    "draft.create-follow-up": _("Asked Microsoft to write the draft"),
    "draft.create-mime": _("Asked Microsoft to write the draft"),
    "draft.stamp": _("Marked the draft"),
    "draft.send": _("Asked Microsoft to send it"),
    "draft.delete": _("Removed the draft"),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the evidence about a message."""

    at: datetime
    what: str | Promise
    detail: str | Promise = ""


def evidence(message: Message) -> list[Happened]:
    """All that is known of a message, in order: the audit log's entries and the ledger's requests about it."""
    entries = AuditEntry.objects.filter(workspace_id=message.workspace_id, subject_id=message.pk).exclude(
        tag=tags.CONTENT_READ
    )
    told = [
        Happened(each.at, RECORDED.get(each.tag, each.tag), each.detail.get("reason") or "")
        for each in entries
    ]
    about = [message.key, message.graph_id, names.open(message, "internet_message_id") or ""]
    requests = LedgerRow.objects.filter(
        workspace_id=message.workspace_id,
        mailbox_id=message.mailbox_id,
        at__gte=message.planned_at,
        at__lte=message.confirmed_at or clock.now(),
        item_hash__in=[index(message.workspace_id, "item", each) for each in about if each],
    )
    told += [
        Happened(each.at, ASKED.get(each.shape, each.shape), _answer(each.status)) for each in requests[:200]
    ]
    return sorted(told, key=lambda each: each.at)


def _answer(status: int) -> str | Promise:
    return _("answer %(status)s") % {"status": status} if status else _("no answer came")


def held_count(member: Member) -> int:
    return Message.objects.filter(seen_by(member), state=State.HELD).count()
