"""Each change of a message: one transaction, one audit entry. Compare-and-set, so that of two workers one wins."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import F, Q

from gatepost import clock, rows
from gatepost.audit import tags
from gatepost.audit.record import Actor, entry, record, record_each
from gatepost.audit.record import job as by_job
from gatepost.contacts.actions import suppress
from gatepost.contacts.models import Contact
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.outbox import counting
from gatepost.outbox.models import Message, Stray
from gatepost.outbox.protocol import (
    CLOSED,
    OPEN,
    QUIESCENCE,
    TRANSITIONS,
    Commit,
    Event,
    Item,
    PutOff,
    Route,
    State,
)
from gatepost.outbox.rules import POSTPONED
from gatepost.vault import names
from gatepost.vault.sealing import index, installation_index, seal

BY_SENDING = by_job("sequences.send")
# What has not left yet, and can still be kept from leaving.
CANCELLABLE = tuple(TRANSITIONS[Event.CANCEL].before)
TAGS = {
    Event.DRAFT: tags.MESSAGE_DRAFT,
    Event.TRY: tags.MESSAGE_SEND,
    Event.TAKEN: tags.MESSAGE_ACCEPT,
    Event.NOT_TAKEN: tags.MESSAGE_RETURN,
    Event.STAYED: tags.MESSAGE_RETURN,
    Event.SEEN: tags.MESSAGE_CONFIRM,
    Event.HOLD: tags.MESSAGE_HOLD,
    Event.CANCEL: tags.MESSAGE_CANCEL,
    Event.SAID_SENT: tags.MESSAGE_RESOLVE,
    Event.SEND_NOW: tags.MESSAGE_RESOLVE,
    Event.WRITE_NOW: tags.MESSAGE_RESOLVE,
    Event.TRY_AT_ONCE: tags.MESSAGE_SEND,
    Event.NEVER_LEFT: tags.MESSAGE_RETURN,
    Event.REMOVED: tags.MESSAGE_RETURN,
    Event.RESTORED: tags.MESSAGE_RETURN,
}
LONGEST_DELAY = timedelta(days=366)
# After these the enrolment goes on, or ends.
ENDS = (Event.SEEN, Event.SAID_SENT, Event.CANCEL)


@dataclass(frozen=True, slots=True)
class Plan:
    """A mail to be sent, as the concept above composed it."""

    message_id: UUID
    contact: Contact
    mailbox: Mailbox
    enrolment_id: UUID
    sequence_id: UUID
    step_id: UUID
    variant_id: UUID
    position: int
    subject: str
    body: str  # the text part
    previous: Message | None  # the mail that it answers; None: it opens a thread
    route: Route
    html: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a member wrote in answer to a reply."""

    compose_id: UUID  # of this writing: sent a second time it is the same answer
    reply_id: UUID
    reply_graph_id: str
    earlier: Message  # our mail that the reply answers
    subject: str
    body: str  # the text part
    html: str


def send_key(mailbox_id: UUID, enrolment_id: UUID, step_id: UUID) -> str:
    """The key of one step to one contact from one mailbox: the same whenever it is computed, with our secret only."""
    return installation_index("send", f"{mailbox_id}|{enrolment_id}|{step_id}")


def answer_key(mailbox_id: UUID, compose_id: UUID) -> str:
    """The key of what a member wrote: the same however often he sends it."""
    return installation_index("answer", f"{mailbox_id}|{compose_id}")


def send_guard(workspace_id: UUID, address: str, sequence_id: UUID, step_id: UUID) -> str:
    """The same for one step of a sequence to one address, whoever enrolled it, from whatever mailbox, and when."""
    recipient = address.strip().casefold()
    return installation_index("send-guard", f"{workspace_id}|{recipient}|{sequence_id}|{step_id}")


def content_hash(subject: str, body: str, html: str = "") -> str:
    said = f"{subject}\0{body}\0{html}" if html else f"{subject}\0{body}"
    return hashlib.sha256(said.encode()).hexdigest()


def plan_each(plans: Sequence[Plan]) -> list[Message | Conflict]:
    """The messages stand in the outbox. Inside the caller's transaction; a second time gives the same ones.

    A Conflict stands for one whose step reached the address before, through another enrolment.
    """
    keys = [send_key(each.mailbox.pk, each.enrolment_id, each.step_id) for each in plans]
    guards = [_guard_of(each) for each in plans]
    same = Q(key__in=keys) | Q(guard__in=guards) & ~Q(state=State.CANCELLED)
    known = list(Message.objects.filter(same).order_by("pk"))
    found = [_found(known, key, guard) for key, guard in zip(keys, guards, strict=True)]
    new = [each for each, before in zip(plans, found, strict=True) if before is None]
    numbers = _numbers([each.mailbox.pk for each in new])
    made = [_planned(each, number) for each, number in zip(new, numbers, strict=True)]
    rows.add(made)
    record_each(entry(BY_SENDING, tags.MESSAGE_PLAN, each, position=each.position) for each in made)
    these = iter(made)
    return [next(these) if before is None else before for before in found]


def _found(known: Sequence[Message], key: str, guard: str) -> Message | Conflict | None:
    before = next((each for each in known if key == each.key or guard == each.guard), None)
    if before is None or before.key == key:
        return before
    return Conflict(f"this address got the step before, on {before.planned_at:%d %B %Y}")


def _guard_of(plan: Plan) -> str:
    address = names.open(plan.contact, "email") or ""
    return send_guard(plan.contact.workspace_id, address, plan.sequence_id, plan.step_id)


def _numbers(mailbox_ids: Sequence[UUID]) -> list[int]:
    """The next number of each of these mailboxes; of one that is named twice the next two."""
    if not mailbox_ids:
        return []
    wanted = Counter(mailbox_ids)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE gatepost_mailbox AS box SET last_number = last_number + wanted.many "
            "FROM unnest(%s::uuid[], %s::int[]) AS wanted (id, many) WHERE box.id = wanted.id "
            "RETURNING box.id, last_number - wanted.many",
            [list(wanted), list(wanted.values())],
        )
        last = dict(cursor.fetchall())
    numbers = []
    for mailbox_id in mailbox_ids:
        last[mailbox_id] += 1
        numbers.append(last[mailbox_id])
    return numbers


def _planned(plan: Plan, number: int) -> Message:
    """The message, not stored yet."""
    message = Message(
        id=plan.message_id,
        workspace_id=plan.contact.workspace_id,
        mailbox=plan.mailbox,
        contact=plan.contact,
        enrolment_id=plan.enrolment_id,
        sequence_id=plan.sequence_id,
        step_id=plan.step_id,
        variant_id=plan.variant_id,
        position=plan.position,
        previous=plan.previous,
        key=send_key(plan.mailbox.pk, plan.enrolment_id, plan.step_id),
        guard=_guard_of(plan),
        number=number,
        route=plan.route,
    )
    _put_in(message, plan.subject, plan.body, plan.html)
    return message


def plan_answer(answer: Answer, *, actor: Actor) -> Message:
    """The answer stands in the outbox, before what else is due in its mailbox. Inside the caller's transaction.

    It is a draft that answers the reply itself, whatever the route of the sequence's mails: nobody opts out of what he
    asked for, so it needs no header of its own. Raises Conflict where the compose id belongs to another answer.
    """
    earlier = answer.earlier
    key = answer_key(earlier.mailbox_id, answer.compose_id)
    existing = Message.objects.filter(key=key).first()
    if existing is not None:
        if existing.reply_id != answer.reply_id:
            raise Conflict(
                "This answer was sent in another conversation. Open this one again and write it anew."
            )
        return existing
    message = Message(
        workspace_id=earlier.workspace_id,
        mailbox_id=earlier.mailbox_id,
        contact_id=earlier.contact_id,
        enrolment_id=earlier.enrolment_id,
        sequence_id=earlier.sequence_id,
        step_id=earlier.step_id,
        position=0,
        reply_id=answer.reply_id,
        answers_graph_id=answer.reply_graph_id,
        previous=earlier,
        key=key,
        guard=installation_index("answer-guard", key),
        number=_numbers([earlier.mailbox_id])[0],
        route=Route.JSON,
        hurry=Message.Hurry.NOW,
    )
    _put_in(message, answer.subject, answer.body, answer.html)
    message.save(force_insert=True)
    record(actor, tags.MESSAGE_PLAN, message, answers=str(answer.reply_id))
    _look_again(message)
    return message


def _put_in(message: Message, subject: str, body: str, html: str) -> None:
    """The message holds its texts and may leave from now on. It is not stored here."""
    message.content_hash = content_hash(subject, body, html)
    message.planned_at = message.not_before = clock.now()
    seal(message, "subject", subject)
    seal(message, "body", body)
    seal(message, "html", html or None)


def commit(message: Message, commit: Commit, *, actor: Actor = BY_SENDING, **detail: str | int) -> bool:
    """The message changes as the table of the protocol says, if nobody changed it since `message` was read.

    `message` then holds the new values. False: somebody was quicker, or the table knows no such change.
    """
    with inside(message.workspace_id):
        return commit_each([(message, commit)], actor=actor, **detail)[0]


TRIES = (Event.TRY, Event.TRY_AT_ONCE)


def commit_each(
    wanted: Sequence[tuple[Message, Commit]], *, actor: Actor = BY_SENDING, **detail: str | int
) -> list[bool]:
    """The same for many messages of one workspace. Inside it."""
    first = {message.pk: number for number, (message, _) in reversed(list(enumerate(wanted)))}
    if len(first) < len(wanted):
        # Two workers have one message: one of them is quicker.
        one_each = commit_each([wanted[number] for number in sorted(first.values())], actor=actor, **detail)
        told = dict(zip(sorted(first.values()), one_each, strict=True))
        return [told.get(number, False) for number in range(len(wanted))]
    trying = [message for message, commit in wanted if commit.event in TRIES]
    if trying and not counting.still_fit(trying, clock.now()):
        # Other mailboxes took the last places: the gate says until when to wait.
        if len(wanted) == 1:
            return [False]
        return [commit_each([each], actor=actor, **detail)[0] for each in wanted]
    changes = [
        {**_changes(message, commit), "state": TRANSITIONS[commit.event].after, "reason": commit.reason[:200]}
        for message, commit in wanted
    ]
    changed = rows.change(
        Message,
        [
            (
                {"id": message.pk, "revision": message.revision, "state": message.state},
                {"revision": message.revision + 1, **to},
            )
            for (message, commit), to in zip(wanted, changes, strict=True)
            if message.state in TRANSITIONS[commit.event].before
        ],
    )
    won = [
        (message, commit, to)
        for (message, commit), to in zip(wanted, changes, strict=True)
        if message.pk in changed
    ]
    tried = [(message, to) for message, commit, to in won if commit.event in TRIES]
    if tried:
        last = [({"id": message.mailbox_id}, {"last_sent_at": to["sending_at"]}) for message, to in tried]
        rows.change(Mailbox, last)
    record_each(
        entry(actor, TAGS[commit.event], message, **_said(commit, to, detail)) for message, commit, to in won
    )
    for message, commit, _ in won:
        if commit.event == Event.CANCEL:
            # Also where no draft is known: one may have been made by a request whose answer was lost.
            enqueue("outbox.remove-draft", workspace=str(message.workspace_id), message=str(message.pk))
        if commit.event in ENDS:
            _tell_sequences(message)
    for message, _, to in won:
        for name, value in to.items():
            setattr(message, name, value)
        message.revision += 1
    return [message.pk in changed for message, _ in wanted]


def _said(commit: Commit, to: dict[str, Any], detail: dict[str, str | int]) -> dict[str, Any]:
    """What the audit entry tells besides."""
    told: dict[str, Any] = {"attempt": to["attempts"]} if commit.event in TRIES else dict(detail)
    return {**told, "reason": commit.reason[:200]} if commit.reason else told


def _changes(message: Message, commit: Commit) -> dict[str, Any]:
    """The columns besides state and reason. New ciphertexts are made on a copy, so that a lost race changes nothing."""
    now, item = clock.now(), commit.item
    match commit.event:
        case Event.DRAFT:
            assert item is not None
            return {"drafted_at": now, "looks": 0, "draft_hash": item.content, **identity(message, item)}
        case Event.TRY:
            return {"sending_at": now, "not_before": now, "attempts": message.attempts + 1, "looks": 0}
        case Event.TRY_AT_ONCE:
            tried = {"sending_at": now, "attempts": message.attempts + 1}
            return {**tried, "route": Route.AT_ONCE, "not_before": commit.until or now}
        case Event.NEVER_LEFT:
            return {"sending_at": None, "not_before": commit.until or now}
        case Event.TAKEN:
            return {"accepted_at": now, "not_before": commit.until}
        case Event.NOT_TAKEN:
            return {"attempts": max(0, message.attempts - 1), "not_before": commit.until or now}
        case Event.STAYED:
            return {"accepted_at": None, "not_before": now, "looks": 0}
        case Event.SEEN | Event.SAID_SENT:
            left = message.accepted_at or message.sending_at or now
            seen = identity(message, item) if item is not None else {}
            return {"accepted_at": left, "confirmed_at": now, "not_before": None, **seen}
        case Event.HOLD:
            return {"not_before": None}
        case Event.CANCEL:
            return {"not_before": None, "sweep_at": now + QUIESCENCE}
        case Event.SEND_NOW | Event.WRITE_NOW:
            # Whatever the draft says by now is what the person wants to be sent.
            return {"attempts": 0, "looks": 0, "not_before": now, "change_key": ""}
        case Event.REMOVED:
            return {"graph_id": "", "change_key": "", "draft_hash": "", "drafted_at": None}
        case Event.RESTORED:
            nothing = dict.fromkeys(("drafted_at", "sending_at", "accepted_at"), None)
            ids = dict.fromkeys(("graph_id", "change_key", "draft_hash"), "")
            return {**nothing, **ids, "attempts": 0, "looks": 0, "not_before": now}
    raise AssertionError(commit.event)


def identity(message: Message, item: Item) -> dict[str, Any]:
    """How the mail is found again: by its id, its Message-ID and its conversation."""
    changes: dict[str, Any] = {"graph_id": item.graph_id or message.graph_id}
    if item.change_key:
        changes["change_key"] = item.change_key
    if item.internet_message_id:
        holder = Message(id=message.pk, workspace_id=message.workspace_id, mailbox_id=message.mailbox_id)
        seal(holder, "internet_message_id", item.internet_message_id)
        changes["internet_message_id"] = holder.internet_message_id
        changes["internet_message_index"] = index(
            message.workspace_id, "message-id", item.internet_message_id
        )
    if item.conversation_id:
        changes["conversation_index"] = index(message.workspace_id, "conversation", item.conversation_id)
    return changes


def put_off(message: Message, later: PutOff) -> bool:
    """Not now: the outbox shows until when, and why. What was changed meanwhile stays as it is."""
    with inside(message.workspace_id):
        changes: dict[str, object] = {"not_before": later.until, "reason": later.reason[:200]}
        if later.looked:
            changes["looks"] = message.looks + 1
        return bool(
            Message.objects.filter(pk=message.pk, revision=message.revision, state__in=OPEN).update(**changes)
        )


def sweep_later(message: Message) -> None:
    """Once no late request can make another draft of it, those that it does not need are removed."""
    with inside(message.workspace_id):
        Message.objects.filter(pk=message.pk).update(sweep_at=clock.now() + QUIESCENCE)


def swept(message: Message, *, again_at: datetime | None) -> None:
    with inside(message.workspace_id):
        Message.objects.filter(pk=message.pk, sweep_at=message.sweep_at).update(sweep_at=again_at)


def confirmed(message: Message, *, graph_id: str = "") -> bool:
    """It was seen in the mailbox and is no draft any more."""
    return _now(message, Commit(Event.SEEN, Item(graph_id or message.graph_id, is_draft=False)))


def plan_again(message: Message) -> bool:
    """Its draft was removed when the mailbox was disconnected: it is planned anew, under its key. False where not.

    Nothing was sent: only a message that is DRAFTED goes back, and the next try looks for its key first.
    """
    with inside(message.workspace_id):
        gone = Message.objects.filter(
            pk=message.pk, state=State.DRAFTED, drafted_at__lte=F("mailbox__drafts_removed_at")
        )
        return gone.exists() and commit(message, Commit(Event.REMOVED))


def hold(message: Message, reason: str) -> bool:
    """A person must decide; nothing more happens by itself."""
    return _now(message, Commit(Event.HOLD, reason=reason))


def cancel(message: Message, reason: str) -> bool:
    """It will never leave. Its draft, if any, is removed from the mailbox. A message on its way is too late."""
    return _now(message, Commit(Event.CANCEL, reason=reason))


def cancel_open(enrolment_id: UUID, reason: str) -> int:
    """No step of this enrolment that has not left yet ever will; what a member answers is no step. Inside the caller's
    transaction."""
    waiting = Message.objects.filter(enrolment_id=enrolment_id, state__in=CANCELLABLE, reply_id__isnull=True)
    return sum(cancel(message, reason) for message in waiting)


def wake(**which: object) -> None:
    """What waits and fits (an enrolment, a sequence, a reason) is looked at now. Inside the caller's transaction."""
    waiting = Message.objects.filter(state__in=(State.PLANNED, State.DRAFTED), **which)
    waiting.update(not_before=clock.now())


def bounced(message: Message) -> None:
    """A delivery report says that it did not arrive. Inside the caller's transaction."""
    Message.objects.filter(pk=message.pk, bounced_at__isnull=True).update(bounced_at=clock.now())


SKIPPED = "skipped by a member"


def send_now(message_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """It is the next of its mailbox and does not wait for its sending window; limits hold as for any other."""
    _ask(message_id, Message.Hurry.NOW, workspace_id=workspace_id, actor=actor)


def prioritise(message_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """It leaves before the others of its mailbox that are due."""
    _ask(message_id, Message.Hurry.FIRST, workspace_id=workspace_id, actor=actor)


def _ask(message_id: UUID, hurry: int, *, workspace_id: UUID, actor: Actor) -> None:
    with inside(workspace_id):
        message = _waiting(message_id)
        Message.objects.filter(pk=message.pk).update(
            hurry=hurry, postponed_until=None, not_before=clock.now()
        )
        record(actor, tags.MESSAGE_HURRY, message, how=Message.Hurry(hurry).name.lower())
        _look_again(message)


def postpone(message_id: UUID, until: datetime, *, workspace_id: UUID, actor: Actor) -> None:
    """It does not leave before then. Raises BadInput for a moment that is over, or more than a year away."""
    now = clock.now()
    if not now < until <= now + LONGEST_DELAY:
        raise BadInput("Postpone to a moment that is still to come, at most a year from now.")
    with inside(workspace_id):
        message = _waiting(message_id)
        Message.objects.filter(pk=message.pk).update(
            hurry=Message.Hurry.NONE, postponed_until=until, not_before=until, reason=POSTPONED
        )
        record(actor, tags.MESSAGE_POSTPONE, message, until=until.isoformat())


def skip(message_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """It never leaves; its contact goes on with the step after it."""
    with inside(workspace_id):
        commit(_waiting(message_id), Commit(Event.CANCEL, reason=SKIPPED), actor=actor)


CHANGES = ("send_now", "prioritise", "postpone", "skip")


@dataclass(frozen=True, slots=True)
class Changed:
    """How many were changed, and why the others were not."""

    count: int
    left_out: tuple[str, ...]


def change_each(
    message_ids: Sequence[UUID], name: str, until: datetime | None, *, workspace_id: UUID, actor: Actor
) -> Changed:
    """One of CHANGES to each of these; what does not wait any more is left out with its reason.

    Each is a change of its own, so that one that was sent meanwhile does not keep the others back.
    """
    if name not in CHANGES:
        raise BadInput(f"There is no change {name!r}. Use {', '.join(CHANGES)}.")
    if name == "postpone" and until is None:
        raise BadInput("Say until when to postpone it.")
    count, left_out = 0, []
    for message_id in message_ids:
        try:
            match name:
                case "send_now":
                    send_now(message_id, workspace_id=workspace_id, actor=actor)
                case "prioritise":
                    prioritise(message_id, workspace_id=workspace_id, actor=actor)
                case "skip":
                    skip(message_id, workspace_id=workspace_id, actor=actor)
                case "postpone":
                    assert until is not None
                    postpone(message_id, until, workspace_id=workspace_id, actor=actor)
            count += 1
        except Conflict as error:
            left_out.append(error.message)
    return Changed(count, tuple(left_out))


def _waiting(message_id: UUID) -> Message:
    """The message, while it waits. Raises Conflict where it is on its way, gone or ended."""
    message = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
    if message.state not in (State.PLANNED, State.DRAFTED):
        raise Conflict("This mail does not wait any more: it is " + message.get_state_display().lower() + ".")
    return message


def _look_again(message: Message) -> None:
    """Its mailbox is looked at now, also where it waits for something: the gate says whether it may go."""
    Mailbox.objects.filter(pk=message.mailbox_id).update(sending_not_before=None)
    enqueue(
        "sequences.send", once_for=message.mailbox_id,
        workspace=str(message.workspace_id), mailbox=str(message.mailbox_id),
    )  # fmt: skip


DECISIONS = ("was_sent", "send_now", "drop")


def resolve(message_id: UUID, decision: str, *, workspace_id: UUID, actor: Actor) -> None:
    """A person decides about a held message: "was_sent", "send_now" (the same draft) or "drop"."""
    with inside(workspace_id):
        message = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
        if message.state != State.HELD:
            raise Conflict(
                "This message needs no decision any more: it is " + message.get_state_display().lower()
            )
        match decision:
            case "was_sent":
                decided = Commit(Event.SAID_SENT, reason="said by a member")
            case "send_now":
                decided = Commit(Event.SEND_NOW if message.graph_id else Event.WRITE_NOW)
            case "drop":
                decided = Commit(Event.CANCEL, reason="dropped by a member")
            case _:
                raise BadInput(f"There is no decision {decision!r}. Use {', '.join(DECISIONS)}.")
        # Whoever decides has seen what spoke against it.
        Stray.objects.filter(guard=message.guard).delete()
        commit(message, decided, actor=actor, decision=decision)


def can_opt_out(message_id: UUID) -> bool:
    """Whether the message of an opt-out address is still known."""
    return bool(across_workspaces("message_with_id", str(message_id)))


def opt_out(message_id: UUID) -> None:
    """Whoever got this message is never written to again, and what had not left yet never will."""
    for found in across_workspaces("message_with_id", str(message_id)):
        with inside(found.workspace_id):
            message = Message.objects.select_related("contact").get(pk=found.id)
            address = names.open(message.contact, "email") or ""
            by = Actor("contact", str(message.contact_id))
            suppress(found.workspace_id, address, cause="unsubscribe", actor=by, source="link in a mail")
            # Enrolments lie above this concept, and are stopped by name.
            enqueue("sequences.opted-out", workspace=str(found.workspace_id), contact=str(message.contact_id))


def _now(message: Message, change: Commit) -> bool:
    """The change is made to the message as it is now, whoever changed it before."""
    with inside(message.workspace_id):
        fresh = Message.objects.select_for_update(of=("self",)).filter(pk=message.pk).first()
        if fresh is None or fresh.state in CLOSED:
            return False
        if change.event == Event.SEEN and change.item and not change.item.graph_id:
            change = replace(change, item=Item(fresh.graph_id, is_draft=False))
        return commit(fresh, change)


def _tell_sequences(message: Message) -> None:
    """The enrolment goes on from here. Its concept lies above this one, and whoever confirms or cancels may crash
    before it says so: the job is committed together with the message's state."""
    enqueue("sequences.after-message", workspace=str(message.workspace_id), message=str(message.pk))
