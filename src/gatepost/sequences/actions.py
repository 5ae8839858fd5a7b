"""The sequence itself: writing its steps, its schedule, starting, pausing and archiving it."""

from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from datetime import timedelta
from typing import TypedDict, Unpack
from uuid import UUID

from django.db.models import Max, QuerySet

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.audit.record import job as by_job
from gatepost.contacts.queries import field_names
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import notices
from gatepost.mailboxes.models import Notice
from gatepost.outbox import actions as outbox
from gatepost.outbox.models import Message
from gatepost.sequences import rules, variants, windows
from gatepost.sequences.edits import EVERYBODY, ONLY_NEW, WHO, StepDraft, Wording
from gatepost.sequences.hours import hours_of_many
from gatepost.sequences.models import Enrolment, Sequence, Step, Variant
from gatepost.sequences.preview import FIELDS, check
from gatepost.sequences.queries import steps_of
from gatepost.sequences.rules import Condition, Kind
from gatepost.snippets.queries import known_names
from gatepost.text import spintax, templates
from gatepost.vault import names
from gatepost.vault.sealing import seal

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


def pause_if_too_many(sequence_id: UUID) -> None:
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
