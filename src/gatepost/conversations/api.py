"""Conversations over the API. Opening the texts of one leaves an audit entry with the token's name."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import AwareDatetime

from gatepost.accounts.tokens import administrator, caller, reads, writer
from gatepost.conversations import actions, lists, rules
from gatepost.conversations.models import Conversation, Correction, Reply
from gatepost.isolation import inside
from gatepost.web.api import Listing, listing

router = Router(tags=["conversations"])


class ConversationOut(Schema):
    id: UUID
    contact_id: UUID
    mailbox_id: UUID
    sequence_id: UUID
    label: str
    done: bool
    urgency: int  # 0 is the most urgent
    snoozed_until: datetime | None
    assigned_to: UUID | None
    last_reply_at: str


class LetterOut(Schema):
    at: str
    ours: bool
    subject: str
    text: str
    label: str = ""
    evidence: list[str] = []  # the words that decided the label
    reply_id: UUID | None = None
    cut: bool = False  # of a reply: not all of the mail was read


class ConversationWithTexts(ConversationOut):
    letters: list[LetterOut]


class AnswerIn(Schema):
    text: str  # may name fields and snippets, as a step does
    compose_id: UUID | None = None  # of your choice: the same one again gives the same message


class AnswerOut(Schema):
    message_id: UUID
    state: str


class LabelIn(Schema):
    label: str


@router.get(
    "/conversations", response=Listing[ConversationOut], summary="List conversations, latest reply first"
)
@reads
def conversations(
    request: HttpRequest,
    part: str = "open",
    label: str = "",
    sequence_id: UUID | None = None,
    member_id: UUID | None = None,
    after: str = "",
) -> dict[str, Any]:
    chosen = lists.Chosen(
        part=part if part in lists.PARTS else "open",
        label=label,
        sequence_id=sequence_id,
        member_id=member_id,
    )
    found = lists.listed(lists.chosen_conversations(chosen), caller(request).member)
    return listing(found, by="last_reply_at", after=after, shown=_shown)


@router.get(
    "/conversations/{uuid:conversation_id}",
    response=ConversationWithTexts,
    summary="Open one, with its texts",
)
@reads
def conversation(request: HttpRequest, conversation_id: UUID) -> dict[str, Any]:
    who = caller(request)
    found = get_object_or_404(Conversation.objects.select_related("mailbox", "enrolment"), pk=conversation_id)
    lists.require_may_open(who.member, found)
    return {
        **_shown(found),
        "letters": [_letter(each) for each in lists.letters(found, who.actor, reason="API")],
    }


class ConversationIn(Schema):
    """What is given changes; what is left out stays."""

    done: bool | None = None
    snoozed_until: AwareDatetime | None = None  # null brings it back
    assigned_to: UUID | None = None  # null: whoever has the mailbox


@router.patch(
    "/conversations/{uuid:conversation_id}", response={204: None}, summary="Done, snooze or assign one"
)
def change_conversation(request: HttpRequest, conversation_id: UUID, given: ConversationIn) -> Status[None]:
    who = writer(request)
    with inside(who.workspace_id):
        found = get_object_or_404(Conversation.objects.select_related("mailbox"), pk=conversation_id)
        lists.require_may_open(who.member, found)
        changes = given.model_dump(exclude_unset=True)
        if "assigned_to" in changes:
            actions.assign(found.pk, given.assigned_to, workspace_id=who.workspace_id, actor=who.actor)
        if "snoozed_until" in changes:
            actions.snooze(found.pk, given.snoozed_until, workspace_id=who.workspace_id, actor=who.actor)
        if given.done is not None:
            actions.mark_done(found.pk, workspace_id=who.workspace_id, done=given.done, actor=who.actor)
    return Status(204, None)


@router.post(
    "/conversations/{uuid:conversation_id}/answers",
    response={201: AnswerOut},
    summary="Answer in the thread; the outbox shows when it leaves",
)
def answer(request: HttpRequest, conversation_id: UUID, given: AnswerIn) -> Status[AnswerOut]:
    who = writer(request)
    found = reads(
        lambda request: get_object_or_404(Conversation.objects.select_related("mailbox"), pk=conversation_id)
    )(request)
    lists.require_may_open(who.member, found)
    message = actions.answer(
        conversation_id,
        given.text,
        compose_id=given.compose_id or uuid4(),
        workspace_id=who.workspace_id,
        actor=who.actor,
    )
    return Status(201, AnswerOut(message_id=message.pk, state=message.state))


@router.put("/replies/{uuid:reply_id}/label", response={204: None}, summary="Correct a label")
def correct_label(request: HttpRequest, reply_id: UUID, given: LabelIn) -> Status[None]:
    who = writer(request)
    reply = reads(
        lambda request: get_object_or_404(Reply.objects.select_related("conversation__mailbox"), pk=reply_id)
    )(request)
    lists.require_may_open(who.member, reply.conversation)
    actions.correct_label(reply_id, given.label, workspace_id=who.workspace_id, actor=who.actor)
    return Status(204, None)


class NamedOut(Schema):
    contact_id: UUID


@router.post("/replies/{uuid:reply_id}/named", response={201: NamedOut}, summary="Add whom a reply names")
def add_named(request: HttpRequest, reply_id: UUID) -> Status[NamedOut]:
    """The person becomes a contact with this reply as the source. Nothing is sent to them."""
    who = writer(request)
    reply = reads(
        lambda request: get_object_or_404(Reply.objects.select_related("conversation__mailbox"), pk=reply_id)
    )(request)
    lists.require_may_open(who.member, reply.conversation)
    contact = actions.add_named(reply_id, workspace_id=who.workspace_id, actor=who.actor)
    return Status(201, NamedOut(contact_id=contact.pk))


class RuleIn(Schema):
    """What follows from a label. `course` of the sequence: "go_on", "pause" or "end"."""

    course: str
    task: bool = False
    suppress: bool = False
    cool_off_days: int = 0
    hold_company: bool = False


class RuleOut(RuleIn):
    label: str


@router.get("/label-rules", response=list[RuleOut], summary="What follows from each label")
@reads
def label_rules(request: HttpRequest) -> list[dict[str, Any]]:
    return [{"label": label, **asdict(rule)} for label, rule in actions.rule_table().items()]


@router.put(
    "/label-rules/{label}", response={204: None}, summary="Change what follows from a label (administrators)"
)
def change_label_rule(request: HttpRequest, label: str, given: RuleIn) -> Status[None]:
    who = administrator(request)
    actions.change_rule(
        label, rules.Rule(**given.model_dump()), workspace_id=who.workspace_id, actor=who.actor
    )
    return Status(204, None)


class CorrectionOut(Schema):
    reply_id: UUID
    before: str
    after: str
    member_id: UUID | None
    made_at: datetime


@router.get(
    "/corrections", response=Listing[CorrectionOut], summary="Labels that members corrected, latest first"
)
@reads
def corrections(request: HttpRequest, after: str = "") -> dict[str, Any]:
    return listing(lists.corrections(caller(request).member), by="made_at", after=after, shown=_correction)


def _correction(found: Correction) -> dict[str, Any]:
    return {
        "reply_id": found.reply_id,
        "before": found.before,
        "after": found.after,
        "member_id": found.member_id,
        "made_at": found.made_at,
    }


def _shown(found: Conversation) -> dict[str, Any]:
    return {
        "id": found.pk,
        "contact_id": found.contact_id,
        "mailbox_id": found.mailbox_id,
        "sequence_id": found.enrolment.sequence_id,
        "label": found.label,
        "done": found.done,
        "urgency": found.urgency,
        "snoozed_until": found.snoozed_until,
        "assigned_to": found.assigned_to_id,
        "last_reply_at": found.last_reply_at.isoformat(),
    }


def _letter(letter: lists.Letter) -> dict[str, Any]:
    return {
        "at": letter.at.isoformat(),
        "ours": letter.reply is None,
        "subject": letter.subject,
        "text": "".join(piece.text for piece in letter.pieces),
        "label": letter.reply.label if letter.reply else "",
        "evidence": [piece.text for piece in letter.pieces if piece.marked],
        "reply_id": letter.reply.pk if letter.reply else None,
        "cut": letter.reply.cut if letter.reply else False,
    }
