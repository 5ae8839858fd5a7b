"""A step that is due: what was decided is done, and the enrolment follows what becomes of it."""

from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from datetime import datetime
from uuid import UUID

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import record
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.outbox import actions as outbox
from gatepost.outbox import optout
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import Route
from gatepost.sequences import rules
from gatepost.sequences.actions import BY_SENDING, RUNNING
from gatepost.sequences.enrolments import finish, stop, store, to_next_step
from gatepost.sequences.hours import hours_of, stand_in_of
from gatepost.sequences.models import Enrolment
from gatepost.sequences.queries import is_internal
from gatepost.sequences.tasks import make_task
from gatepost.sequences.writing import as_sent, came_before
from gatepost.vault import names

Decision = rules.Wait | rules.Stop | rules.Finish | rules.Send | rules.Ask | rules.Skip | rules.PassOn


def _to_change(enrolment_ids: Iterable[UUID]) -> dict[UUID, Enrolment]:
    """The enrolments, as they are now until the transaction ends. Always in one order, so that no two wait for each other."""
    found = Enrolment.objects.select_for_update().filter(pk__in=set(enrolment_ids))
    return {each.pk: each for each in found.order_by("pk")}


def act_on_due(enrolment: Enrolment, decision: Decision) -> Message | None:
    """What `decide_next` said is done. For Send: the planned message, or None when a field is missing."""
    with inside(enrolment.workspace_id):
        return act_on_each([(enrolment, decision)])[0]


def act_on_each(decided: SequenceOf[tuple[Enrolment, Decision]]) -> list[Message | None]:
    """The same for many enrolments of one workspace. Inside it."""
    known = {enrolment.pk: enrolment for enrolment, _ in decided}
    locked = Enrolment.objects.select_for_update().filter(pk__in=known).order_by("pk")
    fresh = {each.pk: each for each in locked}
    for each in fresh.values():
        # Read a moment ago. Where it was moved to another mailbox since then, that one is read when it is needed.
        for name in ("sequence", "contact", "mailbox"):
            if getattr(each, f"{name}_id") == getattr(known[each.pk], f"{name}_id"):
                setattr(each, name, getattr(known[each.pk], name))
    sends: list[tuple[Enrolment, int]] = []
    for before, decision in decided:
        enrolment = fresh.get(before.pk)
        if enrolment is None or enrolment.state != Enrolment.State.ACTIVE or enrolment.due_at is None:
            continue
        if isinstance(decision, rules.Send):
            sends.append((enrolment, decision.position))
        else:
            _act(enrolment, decision)
    planned = _plan_each(sends) if sends else {}
    return [planned.get(enrolment.pk) for enrolment, _ in decided]


def _act(enrolment: Enrolment, decision: Decision) -> None:
    match decision:
        case rules.Wait(until, reason):
            Enrolment.objects.filter(pk=enrolment.pk).update(due_at=until, reason=reason[:200])
        case rules.Stop(cause, reason):
            stop(enrolment.pk, cause, reason, workspace_id=enrolment.workspace_id, actor=BY_SENDING)
        case rules.Finish():
            finish(enrolment)
            store([enrolment])
            record(BY_SENDING, tags.ENROLMENT_FINISH, enrolment)
        case rules.Ask(position, kind):
            make_task(enrolment, position, kind)
        case rules.Skip(position, reason):
            record(BY_SENDING, tags.ENROLMENT_SKIP, enrolment, position=position, reason=reason)
            to_next_step([(enrolment, clock.now())], skipped=True)
        case rules.PassOn():
            _pass_on(enrolment)


def _pass_on(enrolment: Enrolment) -> None:
    """A colleague's mailbox writes to this contact: his sender is away, and nothing was sent yet."""
    stand_in = stand_in_of(enrolment.mailbox, clock.now())
    if stand_in is None or is_internal(names.open(enrolment.contact, "email") or "", stand_in):
        opening = hours_of(enrolment).opening(clock.now())
        enrolment.due_at, enrolment.reason = opening.at, opening.reason
        enrolment.save(update_fields=["due_at", "reason"])
        return
    record(
        BY_SENDING,
        tags.ENROLMENT_PASS_ON,
        enrolment,
        mailbox_id=stand_in.pk,
        before=str(enrolment.mailbox_id),
    )
    enrolment.mailbox, enrolment.reason = stand_in, ""
    enrolment.save(update_fields=["mailbox", "reason"])


def step_left(message: Message) -> None:
    """The step is out: the next one is due after its delay, or the enrolment is finished."""
    with inside(message.workspace_id):
        steps_left([message])


def steps_left(messages: SequenceOf[Message]) -> None:
    """The same for many messages of one workspace. Inside it."""
    enrolments = _to_change(message.enrolment_id for message in messages)
    left: dict[UUID, tuple[Enrolment, datetime]] = {}
    for message in messages:
        enrolment = enrolments.get(message.enrolment_id)
        if enrolment is not None and enrolment.next_position == message.position:
            enrolment.last_variant = message.variant_id
            left[enrolment.pk] = (enrolment, message.accepted_at or clock.now())
    to_next_step(list(left.values()))


def step_cancelled(message: Message) -> None:
    """The step will never leave: the enrolment ends, if it had not ended before. A skipped one is passed over."""
    with inside(message.workspace_id):
        if message.reason == outbox.SKIPPED:
            enrolment = (
                Enrolment.objects.select_for_update(of=("self",))
                .select_related("sequence", "contact", "mailbox")
                .filter(pk=message.enrolment_id, state__in=RUNNING, next_position=message.position)
                .first()
            )
            if enrolment is not None:
                to_next_step([(enrolment, clock.now())], skipped=True)
            return
        if Enrolment.objects.filter(
            pk=message.enrolment_id, state__in=RUNNING, next_position=message.position
        ).exists():
            suppressed = "do-not-contact" in message.reason
            cause = Enrolment.Cause.SUPPRESSED if suppressed else Enrolment.Cause.BY_HAND
            stop(
                message.enrolment_id,
                cause,
                message.reason,
                workspace_id=message.workspace_id,
                actor=BY_SENDING,
            )


def _plan_each(sends: SequenceOf[tuple[Enrolment, int]]) -> dict[UUID, Message]:
    """The step's mail of each stands in the outbox, and the enrolment waits for it. By the enrolment's id; without those
    whose mail cannot be composed, or left before."""
    before = came_before(sends)
    plans = []
    for enrolment, position in sends:
        message_id = uuid7()
        written = as_sent(enrolment, position, before, optout.line(message_id))
        if written is None:
            continue
        previous = before.mails.get(enrolment.pk)
        follows = written.mail.subject == f"Re: {before.subjects.get(enrolment.pk, '')}"
        plans.append(
            outbox.Plan(
                message_id=message_id,
                contact=enrolment.contact,
                mailbox=enrolment.mailbox,
                enrolment_id=enrolment.pk,
                sequence_id=enrolment.sequence_id,
                step_id=written.step.pk,
                variant_id=written.variant_id,
                position=position,
                subject=written.mail.subject,
                body=written.mail.body,
                html=written.mail.html,
                previous=previous if follows else None,
                route=Route.MIME if optout.is_public() else Route.JSON,
            )
        )
    planned = {}
    for plan, message in zip(plans, outbox.plan_each(plans), strict=True):
        if isinstance(message, Message):
            planned[plan.enrolment_id] = message
            continue
        stop(
            plan.enrolment_id, Enrolment.Cause.BY_HAND, message.message,
            workspace_id=plan.contact.workspace_id, actor=BY_SENDING,
        )  # fmt: skip
    Enrolment.objects.filter(pk__in=planned).update(due_at=None, reason="")
    return planned
