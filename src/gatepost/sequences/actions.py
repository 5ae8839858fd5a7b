"""Writing sequences, enrolling contacts, and what moves or ends an enrolment."""

from collections.abc import Callable, Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypedDict, Unpack
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet, prefetch_related_objects

from gatepost import clock, rows
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, entry, record, record_each
from gatepost.audit.record import job as by_job
from gatepost.audit.reveal import reveal, reveal_each
from gatepost.contacts.models import Company, Contact
from gatepost.contacts.queries import field_names, is_suppressed
from gatepost.contacts.rules import domain_of
from gatepost.errors import BadInput, Conflict
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import gaps, notices
from gatepost.mailboxes.features import why_it_may_not_send
from gatepost.mailboxes.models import Gap, Mailbox, Notice
from gatepost.outbox import actions as outbox
from gatepost.outbox import optout
from gatepost.outbox.limits import BEGINS as LIMIT_BEGINS
from gatepost.outbox.limits import GAP
from gatepost.outbox.models import Message
from gatepost.outbox.protocol import Route
from gatepost.outbox.rules import CALENDAR_FIRST, PAUSED
from gatepost.outbox.writing import parts_of
from gatepost.sequences import rules, variants, windows
from gatepost.sequences.edits import EVERYBODY, ONLY_NEW, WHO, StepDraft, Wording
from gatepost.sequences.hours import hours_for, hours_of, hours_of_many, stand_in_of
from gatepost.sequences.models import Absence, Enrolment, Sequence, Step, Task, Variant
from gatepost.sequences.preview import BY_REPLY, FIELDS, Preview, check, compose, filled, seed_of
from gatepost.sequences.rules import Condition, Kind
from gatepost.snippets.queries import known_names
from gatepost.text import spintax, templates
from gatepost.vault import names
from gatepost.vault.sealing import index, seal

BY_SENDING = by_job("sequences.send")


RUNNING = (Enrolment.State.ACTIVE, Enrolment.State.PAUSED)


class BadTemplate(BadInput):
    "A step cannot be used as it is written; `problems` says where and what to change."

    def __init__(self, problems: list[tuple[int, str, templates.Problem]]) -> None:
        step, column, problem = problems[0]
        name, _dash, place = column.partition("-")
        name = f"{name} of wording {chr(65 + int(place))}" if place else name
        super().__init__(f"Step {step}, {name}, line {problem.line}: {problem.message}")
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


def save_steps(
    sequence_id: UUID,
    steps: SequenceOf[StepDraft],
    *,
    workspace_id: UUID,
    actor: Actor,
    who: str = EVERYBODY,
) -> None:
    """The sequence has these steps. Raises BadInput or BadTemplate; then nothing is changed.

    `who` gets them: "everybody", from their next step on, or "new", only those who are enrolled from now on.
    Steps keep their identity by position within an edition, so that what was sent stays attributed to them.
    """
    if who not in WHO:
        raise BadInput(f"Say who gets the edit: {' or '.join(WHO)}.")
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        _check(steps, field_names(), alternatives=sequence.spintax)
        running = Enrolment.objects.filter(sequence=sequence, state__in=RUNNING)
        if who == ONLY_NEW and running.exists():
            sequence.edition = _last_edition(sequence) + 1
            sequence.save(update_fields=["edition"])
        existing = {step.position: step for step in steps_of(sequence)}
        for position, draft in enumerate(steps, 1):
            step = existing.pop(position, None) or Step(
                workspace_id=workspace_id, sequence=sequence, edition=sequence.edition, position=position
            )
            step.kind = draft.kind
            step.delay_minutes = 0 if draft.business_days else draft.delay_minutes
            step.business_days = draft.business_days
            step.conditions = list(draft.conditions)
            step.task_days = draft.task_days
            step.save()
            _save_wordings(step, draft.wordings)
        for step in existing.values():
            step.delete()
        if who == EVERYBODY:
            running.exclude(edition=sequence.edition).update(edition=sequence.edition)
            _due_anew(running.filter(state=Enrolment.State.ACTIVE, due_at__isnull=False))
        record(actor, tags.SEQUENCE_EDIT, sequence, steps=len(steps), who=who)


def steps_of(sequence: Sequence, edition: int | None = None) -> QuerySet[Step]:
    """The steps that those get who are enrolled now, or those of an edition; in order."""
    return Step.objects.filter(sequence=sequence, edition=edition or sequence.edition).order_by("position")


def _last_edition(sequence: Sequence) -> int:
    last: int | None = Step.objects.filter(sequence=sequence).aggregate(last=Max("edition"))["last"]
    return max(last or 0, sequence.edition)


def _save_wordings(step: Step, wordings: SequenceOf[Wording]) -> None:
    """A wording keeps its identity by its place, as a step does by its position."""
    existing = sorted(step.variants.all(), key=lambda each: each.pk)
    for number, wording in enumerate(wordings):
        known = number < len(existing)
        variant = existing[number] if known else Variant(workspace_id=step.workspace_id, step=step)
        variant.weight = wording.weight
        seal(variant, "subject", wording.subject.strip())
        seal(variant, "body", wording.body.strip())
        variant.save()
    for variant in existing[len(wordings) :]:
        variant.delete()


def _due_anew(enrolments: QuerySet[Enrolment]) -> None:
    """The step that is next has another delay: those who wait for it wait as long as that one says.

    Who waits for something else (a pause, a promise of his company) has a reason, and looks again by itself.
    """
    waiting = list(enrolments.filter(reason="").select_related("sequence", "contact", "mailbox"))
    steps = {(step.edition, step.position): step.facts for step in Step.objects.filter(
        sequence_id__in={each.sequence_id for each in waiting}
    )}  # fmt: skip
    changed = []
    for each, hours in zip(waiting, hours_of_many(waiting), strict=True):
        step = steps.get((each.edition, each.next_position))
        due_at = rules.due(step, hours, after=each.stepped_at or each.created_at).at if step else clock.now()
        if due_at != each.due_at:
            each.due_at = due_at
            changed.append(each)
    Enrolment.objects.bulk_update(changed, ["due_at"], batch_size=500)


def _check(steps: SequenceOf[StepDraft], further: list[str], *, alternatives: bool) -> None:
    if not steps:
        raise BadInput("A sequence needs at least one step.")
    if unknown := {step.kind for step in steps} - set(Kind):
        raise BadInput(f"There is no kind of step {min(unknown)!r}. Use: {', '.join(Kind)}.")
    if len(steps) > rules.MAX_STEPS:
        raise BadInput(f"A sequence has at most {rules.MAX_STEPS} steps.")
    opening = next((step for step in steps if rules.Kind(step.kind).is_mail), None)
    if opening is not None and not all(wording.subject.strip() for wording in opening.wordings):
        raise BadInput(
            "The first step needs a subject. Later ones may leave it empty and continue the thread."
        )
    known, known_snippets = {*FIELDS, *further}, known_names()

    def problems_of(source: str) -> list[templates.Problem]:
        return check(source, known=known, known_snippets=known_snippets, alternatives=alternatives)

    problems: list[tuple[int, str, templates.Problem]] = []
    for number, step in enumerate(steps, 1):
        _check_step(number, step)
        for place, wording in enumerate(step.wordings):
            problems += [
                (number, f"{column}{f'-{place}' if place else ''}", problem)
                for column, problem in _problems(wording, Kind(step.kind), problems_of)
            ]
    if problems:
        raise BadTemplate(problems)


def _check_step(number: int, step: StepDraft) -> None:
    if not 0 <= step.delay_minutes <= rules.LONGEST_DELAY_MINUTES:
        raise BadInput(f"Step {number} must come between 0 minutes and a year after the one before it.")
    if not 0 <= step.business_days <= rules.LONGEST_DELAY_BUSINESS_DAYS:
        raise BadInput(f"Step {number} must come at most a year of business days after the one before it.")
    if not 0 <= step.task_days <= rules.LONGEST_TASK_DAYS:
        raise BadInput(f"Step {number}: a task may take at most {rules.LONGEST_TASK_DAYS} working days.")
    if len(step.wordings) > variants.MOST:
        raise BadInput(f"Step {number} has more than {variants.MOST} wordings.")
    if not all(0 <= wording.weight <= 100 for wording in step.wordings):
        raise BadInput(f"Step {number}: a weight lies between 0 and 100.")
    if not any(wording.weight for wording in step.wordings):
        raise BadInput(f"Step {number}: at least one wording needs a weight above 0.")
    unknown = set(step.conditions) - set(Condition)
    if unknown:
        raise BadInput(f"Step {number}: there is no condition {min(unknown)!r}. Use: {', '.join(Condition)}.")
    if number == 1 and {Condition.STEP_DONE, Condition.STEP_SKIPPED} & set(step.conditions):
        raise BadInput("No step comes before the first one: its conditions cannot be about that.")


def _problems(
    wording: Wording, kind: Kind, problems_of: Callable[[str], list[templates.Problem]]
) -> list[tuple[str, templates.Problem]]:
    found: list[tuple[str, templates.Problem]] = []
    if kind.is_mail and not wording.body.strip():
        found.append(("text", templates.Problem(1, "The text is empty.")))
    if not kind.is_mail and not (wording.subject.strip() or wording.body.strip()):
        found.append(("subject", templates.Problem(1, "Say what is to be done.")))
    found += [("subject", problem) for problem in problems_of(wording.subject)]
    found += [("text", problem) for problem in problems_of(wording.body)]
    return found


class Life(TypedDict, total=False):
    """What `change_life` can set; days and percent."""

    skips_holidays: bool
    spintax: bool
    absence_buffer_days: int
    cool_off_days: int
    hold_company_days: int
    bounce_limit: int
    complaint_limit: int


# The most of each number that can be set.
MOST = {
    "absence_buffer_days": 30,
    "cool_off_days": 730,
    "hold_company_days": 365,
    "bounce_limit": 100,
    "complaint_limit": 100,
}


def change_schedule(
    sequence_id: UUID, window: windows.Window, time_zone: str, *, workspace_id: UUID, actor: Actor
) -> None:
    """When mail of this sequence may leave. Raises BadInput."""
    problem = windows.check_window(window) or windows.check_time_zone(time_zone)
    if problem:
        raise BadInput(problem)
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        sequence.window, sequence.time_zone = window, time_zone
        sequence.save(update_fields=["window", "time_zone"])
        record(actor, tags.SEQUENCE_EDIT, sequence, window=True)


def change_life(sequence_id: UUID, *, workspace_id: UUID, actor: Actor, **settings: Unpack[Life]) -> None:
    """What makes the sequence wait and pause, and whom it leaves alone. Raises BadInput."""
    for name, most in MOST.items():
        value = settings.get(name, 0)
        if not isinstance(value, int) or not 0 <= value <= most:
            raise BadInput(f"{name.replace('_', ' ').capitalize()} lies between 0 and {most}.")
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        if (
            sequence.spintax
            and settings.get("spintax") is False
            and (number := _offers_alternatives(sequence))
        ):
            raise BadInput(
                f"Step {number} offers alternatives. Write one wording there first; nothing was changed."
            )
        for name, value in settings.items():
            setattr(sequence, name, value)
        sequence.save(update_fields=list(settings))
        record(actor, tags.SEQUENCE_EDIT, sequence, **settings)


def _offers_alternatives(sequence: Sequence) -> int:
    """The first step that does, of any edition; 0: none."""
    for variant in Variant.objects.filter(step__sequence=sequence).select_related("step"):
        if any(spintax.has_alternatives(names.open(variant, part) or "") for part in ("subject", "body")):
            return variant.step.position
    return 0


def activate(sequence_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """Its steps go out when due. Raises BadInput for a sequence without steps."""
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        if not steps_of(sequence).exists():
            raise BadInput("Write at least one step first.")
        sequence.state = Sequence.State.ACTIVE
        if sequence.pause_reason:
            # Somebody looked at what had paused it: from here on it is counted anew.
            sequence.pause_reason, sequence.bill_since = "", clock.now()
        sequence.save(update_fields=["state", "pause_reason", "bill_since"])
        # Those that waited for it look again now, and not an hour later.
        Enrolment.objects.filter(
            sequence=sequence,
            state=Enrolment.State.ACTIVE,
            due_at__gt=clock.now(),
            reason=rules.SEQUENCE_PAUSED,
        ).update(due_at=clock.now(), reason="")
        outbox.wake(sequence_id=sequence.pk, reason=rules.SEQUENCE_PAUSED)
        record(actor, tags.SEQUENCE_ACTIVATE, sequence)


def pause(sequence_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """Nothing of it leaves until it is activated again."""
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        sequence.state = Sequence.State.PAUSED
        sequence.save(update_fields=["state"])
        record(actor, tags.SEQUENCE_PAUSE, sequence)


ARCHIVED = "the sequence was archived"


def archive(sequence_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """It is put away: nothing leaves, nobody can be enrolled, and whoever is still in it is stopped.

    Those are stopped by a job, since they may be many; nothing leaves meanwhile. Activating it brings it back.
    """
    with inside(workspace_id):
        sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
        sequence.state = Sequence.State.ARCHIVED
        sequence.save(update_fields=["state"])
        record(actor, tags.SEQUENCE_ARCHIVE, sequence)
        enqueue("sequences.archived", workspace=str(workspace_id), sequence=str(sequence_id))


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


# A sequence pauses by itself for what became of its mails within so long.
BILL_OF = timedelta(days=30)


def bill_of(sequence: Sequence) -> rules.Bill:
    """What became of its mails lately. Inside the workspace."""
    since = max(filter(None, (clock.now() - BILL_OF, sequence.bill_since)))
    sent = Message.objects.filter(sequence_id=sequence.pk, accepted_at__gte=since, reply_id__isnull=True)
    complaints = Enrolment.objects.filter(
        sequence=sequence, cause=Enrolment.Cause.OPT_OUT, ended_at__gte=since
    )
    return rules.Bill(sent.count(), sent.filter(bounced_at__isnull=False).count(), complaints.count())


def _pause_if_too_many(sequence_id: UUID) -> None:
    """The sequence pauses, with its reason and a notice, where too much of its mail bounced or was complained of."""
    sequence = Sequence.objects.select_for_update().get(pk=sequence_id)
    if sequence.state != Sequence.State.ACTIVE:
        return
    reason = rules.too_many(
        bill_of(sequence), bounce_limit=sequence.bounce_limit, complaint_limit=sequence.complaint_limit
    )
    if not reason:
        return
    sequence.state, sequence.pause_reason = Sequence.State.PAUSED, reason
    sequence.save(update_fields=["state", "pause_reason"])
    record(BY_SENDING, tags.SEQUENCE_PAUSE, sequence, reason=reason)
    whom = {sequence.member_id: sequence.member}
    whom |= {
        each.pk: each for each in Member.objects.filter(role__in=notices.ADMINISTRATORS, removed_at=None)
    }
    for member in whom.values():
        if member.removed_at is None:
            notices.tell(member, Notice.Kind.SEQUENCE_PAUSED, about=str(sequence.pk))


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
        if cause == Enrolment.Cause.REPLY:
            _hold_company(enrolment)
        elif cause in (Enrolment.Cause.BOUNCE, Enrolment.Cause.OPT_OUT):
            _pause_if_too_many(enrolment.sequence_id)
    return True


def _hold_company(enrolment: Enrolment) -> None:
    """Colleagues of somebody who replied are not written to for a while, where the sequence says so."""
    if days := enrolment.sequence.hold_company_days:
        hold_company(enrolment.contact, clock.now() + timedelta(days=days))


def stop_all_of(contact_id: UUID, *, workspace_id: UUID) -> None:
    """The contact opted out: every enrolment that runs has ended."""
    with inside(workspace_id):
        for enrolment in Enrolment.objects.filter(contact_id=contact_id, state__in=RUNNING):
            stop(
                enrolment.pk, Enrolment.Cause.OPT_OUT, "opted out by the link in a mail", workspace_id=workspace_id,
                actor=Actor("contact", str(contact_id)),
            )  # fmt: skip


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
            _finish(enrolment)
            _store([enrolment])
            record(BY_SENDING, tags.ENROLMENT_FINISH, enrolment)
        case rules.Ask(position, kind):
            _make_task(enrolment, position, kind)
        case rules.Skip(position, reason):
            record(BY_SENDING, tags.ENROLMENT_SKIP, enrolment, position=position, reason=reason)
            _to_next_step([(enrolment, clock.now())], skipped=True)
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


def mailbox_waits(mailbox: Mailbox, until: datetime) -> None:
    """Nothing of this mailbox is looked at for sending before then."""
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=mailbox.pk).update(sending_not_before=until)


def limits_changed(mailboxes: SequenceOf[Mailbox]) -> list[None]:
    """Nothing holds these mailboxes back any more: what waited for their limits is looked at now. Of one workspace,
    inside it."""
    ids = [each.pk for each in mailboxes]
    outbox.wake(mailbox__in=ids, reason__startswith=LIMIT_BEGINS)
    outbox.wake(mailbox__in=ids, reason=GAP)
    return [None] * len(ids)


# What was due this long before a gap ended has waited for it.
WAITED = timedelta(hours=1)
# Reasons of waiting that are over when a mailbox may send again.
UNTIL_READ = ("reading the mailbox first", CALENDAR_FIRST, PAUSED, "the mailbox is not connected")


def send_again(mailbox_id: UUID, *, workspace_id: UUID, spread: bool) -> int:
    """The mailbox was read up, or is paused no more: sending goes on. What had waited is spread out, the oldest
    first; nothing is dropped. How many steps that were."""
    with inside(workspace_id):
        # A send takes the enrolment first and its mailbox then: in the other order the two would wait for each other.
        waiting = _waiting(mailbox_id)
        mailbox = Mailbox.objects.select_for_update().get(pk=mailbox_id)
        gap = gaps.open_gap(mailbox) if gaps.all_is_in(mailbox) else None
        # A position that was lost held nothing back for long.
        spread = spread or (gap is not None and gap.cause != Gap.Cause.POSITION_LOST)
        due = _spread(waiting, mailbox) if spread else []
        outbox.wake(mailbox=mailbox, reason__in=UNTIL_READ)
        Mailbox.objects.filter(pk=mailbox_id).update(sending_not_before=None)
        if gap is not None:
            gaps.over(gap, due=len(due), last_step_due_at=max(due, default=None))
        enqueue("sequences.send", once_for=mailbox_id, workspace=str(workspace_id), mailbox=str(mailbox_id))
    return len(due)


def _waiting(mailbox_id: UUID) -> list[Enrolment]:
    """The mailbox's enrolments whose step has waited, as they are until the transaction ends; the oldest first."""
    found = Enrolment.objects.select_for_update(of=("self",)).select_related("sequence", "contact", "mailbox")
    waiting = found.filter(
        mailbox_id=mailbox_id, state=Enrolment.State.ACTIVE, due_at__lt=clock.now() - WAITED
    )
    return sorted(waiting.order_by("pk"), key=lambda each: each.due_at or clock.now())


def _spread(waiting: list[Enrolment], mailbox: Mailbox) -> list[datetime]:
    """Steps that have waited get times of their own; the times."""
    now = clock.now()
    pace = windows.pace(mailbox.daily_limit, timedelta(seconds=mailbox.gap_seconds))
    due = windows.spread(hours_of_many(waiting), start=now, pace=pace)
    for each, moment in zip(waiting, due, strict=True):
        each.due_at = moment
    Enrolment.objects.bulk_update(waiting, ["due_at"], batch_size=500)
    return due


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
    _to_next_step(list(left.values()))


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
                _to_next_step([(enrolment, clock.now())], skipped=True)
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


def end_task(
    task_id: UUID,
    done: bool,
    *,
    workspace_id: UUID,
    actor: Actor,
    subject: str | None = None,
    body: str | None = None,
) -> None:
    """A person did the task, or skips it. Raises Conflict where it was ended already.

    Done: an approved mail leaves when its mailbox may send, with `subject` and `body` where the person changed them;
    after anything else the next step is due after its delay. Skipped: the step is left out.
    """
    if done and body is not None and not body.strip():
        raise BadInput("The text is empty: nothing was approved. Write it, or skip this step.")
    with inside(workspace_id):
        task = Task.objects.select_for_update().get(pk=task_id)
        if task.state != Task.State.OPEN:
            raise Conflict("This task was ended already: it is " + task.get_state_display().lower() + ".")
        approved = done and task.kind == Task.Kind.APPROVAL
        if approved and body is not None:
            seal(task, "subject", " ".join((subject or "").split()))
            seal(task, "body", body.strip())
        task.state, task.ended_at = Task.State.DONE if done else Task.State.SKIPPED, clock.now()
        task.save()
        record(
            actor, tags.TASK_DONE if done else tags.TASK_SKIP, task, position=task.position, kind=task.kind
        )
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact", "mailbox")
            .get(pk=task.enrolment_id)
        )
        if enrolment.next_position != task.position:
            return
        if approved:
            if enrolment.state == Enrolment.State.ACTIVE:
                opening = hours_of(enrolment).opening(clock.now())
                enrolment.due_at, enrolment.reason = opening.at, opening.reason
                enrolment.save(update_fields=["due_at", "reason"])
            return
        _to_next_step([(enrolment, clock.now())], skipped=not done)


def remind(enrolment_id: UUID, due_local_date: date, *, workspace_id: UUID) -> datetime:
    """A person is to get back to the contact on the day that he named; nothing goes out by itself. When that is.

    Inside the caller's transaction. A later promise of the same enrolment moves the day.
    """
    with inside(workspace_id):
        enrolment = Enrolment.objects.select_related("sequence", "contact", "mailbox").get(pk=enrolment_id)
        due_at = windows.resume_after(due_local_date, hours_of(enrolment), buffer_days=0)
        _ask_person(enrolment, Task.Kind.REMINDER, due_at)
    return due_at


def ask_about_reply(enrolment_id: UUID, reason: str, *, workspace_id: UUID) -> None:
    """A person is to look at a reply now. Inside the caller's transaction."""
    with inside(workspace_id):
        enrolment = Enrolment.objects.select_related("contact", "mailbox").get(pk=enrolment_id)
        _ask_person(enrolment, Task.Kind.REPLY, clock.now(), reason)


def _ask_person(enrolment: Enrolment, kind: str, due_at: datetime, reason: str = "") -> None:
    """What an enrolment asks of a person outside its steps stands at position 0; what is asked last counts."""
    known = Task.objects.filter(enrolment=enrolment, position=0).first()
    task = known or Task(
        workspace_id=enrolment.workspace_id,
        mailbox=enrolment.mailbox,
        enrolment=enrolment,
        contact=enrolment.contact,
        position=0,
        created_at=clock.now(),
    )
    task.kind, task.due_at, task.reason = kind, due_at, reason[:200]
    task.state, task.ended_at = Task.State.OPEN, None
    task.save()
    record(BY_SENDING, tags.TASK_MAKE, task, position=0, kind=task.kind)


def looked_at_reply(enrolment_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """The person who was asked about a reply, or to keep a promise whose day has come, has done it."""
    with inside(workspace_id):
        for task in Task.objects.filter(
            enrolment_id=enrolment_id, position=0, state=Task.State.OPEN, due_at__lte=clock.now()
        ):
            task.state, task.ended_at = Task.State.DONE, clock.now()
            task.save(update_fields=["state", "ended_at"])
            record(actor, tags.TASK_DONE, task, position=0, kind=task.kind)


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


def _to_next_step(left: SequenceOf[tuple[Enrolment, datetime]], *, skipped: bool = False) -> None:
    """The step is out since then, or left out: the next one is due after its delay, or the enrolment is finished."""
    enrolments = [enrolment for enrolment, _ in left]
    following = _steps_at([(each, each.next_position + 1) for each in enrolments])
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
            _finish(enrolment)
            finished.append(enrolment)
        else:
            enrolment.due_at = rules.due(step.facts, hours[enrolment.pk], after=since).at
    _store(enrolments)
    record_each(entry(BY_SENDING, tags.ENROLMENT_FINISH, each) for each in finished)


def skip_step(enrolment: Enrolment, *, actor: Actor) -> None:
    """A member leaves the next step out. Inside the transaction that locks the enrolment."""
    record(actor, tags.ENROLMENT_SKIP, enrolment, position=enrolment.next_position, reason="by a member")
    enrolment.state = Enrolment.State.ACTIVE
    _to_next_step([(enrolment, clock.now())], skipped=True)


def _finish(enrolment: Enrolment) -> None:
    """Not stored yet."""
    enrolment.state, enrolment.due_at, enrolment.ended_at = Enrolment.State.FINISHED, None, clock.now()
    enrolment.reason = ""


# What goes on with an enrolment.
GOES_ON = (
    "state", "reason", "next_position", "stepped_at", "last_skipped", "last_variant", "due_at", "ended_at",
)  # fmt: skip


def _store(enrolments: Iterable[Enrolment]) -> None:
    rows.change(
        Enrolment, [({"id": each.pk}, {name: getattr(each, name) for name in GOES_ON}) for each in enrolments]
    )


def _plan_each(sends: SequenceOf[tuple[Enrolment, int]]) -> dict[UUID, Message]:
    """The step's mail of each stands in the outbox, and the enrolment waits for it. By the enrolment's id; without those
    whose mail cannot be composed, or left before."""
    before = _before(sends)
    plans = []
    for enrolment, position in sends:
        message_id = uuid7()
        written = _to_send(enrolment, position, before, optout.line(message_id))
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


# Why an enrolment waits for a person, by the kind of task; {} is the step's number.
WAITS_FOR = {
    Task.Kind.FOLLOW_UP: "step {} is yours to send: this mailbox sends first steps only",
    Task.Kind.APPROVAL: "step {} waits for your approval",
    Task.Kind.CALL: "step {} is a call, which waits in the tasks",
    Task.Kind.LINKEDIN: "step {} is for LinkedIn and waits in the tasks",
    Task.Kind.TASK: "step {} is a task and waits to be done",
}


def _make_task(enrolment: Enrolment, position: int, kind: str) -> None:
    """The step waits for a person, with its text, and the enrolment for that person."""
    if not Task.objects.filter(enrolment=enrolment, position=position).exists():
        # An approved mail is signed when it leaves, and says then how to opt out, by a link of its own.
        written = _written(
            enrolment, position, _before([(enrolment, position)]), opt_out=BY_REPLY,
            signed=kind == Task.Kind.FOLLOW_UP,
        )  # fmt: skip
        if written is None:
            return
        hours = hours_of(enrolment)
        local_date = clock.now().astimezone(ZoneInfo(hours.time_zone)).date()
        task = Task(
            workspace_id=enrolment.workspace_id,
            kind=kind,
            mailbox=enrolment.mailbox,
            enrolment=enrolment,
            contact=enrolment.contact,
            step=written.step,
            position=position,
            variant_id=written.variant_id,
            created_at=clock.now(),
            due_at=None
            if kind == Task.Kind.FOLLOW_UP
            else _end_of(hours.working_days_after(local_date, written.step.task_days), hours),
        )
        seal(task, "subject", written.mail.subject)
        seal(task, "body", written.mail.body)
        task.save(force_insert=True)
        record(BY_SENDING, tags.TASK_MAKE, task, position=position, kind=kind)
    enrolment.due_at = None
    enrolment.reason = WAITS_FOR[Task.Kind(kind)].format(position)
    enrolment.save(update_fields=["due_at", "reason"])


def _end_of(local_date: date, hours: windows.Hours) -> datetime:
    after = datetime.combine(local_date + timedelta(days=1), time.min, ZoneInfo(hours.time_zone))
    return after.astimezone(UTC) - timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Written:
    """A step as a contact gets it."""

    step: Step
    variant_id: UUID
    mail: Preview


@dataclass(frozen=True, slots=True)
class Before:
    """What writing a step needs to know of each enrolment: the step, its wordings, and what came before it."""

    steps: dict[UUID, Step]  # by enrolment
    wordings: dict[UUID, list[Variant]]  # by step
    approvals: dict[UUID, Task]  # by enrolment: the mail as a person approved it
    mails: dict[UUID, Message]  # by enrolment: the last mail before this step, which a follow-up answers
    # The subject of that mail's thread as it was sent. A step with a subject of its own opens another thread: mail
    # programs take one thread for one subject.
    subjects: dict[UUID, str]


def _before(writing: SequenceOf[tuple[Enrolment, int]]) -> Before:
    steps = _steps_at(writing)
    wordings: dict[UUID, list[Variant]] = {}
    for variant in Variant.objects.filter(step__in={each.pk for each in steps.values()}).order_by("pk"):
        wordings.setdefault(variant.step_id, []).append(variant)
    position_of = {enrolment.pk: position for enrolment, position in writing}
    approved = Task.objects.filter(enrolment__in=position_of, kind=Task.Kind.APPROVAL, state=Task.State.DONE)
    approvals = {
        each.enrolment_id: each for each in approved if each.position == position_of[each.enrolment_id]
    }
    last: dict[UUID, UUID] = {}
    earlier = (
        Message.objects.filter(enrolment_id__in=position_of)
        .exclude(state=Message.State.CANCELLED)  # skipped: nobody has it
        .order_by("position")
    )
    for message_id, enrolment_id, position in earlier.values_list("pk", "enrolment_id", "position"):
        if position < position_of[enrolment_id]:
            last[enrolment_id] = message_id
    found = Message.objects.in_bulk(set(last.values())) if last else {}
    mails = {enrolment_id: found[message_id] for enrolment_id, message_id in last.items()}
    opened = reveal_each(BY_SENDING, list(mails.values()), "subject", reason="to continue the thread")
    subjects = {
        enrolment_id: (content["subject"] or "").removeprefix("Re: ")
        for enrolment_id, content in zip(mails, opened, strict=True)
    }
    return Before(steps, wordings, approvals, mails, subjects)


def _steps_at(places: SequenceOf[tuple[Enrolment, int]]) -> dict[UUID, Step]:
    """The step of each enrolment's edition at a position, by enrolment; without those that have none there."""
    wanted = {
        enrolment.pk: (enrolment.sequence_id, enrolment.edition or enrolment.sequence.edition, position)
        for enrolment, position in places
    }
    found = Step.objects.filter(
        sequence__in={place[0] for place in wanted.values()},
        position__in={place[2] for place in wanted.values()},
    )
    steps = {(step.sequence_id, step.edition, step.position): step for step in found}
    return {enrolment_id: steps[place] for enrolment_id, place in wanted.items() if place in steps}


def _to_send(enrolment: Enrolment, position: int, before: Before, opt_out: str) -> Written | None:
    """The mail as a person approved it; where nobody was asked, the step as this contact gets it."""
    task, step = before.approvals.get(enrolment.pk), before.steps.get(enrolment.pk)
    if task is None or task.variant_id is None or step is None:
        return _written(enrolment, position, before, opt_out=opt_out)
    text = reveal(BY_SENDING, task, "subject", "body", reason="to send the approved mail")
    parts = parts_of(text["body"] or "", enrolment.mailbox, opt_out)
    return Written(step, task.variant_id, Preview(text["subject"] or "", parts.text, (), parts.html))


def step_of(enrolment: Enrolment, position: int) -> Step | None:
    return _steps_at([(enrolment, position)]).get(enrolment.pk)


def _written(
    enrolment: Enrolment, position: int, before: Before, *, opt_out: str, signed: bool = True
) -> Written | None:
    """The step as this contact gets it; None where that cannot be, and then the enrolment waits for a person."""
    step = before.steps[enrolment.pk]  # decide_next asks only for a step that is there
    variant = _variant(enrolment, step, before.wordings[step.pk])
    subject, body = names.open(variant, "subject") or "", names.open(variant, "body") or ""
    thread_subject = before.subjects.get(enrolment.pk, "")
    seed = seed_of(enrolment.sequence, enrolment.contact, position)
    try:
        if Kind(step.kind).is_mail:
            composed = compose(
                subject if subject.strip() or thread_subject else _opening_subject(enrolment, position),
                body,
                enrolment.contact,
                enrolment.mailbox,
                thread_subject=thread_subject,
                opt_out=opt_out,
                seed=seed,
                signed=signed,
            )
        else:  # what a person is to do; it is no mail, so nothing stands around it
            text, line = filled(subject, body, enrolment.contact, enrolment.mailbox, seed=seed)
            composed = Preview(line.text, text.text, (*text.missing, *line.missing))
    except templates.TemplateError as error:
        _cannot_compose(
            enrolment, f"Step {position} cannot be filled for this contact: {error}. Mend it, then resume."
        )
        return None
    if composed.missing:
        missing = ", ".join(composed.missing)
        _cannot_compose(enrolment, f"No value for {missing}: complete the contact, then resume.")
        return None
    return Written(step, variant.pk, composed)


def _variant(enrolment: Enrolment, step: Step, wordings: SequenceOf[Variant]) -> Variant:
    """The wording that this contact gets."""
    weights = [each.weight for each in wordings]
    return wordings[variants.choose_variant(enrolment.pk, step.pk, weights)]


def _cannot_compose(enrolment: Enrolment, reason: str) -> None:
    """The enrolment waits for a person; the others of its mailbox go on."""
    enrolment.state, enrolment.due_at, enrolment.reason = Enrolment.State.PAUSED, None, reason[:200]
    enrolment.save()
    record(BY_SENDING, tags.ENROLMENT_PAUSE, enrolment, reason="cannot be composed")


def _opening_subject(enrolment: Enrolment, position: int) -> str:
    """The subject for a follow-up whose opening mail was skipped: that of the nearest step before it that has one."""
    for earlier in range(position - 1, 0, -1):
        step = step_of(enrolment, earlier)
        if step is None or not Kind(step.kind).is_mail:
            continue
        variant = _variant(enrolment, step, list(step.variants.order_by("pk")))
        if subject := (names.open(variant, "subject") or "").strip():
            return subject
    return ""


# Days off


def take_days_off(
    member: Member, first: date, last: date, *, stand_in_id: UUID | None, actor: Actor
) -> Absence:
    """The member's steps wait from the first day to the last; a colleague's mailbox begins what has not begun.

    Raises BadInput.
    """
    if last < first:
        raise BadInput("The last day lies before the first one.")
    if last - first > timedelta(days=366):
        raise BadInput("Days off last a year at most. For longer, pause the mailbox.")
    with inside(member.workspace_id):
        stand_in = Mailbox.objects.filter(pk=stand_in_id).first() if stand_in_id else None
        if stand_in_id and (stand_in is None or not stand_in.is_connected or stand_in.member_id == member.pk):
            raise BadInput("Choose a colleague's mailbox that is connected, or nobody.")
        absence = Absence.objects.create(
            workspace_id=member.workspace_id,
            member=member,
            first_local_date=first,
            last_local_date=last,
            stand_in=stand_in,
            created_at=clock.now(),
        )
        record(
            actor,
            tags.ABSENCE_TAKE,
            absence,
            first=str(first),
            last=str(last),
            stand_in=str(stand_in_id or ""),
        )
        return absence


def give_back_days_off(absence_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """The member is not away then: what waited for his return looks again now."""
    with inside(workspace_id):
        absence = Absence.objects.get(pk=absence_id)
        member_id = absence.member_id
        record(actor, tags.ABSENCE_GIVE_BACK, absence, first=str(absence.first_local_date))
        absence.delete()
        mine = {"mailbox__member_id": member_id, "reason": windows.AWAY}
        Enrolment.objects.filter(state=Enrolment.State.ACTIVE, due_at__gt=clock.now(), **mine).update(
            due_at=clock.now(), reason=""
        )
        outbox.wake(**mine)
