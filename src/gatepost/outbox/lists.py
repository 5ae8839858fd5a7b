"""Messages as pages and reports choose and show them."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from gatepost.accounts.models import Member
from gatepost.contacts.queries import display_name
from gatepost.mailboxes.queries import seen_by
from gatepost.outbox.models import Message
from gatepost.vault import names
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
    within: Span | None = None  # sent then; where `bounced`, come back then
    bounced: bool = False


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
    if chosen.within:
        moment = "bounced_at" if chosen.bounced else "accepted_at"
        start, end = chosen.within
        messages = messages.filter(**{f"{moment}__gte": start, f"{moment}__lt": end})
    return messages.filter(bounced_at__isnull=False) if chosen.bounced else messages


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


def held_count(member: Member) -> int:
    return Message.objects.filter(seen_by(member), state=State.HELD).count()
