"""Conversations as pages and reports choose and show them; their letters, opened."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils.formats import date_format
from django.utils.functional import Promise as Promised
from django.utils.translation import gettext_lazy as _

from gatepost.accounts.models import Member
from gatepost.accounts.rules import ROLES, Ability, may
from gatepost.audit.record import Actor
from gatepost.audit.reveal import reveal, reveal_each
from gatepost.contacts.queries import contact_with, display_name
from gatepost.conversations.actions import rule_table
from gatepost.conversations.models import Conversation, Correction, Promise, Reply
from gatepost.conversations.rules import AUTOMATIC, DEFAULTS, FIXED, LABELS, OPT_OUTS, Rule, courses_of
from gatepost.mailboxes.queries import require_may_read, seen_by
from gatepost.outbox.lists import LEFT
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment, Sequence
from gatepost.vault import names
from gatepost.web.weeks import Span

CLOCKS_DIFFER = timedelta(days=1)  # more than any two do
PARTS = ("open", "snoozed", "promised", "done", "all")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which conversations a list shows. Reports count by the same, so that a number and its rows agree."""

    part: str = "open"
    label: str = ""
    answered: bool = False  # by a person: not an absence notice, not a bounce
    sequence_id: UUID | None = None
    step_id: UUID | None = None
    member_id: UUID | None = None
    variant_id: UUID | None = None
    company_id: UUID | None = None
    opted_out: bool = False  # wants no more mail
    promised: bool = False  # with a reply that promises something, kept or not
    replied_within: Span | None = None
    mailed_within: Span | None = (
        None  # our mail that was answered had left then, and was seen among the sent ones
    )


def chosen_conversations(chosen: Chosen) -> QuerySet[Conversation]:
    rows = Conversation.objects.all()
    if chosen.part == "open":
        rows = rows.filter(done=False, snoozed_until=None)
    elif chosen.part == "snoozed":
        rows = rows.filter(done=False, snoozed_until__isnull=False)
    elif chosen.part == "done":
        rows = rows.filter(done=True)
    elif chosen.part == "promised":
        rows = rows.filter(Exists(Promise.objects.filter(conversation=OuterRef("pk"), done=False)))
    if chosen.sequence_id:
        rows = rows.filter(enrolment__sequence_id=chosen.sequence_id)
    if chosen.member_id:
        rows = rows.filter(
            Q(assigned_to_id=chosen.member_id) | Q(assigned_to=None, mailbox__member_id=chosen.member_id)
        )
    if chosen.company_id:
        rows = rows.filter(contact__company_id=chosen.company_id)
    if (
        chosen.answered or chosen.step_id or chosen.variant_id or chosen.opted_out or chosen.promised
        or chosen.replied_within or chosen.mailed_within
    ):  # fmt: skip
        return rows.filter(Exists(chosen_replies(chosen).filter(conversation=OuterRef("pk"))))
    return rows.filter(label=chosen.label) if chosen.label else rows


def chosen_replies(chosen: Chosen) -> QuerySet[Reply]:
    """The replies for which such conversations are shown."""
    replies = Reply.objects.all()
    if chosen.sequence_id:
        replies = replies.filter(sequence_id=chosen.sequence_id)
    if chosen.member_id:
        replies = replies.filter(mailbox__member_id=chosen.member_id)
    if chosen.company_id:
        replies = replies.filter(conversation__contact__company_id=chosen.company_id)
    if chosen.variant_id:
        replies = replies.filter(variant_id=chosen.variant_id)
    if chosen.opted_out:
        replies = replies.filter(label__in=OPT_OUTS)
    if chosen.promised:
        replies = replies.filter(promise__isnull=False)
    if chosen.mailed_within:
        start, end = chosen.mailed_within
        # Of a mail that had not been seen among the sent ones when the reply came, the reply does not know: it is looked up.
        mail = Message.objects.filter(
            pk=OuterRef("message_id"),
            state=Message.State.CONFIRMED,
            accepted_at__gte=start,
            accepted_at__lt=end,
        )
        replies = replies.filter(
            Q(mailed_at__gte=start, mailed_at__lt=end)
            | Q(mailed_at__isnull=True, message_id=Subquery(mail.values("pk"))),
            received_at__gte=start - CLOCKS_DIFFER,
        )
    if chosen.label:
        replies = replies.filter(label=chosen.label)
    if chosen.answered:
        replies = replies.exclude(label__in=AUTOMATIC)
    if chosen.step_id:
        replies = replies.filter(step_id=chosen.step_id)
    if chosen.replied_within:
        start, end = chosen.replied_within
        replies = replies.filter(received_at__gte=start, received_at__lt=end)
    return replies


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation as the inbox shows it. No text is opened for it."""

    conversation: Conversation
    contact: str
    mailbox: str
    promise: Promise | None


def shown_to(member: Member) -> Q:
    """A rep sees the conversations of his own mailboxes, and those that he was given; everybody else all."""
    own = seen_by(member)
    return own | Q(assigned_to=member) if own else own


def require_may_open(member: Member, conversation: Conversation) -> None:
    """Raises NotAllowed. Whoever a conversation was given to may read it and answer."""
    if not (member.may_write and conversation.assigned_to_id == member.pk):
        require_may_read(member, conversation.mailbox)


def listed(rows: QuerySet[Conversation], member: Member) -> QuerySet[Conversation]:
    """With all that a row shows, in a number of queries that does not grow."""
    return (
        rows.filter(shown_to(member))
        .select_related("contact", "mailbox", "enrolment__sequence", "assigned_to")
        .prefetch_related("promises")
    )


def row_of(conversation: Conversation) -> ConversationRow:
    waiting = [promise for promise in conversation.promises.all() if not promise.done]
    return ConversationRow(
        conversation,
        display_name(conversation.contact),
        names.open(conversation.mailbox, "address") or "",
        min(waiting, key=lambda promise: promise.due_local_date, default=None),
    )


def label_counts(member: Member) -> list[tuple[str, int]]:
    """The labels of the open conversations, most frequent first."""
    return list(
        Conversation.objects.filter(shown_to(member), done=False, snoozed_until=None)
        .values_list("label")
        .annotate(count=Count("*"))
        .order_by("-count", "label")
    )


FOLLOWED = {
    "end": _("the sequence ended"),
    "pause": _("the sequence paused until a person looks"),
    "pause until": _("the sequence paused until %(day)s and the working days after it"),
    "go_on": _("the sequence goes on"),
    "suppress": _("the address is on the do-not-contact list"),
    "cool_off": _("in no sequence until %(day)s"),
    "promise": _("promised for %(day)s"),
    "hold_company": _("nobody writes to the company until %(day)s"),
    "task": _("a task for a person"),
}


@dataclass(frozen=True, slots=True)
class Followed:
    """What one label of a reply brought about, in words."""

    label: str
    words: tuple[str, ...]


def followed_by(reply: Reply) -> list[Followed]:
    """What followed from a reply, by the label that asked for it; a corrected one has two of them."""
    by_label: dict[str, list[str]] = {}
    for line in reply.followed:
        what, until = line["what"], line.get("until")
        words = str(FOLLOWED[f"{what} until" if what == "pause" and until else what])
        day = date_format(date.fromisoformat(until), "j M Y") if until else ""
        by_label.setdefault(line["label"], []).append(words % {"day": day})
    return [Followed(label, tuple(words)) for label, words in by_label.items()]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a reply's text; `marked` where it decided the label."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail of a conversation, opened."""

    at: datetime
    subject: str
    pieces: tuple[Piece, ...]
    sender: str = ""
    reply: Reply | None = None
    message: Message | None = None
    suggestion: dict[str, str] | None = None  # somebody else whom the reply names
    suggested_id: UUID | None = None  # the contact who that is already
    followed: tuple[Followed, ...] = ()
    corrections: tuple[Correction, ...] = ()
    is_last: bool = False  # of the replies: what a key says is said of this one


def letters(conversation: Conversation, actor: Actor, *, reason: str) -> list[Letter]:
    """Our mails and the replies, oldest first. Each text that is opened leaves an audit entry."""
    # An answer is shown from the moment in which it was written, also while it waits.
    sent = Message.objects.filter(
        Q(state__in=LEFT) | Q(reply_id__isnull=False), enrolment_id=conversation.enrolment_id
    ).select_related("mailbox")
    found = [_ours(message, actor, reason) for message in sent]
    replies = conversation.replies.select_related("mailbox").prefetch_related("corrections__member")
    found += [_theirs(reply, actor, reason) for reply in replies]
    found.sort(key=lambda letter: letter.at)
    last = max((place for place, letter in enumerate(found) if letter.reply), default=None)
    if last is not None:
        found[last] = replace(found[last], is_last=True)
    return found


def _ours(message: Message, actor: Actor, reason: str) -> Letter:
    texts = reveal(actor, message, "subject", "body", reason=reason)
    at = message.accepted_at or message.planned_at
    return Letter(at, texts["subject"] or "", (Piece(texts["body"] or "", False),), message=message)


def _theirs(reply: Reply, actor: Actor, reason: str) -> Letter:
    texts = reveal(actor, reply, "subject", "text", "evidence", "third_party", reason=reason)
    evidence = json.loads(texts["evidence"] or "[]")
    suggestion = json.loads(texts["third_party"]) if texts["third_party"] else None
    address = (suggestion or {}).get("address")
    return Letter(
        reply.received_at,
        texts["subject"] or "",
        tuple(marked(texts["text"] or "", [(each["start"], each["end"]) for each in evidence])),
        sender=names.open(reply, "sender") or "",
        reply=reply,
        suggestion=suggestion,
        suggested_id=contact_with(reply.workspace_id, address) if address else None,
        followed=tuple(followed_by(reply)),
        corrections=tuple(reply.corrections.all()),
    )


def marked(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    """The text in pieces; those inside a span are marked, in whole words. Spans may overlap or reach beyond the text."""
    pieces: list[Piece] = []
    done = 0
    for start, end in sorted(spans):
        start, end = _whole_words(text, max(start, done), end)
        if start >= end:
            continue
        pieces += [Piece(text[done:start], False), Piece(text[start:end], True)]
        done = end
    return [piece for piece in [*pieces, Piece(text[done:], False)] if piece.text]


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space around it, and with the whole of the words that it cut."""
    start, end = max(start, 0), min(end, len(text))
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start >= end:
        return start, start
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened with a contact. `kind` names the icon."""

    at: datetime
    kind: str
    words: str
    address: str = ""
    label: str = ""
    due: date | None = None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What follows from a label, as the page of rules shows it."""

    label: str
    rule: Rule
    courses: tuple[tuple[str, str | Promised], ...]
    is_fixed: bool
    is_own: bool  # the workspace changed it


COURSE_WORDS = {"go_on": _("goes on"), "pause": _("pauses"), "end": _("ends")}


def rule_rows() -> list[RuleRow]:
    table = rule_table()
    return [
        RuleRow(
            label,
            table[label],
            tuple((course, COURSE_WORDS[course]) for course in courses_of(label)),
            label in FIXED,
            table[label] != DEFAULTS[label],
        )
        for label in LABELS
    ]


@dataclass(frozen=True, slots=True)
class Confusion:
    """What the program said and what members made of it. `right`: nobody corrected it, whether or not one looked."""

    label: str
    right: int
    corrected: tuple[tuple[str, int], ...]

    @property
    def wrong(self) -> int:
        return sum(count for _label, count in self.corrected)


def confusions(member: Member) -> list[Confusion]:
    """The workspace's own corrections, the label that was corrected most often first."""
    counted = (
        Reply.objects.filter(seen_by(member))
        .annotate(first=Case(When(corrected_from="", then=F("label")), default=F("corrected_from")))
        .values_list("first", "label")
        .annotate(count=Count("*"))
        .order_by("-count", "label")
    )
    rows: dict[str, list[tuple[str, int]]] = {}
    for first, label, count in counted:
        rows.setdefault(first, []).append((label, count))
    found = [
        Confusion(
            first,
            sum(count for label, count in pairs if label == first),
            tuple((label, count) for label, count in pairs if label != first),
        )
        for first, pairs in rows.items()
    ]
    return sorted(found, key=lambda each: (-each.wrong, -each.right))


def corrections(member: Member) -> QuerySet[Correction]:
    """Each correction with who made it and when; the latest first."""
    return Correction.objects.filter(seen_by(member)).select_related("member", "reply")


def helpers() -> list[Member]:
    """Those to whom a conversation can be given."""
    roles = [role for role in ROLES if may(role, Ability.WORK)]
    return list(Member.objects.filter(removed_at=None, role__in=roles).order_by("name"))


def sequences_answered() -> QuerySet[Sequence]:
    return Sequence.objects.filter(Exists(Enrolment.objects.filter(sequence=OuterRef("pk")))).order_by("name")


def promises_of(conversation: Conversation, actor: Actor, *, reason: str) -> list[tuple[Promise, str]]:
    """The promises still to come, each with the words that it rests on. Opening these leaves an audit entry."""
    waiting = list(
        conversation.promises.filter(done=False).select_related("mailbox").order_by("due_local_date")
    )
    quotes = reveal_each(actor, waiting, "quote", reason=reason) if waiting else []
    return [(promise, texts["quote"] or "") for promise, texts in zip(waiting, quotes, strict=True)]


def history(contact_id: UUID) -> tuple[list[Enrolment], list[Message], list[Reply]]:
    """What happened with a contact: enrolments, the mails that left and the replies, texts closed."""
    enrolments = list(Enrolment.objects.filter(contact_id=contact_id).select_related("sequence"))
    messages = list(Message.objects.filter(contact_id=contact_id, state__in=LEFT))
    replies = list(Reply.objects.filter(conversation__contact_id=contact_id))
    return enrolments, messages, replies
