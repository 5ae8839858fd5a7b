"""What is known about a page of envelopes, in a handful of queries whatever its length."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections
from django.db.models import QuerySet

from gatepost.accounts.models import Member
from gatepost.contacts.queries import display_name
from gatepost.graph.messages import Envelope, FolderSeen
from gatepost.intake import rules
from gatepost.intake.models import Quarantine
from gatepost.intake.rules import EnvelopeFacts, references
from gatepost.isolation import inside
from gatepost.mailboxes.models import Folder, Mailbox
from gatepost.mailboxes.queries import seen_by
from gatepost.outbox.models import Message
from gatepost.vault import names
from gatepost.vault.indexes import forms_now
from gatepost.vault.sealing import indexer


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours that an envelope may refer to."""

    id: UUID
    mailbox_id: UUID


def folders(mailbox: Mailbox) -> list[Folder]:
    """All that are known, also those that are not looked at."""
    with inside(mailbox.workspace_id):
        return list(mailbox.folders.all())


def named(known: Iterable[Folder]) -> dict[str, str]:
    """Microsoft's well-known names by the ids of these folders."""
    return {each.microsoft_id: each.name for each in known if each.microsoft_id and each.name}


def left_out(folder: Folder, decided: Mapping[str, rules.Receives | rules.LeaveOut]) -> str:
    """Why this folder is not looked at, by what was decided now; "" where it is."""
    decision = decided.get(folder.microsoft_id or "")
    if folder.left_out == rules.REFUSED or decision is None:
        return folder.left_out
    return decision.reason if isinstance(decision, rules.LeaveOut) else ""


def due_folders(
    mailbox: Mailbox, known: Iterable[Folder], tree: Mapping[str, FolderSeen], now: datetime
) -> list[tuple[Folder, FolderSeen | None]]:
    """Those to be read in this round besides the ones that always are, with what was seen of each."""
    due: list[tuple[Folder, FolderSeen | None]] = []
    may_wait: list[tuple[Folder, FolderSeen | None]] = []
    for folder in known:
        if folder.left_out or folder.name in rules.FIRST:
            continue
        seen = tree.get(folder.microsoft_id or "")
        facts = rules.FolderFacts(
            unfinished=folder.walking,
            count_changed=seen is not None and (folder.total, folder.unread) != (seen.total, seen.unread),
            catching_up=mailbox.read_through is None,
            synced_at=folder.synced_at,
            changed_at=folder.changed_at,
        )
        look = rules.decide_look(facts, now)
        if isinstance(look, rules.Look):
            (may_wait if look.may_wait else due).append((folder, seen))
    may_wait.sort(key=lambda pair: pair[0].synced_at or now)
    return due + may_wait[: rules.AGAIN_AT_ONCE]


@dataclass(frozen=True, slots=True)
class Look:
    """A page of envelopes of one folder, about to be judged."""

    mailbox: Mailbox
    in_sent_items: bool
    envelopes: list[Envelope]


@dataclass(frozen=True, slots=True)
class Keys:
    """By which keyed hashes an envelope is looked for."""

    own: str
    cited: list[str]
    talk: str


def facts_of(looks: list[Look]) -> list[list[EnvelopeFacts]]:
    """The facts of every envelope of each page, in order; all mailboxes are of the running transaction's workspace."""
    workspace_id = looks[0].mailbox.workspace_id
    message_id, conversation = indexer(workspace_id, "message-id"), indexer(workspace_id, "conversation")
    keys = [
        [
            Keys(
                message_id(e.internet_message_id) if e.internet_message_id else "",
                [message_id(each) for each in references(e.references)] if e.references else [],
                conversation(e.conversation_id) if e.conversation_id else "",
            )
            for e in look.envelopes
        ]
        for look in looks
    ]
    known = _messages({key for page in keys for each in page for key in (each.own, *each.cited)})
    talks = _at(
        "gatepost_message", "conversation_index", looks, [[each.talk for each in page] for page in keys]
    )
    # What was stored answers a mail of ours, or lies in its conversation: nothing else is asked for.
    perhaps = [
        [each.own for each in page if each.talk in talk or not known.keys().isdisjoint(each.cited)]
        for page, talk in zip(keys, talks, strict=True)
    ]
    replies = _at("gatepost_reply", "internet_message_index", looks, perhaps)
    doubtful = _at("gatepost_quarantine", "internet_message_index", looks, perhaps)
    return [
        [
            _facts(envelope, look, each, known, reply.keys() | doubt.keys(), talk)
            for envelope, each in zip(look.envelopes, page, strict=True)
        ]
        for look, page, reply, doubt, talk in zip(looks, keys, replies, doubtful, talks, strict=True)
    ]


def _facts(
    envelope: Envelope, look: Look, keys: Keys, known: dict[str, Ours], stored: Set[str], talks: dict[str, UUID]
) -> EnvelopeFacts:  # fmt: skip
    itself, talk = known.get(keys.own), talks.get(keys.talk)
    cited = [known[each] for each in keys.cited if each in known]
    if itself is None and talk is None and not cited and not envelope.removed and not look.in_sent_items:
        return NOTHING_OF_OURS
    here = look.mailbox.id
    answers = [each for each in cited if each.mailbox_id == here]
    return EnvelopeFacts(
        removed=envelope.removed,
        in_sent_items=look.in_sent_items,
        own_message=itself.id if itself is not None and itself.mailbox_id == here else None,
        stored=keys.own in stored,
        answers=answers[-1].id if answers else None,
        answers_colleague=bool(cited),
        conversation_of=talk,
    )


# Nearly all mail: one object for it saves a tenth of the work.
NOTHING_OF_OURS = EnvelopeFacts(
    removed=False, in_sent_items=False, own_message=None, stored=False, answers=None, answers_colleague=False,
    conversation_of=None,
)  # fmt: skip


class _Asked:
    """Keyed hashes in the form in which they are stored at this moment."""

    def __init__(self, keys: Iterable[str]) -> None:
        wanted = list({*keys} - {""})
        forms = forms_now(connections["default"], wanted)
        self.key_of = dict(zip(forms, wanted, strict=True))
        self._form_of = dict(zip(wanted, forms, strict=True))

    def text(self, keys: Iterable[str]) -> str:
        return " ".join([self._form_of[key] for key in keys if key])


def _messages(indexes: set[str]) -> dict[str, Ours]:
    """Of the whole workspace. One text of keys is a fraction of the cost of a parameter for each."""
    asked = _Asked(indexes)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT internet_message_index, id, mailbox_id FROM gatepost_message "
            "WHERE internet_message_index = ANY (string_to_array(%s, ' '))",
            [asked.text(indexes)],
        )
        return {asked.key_of[form]: Ours(message, mailbox) for form, message, mailbox in cursor.fetchall()}


def _at(table: str, column: str, looks: list[Look], keys: list[list[str]]) -> list[dict[str, UUID]]:
    """For each look the rows of its mailbox whose column is one of its keys."""
    found: dict[UUID, dict[str, UUID]] = {look.mailbox.id: {} for look in looks}
    asked = _Asked(key for page in keys for key in page)
    texts = [asked.text(page) for page in keys]
    if any(texts):
        with connections["default"].cursor() as cursor:
            cursor.execute(
                f'SELECT row.mailbox_id, row."{column}", row.id '
                "FROM unnest(%s::uuid[], %s::text[]) AS look (mailbox, keys), unnest(string_to_array(look.keys, ' ')) AS asked "
                f'JOIN "{table}" AS row ON row."{column}" = asked WHERE row.mailbox_id = look.mailbox',
                [[look.mailbox.id for look in looks], texts],
            )
            for mailbox, form, row in cursor.fetchall():
                found[mailbox][asked.key_of[form]] = row
    return [found[look.mailbox.id] for look in looks]


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
