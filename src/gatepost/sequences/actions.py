"""Writing sequences, enrolling contacts, and what moves or ends an enrolment."""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.audit.reveal import reveal
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import imported_columns, is_suppressed
from gatepost.contacts.rules import domain_of
from gatepost.errors import BadInput, Conflict
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import gaps
from gatepost.mailboxes.features import why_it_may_not_send
from gatepost.mailboxes.models import Gap, Mailbox
from gatepost.outbox import actions as outbox
from gatepost.outbox import optout
from gatepost.outbox.limits import BEGINS as LIMIT_BEGINS
from gatepost.outbox.limits import GAP
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import Route
from gatepost.outbox.rules import CALENDAR_FIRST, PAUSED
from gatepost.sequences import rules
from gatepost.sequences.models import Enrolment, Sequence, Step, Task, Variant
from gatepost.sequences.preview import BY_REPLY, FIELDS, Preview, compose
from gatepost.text import templates
from gatepost.vault import names
from gatepost.vault.sealing import index, seal

BY_SENDING = by_job("sequences.send")


@dataclass(frozen=True, slots=True)
class StepDraft:
    """A step as it is written on the page or sent to the API."""

    delay_minutes: int
    subject: str
    body: str


class BadTemplate(BadInput):
    "A step cannot be used as it is written; `problems` says where and what to change."

    def __init__(self, problems: list[tuple[int, str, templates.Problem]]) -> None:
        step, column, problem = problems[0]
        super().__init__(f"Step {step}, {column}, line {problem.line}: {problem.message}")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How many contacts are in the sequence now, and why the others are not."""

    count: int
    skipped: tuple[tuple[UUID, str], ...]


def create_sequence(workspace_id: UUID, name: str, *, member: Member) -> Sequence:
    """A new, empty draft."""
    if not name.strip():
        raise BadInput("Give the sequence a name.")
    with inside(workspace_id):
        sequence = Sequence.objects.create(
            workspace_id=workspace_id,
            name=name.strip()[:120],
            member=member,
            time_zone=member.workspace.time_zone,
            created_at=clock.now(),
        )
        record(by(member), tags.SEQUENCE_EDIT, sequence, new=True)
    return sequence


def save_steps(sequence_id: UUID, steps: SequenceOf[StepDraft], *, workspace_id: UUID, actor: Actor) -> None:
    """The sequence has these steps. Raises BadInput or BadTemplate; then nothing is changed.

    Steps keep their identity by position, so that what was sent stays attributed to them.
    """
    with inside(workspace_id):
        _check(steps, imported_columns())
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        existing = {step.position: step for step in sequence.steps.all()}
        for position, draft in enumerate(steps, 1):
            step = existing.pop(position, None) or Step(
                workspace_id=workspace_id, sequence=sequence, position=position
            )
            step.delay_minutes = draft.delay_minutes
            step.save()
            variant = step.variants.first() or Variant(workspace_id=workspace_id, step=step)
            seal(variant, "subject", draft.subject.strip())
            seal(variant, "body", draft.body.strip())
            variant.save()
        for step in existing.values():
            step.delete()
        record(actor, tags.SEQUENCE_EDIT, sequence, steps=len(steps))


def _check(steps: SequenceOf[StepDraft], further: list[str]) -> None:
    if not steps:
        raise BadInput("A sequence needs at least one step.")
    if len(steps) > rules.MAX_STEPS:
        raise BadInput(f"A sequence has at most {rules.MAX_STEPS} steps.")
    if not steps[0].subject.strip():
        raise BadInput(
            "The first step needs a subject. Later ones may leave it empty and continue the thread."
        )
    known = {*FIELDS, *further}
    problems: list[tuple[int, str, templates.Problem]] = []
    for number, step in enumerate(steps, 1):
        if not 0 <= step.delay_minutes <= rules.LONGEST_DELAY_MINUTES:
            raise BadInput(f"Step {number} must come between 0 minutes and a year after the one before it.")
        if not step.body.strip():
            problems.append((number, "text", templates.Problem(1, "The text is empty.")))
        problems += [(number, "subject", p) for p in templates.check(step.subject, known=known)]
        problems += [(number, "text", p) for p in templates.check(step.body, known=known)]
    if problems:
        raise BadTemplate(problems)


def change_schedule(
    sequence_id: UUID, window: rules.Window, time_zone: str, *, workspace_id: UUID, actor: Actor
) -> None:
    """When mail of this sequence may leave. Raises BadInput."""
    problem = rules.check_window(window) or rules.check_time_zone(time_zone)
    if problem:
        raise BadInput(problem)
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        sequence.window, sequence.time_zone = window, time_zone
        sequence.save(update_fields=["window", "time_zone"])
        record(actor, tags.SEQUENCE_EDIT, sequence, window=True)


def activate(sequence_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """Its steps go out when due. Raises BadInput for a sequence without steps."""
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        if not sequence.steps.exists():
            raise BadInput("Write at least one step first.")
        sequence.state = Sequence.State.ACTIVE
        sequence.save(update_fields=["state"])
        # Those that waited for it look again now, and not an hour later.
        Enrolment.objects.filter(
            sequence=sequence,
            state=Enrolment.State.ACTIVE,
            due_at__gt=clock.now(),
            reason="the sequence is paused",
        ).update(due_at=clock.now(), reason="")
        outbox.wake(sequence_id=sequence.pk, reason="the sequence is paused")
        record(actor, tags.SEQUENCE_ACTIVATE, sequence)


def pause(sequence_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """Nothing of it leaves until it is activated again."""
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        sequence.state = Sequence.State.PAUSED
        sequence.save(update_fields=["state"])
        record(actor, tags.SEQUENCE_PAUSE, sequence)


def enrol(
    sequence_id: UUID, contact_ids: SequenceOf[UUID], mailbox_id: UUID, *, workspace_id: UUID, actor: Actor
) -> Enrolled:
    """The contacts are in the sequence, their first step due when its window is next open.

    Left out, each with its reason: who is on the do-not-contact list, in a sequence already, of the own
    organisation, or was in this sequence before.
    """
    with inside(workspace_id):
        sequence = Sequence.objects.get(pk=sequence_id)
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
            reason = _not_enrollable(contact, sequence, mailbox)
            if reason:
                skipped.append((contact.pk, reason))
                continue
            zone = contact.time_zone or sequence.time_zone
            try:
                with transaction.atomic():
                    enrolment = Enrolment.objects.create(
                        workspace_id=workspace_id,
                        sequence=sequence,
                        contact=contact,
                        mailbox=mailbox,
                        created_at=now,
                        due_at=rules.next_open(sequence.window, zone, now),
                    )
            except IntegrityError:
                skipped.append((contact.pk, "is in a sequence already"))
                continue
            record(actor, tags.ENROLMENT_START, enrolment, mailbox_id=mailbox.id)
            count += 1
    return Enrolled(count, tuple(skipped))


def _not_enrollable(contact: Contact, sequence: Sequence, mailbox: Mailbox) -> str:
    address = names.open(contact, "email") or ""
    if is_suppressed(contact.workspace_id, address):
        return "is on the do-not-contact list"
    if is_internal(address, mailbox):
        return "is an address of your own organisation"
    for enrolment in Enrolment.objects.filter(contact=contact):
        if enrolment.state in (Enrolment.State.ACTIVE, Enrolment.State.PAUSED):
            return "is in a sequence already"
        if enrolment.sequence_id == sequence.pk:
            return "was in this sequence before"
    return ""


def is_internal(address: str, mailbox: Mailbox) -> bool:
    """Whether an address belongs to the mailbox's organisation: seen at connect, or added by an administrator."""
    domain = domain_of(address)
    added = {each.casefold() for each in mailbox.workspace.internal_domains}
    return domain in added or index(mailbox.workspace_id, "domain", domain) in mailbox.domain_indexes


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
    return True


def stop_all_of(contact_id: UUID, *, workspace_id: UUID) -> None:
    """The contact opted out: every enrolment that runs has ended."""
    with inside(workspace_id):
        running = (Enrolment.State.ACTIVE, Enrolment.State.PAUSED)
        for enrolment in Enrolment.objects.filter(contact_id=contact_id, state__in=running):
            stop(
                enrolment.pk, Enrolment.Cause.OPT_OUT, "opted out by the link in a mail", workspace_id=workspace_id,
                actor=Actor("contact", str(contact_id)),
            )  # fmt: skip


def pause_until(
    enrolment_id: UUID, return_local_date: date | None, reason: str, *, workspace_id: UUID, actor: Actor
) -> bool:
    """Nothing goes out until the day after a return, or until a member resumes it where no date is known."""
    with inside(workspace_id):
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact")
            .get(pk=enrolment_id)
        )
        if enrolment.state not in (Enrolment.State.ACTIVE, Enrolment.State.PAUSED):
            return False
        if return_local_date is not None:
            zone = enrolment.contact.time_zone or enrolment.sequence.time_zone
            resume = rules.resume_after(return_local_date, enrolment.sequence.window, zone)
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
            .select_related("sequence", "contact")
            .get(pk=enrolment_id)
        )
        if enrolment.state != Enrolment.State.PAUSED:
            return False
        zone = enrolment.contact.time_zone or enrolment.sequence.time_zone
        enrolment.state, enrolment.reason = Enrolment.State.ACTIVE, ""
        enrolment.due_at = rules.next_open(enrolment.sequence.window, zone, clock.now())
        enrolment.save()
        outbox.wake(enrolment_id=enrolment.pk)
        record(actor, tags.ENROLMENT_RESUME, enrolment)
    return True


def act_on_due(
    enrolment: Enrolment, decision: rules.Wait | rules.Stop | rules.Finish | rules.Send | rules.Ask
) -> Message | None:
    """What `decide_next` said is done. For Send: the planned message, or None when a field is missing."""
    with inside(enrolment.workspace_id):
        fresh = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact", "contact__company", "mailbox")
            .get(pk=enrolment.pk)
        )
        if fresh.state != Enrolment.State.ACTIVE or fresh.due_at is None:
            return None
        match decision:
            case rules.Wait(until, reason):
                Enrolment.objects.filter(pk=fresh.pk).update(due_at=until, reason=reason[:200])
            case rules.Stop(cause, reason):
                stop(fresh.pk, cause, reason, workspace_id=fresh.workspace_id, actor=BY_SENDING)
            case rules.Finish():
                _finish(fresh)
            case rules.Ask(position):
                _make_task(fresh, position)
            case rules.Send(position):
                return _plan(fresh, position)
    return None


def mailbox_waits(mailbox: Mailbox, until: datetime) -> None:
    """Nothing of this mailbox is looked at for sending before then."""
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=mailbox.pk).update(sending_not_before=until)


def limits_changed(mailbox: Mailbox) -> None:
    """Nothing holds the whole mailbox back any more: what waited for its limits is looked at now."""
    with inside(mailbox.workspace_id):
        outbox.wake(mailbox=mailbox, reason__startswith=LIMIT_BEGINS)
        outbox.wake(mailbox=mailbox, reason=GAP)


# What was due this long before a gap ended has waited for it.
WAITED = timedelta(hours=1)
# Reasons of waiting that are over when a mailbox may send again.
UNTIL_READ = ("reading the mailbox first", CALENDAR_FIRST, PAUSED, "the mailbox is not connected")


def send_again(mailbox_id: UUID, *, workspace_id: UUID, spread: bool) -> int:
    """The mailbox was read up, or is paused no more: sending goes on. What had waited is spread out, the oldest
    first; nothing is dropped. How many steps that were."""
    with inside(workspace_id):
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        gap = gaps.open_gap(mailbox) if gaps.all_is_in(mailbox) else None
        # A position that was lost held nothing back for long.
        due = _spread(mailbox) if spread or (gap and gap.cause != Gap.Cause.POSITION_LOST) else []
        outbox.wake(mailbox=mailbox, reason__in=UNTIL_READ)
        Mailbox.objects.filter(pk=mailbox_id).update(sending_not_before=None)
        if gap is not None:
            gaps.over(gap, due=len(due), last_step_due_at=max(due, default=None))
        enqueue("sequences.send", once_for=mailbox_id, workspace=str(workspace_id), mailbox=str(mailbox_id))
    return len(due)


def _spread(mailbox: Mailbox) -> list[datetime]:
    """Steps that have waited get times of their own; the times."""
    now = clock.now()
    waiting = list(
        Enrolment.objects.select_related("sequence", "contact")
        .filter(mailbox=mailbox, state=Enrolment.State.ACTIVE, due_at__lt=now - WAITED)
        .order_by("due_at")
    )
    windows = [(each.sequence.window, each.contact.time_zone or each.sequence.time_zone) for each in waiting]
    pace = rules.pace(mailbox.daily_limit, timedelta(seconds=mailbox.gap_seconds))
    due = rules.spread(windows, start=now, pace=pace)
    for each, moment in zip(waiting, due, strict=True):
        each.due_at = moment
    Enrolment.objects.bulk_update(waiting, ["due_at"], batch_size=500)
    return due


def step_left(message: Message) -> None:
    """The step is out: the next one is due after its delay, or the enrolment is finished."""
    with inside(message.workspace_id):
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact")
            .filter(pk=message.enrolment_id)
            .first()
        )
        if enrolment is not None and enrolment.next_position == message.position:
            _to_next_step(enrolment, left=message.accepted_at or clock.now())


def step_cancelled(message: Message) -> None:
    """The step will never leave: the enrolment ends, if it had not ended before. A skipped one is passed over."""
    with inside(message.workspace_id):
        running = (Enrolment.State.ACTIVE, Enrolment.State.PAUSED)
        if message.reason == outbox.SKIPPED:
            enrolment = (
                Enrolment.objects.select_for_update(of=("self",))
                .select_related("sequence", "contact")
                .filter(pk=message.enrolment_id, state__in=running, next_position=message.position)
                .first()
            )
            if enrolment is not None:
                _to_next_step(enrolment, left=clock.now())
            return
        if Enrolment.objects.filter(
            pk=message.enrolment_id, state__in=running, next_position=message.position
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


def end_task(task_id: UUID, done: bool, *, workspace_id: UUID, actor: Actor) -> None:
    """A person sent the step by hand, or skips it: the next one is due after its delay. Raises Conflict."""
    with inside(workspace_id):
        task = Task.objects.select_for_update().get(pk=task_id)
        if task.state != Task.State.OPEN:
            raise Conflict("This task was ended already: it is " + task.get_state_display().lower() + ".")
        task.state, task.ended_at = Task.State.DONE if done else Task.State.SKIPPED, clock.now()
        task.save(update_fields=["state", "ended_at"])
        record(actor, tags.TASK_DONE if done else tags.TASK_SKIP, task, position=task.position)
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact")
            .get(pk=task.enrolment_id)
        )
        if enrolment.next_position == task.position:
            _to_next_step(enrolment, left=clock.now())


def _to_next_step(enrolment: Enrolment, *, left: datetime) -> None:
    """The step is out: the next one is due after its delay, or the enrolment is finished."""
    enrolment.next_position += 1
    enrolment.reason = ""
    following = Step.objects.filter(
        sequence_id=enrolment.sequence_id, position=enrolment.next_position
    ).first()
    if enrolment.state == Enrolment.State.ACTIVE:
        if following is None:
            _finish(enrolment)
            return
        zone = enrolment.contact.time_zone or enrolment.sequence.time_zone
        enrolment.due_at = rules.due_after(left, following.delay_minutes, enrolment.sequence.window, zone)
    enrolment.save()


def _finish(enrolment: Enrolment) -> None:
    enrolment.state, enrolment.due_at, enrolment.ended_at = Enrolment.State.FINISHED, None, clock.now()
    enrolment.reason = ""
    enrolment.save()
    record(BY_SENDING, tags.ENROLMENT_FINISH, enrolment)


def _plan(enrolment: Enrolment, position: int) -> Message | None:
    """The step's mail stands in the outbox, and the enrolment waits for it."""
    message_id = uuid7()
    written = _written(enrolment, position, opt_out=optout.line(message_id))
    if written is None:
        return None
    step, variant, composed = written
    previous = (
        Message.objects.filter(enrolment_id=enrolment.pk, position__lt=position)
        .exclude(state=Message.State.CANCELLED)  # skipped
        .order_by("-position")
        .first()
    )
    plan = outbox.Plan(
        message_id=message_id,
        contact=enrolment.contact,
        mailbox_id=enrolment.mailbox_id,
        enrolment_id=enrolment.pk,
        sequence_id=enrolment.sequence_id,
        step_id=step.pk,
        variant_id=variant.pk,
        position=position,
        subject=composed.subject,
        body=composed.body,
        previous=previous,
        route=Route.MIME if optout.is_public() else Route.JSON,
    )
    try:
        message = outbox.plan(plan)
    except Conflict as error:
        stop(
            enrolment.pk, Enrolment.Cause.BY_HAND, error.message, workspace_id=enrolment.workspace_id, actor=BY_SENDING
        )  # fmt: skip
        return None
    enrolment.due_at, enrolment.reason = None, ""
    enrolment.save(update_fields=["due_at", "reason"])
    return message


def _make_task(enrolment: Enrolment, position: int) -> None:
    """The step's text waits for a person, and the enrolment for that person."""
    if not Task.objects.filter(enrolment=enrolment, position=position).exists():
        written = _written(enrolment, position, opt_out=BY_REPLY)
        if written is None:
            return
        step, _variant, composed = written
        task = Task(
            workspace_id=enrolment.workspace_id,
            mailbox=enrolment.mailbox,
            enrolment=enrolment,
            contact=enrolment.contact,
            step=step,
            position=position,
            created_at=clock.now(),
        )
        seal(task, "subject", composed.subject)
        seal(task, "body", composed.body)
        task.save(force_insert=True)
        record(BY_SENDING, tags.TASK_MAKE, task, position=position)
    enrolment.due_at = None
    enrolment.reason = f"step {position} is yours to send: this mailbox sends first steps only"
    enrolment.save(update_fields=["due_at", "reason"])


def _written(enrolment: Enrolment, position: int, *, opt_out: str) -> tuple[Step, Variant, Preview] | None:
    """The step as this contact gets it; None where that cannot be, and then the enrolment waits for a person."""
    step = Step.objects.prefetch_related("variants").get(sequence_id=enrolment.sequence_id, position=position)
    variant = _variant(enrolment, step)
    try:
        composed = compose(
            names.open(variant, "subject") or "",
            names.open(variant, "body") or "",
            enrolment.contact,
            enrolment.mailbox,
            thread_subject=_thread_subject(enrolment),
            opt_out=opt_out,
        )
    except templates.TemplateError as error:
        _cannot_compose(
            enrolment, f"Step {position} cannot be filled for this contact: {error}. Mend it, then resume."
        )
        return None
    if composed.missing:
        missing = ", ".join(composed.missing)
        _cannot_compose(enrolment, f"No value for {missing}: complete the contact, then resume.")
        return None
    return step, variant, composed


def _variant(enrolment: Enrolment, step: Step) -> Variant:
    """The wording that this contact gets."""
    variants = sorted(step.variants.all(), key=lambda each: each.pk)
    return variants[rules.choose_variant(enrolment.pk, step.pk, [each.weight for each in variants])]


def _cannot_compose(enrolment: Enrolment, reason: str) -> None:
    """The enrolment waits for a person; the others of its mailbox go on."""
    enrolment.state, enrolment.due_at, enrolment.reason = Enrolment.State.PAUSED, None, reason[:200]
    enrolment.save()
    record(BY_SENDING, tags.ENROLMENT_PAUSE, enrolment, reason="cannot be composed")


def _thread_subject(enrolment: Enrolment) -> str:
    """The subject that the thread was opened with, as it was sent: the step may have been edited since."""
    opening = Message.objects.filter(enrolment_id=enrolment.pk, position=1).first()
    if opening is None:
        return ""
    return reveal(BY_SENDING, opening, "subject", reason="to continue the thread")["subject"] or ""
