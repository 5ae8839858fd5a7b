"""Storing a reply with its consequences, and what a member does in the inbox."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.audit.reveal import reveal
from gatepost.contacts.actions import add_contact, note_address, suppress
from gatepost.contacts.models import Contact, Suppression
from gatepost.contacts.queries import is_suppressed
from gatepost.contacts.rules import NAMED_IN
from gatepost.conversations import rules
from gatepost.conversations.models import Conversation, Correction, LabelRule, Promise, Reply
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.queries import across_workspaces
from gatepost.outbox import actions as outbox
from gatepost.outbox.models import Message
from gatepost.outbox.writing import parts_of
from gatepost.sequences import enrolments, tasks
from gatepost.sequences import preview as sequence_preview
from gatepost.sequences.models import Enrolment
from gatepost.text.templates import TemplateError, says_something
from gatepost.text.tone import Tone
from gatepost.vault import names
from gatepost.vault.sealing import index, seal

BY_INTAKE = by_job("intake.sync")
BY_TICK = by_job("conversations.reopen")


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
        if incoming.someone_else and tone.label not in rules.AUTOMATIC:
            note_address(conversation.contact, incoming.sender)
        record(
            BY_INTAKE, tags.REPLY_STORE, reply, mailbox_id=message.mailbox_id,
            label=tone.label, labels=list(tone.labels), version=tone.version,
        )  # fmt: skip
        _follow(reply, conversation, BY_INTAKE, quote=tone.new_text)
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
        tasks.looked_at_reply(conversation.enrolment_id, workspace_id=workspace_id, actor=actor)
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
    """The conversation leaves the inbox, or comes back to it. What was asked of a person about it is done with it."""
    with inside(workspace_id):
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
        conversation.done, conversation.unread = done, False
        # A promise that is still to come brings it back on its day all the same.
        if not conversation.promises.filter(done=False).exists():
            conversation.snoozed_until = None
        conversation.save(update_fields=["done", "unread", "snoozed_until"])
        record(actor, tags.CONVERSATION_DONE, conversation, done=done)
        if done:
            conversation.promises.filter(due_local_date__lte=_latest_today(clock.now())).update(done=True)
            tasks.looked_at_reply(conversation.enrolment_id, workspace_id=workspace_id, actor=actor)


def assign(conversation_id: UUID, member_id: UUID | None, *, workspace_id: UUID, actor: Actor) -> None:
    """Somebody takes care of the conversation, and may read it; None: whoever has its mailbox."""
    with inside(workspace_id):
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
        if member_id is not None:
            member = Member.objects.filter(pk=member_id, removed_at=None).first()
            if member is None or not member.may_write:
                raise BadInput("Choose somebody of your workspace who may answer.")
        conversation.assigned_to_id, conversation.unread = member_id, True
        conversation.save(update_fields=["assigned_to", "unread"])
        record(actor, tags.CONVERSATION_ASSIGN, conversation, to=str(member_id or ""))


def snooze(conversation_id: UUID, until: datetime | None, *, workspace_id: UUID, actor: Actor) -> None:
    """The conversation leaves the inbox until then; None brings it back now. A reply brings it back as well."""
    now = clock.now()
    if until is not None and not now < until <= now + rules.LONGEST_SNOOZE:
        raise BadInput("Snooze until a moment that is still to come, at most a year from now.")
    with inside(workspace_id):
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
        conversation.snoozed_until, conversation.unread = until, False
        conversation.done = False
        conversation.save(update_fields=["snoozed_until", "unread", "done"])
        record(actor, tags.CONVERSATION_SNOOZE, conversation, until=until.isoformat() if until else "")


def reopen(now: datetime) -> int:
    """Conversations whose time has come are in the inbox again, unread; those with a promise on top. How many."""
    found = across_workspaces("conversations_to_reopen", now)
    for each in found:
        with inside(each.workspace_id):
            conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=each.id)
            promised = conversation.promises.filter(
                done=False, due_local_date__lte=_latest_today(now)
            ).exists()
            conversation.urgency = rules.urgency(conversation.label, promised=promised)
            conversation.snoozed_until, conversation.unread, conversation.done = None, True, False
            conversation.save(update_fields=["urgency", "snoozed_until", "unread", "done"])
            record(BY_TICK, tags.CONVERSATION_SNOOZE, conversation, until="")
    return len(found)


def _latest_today(now: datetime) -> date:
    """The day that it is where days begin first: a promise is kept by the contact's clock."""
    return (now + timedelta(hours=14)).date()


def correct_label(reply_id: UUID, label: str, *, workspace_id: UUID, actor: Actor) -> None:
    """A member says what a reply means, and what follows from that is done. The first label is kept beside it.

    What followed before stays where it protects: nobody is taken off the do-not-contact list by a correction.
    """
    if label not in rules.LABELS:
        raise BadInput(f"There is no label {label!r}. Use one of: {', '.join(rules.LABELS)}.")
    with inside(workspace_id):
        reply = (
            Reply.objects.select_for_update(of=("self",))
            .select_related("conversation__enrolment", "message__contact")
            .get(pk=reply_id)
        )
        if reply.label == label:
            return
        before = reply.label
        reply.corrected_from, reply.label, reply.labels = reply.corrected_from or before, label, [label]
        reply.save(update_fields=["corrected_from", "label", "labels"])
        Correction.objects.create(
            workspace_id=workspace_id,
            mailbox_id=reply.mailbox_id,
            reply=reply,
            before=before,
            after=label,
            member_id=actor.id if actor.kind == "member" else None,
            made_at=clock.now(),
        )
        conversation = reply.conversation
        conversation.label = _label_of(conversation.pk)
        conversation.urgency = rules.urgency(conversation.label)
        conversation.save(update_fields=["label", "urgency"])
        record(actor, tags.REPLY_LABEL, reply, mailbox_id=reply.mailbox_id, before=before, now=label)
        tasks.looked_at_reply(conversation.enrolment_id, workspace_id=workspace_id, actor=actor)
        _follow(reply, conversation, actor)


def add_named(reply_id: UUID, *, workspace_id: UUID, actor: Actor) -> Contact:
    """Whom the reply names is a contact, with that reply as its source. Nothing is written to them, now or by itself.

    Raises BadInput where it names no address, Conflict where that is a contact's already.
    """
    with inside(workspace_id):
        reply = Reply.objects.select_related("mailbox").get(pk=reply_id)
        held = reveal(actor, reply, "third_party", reason="to add whom it names")["third_party"]
    named = json.loads(held or "{}")
    if not named.get("address"):
        raise BadInput(_("This reply names no address. Add the contact by hand, under Contacts."))
    first, _space, last = (named.get("name") or "").strip().rpartition(" ")
    fields = {"email": named["address"], "first_name": first or last, "last_name": last if first else ""}
    return add_contact(workspace_id, fields, actor=actor, source=f"{NAMED_IN}{reply_id}")


def change_rule(label: str, rule: rules.Rule, *, workspace_id: UUID, actor: Actor) -> None:
    """From now on this follows from the label. Raises BadInput for what would weaken a no."""
    if problem := rules.check(label, rule):
        raise BadInput(problem)
    with inside(workspace_id):
        if rule_table()[label] == rule:
            return
        changed, _new = LabelRule.objects.update_or_create(
            workspace_id=workspace_id, label=label, defaults=asdict(rule)
        )
        record(actor, tags.RULE_CHANGE, changed, label=label, **asdict(rule))


def rule_table() -> dict[str, rules.Rule]:
    """What follows from each label in this workspace. Inside it."""
    own = {
        each.label: rules.Rule(each.course, each.task, each.suppress, each.cool_off_days, each.hold_company)
        for each in LabelRule.objects.all()
    }
    return {**rules.DEFAULTS, **own}


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
            "urgency": rules.urgency(incoming.tone.label),
        },
    )
    if not new:
        human = incoming.tone.label not in rules.AUTOMATIC
        conversation.last_reply_at = max(conversation.last_reply_at, incoming.received)
        # An absence notice after an answer says nothing about the answer.
        if human or conversation.label in rules.AUTOMATIC:
            conversation.label = incoming.tone.label
            conversation.urgency = rules.urgency(conversation.label)
        if human:
            conversation.snoozed_until = None
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
        cut=tone.cut,
        created_at=clock.now(),
    )
    seal(reply, "sender", incoming.sender)
    seal(reply, "subject", incoming.subject)
    seal(reply, "text", tone.new_text)
    seal(reply, "evidence", json.dumps([asdict(each) for each in tone.evidence]))
    seal(reply, "third_party", json.dumps(asdict(tone.third_party)) if tone.third_party else None)
    reply.save(force_insert=True)
    return reply


def _follow(reply: Reply, conversation: Conversation, actor: Actor, *, quote: str | None = None) -> None:
    """What the workspace's table says of the reply is done, and noted beside it with the label that asked for it."""
    message, workspace_id = reply.message, reply.workspace_id
    follows = rules.consequence(
        reply.label,
        tuple(reply.labels),
        bounce=reply.bounce or ("hard" if reply.corrected_from else ""),
        return_date=reply.return_local_date,
        today=clock.now().date(),
        soft_bounces=Reply.objects.filter(message__contact=message.contact_id, bounce="soft").count(),
        table=rule_table(),
    )
    note = _Note(follows)
    if reply.label == "bounce":
        outbox.bounced(message)
    _move_enrolment(reply, conversation, follows, note, actor)
    if follows.suppress:
        _suppress(message, follows.suppress, actor)
        note("suppress")
    if follows.cool_off_days:
        until = clock.now() + timedelta(days=follows.cool_off_days)
        enrolments.cool_off(message.contact_id, until)
        note("cool_off", until.date())
    if follows.promise and reply.return_local_date is not None:
        if quote is None:
            quote = reveal(actor, reply, "text", reason="to quote a promise")["text"] or ""
        _promise(reply, conversation, follows, note, due=reply.return_local_date, quote=quote)
    if follows.task and reply.label == conversation.label:
        tasks.ask_about_reply(conversation.enrolment_id, follows.reason, workspace_id=workspace_id)
        note("task")
    reply.followed = [*reply.followed, *note.lines]
    reply.save(update_fields=["followed"])


class _Note:
    """What followed, as it is kept beside the reply."""

    def __init__(self, follows: rules.Consequence) -> None:
        self.follows, self.lines = follows, list[dict[str, str]]()

    def __call__(self, what: str, until: date | None = None) -> None:
        self.lines.append(
            {
                "what": what,
                "label": self.follows.label,
                "reason": self.follows.reason,
                "until": str(until or ""),
            }
        )


def _move_enrolment(
    reply: Reply, conversation: Conversation, follows: rules.Consequence, note: _Note, actor: Actor
) -> None:
    which, workspace_id = conversation.enrolment_id, reply.workspace_id
    if follows.stop:
        if enrolments.stop(which, follows.stop, follows.reason, workspace_id=workspace_id, actor=actor):
            note("end")
    elif follows.pause:
        if enrolments.pause_until(
            which, follows.until, follows.reason, workspace_id=workspace_id, actor=actor
        ):
            note("pause", follows.until)
    # It was paused for what it seemed to say.
    elif any(line["what"] == "pause" for line in reply.followed) and enrolments.resume(
        which, workspace_id=workspace_id, actor=actor
    ):
        note("go_on")


def _suppress(message: Message, cause: str, actor: Actor) -> None:
    """The contact's own address; never that of somebody else who answered for him."""
    address = names.open(message.contact, "email")
    if address:
        known = cause if cause in Suppression.Cause.values else Suppression.Cause.REPLIED
        suppress(message.workspace_id, address, cause=known, actor=actor, source="reply")


def _promise(
    reply: Reply,
    conversation: Conversation,
    follows: rules.Consequence,
    note: _Note,
    *,
    due: date,
    quote: str,
) -> None:
    """The contact is left alone until the day that he named, his company too where the table says so; then the
    conversation stands on top of the inbox again."""
    if not Promise.objects.filter(reply=reply).exists():
        promise = Promise(
            workspace_id=reply.workspace_id,
            mailbox_id=reply.mailbox_id,
            conversation=conversation,
            reply=reply,
            due_local_date=due,
            precision=reply.return_precision or "day",
        )
        seal(promise, "quote", quote[:500])
        promise.save(force_insert=True)
        record(BY_INTAKE, tags.PROMISE_MAKE, promise, due=str(due))
    due_at = tasks.remind(conversation.enrolment_id, due, workspace_id=reply.workspace_id)
    note("promise", due)
    if due_at <= clock.now():
        return
    enrolments.cool_off(conversation.contact_id, due_at)
    if follows.hold_company and enrolments.hold_company(reply.message.contact, due_at):
        note("hold_company", due)
    conversation.snoozed_until = due_at
    conversation.save(update_fields=["snoozed_until"])
