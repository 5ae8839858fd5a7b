"""A step as a contact gets it: its wording, filled, in the thread of what came before."""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from uuid import UUID

from gatepost.audit import tags
from gatepost.audit.record import record
from gatepost.audit.reveal import reveal, reveal_each
from gatepost.outbox.models import Message
from gatepost.outbox.writing import parts_of
from gatepost.sequences import variants
from gatepost.sequences.actions import BY_SENDING
from gatepost.sequences.models import Enrolment, Step, Task, Variant
from gatepost.sequences.preview import Preview, compose, filled, seed_of
from gatepost.sequences.queries import step_of, steps_at
from gatepost.sequences.rules import Kind
from gatepost.text import templates
from gatepost.vault import names


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


def came_before(writing: SequenceOf[tuple[Enrolment, int]]) -> Before:
    """What there is to know before these steps are written, by a few queries for all of them."""
    steps = steps_at(writing)
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


def as_sent(enrolment: Enrolment, position: int, before: Before, opt_out: str) -> Written | None:
    """The mail as a person approved it; where nobody was asked, the step as this contact gets it."""
    task, step = before.approvals.get(enrolment.pk), before.steps.get(enrolment.pk)
    if task is None or task.variant_id is None or step is None:
        return as_written(enrolment, position, before, opt_out=opt_out)
    text = reveal(BY_SENDING, task, "subject", "body", reason="to send the approved mail")
    parts = parts_of(text["body"] or "", enrolment.mailbox, opt_out)
    return Written(step, task.variant_id, Preview(text["subject"] or "", parts.text, (), parts.html))


def as_written(
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
