"""Who is in a sequence: enrolling contacts, and what moves, stops or ends an enrolment."""

from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from gatepost import clock, rows
from gatepost.audit import tags
from gatepost.audit.record import Actor, entry, record, record_each
from gatepost.contacts.models import Company, Contact
from gatepost.contacts.queries import is_suppressed
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.features import why_it_may_not_send
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions as outbox
from gatepost.outbox.models import Message
from gatepost.sequences import rules, windows
from gatepost.sequences.actions import BY_SENDING, RUNNING, pause_if_too_many
from gatepost.sequences.hours import hours_for, hours_of, hours_of_many
from gatepost.sequences.models import Enrolment, Sequence, Task
from gatepost.sequences.queries import is_internal, steps_at, steps_of
from gatepost.vault import names


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How many contacts are in the sequence now, and why the others are not."""

    count: int
    skipped: tuple[tuple[UUID, str], ...]


def enrol(
    sequence_id: UUID,
    contact_ids: SequenceOf[UUID],
    mailbox_id: UUID,
    *,
    workspace_id: UUID,
    actor: Actor,
    in_spite: str = "",
) -> Enrolled:
    """The contacts are in the sequence, their first step due after its delay, when its window is open.

    Left out, each with its reason: who is on the do-not-contact list, in a sequence already, of the own
    organisation, was in this sequence before, or was in another one until a short while ago.
    `in_spite`: why it is done although somebody is in another sequence (that one ends) or was a short while ago. Only
    for who may (queries.may_override), and kept in the record.
    """
    if in_spite and len(in_spite.strip()) < 5:
        raise BadInput("Say why they are enrolled all the same, for example who asked for it.")
    with inside(workspace_id):
        sequence = Sequence.objects.get(pk=sequence_id)
        if sequence.state == Sequence.State.ARCHIVED:
            raise Conflict("This sequence is archived. Activate it again first.")
        first = steps_of(sequence).first()
        mailbox = Mailbox.objects.select_related("workspace").get(pk=mailbox_id)
        if not mailbox.is_connected:
            raise Conflict("This mailbox is not connected. Connect it again, or choose another one.")
        if "send" not in mailbox.running:
            raise Conflict(
                "Microsoft has not granted this mailbox to send. Open the mailbox and ask Microsoft for it."
            )
        if why := why_it_may_not_send(mailbox):
            raise Conflict(f"Nobody was enrolled: {why}.")
        count, skipped = 0, []
        now = clock.now()
        for contact in Contact.objects.filter(pk__in=contact_ids).order_by("id"):
            reason = _not_enrollable(contact, sequence, mailbox, in_spite=bool(in_spite))
            if reason:
                skipped.append((contact.pk, reason))
                continue
            hours = hours_for(sequence, contact, mailbox)
            try:
                with transaction.atomic():
                    overridden = _take_out(contact, in_spite, actor) if in_spite else ""
                    enrolment = Enrolment.objects.create(
                        workspace_id=workspace_id,
                        sequence=sequence,
                        contact=contact,
                        mailbox=mailbox,
                        edition=sequence.edition,
                        created_at=now,
                        due_at=rules.due(first.facts if first else rules.StepFacts(), hours, after=now).at,
                    )
            except IntegrityError:
                skipped.append((contact.pk, IN_ANOTHER))
                continue
            record(actor, tags.ENROLMENT_START, enrolment, mailbox_id=mailbox.id)
            if in_spite:
                record(
                    actor, tags.ENROLMENT_OVERRIDE, enrolment, reason=in_spite.strip()[:200], instead_of=overridden
                )  # fmt: skip
            count += 1
    return Enrolled(count, tuple(skipped))


IN_ANOTHER = "is in a sequence already"


def _not_enrollable(contact: Contact, sequence: Sequence, mailbox: Mailbox, *, in_spite: bool) -> str:
    address = names.open(contact, "email") or ""
    if is_suppressed(contact.workspace_id, address):
        return "is on the do-not-contact list"
    if is_internal(address, mailbox):
        return "is an address of your own organisation"
    cool_since = clock.now() - timedelta(days=sequence.cool_off_days)
    reason = ""
    if contact.cool_off_until is not None and contact.cool_off_until > clock.now():
        reason = f"is to be left alone until {contact.cool_off_until:%d %B %Y}, after a reply"
    for enrolment in Enrolment.objects.filter(contact=contact):
        if enrolment.sequence_id == sequence.pk:
            return IN_ANOTHER if enrolment.state in RUNNING else "was in this sequence before"
        if enrolment.state in RUNNING:
            reason = reason or IN_ANOTHER
        elif enrolment.ended_at is not None and enrolment.ended_at > cool_since:
            reason = reason or f"was in another sequence within the last {sequence.cool_off_days} days"
    return "" if in_spite else reason


def _take_out(contact: Contact, reason: str, actor: Actor) -> str:
    """The contact is in no sequence any more; the id of the enrolment that ended, or ""."""
    for enrolment in Enrolment.objects.filter(contact=contact, state__in=RUNNING):
        stop(
            enrolment.pk,
            Enrolment.Cause.BY_HAND,
            f"moved to another sequence: {reason}",
            workspace_id=contact.workspace_id,
            actor=actor,
        )
        return str(enrolment.pk)
    return ""


def stop(enrolment_id: UUID, cause: str, reason: str, *, workspace_id: UUID, actor: Actor) -> bool:
    """No further step goes out; what had not left is cancelled, all in one transaction. False when it had ended.

    A message already on its way cannot be called back; the outbox says so.
    """
    with inside(workspace_id):
        enrolment = Enrolment.objects.select_for_update().get(pk=enrolment_id)
        if enrolment.state in (Enrolment.State.STOPPED,):
            return False
        was_finished = enrolment.state == Enrolment.State.FINISHED
        enrolment.state, enrolment.cause, enrolment.reason = Enrolment.State.STOPPED, cause, reason[:200]
        enrolment.due_at, enrolment.ended_at = None, enrolment.ended_at or clock.now()
        enrolment.save()
        outbox.cancel_open(enrolment.pk, reason)
        Task.objects.filter(enrolment=enrolment, state=Task.State.OPEN).update(
            state=Task.State.CALLED_OFF, reason=reason[:200], ended_at=clock.now()
        )
        record(actor, tags.ENROLMENT_STOP, enrolment, cause=cause, after_last_step=was_finished)
        if cause == Enrolment.Cause.REPLY:
            _hold_company(enrolment)
        elif cause in (Enrolment.Cause.BOUNCE, Enrolment.Cause.OPT_OUT):
            pause_if_too_many(enrolment.sequence_id)
    return True


def _hold_company(enrolment: Enrolment) -> None:
    """Colleagues of somebody who replied are not written to for a while, where the sequence says so."""
    if days := enrolment.sequence.hold_company_days:
        hold_company(enrolment.contact, clock.now() + timedelta(days=days))


def hold_company(contact: Contact, until: datetime) -> bool:
    """Nobody writes to anybody at the contact's company before then. False where there is no company, or it was held
    for longer. Inside the caller's transaction."""
    if contact.company_id is None:
        return False
    if (
        not Company.objects.filter(pk=contact.company_id)
        .exclude(hold_until__gte=until)
        .update(hold_until=until)
    ):
        return False
    record(BY_SENDING, tags.COMPANY_HOLD, contact, until=until.isoformat())
    return True


def cool_off(contact_id: UUID, until: datetime) -> None:
    """The contact can be enrolled in nothing before then. Inside the caller's transaction."""
    contact = Contact.objects.select_for_update(of=("self",)).get(pk=contact_id)
    if contact.cool_off_until is None or contact.cool_off_until < until:
        contact.cool_off_until = until
        contact.save(update_fields=["cool_off_until"])
        record(BY_SENDING, tags.CONTACT_COOL_OFF, contact, until=until.isoformat())


def stop_all_of(contact_id: UUID, *, workspace_id: UUID) -> None:
    """The contact opted out: every enrolment that runs has ended."""
    with inside(workspace_id):
        for enrolment in Enrolment.objects.filter(contact_id=contact_id, state__in=RUNNING):
            stop(
                enrolment.pk, Enrolment.Cause.OPT_OUT, "opted out by the link in a mail", workspace_id=workspace_id,
                actor=Actor("contact", str(contact_id)),
            )  # fmt: skip


ARCHIVED = "the sequence was archived"


def stop_some_of_archived(sequence_id: UUID, *, workspace_id: UUID, most: int = 200) -> int:
    """Some enrolments of an archived sequence are stopped; how many. None where it was brought back meanwhile."""
    with inside(workspace_id):
        running = Enrolment.objects.filter(
            sequence_id=sequence_id, sequence__state=Sequence.State.ARCHIVED, state__in=RUNNING
        )
        found = list(running.order_by("id").values_list("pk", flat=True)[:most])
        for enrolment_id in found:
            stop(enrolment_id, Enrolment.Cause.BY_HAND, ARCHIVED, workspace_id=workspace_id, actor=BY_SENDING)
    return len(found)


def pause_until(
    enrolment_id: UUID, return_local_date: date | None, reason: str, *, workspace_id: UUID, actor: Actor
) -> bool:
    """Nothing goes out until some working days after a return, or until a member resumes it where no date is known."""
    with inside(workspace_id):
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact", "mailbox")
            .get(pk=enrolment_id)
        )
        if enrolment.state not in RUNNING:
            return False
        if return_local_date is not None:
            buffer = enrolment.sequence.absence_buffer_days
            resume = windows.resume_after(return_local_date, hours_of(enrolment), buffer_days=buffer)
            enrolment.due_at = max(resume, enrolment.due_at or resume)
        else:
            enrolment.due_at = None
        enrolment.state, enrolment.reason = Enrolment.State.PAUSED, reason[:200]
        enrolment.save()
        record(actor, tags.ENROLMENT_PAUSE, enrolment, until=str(return_local_date or ""))
    return True


def resume(enrolment_id: UUID, *, workspace_id: UUID, actor: Actor) -> bool:
    """It goes on: its next step is due when the window is open."""
    with inside(workspace_id):
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact", "mailbox")
            .get(pk=enrolment_id)
        )
        if enrolment.state != Enrolment.State.PAUSED:
            return False
        enrolment.state, enrolment.reason = Enrolment.State.ACTIVE, ""
        enrolment.due_at = hours_of(enrolment).next_open(clock.now())
        enrolment.save()
        outbox.wake(enrolment_id=enrolment.pk)
        record(actor, tags.ENROLMENT_RESUME, enrolment)
    return True


def go_on(enrolment_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """An enrolment that a meeting stopped goes on after all: its next step is due when the window is open.

    A step that was called off with it is left out, since its key is used up. Raises Conflict, with the reason, where
    it cannot go on.
    """
    with inside(workspace_id):
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact", "mailbox")
            .get(pk=enrolment_id)
        )
        if enrolment.state != Enrolment.State.STOPPED or enrolment.cause != Enrolment.Cause.MEETING:
            raise Conflict("The sequence was not stopped by a meeting, so there is nothing to take up again.")
        if enrolment.sequence.state == Sequence.State.ARCHIVED:
            raise Conflict("The sequence is archived. Enrol the contact in another one.")
        if is_suppressed(workspace_id, names.open(enrolment.contact, "email") or ""):
            raise Conflict("The contact is on the do-not-contact list.")
        if Enrolment.objects.filter(contact=enrolment.contact, state__in=RUNNING).exists():
            raise Conflict("The contact is in another sequence meanwhile.")
        used = {
            *Message.objects.filter(enrolment_id=enrolment.pk).values_list("position", flat=True),
            *Task.objects.filter(enrolment=enrolment).values_list("position", flat=True),
        }
        left = [each.position for each in steps_of(enrolment.sequence, enrolment.edition)]
        left = [each for each in left if each >= enrolment.next_position and each not in used]
        if not left:
            raise Conflict("No step of the sequence is left.")
        enrolment.state, enrolment.cause, enrolment.reason = Enrolment.State.ACTIVE, "", ""
        enrolment.ended_at, enrolment.next_position = None, min(left)
        enrolment.due_at = hours_of(enrolment).next_open(clock.now())
        enrolment.save()
        record(actor, tags.ENROLMENT_RESUME, enrolment, after="meeting", position=enrolment.next_position)


def skip_step(enrolment: Enrolment, *, actor: Actor) -> None:
    """A member leaves the next step out. Inside the transaction that locks the enrolment."""
    record(actor, tags.ENROLMENT_SKIP, enrolment, position=enrolment.next_position, reason="by a member")
    enrolment.state = Enrolment.State.ACTIVE
    to_next_step([(enrolment, clock.now())], skipped=True)


def to_next_step(left: SequenceOf[tuple[Enrolment, datetime]], *, skipped: bool = False) -> None:
    """The step is out since then, or left out: the next one is due after its delay, or the enrolment is finished."""
    enrolments = [enrolment for enrolment, _ in left]
    following = steps_at([(each, each.next_position + 1) for each in enrolments])
    going_on = [each for each in enrolments if each.pk in following]
    prefetch_related_objects(going_on, "sequence", "contact", "mailbox")
    hours = dict(zip((each.pk for each in going_on), hours_of_many(going_on), strict=True))
    finished = []
    for enrolment, since in left:
        enrolment.next_position += 1
        enrolment.stepped_at, enrolment.last_skipped = since, skipped
        if enrolment.state != Enrolment.State.ACTIVE:
            continue
        enrolment.reason = ""
        step = following.get(enrolment.pk)
        if step is None:
            finish(enrolment)
            finished.append(enrolment)
        else:
            enrolment.due_at = rules.due(step.facts, hours[enrolment.pk], after=since).at
    store(enrolments)
    record_each(entry(BY_SENDING, tags.ENROLMENT_FINISH, each) for each in finished)


def finish(enrolment: Enrolment) -> None:
    """Not stored yet."""
    enrolment.state, enrolment.due_at, enrolment.ended_at = Enrolment.State.FINISHED, None, clock.now()
    enrolment.reason = ""


# What goes on with an enrolment.
GOES_ON = (
    "state", "reason", "next_position", "stepped_at", "last_skipped", "last_variant", "due_at", "ended_at",
)  # fmt: skip


def store(enrolments: Iterable[Enrolment]) -> None:
    """What goes on with them is stored, by one statement."""
    rows.change(
        Enrolment, [({"id": each.pk}, {name: getattr(each, name) for name in GOES_ON}) for each in enrolments]
    )
