"""Reads about sequences and enrolments, by the sending job."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gatepost import clock
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import is_suppressed
from gatepost.isolation import inside
from gatepost.mailboxes import gaps
from gatepost.mailboxes.features import why_it_may_not_send
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import Found, across_workspaces, with_workspace
from gatepost.outbox import counting, restored
from gatepost.outbox.actions import send_key
from gatepost.outbox.models import Message, Stray
from gatepost.outbox.protocol import OPEN, State
from gatepost.outbox.rules import GateFacts, MailboxFacts
from gatepost.prepared import Prepared
from gatepost.sequences.actions import is_internal, steps_of_edition
from gatepost.sequences.hours import hours_of, stand_in_of
from gatepost.sequences.models import Enrolment, Sequence, Step, Task, Variant
from gatepost.sequences.rules import ASKED_TO_WAIT, SEQUENCE_PAUSED, Condition, EnrolmentFacts, StepFacts
from gatepost.sequences.windows import Opening
from gatepost.text.snippets import named_in
from gatepost.vault import names

# How old "read through" may be before a follow-up leaves: a reply that was there ten seconds before is seen.
READ_MAX_AGE = timedelta(seconds=10)
READ_MAX_AGE_REAL = timedelta(seconds=2)  # what looking and sending take on a fast clock
LIMIT_LOOKED_AT_AGAIN = timedelta(minutes=10)  # an administrator may have lifted it
FOREVER = datetime.max.replace(tzinfo=ZoneInfo("UTC"))


_open_message = Prepared(
    lambda mailbox_id, now: (
        Message.objects.select_related("contact", "previous")
        .filter(mailbox_id=mailbox_id, state__in=OPEN, not_before__lte=now)
        .order_by("-hurry", "not_before", "number")[:1]
    )
)
_due_enrolment = Prepared(
    lambda mailbox_id, now: (
        Enrolment.objects.select_related("sequence", "contact", "contact__company", "mailbox__workspace")
        .filter(mailbox_id=mailbox_id, state=Enrolment.State.ACTIVE, due_at__lte=now)
        .order_by("due_at")[:1]
    )
)
_written = Prepared(
    lambda enrolment_id: (
        Message.objects.filter(enrolment_id=enrolment_id)
        .exclude(state=State.CANCELLED)
        .values_list("position")[:1]
    )
)
_causes = Prepared(
    lambda contact_id: Enrolment.objects.filter(contact_id=contact_id).exclude(cause="").values_list("cause")
)
_approval = Prepared(
    lambda enrolment_id, position: Task.objects.filter(
        enrolment_id=enrolment_id, position=position, kind=Task.Kind.APPROVAL, state=Task.State.DONE
    ).values_list("position")[:1]
)
_enrolment = Prepared(
    lambda enrolment_id: Enrolment.objects.select_related(
        "sequence", "contact", "contact__company", "mailbox"
    ).filter(pk=enrolment_id)
)
_step = Prepared(lambda step_id: Step.objects.filter(pk=step_id).values_list("position"))


def mailboxes_with_work(now: datetime) -> list[Found]:
    """Mailboxes with an enrolment or a message that is due."""
    return across_workspaces("mailboxes_with_work", now)


def open_message(mailbox: Mailbox, now: datetime) -> Message | None:
    """The oldest message of this mailbox that can be carried on now."""
    with inside(mailbox.workspace_id):
        return _open_message.first(mailbox.pk, now)


def due_enrolment(mailbox: Mailbox, now: datetime) -> tuple[Enrolment, EnrolmentFacts] | None:
    """The enrolment of this mailbox that is due longest, with all that the decision needs."""
    with inside(mailbox.workspace_id):
        enrolment = _due_enrolment.first(mailbox.pk, now)
        if enrolment is None:
            return None
        contact, sequence = enrolment.contact, enrolment.sequence
        address = names.open(contact, "email") or ""
        steps = {step.position: step for step in steps_of_edition(sequence, enrolment.edition)}
        step = steps.get(enrolment.next_position)
        return enrolment, EnrolmentFacts(
            next_position=enrolment.next_position,
            last_position=max(steps, default=0),
            sequence_active=sequence.state == Sequence.State.ACTIVE,
            suppressed=is_suppressed(enrolment.workspace_id, address) is not None,
            internal=is_internal(address, enrolment.mailbox),
            company_hold_until=contact.company.hold_until if contact.company else None,
            hours=hours_of(enrolment),
            sends="send" in enrolment.mailbox.running,
            follows_up={"drafts", "replies"} <= enrolment.mailbox.running,
            step=step.facts if step else StepFacts(),
            holds=holds(contact) | _about_the_step_before(enrolment),
            approved=_is_approved(enrolment),
            has_written=bool(_written.values(enrolment.pk)),
            stand_in=stand_in_of(enrolment.mailbox, now) is not None,
        )


def holds(contact: Contact) -> set[Condition]:
    """The conditions about a contact that are so. Inside the workspace."""
    causes = {cause for (cause,) in _causes.values(contact.pk)}
    so = {
        Condition.HAS_PHONE: contact.phone is not None,
        Condition.HAS_TITLE: contact.title is not None,
        Condition.HAS_COMPANY: contact.company_id is not None,
        Condition.NEVER_REPLIED: Enrolment.Cause.REPLY not in causes,
        Condition.NEVER_MET: Enrolment.Cause.MEETING not in causes,
    }
    return {condition for condition, is_so in so.items() if is_so}


def _about_the_step_before(enrolment: Enrolment) -> set[Condition]:
    return {Condition.STEP_SKIPPED if enrolment.last_skipped else Condition.STEP_DONE}


def _is_approved(enrolment: Enrolment) -> bool:
    return bool(_approval.values(enrolment.pk, enrolment.next_position))


def sequences_naming(snippet: str) -> list[Sequence]:
    """The sequences with a step that names the snippet."""
    naming = {
        each.step.sequence_id
        for each in Variant.objects.select_related("step")
        if any(snippet in named_in(names.open(each, part) or "") for part in ("subject", "body"))
    }
    return list(Sequence.objects.filter(pk__in=naming).order_by("name"))


def waiting_steps(mailbox: Mailbox, now: datetime) -> int:
    """How many steps of this mailbox are due and have not left. Inside the workspace."""
    due = Enrolment.objects.filter(mailbox=mailbox, state=Enrolment.State.ACTIVE, due_at__lte=now)
    planned = Message.objects.filter(
        mailbox=mailbox, state__in=(Message.State.PLANNED, Message.State.DRAFTED)
    )
    return due.count() + planned.count()


def returned(now: datetime) -> list[Found]:
    """Paused enrolments whose pause is over."""
    return across_workspaces("enrolments_returned", now)


def gate_facts(message: Message) -> GateFacts:
    """What the last gate looks at, read now."""
    with inside(message.workspace_id):
        now = clock.now()
        enrolment = _enrolment.first(message.enrolment_id)
        mailbox = with_workspace(message.mailbox_id)
        sending = restored.sending_of(mailbox)
        stopped = "the enrolment was removed"
        may_have_left = False
        paused_until, pause_reason, opening = None, "", Opening(now)
        address = names.open(message.contact, "email") or ""
        if message.reply_id is not None:
            # A member answers somebody who wrote: what ended or holds the sequence does not hold him.
            stopped = "" if enrolment is not None else stopped
            may_have_left = restored.may_have_left_before(message, mailbox, known_since=message.planned_at)
            if why := why_it_may_not_send(mailbox):
                paused_until, pause_reason = now + LIMIT_LOOKED_AT_AGAIN, why
        elif enrolment is not None:
            ended = enrolment.state in (Enrolment.State.STOPPED, Enrolment.State.FINISHED)
            stopped = (enrolment.reason or enrolment.get_cause_display() or "ended") if ended else ""
            if not stopped and not _step.values(message.step_id):
                stopped = "the step was removed from the sequence"
            paused_until, pause_reason = _pause(enrolment, now)
            if paused_until is None and (why := why_it_may_not_send(mailbox)):
                paused_until, pause_reason = now + LIMIT_LOOKED_AT_AGAIN, why
            may_have_left = restored.may_have_left_before(message, mailbox, known_since=enrolment.created_at)
            if message.hurry < Message.Hurry.NOW:
                opening = hours_of(enrolment).opening(now)
        return GateFacts(
            mailbox=mailbox_facts(
                mailbox, now, compared=sending.compared, company_id=message.contact.company_id
            ),
            is_follow_up=message.previous_id is not None,
            stopped=stopped,
            suppressed=is_suppressed(message.workspace_id, address) is not None,
            paused_until=paused_until,
            pause_reason=pause_reason,
            window_opens=opening.at,
            closed_reason=opening.reason,
            postponed_until=message.postponed_until,
            recovery=sending.recovery,
            sent_before=restored.sent_before(message),
            may_have_left=may_have_left,
        )


def mailbox_facts(
    mailbox: Mailbox, now: datetime, *, compared: bool, company_id: UUID | None = None
) -> MailboxFacts:
    return MailboxFacts(
        connected=mailbox.is_connected,
        not_before=mailbox.not_before,
        # A mailbox whose replies are not read has nothing to be read first.
        read_through=mailbox.read_through if "replies" in mailbox.running else now,
        limits=(
            *counting.of_mailbox(mailbox, now),
            *counting.shared(mailbox.workspace, mailbox.microsoft_tenant, company_id, now),
        ),
        pause=counting.pause_of(mailbox),
        max_age=clock.at_least(READ_MAX_AGE, real=READ_MAX_AGE_REAL),
        paused=mailbox.paused_at is not None,
        max_gap=gaps.oldest_read(),
        calendar_read=mailbox.calendar_read_through is not None or not gaps.reads_calendar(mailbox),
        compared=compared,
    )


def _pause(enrolment: Enrolment, now: datetime) -> tuple[datetime | None, str]:
    if enrolment.state == Enrolment.State.PAUSED:
        return enrolment.due_at or FOREVER, enrolment.reason or "paused"
    if enrolment.sequence.state != Sequence.State.ACTIVE:
        return now + timedelta(hours=1), SEQUENCE_PAUSED
    company = enrolment.contact.company
    if company is not None and company.hold_until is not None and company.hold_until > now:
        return company.hold_until, ASKED_TO_WAIT
    return None, ""


def load_message(workspace_id: UUID, message_id: UUID) -> Message | None:
    """The message, or None when it was erased."""
    with inside(workspace_id):
        return Message.objects.select_related("contact", "previous").filter(pk=message_id).first()


@dataclass(frozen=True, slots=True)
class WouldSend:
    """A step that leaves as soon as sending is let go on."""

    contact: Contact
    sequence: str
    sequence_id: UUID
    position: int
    mailbox_id: UUID


def would_send_now(workspace_id: UUID, *, most: int = 500) -> list[WouldSend]:
    """What is due by the database; not what the mailbox is known to have sent already."""
    now = clock.now()
    with inside(workspace_id):
        sent = set(Stray.objects.values_list("key", flat=True))
        waiting = Message.objects.filter(state__in=(State.PLANNED, State.DRAFTED)).select_related("contact")
        names_of = dict(Sequence.objects.values_list("id", "name"))
        found = [
            WouldSend(
                each.contact,
                names_of.get(each.sequence_id, ""),
                each.sequence_id,
                each.position,
                each.mailbox_id,
            )
            for each in waiting.order_by("planned_at")[:most]
        ]
        due = Enrolment.objects.select_related("contact", "sequence").filter(
            state=Enrolment.State.ACTIVE, due_at__lte=now, sequence__state=Sequence.State.ACTIVE
        )
        steps = {(step.sequence_id, step.edition, step.position): step.pk for step in Step.objects.all()}
        for each in due.order_by("due_at")[:most]:
            step = steps.get((each.sequence_id, each.edition, each.next_position))
            if step is not None and send_key(each.mailbox_id, each.pk, step) not in sent:
                found.append(
                    WouldSend(
                        each.contact,
                        each.sequence.name,
                        each.sequence_id,
                        each.next_position,
                        each.mailbox_id,
                    )
                )
    return found[:most]
