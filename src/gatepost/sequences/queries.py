"""Reads about sequences and enrolments, by the sending job."""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Model, OuterRef, QuerySet, Subquery

from gatepost import clock
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import suppressed_among
from gatepost.contacts.rules import domain_of
from gatepost.isolation import inside
from gatepost.mailboxes import gaps
from gatepost.mailboxes.features import why_it_may_not_send
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import Found, across_workspaces, with_workspace
from gatepost.outbox import counting, restored
from gatepost.outbox.actions import send_key
from gatepost.outbox.limits import Counted
from gatepost.outbox.models import Message, Stray
from gatepost.outbox.protocol import OPEN, State
from gatepost.outbox.rules import GateFacts, MailboxFacts
from gatepost.sequences.hours import days_off, hours_of_many, stand_in_of
from gatepost.sequences.models import Enrolment, Sequence, Step, Task, Variant
from gatepost.sequences.rules import ASKED_TO_WAIT, SEQUENCE_PAUSED, Condition, EnrolmentFacts, StepFacts
from gatepost.sequences.windows import Opening
from gatepost.text.snippets import named_in
from gatepost.vault import names
from gatepost.vault.sealing import index

M = TypeVar("M", bound=Model)

# How old "read through" may be before a follow-up leaves: a reply that was there ten seconds before is seen.
READ_MAX_AGE = timedelta(seconds=10)
READ_MAX_AGE_REAL = timedelta(seconds=2)  # what looking and sending take on a fast clock
LIMIT_LOOKED_AT_AGAIN = timedelta(minutes=10)  # an administrator may have lifted it
FOREVER = datetime.max.replace(tzinfo=ZoneInfo("UTC"))


def mailboxes_with_work(now: datetime) -> list[Found]:
    """Mailboxes with an enrolment or a message that is due."""
    return across_workspaces("mailboxes_with_work", now)


def open_messages(mailboxes: SequenceOf[Mailbox]) -> list[Message | None]:
    """Of each mailbox the oldest message that can be carried on now. Inside their workspace."""
    can_go_on = Message.objects.filter(
        mailbox=OuterRef("pk"), state__in=OPEN, not_before__lte=clock.now()
    ).order_by("-hurry", "not_before", "number")
    return _first_of_each(mailboxes, can_go_on, _whole_messages())


def _whole_messages() -> QuerySet[Message]:
    """With all that carrying one on reads."""
    return Message.objects.select_related("contact", "previous", "mailbox__workspace")


def due_enrolments(mailboxes: SequenceOf[Mailbox]) -> list[tuple[Enrolment, EnrolmentFacts] | None]:
    """Of each mailbox the enrolment that is due longest, with all that the decision needs. Inside their workspace."""
    due = Enrolment.objects.filter(
        mailbox=OuterRef("pk"), state=Enrolment.State.ACTIVE, due_at__lte=clock.now()
    ).order_by("due_at")
    with_all = Enrolment.objects.select_related(
        "sequence", "contact", "contact__company", "mailbox__workspace"
    )
    found = _first_of_each(mailboxes, due, with_all)
    enrolments = [each for each in found if each is not None]
    facts = dict(zip(enrolments, _facts_of(enrolments), strict=True))
    return [None if each is None else (each, facts[each]) for each in found]


def _first_of_each(mailboxes: SequenceOf[Mailbox], which: QuerySet[M], whole: QuerySet[M]) -> list[M | None]:
    """Of each mailbox the first of these rows: found by an index alone, then read with all that belongs to it."""
    of_mailbox = (
        Mailbox.objects.filter(pk__in={each.pk for each in mailboxes})
        .annotate(first=Subquery(which.values("pk")[:1]))
        .filter(first__isnull=False)
    )
    firsts = dict(of_mailbox.values_list("pk", "first"))
    found = whole.in_bulk(set(firsts.values())) if firsts else {}
    return [found.get(firsts.get(each.pk)) for each in mailboxes]


def _facts_of(enrolments: SequenceOf[Enrolment]) -> list[EnrolmentFacts]:
    if not enrolments:
        return []
    ids = [each.pk for each in enrolments]
    steps = {
        (step.sequence_id, step.edition, step.position): step
        for step in Step.objects.filter(sequence_id__in={each.sequence_id for each in enrolments})
    }
    last: dict[tuple[UUID, int], int] = {}
    for sequence_id, edition, position in steps:
        last[sequence_id, edition] = max(position, last.get((sequence_id, edition), 0))
    addresses = [names.open(each.contact, "email") or "" for each in enrolments]
    suppressed = suppressed_among(enrolments[0].workspace_id, set(addresses))
    away = days_off({each.mailbox.member_id for each in enrolments})
    causes: dict[UUID, set[str]] = {}
    for contact_id, cause in (
        Enrolment.objects.filter(contact_id__in={each.contact_id for each in enrolments})
        .exclude(cause="")
        .values_list("contact_id", "cause")
    ):
        causes.setdefault(contact_id, set()).add(cause)
    approved = set(
        Task.objects.filter(enrolment_id__in=ids, kind=Task.Kind.APPROVAL, state=Task.State.DONE).values_list(
            "enrolment_id", "position"
        )
    )
    written = set(
        Message.objects.filter(enrolment_id__in=ids)
        .exclude(state=State.CANCELLED)
        .values_list("enrolment_id", flat=True)
    )
    facts = []
    for enrolment, address, hours in zip(enrolments, addresses, hours_of_many(enrolments, away), strict=True):
        contact, mailbox = enrolment.contact, enrolment.mailbox
        edition = enrolment.edition or enrolment.sequence.edition
        step = steps.get((enrolment.sequence_id, edition, enrolment.next_position))
        facts.append(
            EnrolmentFacts(
                next_position=enrolment.next_position,
                last_position=last.get((enrolment.sequence_id, edition), 0),
                sequence_active=enrolment.sequence.state == Sequence.State.ACTIVE,
                suppressed=address in suppressed,
                internal=is_internal(address, mailbox),
                company_hold_until=contact.company.hold_until if contact.company else None,
                hours=hours,
                sends="send" in mailbox.running,
                follows_up={"drafts", "replies"} <= mailbox.running,
                step=step.facts if step else StepFacts(),
                holds=_holds(contact, causes.get(contact.pk, set())) | _about_the_step_before(enrolment),
                approved=(enrolment.pk, enrolment.next_position) in approved,
                has_written=enrolment.pk in written,
                stand_in=mailbox.member_id in away and stand_in_of(mailbox, clock.now()) is not None,
            )
        )
    return facts


def steps_of(sequence: Sequence, edition: int | None = None) -> QuerySet[Step]:
    """The steps that those get who are enrolled now, or those of an edition; in order."""
    return Step.objects.filter(sequence=sequence, edition=edition or sequence.edition).order_by("position")


def is_internal(address: str, mailbox: Mailbox) -> bool:
    """Whether an address belongs to the mailbox's organisation: seen at connect, or added by an administrator."""
    domain = domain_of(address)
    added = {each.casefold() for each in mailbox.workspace.internal_domains}
    return domain in added or index(mailbox.workspace_id, "domain", domain) in mailbox.domain_indexes


def steps_at(places: SequenceOf[tuple[Enrolment, int]]) -> dict[UUID, Step]:
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


def step_of(enrolment: Enrolment, position: int) -> Step | None:
    """The same for one enrolment."""
    return steps_at([(enrolment, position)]).get(enrolment.pk)


def holds(contact: Contact) -> set[Condition]:
    """The conditions about a contact that are so. Inside the workspace."""
    causes = Enrolment.objects.filter(contact=contact).exclude(cause="").values_list("cause", flat=True)
    return _holds(contact, set(causes))


def _holds(contact: Contact, causes: set[str]) -> set[Condition]:
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


def gate_facts(messages: SequenceOf[Message]) -> list[GateFacts]:
    """What the last gate looks at for each, read now. All are of one workspace. Inside it."""
    now = clock.now()
    enrolments = Enrolment.objects.select_related("sequence", "contact__company").in_bulk(
        {each.enrolment_id for each in messages}
    )
    mailboxes = with_workspace(
        {each.mailbox_id for each in messages} | {each.mailbox_id for each in enrolments.values()}
    )
    for enrolment in enrolments.values():
        enrolment.mailbox = mailboxes[enrolment.mailbox_id]
    hours = dict(zip(enrolments, hours_of_many(enrolments.values()), strict=True))
    steps = set(Step.objects.filter(pk__in={each.step_id for each in messages}).values_list("pk", flat=True))
    sending = restored.sending_of_each(mailboxes[each.mailbox_id] for each in messages)
    sent_before = restored.sent_before(messages)
    addresses = [names.open(each.contact, "email") or "" for each in messages]
    suppressed = suppressed_among(messages[0].workspace_id, set(addresses))
    places = [
        (
            *counting.own(mailboxes[each.mailbox_id], now),
            *counting.shared(
                mailboxes[each.mailbox_id].workspace,
                mailboxes[each.mailbox_id].microsoft_tenant,
                each.contact.company_id,
            ),
        )
        for each in messages
    ]
    counted = counting.count((place for its in places for place in its), now)
    facts = []
    for number, message in enumerate(messages):
        mailbox, found = mailboxes[message.mailbox_id], enrolments.get(message.enrolment_id)
        stopped = "the enrolment was removed"
        may_have_left = False
        paused_until, pause_reason, opening = None, "", Opening(now)
        if message.reply_id is not None:
            # A member answers somebody who wrote: what ended or holds the sequence does not hold him.
            stopped = "" if found is not None else stopped
            may_have_left = restored.may_have_left_before(message, mailbox, known_since=message.planned_at)
            if why := why_it_may_not_send(mailbox):
                paused_until, pause_reason = now + LIMIT_LOOKED_AT_AGAIN, why
        elif found is not None:
            ended = found.state in (Enrolment.State.STOPPED, Enrolment.State.FINISHED)
            stopped = (found.reason or found.get_cause_display() or "ended") if ended else ""
            if not stopped and message.step_id not in steps:
                stopped = "the step was removed from the sequence"
            paused_until, pause_reason = _pause(found, now)
            if paused_until is None and (why := why_it_may_not_send(mailbox)):
                paused_until, pause_reason = now + LIMIT_LOOKED_AT_AGAIN, why
            may_have_left = restored.may_have_left_before(message, mailbox, known_since=found.created_at)
            if message.hurry < Message.Hurry.NOW:
                opening = hours[found.pk].opening(now)
        facts.append(
            GateFacts(
                mailbox=mailbox_facts(
                    mailbox,
                    [counted[place] for place in places[number]],
                    now,
                    compared=sending[number].compared,
                ),
                is_follow_up=message.previous_id is not None,
                stopped=stopped,
                suppressed=addresses[number] in suppressed,
                paused_until=paused_until,
                pause_reason=pause_reason,
                window_opens=opening.at,
                closed_reason=opening.reason,
                postponed_until=message.postponed_until,
                recovery=sending[number].recovery,
                sent_before=sent_before[number],
                may_have_left=may_have_left,
            )
        )
    return facts


def mailbox_facts(
    mailbox: Mailbox, counted: SequenceOf[Counted], now: datetime, *, compared: bool
) -> MailboxFacts:
    return MailboxFacts(
        connected=mailbox.is_connected,
        not_before=mailbox.not_before,
        # A mailbox whose replies are not read has nothing to be read first.
        read_through=mailbox.read_through if "replies" in mailbox.running else now,
        limits=tuple(counted),
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
        return _whole_messages().filter(pk=message_id).first()


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
