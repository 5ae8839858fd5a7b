"""What is known about a page of envelopes, in a handful of queries whatever its length."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from gatepost.accounts.models import Member
from gatepost.contacts.queries import display_name
from gatepost.conversations.models import Reply
from gatepost.graph.messages import Envelope
from gatepost.intake.models import Quarantine
from gatepost.intake.rules import EnvelopeFacts, references
from gatepost.isolation import inside
from gatepost.mailboxes.models import Folder, Mailbox
from gatepost.mailboxes.queries import seen_by
from gatepost.outbox.models import Message
from gatepost.vault import names
from gatepost.vault.sealing import index


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours that an envelope may refer to."""

    id: UUID
    mailbox_id: UUID


def folders(mailbox: Mailbox) -> list[Folder]:
    """Sent items first, so that what we sent is known when its answer is looked at; then inbox, then junk."""
    order = ("sentitems", "inbox", "junkemail")
    with inside(mailbox.workspace_id):
        return sorted(mailbox.folders.all(), key=lambda folder: order.index(folder.name))


def facts_of(mailbox: Mailbox, folder: Folder, envelopes: list[Envelope]) -> list[EnvelopeFacts]:
    """The facts of each envelope, in order."""
    workspace_id = mailbox.workspace_id

    def hashed(message_id: str) -> str:
        return index(workspace_id, "message-id", message_id)

    own = {e.graph_id: hashed(e.internet_message_id) for e in envelopes if e.internet_message_id}
    refers = {e.graph_id: [hashed(r) for r in references(e.references or "")] for e in envelopes}
    talks = {
        e.graph_id: index(workspace_id, "conversation", e.conversation_id)
        for e in envelopes
        if e.conversation_id
    }
    with inside(workspace_id):
        known = _messages(set(own.values()) | {r for each in refers.values() for r in each})
        stored = _stored(mailbox, set(own.values()))
        conversations = _conversations(mailbox, set(talks.values()))
    return [
        _facts(e, mailbox, folder, known, stored, conversations, own.get(e.graph_id, ""), refers[e.graph_id],
               talks.get(e.graph_id, ""))
        for e in envelopes
    ]  # fmt: skip


def _facts(
    envelope: Envelope, mailbox: Mailbox, folder: Folder, known: dict[str, Ours], stored: set[str],
    conversations: dict[str, UUID], own: str, refers: list[str], talk: str,
) -> EnvelopeFacts:  # fmt: skip
    cited = [known[each] for each in refers if each in known]
    here = [each for each in cited if each.mailbox_id == mailbox.id]
    itself = known.get(own)
    return EnvelopeFacts(
        removed=envelope.removed,
        in_sent_items=folder.name == "sentitems",
        own_message=itself.id if itself is not None and itself.mailbox_id == mailbox.id else None,
        stored=own in stored,
        answers=here[-1].id if here else None,
        answers_colleague=bool(cited),
        conversation_of=conversations.get(talk),
    )


def _messages(indexes: set[str]) -> dict[str, Ours]:
    rows = Message.objects.filter(internet_message_index__in=indexes - {""})
    return {
        row[0]: Ours(row[1], row[2]) for row in rows.values_list("internet_message_index", "id", "mailbox_id")
    }


def _stored(mailbox: Mailbox, indexes: set[str]) -> set[str]:
    known = {"mailbox": mailbox, "internet_message_index__in": indexes}
    replies = set(Reply.objects.filter(**known).values_list("internet_message_index", flat=True))
    return replies | set(Quarantine.objects.filter(**known).values_list("internet_message_index", flat=True))


def _conversations(mailbox: Mailbox, indexes: set[str]) -> dict[str, UUID]:
    rows = Message.objects.filter(mailbox=mailbox, conversation_index__in=indexes - {""})
    return dict(rows.values_list("conversation_index", "id"))


def confirmed_unread(mailbox: Mailbox) -> list[Quarantine]:
    """Doubtful mails of this mailbox that a member called ours and that were not read yet."""
    with inside(mailbox.workspace_id):
        return list(Quarantine.objects.filter(mailbox=mailbox, decided="ours"))


def undecided(member: Member) -> QuerySet[Quarantine]:
    """The doubtful mails that this member may decide about, newest first."""
    rows = Quarantine.objects.filter(seen_by(member), decided="").select_related("mailbox")
    return rows.order_by("-received_at")


@dataclass(frozen=True, slots=True)
class DoubtfulRow:
    """A doubtful mail as its page shows it: nothing of the mail itself is known but when it came."""

    quarantine: Quarantine
    contact: str
    sequence_id: UUID
    mailbox: str


def rows_of(doubtful: Iterable[Quarantine]) -> list[DoubtfulRow]:
    """The rows, in a number of queries that does not grow with them."""
    found = list(doubtful)
    ours = Message.objects.select_related("contact").in_bulk([each.message_id for each in found])
    return [
        DoubtfulRow(
            each,
            display_name(ours[each.message_id].contact),
            ours[each.message_id].sequence_id,
            names.open(each.mailbox, "address") or "",
        )
        for each in found
        if each.message_id in ours
    ]


def message(workspace_id: UUID, message_id: UUID) -> Message:
    with inside(workspace_id):
        return Message.objects.select_related("contact", "mailbox__workspace").get(pk=message_id)
