"""Each step of a message's life: one transaction, one audit entry. Compare-and-set, so that of two workers one wins."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.contacts.models import Contact
from gatepost.errors import BadInput, Conflict
from gatepost.graph.drafts import Draft
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from gatepost.outbox.rules import QUIESCENCE
from gatepost.vault.sealing import index, installation_index, seal

State = Message.State
BY_SENDING = by_job("sequences.send")
# States in which something still happens by itself.
OPEN = (State.PLANNED, State.DRAFTED, State.SENDING, State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Plan:
    """A mail to be sent, as the concept above composed it."""

    contact: Contact
    mailbox_id: UUID
    enrolment_id: UUID
    sequence_id: UUID
    step_id: UUID
    variant_id: UUID
    position: int
    subject: str
    body: str  # plain text; the draft's HTML is made from it
    previous: Message | None


def send_key(mailbox_id: UUID, enrolment_id: UUID, step_id: UUID) -> str:
    """The key of one step to one contact from one mailbox: the same whenever it is computed, with our secret only."""
    return installation_index("send", f"{mailbox_id}|{enrolment_id}|{step_id}")


def content_hash(subject: str, body: str) -> str:
    return hashlib.sha256(f"{subject}\0{body}".encode()).hexdigest()


def plan(plan: Plan) -> Message:
    """The message stands in the outbox. Inside the caller's transaction; a second time gives the same message."""
    key = send_key(plan.mailbox_id, plan.enrolment_id, plan.step_id)
    existing = Message.objects.filter(key=key).first()
    if existing is not None:
        return existing
    message = Message(
        workspace_id=plan.contact.workspace_id,
        mailbox_id=plan.mailbox_id,
        contact=plan.contact,
        enrolment_id=plan.enrolment_id,
        sequence_id=plan.sequence_id,
        step_id=plan.step_id,
        variant_id=plan.variant_id,
        position=plan.position,
        previous=plan.previous,
        key=key,
        content_hash=content_hash(plan.subject, plan.body),
        planned_at=clock.now(),
        not_before=clock.now(),
    )
    seal(message, "subject", plan.subject)
    seal(message, "body", plan.body)
    message.save(force_insert=True)
    record(BY_SENDING, tags.MESSAGE_PLAN, message, position=plan.position)
    return message


def drafted(message: Message, draft: Draft) -> bool:
    """The draft's id is committed: from here on nothing ever creates for this key again."""
    with inside(message.workspace_id):
        fresh = _locked(message, State.PLANNED)
        if fresh is None:
            return False
        workspace = message.workspace_id
        fresh.state, fresh.reason, fresh.drafted_at = State.DRAFTED, "", clock.now()
        fresh.graph_id, fresh.change_key = draft.graph_id, draft.change_key
        seal(fresh, "internet_message_id", draft.internet_message_id)
        fresh.internet_message_index = index(workspace, "message-id", draft.internet_message_id)
        fresh.conversation_index = index(workspace, "conversation", draft.conversation_id)
        fresh.save()
        record(BY_SENDING, tags.MESSAGE_DRAFT, fresh)
    return True


def sending(message: Message) -> bool:
    """It is committed that a send is about to be tried. Only who gets True may try."""
    with inside(message.workspace_id):
        fresh = _locked(message, State.DRAFTED)
        if fresh is None:
            return False
        fresh.state, fresh.reason, fresh.sending_at = State.SENDING, "", clock.now()
        fresh.attempts += 1
        fresh.looks = 0
        fresh.not_before = clock.now()
        fresh.save()
        Mailbox.objects.filter(pk=message.mailbox_id).update(last_sent_at=fresh.sending_at)
        record(BY_SENDING, tags.MESSAGE_SEND, fresh, attempt=fresh.attempts)
    return True


def accepted(message: Message) -> bool:
    """Microsoft took it (202). It is confirmed when it is seen among the sent items."""
    return _left(message, State.ACCEPTED, (State.SENDING,), not_before=clock.now() + QUIESCENCE)


def confirmed(message: Message, *, graph_id: str = "") -> bool:
    """It was seen in the mailbox and is no draft any more."""
    return _left(message, State.CONFIRMED, (State.SENDING, State.ACCEPTED, State.HELD), graph_id=graph_id)


def wait(message: Message, until: datetime, reason: str, *, looked: bool = False) -> None:
    """Not now: the outbox shows until when, and why. A message that was confirmed or ended meanwhile stays so."""
    with inside(message.workspace_id):
        changes: dict[str, object] = {"not_before": until, "reason": reason[:200]}
        if looked:
            changes["looks"] = message.looks + 1
        Message.objects.filter(pk=message.pk, state__in=OPEN).update(**changes)


def back_to_draft(message: Message) -> bool:
    """The draft certainly did not leave; it goes through the gate again."""
    with inside(message.workspace_id):
        return bool(
            Message.objects.filter(pk=message.pk, state__in=(State.SENDING, State.ACCEPTED)).update(
                state=State.DRAFTED, not_before=clock.now(), reason=""
            )
        )


def plan_again(message: Message) -> bool:
    """Its draft was removed when the mailbox was disconnected: it is planned anew, under its key. False where not.

    Nothing was sent: only a message that is DRAFTED goes back, and the next try looks for its key first.
    """
    with inside(message.workspace_id):
        drafted = Message.objects.filter(pk=message.pk, state=State.DRAFTED)
        gone = drafted.filter(drafted_at__lte=F("mailbox__drafts_removed_at"))
        # Not by the join: PostgreSQL locks and updates the message alone.
        return bool(
            drafted.filter(pk__in=gone.values("pk")).update(state=State.PLANNED, graph_id="", change_key="")
        )


def hold(message: Message, reason: str) -> bool:
    """A person must decide; nothing more happens by itself."""
    with inside(message.workspace_id):
        changed = Message.objects.filter(pk=message.pk, state__in=OPEN).update(
            state=State.HELD, reason=reason[:200], not_before=None
        )
        if changed:
            record(BY_SENDING, tags.MESSAGE_HOLD, message, reason=reason[:200])
    return bool(changed)


def cancel(message: Message, reason: str) -> bool:
    """It will never leave. Its draft, if any, is removed from the mailbox. A message on its way is too late."""
    with inside(message.workspace_id):
        fresh = Message.objects.select_for_update().get(pk=message.pk)
        if fresh.state not in (State.PLANNED, State.DRAFTED, State.HELD):
            return False
        fresh.state, fresh.reason, fresh.not_before = State.CANCELLED, reason[:200], None
        fresh.save(update_fields=["state", "reason", "not_before"])
        record(BY_SENDING, tags.MESSAGE_CANCEL, fresh, reason=reason[:200])
        # Also where no draft is known: one may have been made by a request whose answer was lost.
        enqueue("outbox.remove-draft", workspace=str(fresh.workspace_id), message=str(fresh.pk))
        _tell_sequences(fresh)
    return True


def cancel_open(enrolment_id: UUID, reason: str) -> int:
    """Whatever has not left yet for this enrolment never will. Inside the caller's transaction."""
    waiting = Message.objects.filter(
        enrolment_id=enrolment_id, state__in=(State.PLANNED, State.DRAFTED, State.HELD)
    )
    return sum(cancel(message, reason) for message in waiting)


def wake(**which: object) -> None:
    """What waits and fits (an enrolment, a sequence, a reason) is looked at now. Inside the caller's transaction."""
    waiting = Message.objects.filter(state__in=(State.PLANNED, State.DRAFTED), **which)
    waiting.update(not_before=clock.now())


def bounced(message: Message) -> None:
    """A delivery report says that it did not arrive. Inside the caller's transaction."""
    Message.objects.filter(pk=message.pk, bounced_at__isnull=True).update(bounced_at=clock.now())


def resolve(message_id: UUID, decision: str, *, workspace_id: UUID, actor: Actor) -> None:
    """A person decides about a held message: "was_sent", "send_now" (the same draft) or "drop"."""
    with inside(workspace_id):
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.state != State.HELD:
            raise Conflict(
                "This message needs no decision any more: it is " + message.get_state_display().lower()
            )
        if decision == "was_sent":
            message.state, message.confirmed_at, message.reason = (
                State.CONFIRMED,
                clock.now(),
                "said by a member",
            )
            message.accepted_at = message.accepted_at or message.sending_at or clock.now()
        elif decision == "send_now":
            message.state = State.DRAFTED if message.graph_id else State.PLANNED
            message.attempts, message.not_before, message.reason = 0, clock.now(), ""
        elif decision == "drop":
            cancel(message, "dropped by a member")
            message.refresh_from_db()
        else:
            raise BadInput(f"There is no decision {decision!r}. Use was_sent, send_now or drop.")
        message.save()
        record(actor, tags.MESSAGE_RESOLVE, message, decision=decision)
        _tell_sequences(message)


def _left(
    message: Message,
    state: str,
    before: tuple[str, ...],
    *,
    graph_id: str = "",
    not_before: datetime | None = None,
) -> bool:
    with inside(message.workspace_id):
        fresh = _locked(message, *before)
        if fresh is None:
            return False
        now = clock.now()
        fresh.accepted_at = fresh.accepted_at or (now if state == State.ACCEPTED else fresh.sending_at or now)
        if state == State.CONFIRMED:
            fresh.confirmed_at = now
        fresh.state, fresh.reason, fresh.not_before = state, "", not_before
        fresh.graph_id = graph_id or fresh.graph_id
        fresh.save()
        if state == State.CONFIRMED:
            record(BY_SENDING, tags.MESSAGE_CONFIRM, fresh)
            _tell_sequences(fresh)
    return True


def _tell_sequences(message: Message) -> None:
    """The enrolment goes on from here. Its concept lies above this one, and whoever confirms or cancels may crash
    before it says so: the job is committed together with the message's state."""
    enqueue("sequences.after-message", workspace=str(message.workspace_id), message=str(message.pk))


def _locked(message: Message, *states: str) -> Message | None:
    return Message.objects.select_for_update(of=("self",)).filter(pk=message.pk, state__in=states).first()
