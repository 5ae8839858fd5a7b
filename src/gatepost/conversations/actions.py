"""Storing a reply with its consequences, and what a member does in the inbox."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.audit.reveal import reveal
from gatepost.contacts.actions import suppress
from gatepost.contacts.models import Suppression
from gatepost.contacts.queries import is_suppressed
from gatepost.conversations import rules
from gatepost.conversations.models import Conversation, Promise, Reply
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.outbox import actions as outbox
from gatepost.outbox.models import Message
from gatepost.outbox.writing import parts_of
from gatepost.sequences import actions as sequences
from gatepost.sequences import preview as sequence_preview
from gatepost.sequences.models import Enrolment
from gatepost.text.templates import TemplateError, says_something
from gatepost.text.tone import Tone
from gatepost.vault import names
from gatepost.vault.sealing import index, seal

BY_INTAKE = by_job("intake.sync")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A matched mail, read and labelled, about to be stored."""

    message: Message  # ours, that it answers
    graph_id: str
    internet_message_id: str
    received: datetime
    sender: str
    someone_else: bool
    subject: str
    tone: Tone


def record_reply(incoming: Incoming) -> Reply | None:
    """The reply is in its conversation with its label, and what follows from it is done, in one transaction.

    None when it was stored before: notifications and walks may bring the same mail twice.
    """
    message, tone = incoming.message, incoming.tone
    with inside(message.workspace_id):
        key = index(message.workspace_id, "message-id", incoming.internet_message_id)
        if Reply.objects.filter(mailbox_id=message.mailbox_id, internet_message_index=key).exists():
            return None
        enrolment = Enrolment.objects.filter(pk=message.enrolment_id).first()
        if enrolment is None:
            return None
        conversation = _conversation(message, enrolment, incoming)
        reply = _store(incoming, conversation, key)
        record(
            BY_INTAKE, tags.REPLY_STORE, reply, mailbox_id=message.mailbox_id,
            label=tone.label, labels=list(tone.labels), version=tone.version,
        )  # fmt: skip
        _follow(reply, conversation, enrolment, message, tone)
    return reply


def answer(
    conversation_id: UUID, text: str, *, compose_id: UUID, workspace_id: UUID, actor: Actor
) -> Message:
    """What a member wrote stands in the outbox, in the thread of the latest reply. It leaves once, through the same
    gate as every mail; an address on the do-not-contact list gets nothing.

    `text` may name fields and snippets, as a step's does. The same `compose_id` again gives the same message. Raises
    BadInput for a text that cannot be sent, Conflict where nothing can be answered from here.
    """
    with inside(workspace_id):
        conversation = (
            Conversation.objects.select_for_update(of=("self",))
            .select_related("contact", "mailbox")
            .get(pk=conversation_id)
        )
        reply = _latest(conversation.pk, "mailbox", "message")
        if why := why_not_answered(conversation, reply):
            raise Conflict(why)
        parts = parts_of(_written(text, conversation), conversation.mailbox, opt_out="")
        message = outbox.plan_answer(
            outbox.Answer(
                compose_id=compose_id,
                reply_id=reply.pk,
                reply_graph_id=reply.graph_id,
                earlier=reply.message,
                subject=rules.answer_subject(
                    reveal(actor, reply, "subject", reason="to answer it")["subject"] or ""
                ),
                body=parts.text,
                html=parts.html,
            ),
            actor=actor,
        )
        Conversation.objects.filter(pk=conversation.pk).update(unread=False)
    return message


def why_not_answered(conversation: Conversation, reply: Reply | None = None) -> str:
    """Why the conversation cannot be answered from here; "" where it can. Inside the workspace."""
    reply = reply or _latest(conversation.pk)
    if reply.label == "bounce":
        return "Nobody wrote: this is a delivery report."
    if reply.someone_else:
        return (
            "Somebody else answered, from an address that is no contact of this conversation. "
            "Add that person as a contact, or answer in your own mail program."
        )
    if is_suppressed(conversation.workspace_id, names.open(conversation.contact, "email") or "") is not None:
        return "This address is on the do-not-contact list: nothing is sent to it from here."
    if "drafts" not in conversation.mailbox.running:
        return "This mailbox may not write drafts, which an answer needs: answer in your own mail program."
    return ""


def _written(text: str, conversation: Conversation) -> str:
    """The text with snippets and fields in their places. Raises BadInput where it says nothing, or a value is missing."""
    try:
        filled, _subject = sequence_preview.filled("", text, conversation.contact, conversation.mailbox)
    except TemplateError as error:
        raise BadInput(f"The answer was not sent. {error}") from error
    if filled.missing:
        raise BadInput(
            f"The answer was not sent: this contact has no {', '.join(filled.missing)}. Write it without."
        )
    if not says_something(filled.text):
        raise BadInput("Write something first: the answer was not sent.")
    return filled.text


def mark_done(conversation_id: UUID, *, workspace_id: UUID, done: bool, actor: Actor) -> None:
    """The conversation leaves the inbox, or comes back to it."""
    with inside(workspace_id):
        conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
        conversation.done, conversation.unread = done, False
        conversation.save(update_fields=["done", "unread"])
        record(actor, tags.CONVERSATION_DONE, conversation, done=done)


def correct_label(reply_id: UUID, label: str, *, workspace_id: UUID, actor: Actor) -> None:
    """A member says what a reply means. The first label is kept beside it; an opt-out suppresses as ever."""
    if label not in rules.LABELS:
        raise BadInput(f"There is no label {label!r}. Use one of: {', '.join(rules.LABELS)}.")
    with inside(workspace_id):
        reply = (
            Reply.objects.select_for_update(of=("self",))
            .select_related("conversation", "message")
            .get(pk=reply_id)
        )
        if reply.label == label:
            return
        reply.corrected_from, reply.label, reply.labels = reply.corrected_from or reply.label, label, [label]
        reply.save(update_fields=["corrected_from", "label", "labels"])
        Conversation.objects.filter(pk=reply.conversation_id).update(label=_label_of(reply.conversation_id))
        record(
            actor,
            tags.REPLY_LABEL,
            reply,
            mailbox_id=reply.mailbox_id,
            before=reply.corrected_from,
            now=label,
        )
        if label in ("unsubscribe", "hard_no"):
            _suppress(reply.message, label, actor)


def _label_of(conversation_id: UUID) -> str:
    """A conversation's label is that of its latest human reply; of its latest reply where no human wrote."""
    return _latest(conversation_id).label


def _latest(conversation_id: UUID, *with_: str) -> Reply:
    replies = Reply.objects.filter(conversation_id=conversation_id).select_related(*with_ or (None,))
    latest_first = replies.order_by("-received_at", "-created_at")
    latest = latest_first.exclude(label__in=rules.AUTOMATIC).first() or latest_first.first()
    assert latest is not None  # a conversation begins with a reply
    return latest


def _conversation(message: Message, enrolment: Enrolment, incoming: Incoming) -> Conversation:
    conversation, new = Conversation.objects.select_for_update().get_or_create(
        enrolment=enrolment,
        defaults={
            "workspace_id": message.workspace_id,
            "mailbox_id": message.mailbox_id,
            "contact_id": message.contact_id,
            "last_reply_at": incoming.received,
            "label": incoming.tone.label,
        },
    )
    if not new:
        human = incoming.tone.label not in rules.AUTOMATIC
        conversation.last_reply_at = max(conversation.last_reply_at, incoming.received)
        # An absence notice after an answer says nothing about the answer.
        if human or conversation.label in rules.AUTOMATIC:
            conversation.label = incoming.tone.label
        conversation.unread, conversation.done = True, False
        conversation.save()
    return conversation


def _store(incoming: Incoming, conversation: Conversation, key: str) -> Reply:
    message, tone = incoming.message, incoming.tone
    reply = Reply(
        workspace_id=message.workspace_id,
        mailbox_id=message.mailbox_id,
        conversation=conversation,
        message=message,
        graph_id=incoming.graph_id,
        internet_message_index=key,
        received_at=incoming.received,
        someone_else=incoming.someone_else,
        label=tone.label,
        labels=list(tone.labels),
        score=tone.score,
        return_local_date=tone.return_date,
        return_precision=tone.return_precision or "",
        bounce=tone.bounce or "",
        version=tone.version,
        created_at=clock.now(),
    )
    seal(reply, "sender", incoming.sender)
    seal(reply, "subject", incoming.subject)
    seal(reply, "text", tone.new_text)
    seal(reply, "evidence", json.dumps([asdict(each) for each in tone.evidence]))
    seal(reply, "third_party", json.dumps(asdict(tone.third_party)) if tone.third_party else None)
    reply.save(force_insert=True)
    return reply


def _follow(
    reply: Reply, conversation: Conversation, enrolment: Enrolment, message: Message, tone: Tone
) -> None:
    follows = rules.consequence(
        tone.label,
        tuple(tone.labels),
        bounce=tone.bounce or "",
        return_date=tone.return_date,
        today=clock.now().date(),
        soft_bounces=Reply.objects.filter(message__contact=message.contact_id, bounce="soft").count(),
    )
    workspace_id = message.workspace_id
    if tone.label == "bounce":
        outbox.bounced(message)
    if follows.stop:
        sequences.stop(enrolment.pk, follows.stop, follows.reason, workspace_id=workspace_id, actor=BY_INTAKE)
    elif follows.pause_until is not None:
        sequences.pause_until(
            enrolment.pk, follows.pause_until, follows.reason, workspace_id=workspace_id, actor=BY_INTAKE
        )
    if follows.suppress:
        _suppress(message, follows.suppress, BY_INTAKE)
    if follows.promise and tone.return_date is not None:
        _promise(reply, conversation, tone, tone.return_date)


def _suppress(message: Message, cause: str, actor: Actor) -> None:
    """The contact's own address; never that of somebody else who answered for him."""
    address = names.open(message.contact, "email")
    if address:
        known = cause if cause in Suppression.Cause.values else Suppression.Cause.UNSUBSCRIBE
        suppress(message.workspace_id, address, cause=known, actor=actor, source="reply")


def _promise(reply: Reply, conversation: Conversation, tone: Tone, due: date) -> None:
    promise = Promise(
        workspace_id=reply.workspace_id,
        mailbox_id=reply.mailbox_id,
        conversation=conversation,
        reply=reply,
        due_local_date=due,
        precision=tone.return_precision or "day",
    )
    seal(promise, "quote", tone.new_text[:500])
    promise.save(force_insert=True)
    record(BY_INTAKE, tags.PROMISE_MAKE, promise, due=str(due))
    sequences.remind(conversation.enrolment_id, due, workspace_id=reply.workspace_id)
