"""Steps whose time has not come yet: they stand before the outbox, with their time, their reason, and what a person
may change about them. Their mail is written when they are due, by what is known then."""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.contacts.queries import display_name
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.mailboxes.queries import seen_by
from gatepost.outbox.actions import LONGEST_DELAY, POSTPONED, Changed
from gatepost.sequences import rules
from gatepost.sequences.actions import RUNNING
from gatepost.sequences.edits import AT_ONCE, delay_of
from gatepost.sequences.enrolments import skip_step
from gatepost.sequences.hours import hours_of_many
from gatepost.sequences.models import Enrolment, Step
from gatepost.sequences.windows import Hours
from gatepost.vault import names

CHANGES = ("now", "postpone", "skip")


@dataclass(frozen=True, slots=True)
class UpcomingRow:
    enrolment: Enrolment
    contact: str
    mailbox: str
    kind: str  # in words; "" where the step was removed meanwhile
    reason: str  # why it has not gone


def upcoming(member: Member) -> QuerySet[Enrolment]:
    """Enrolments whose next step has a time and is not in the outbox, as this member sees them."""
    rows = Enrolment.objects.filter(seen_by(member), state__in=RUNNING, due_at__isnull=False)
    return rows.select_related("sequence", "contact", "mailbox")


def rows_of(enrolments: SequenceOf[Enrolment]) -> list[UpcomingRow]:
    """As a list shows them. Two queries, however many there are."""
    steps = {
        (step.sequence_id, step.edition, step.position): step
        for step in Step.objects.filter(sequence_id__in={each.sequence_id for each in enrolments})
    }
    rows = []
    for each, hours in zip(enrolments, hours_of_many(enrolments), strict=True):
        step = steps.get((each.sequence_id, each.edition, each.next_position))
        rows.append(
            UpcomingRow(
                each,
                display_name(each.contact),
                names.open(each.mailbox, "address") or "",
                step.get_kind_display() if step else "",
                _reason(each, step, hours),
            )
        )
    return rows


def _reason(enrolment: Enrolment, step: Step | None, hours: Hours) -> str:
    """What keeps it: what is noted with it, else its delay, and what its hours add to that."""
    if enrolment.reason:
        return enrolment.reason
    if enrolment.due_at is None or enrolment.due_at <= clock.now():
        return _("due: it waits for the turn of its mailbox")
    if step is None:
        return ""
    delay = delay_of(step.delay_minutes, step.business_days)
    opening = rules.due(step.facts, hours, after=enrolment.stepped_at or enrolment.created_at)
    waits = "" if delay == AT_ONCE else _("%(delay)s after the step before") % {"delay": delay}
    return "; ".join(each for each in (waits, opening.reason) if each) or _("its first moment has not come")


def change(
    enrolment_id: UUID, name: str, until: datetime | None = None, *, workspace_id: UUID, actor: Actor
) -> None:
    """One of CHANGES: its next step is due now, not before a moment, or left out.

    Sending hours, limits and the do-not-contact list hold all the same. Raises BadInput, and Conflict where the step
    is in the outbox by now or the enrolment has ended.
    """
    now = clock.now()
    if name not in CHANGES:
        raise BadInput(f"There is no change {name!r}. Use {', '.join(CHANGES)}.")
    if name == "postpone" and not (until and now < until <= now + LONGEST_DELAY):
        raise BadInput("Postpone to a moment that is still to come, at most a year from now.")
    with inside(workspace_id):
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact", "mailbox")
            .get(pk=enrolment_id)
        )
        if enrolment.due_at is None or enrolment.state not in RUNNING:
            raise Conflict(
                "This step is in the outbox by now, waits for a person, or its enrolment has ended."
            )
        if name == "skip":
            skip_step(enrolment, actor=actor)
            return
        enrolment.state = Enrolment.State.ACTIVE
        enrolment.due_at, enrolment.reason = (now, "") if name == "now" else (until, POSTPONED)
        enrolment.save(update_fields=["state", "due_at", "reason"])
        due_at = enrolment.due_at.isoformat() if enrolment.due_at else ""
        record(actor, tags.ENROLMENT_DUE, enrolment, position=enrolment.next_position, due_at=due_at)


def change_each(
    enrolment_ids: SequenceOf[UUID], name: str, until: datetime | None, *, workspace_id: UUID, actor: Actor
) -> Changed:
    """One of CHANGES to each of these, each a change of its own; what cannot be changed is left out with its reason."""
    count, left_out = 0, []
    for enrolment_id in enrolment_ids:
        try:
            change(enrolment_id, name, until, workspace_id=workspace_id, actor=actor)
            count += 1
        except Conflict as error:
            left_out.append(error.message)
    return Changed(count, tuple(left_out))
