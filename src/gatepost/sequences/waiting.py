"""Steps that wait for their mailbox, and what is due when it may send again."""

from collections.abc import Sequence as SequenceOf
from datetime import datetime, timedelta
from uuid import UUID

from gatepost import clock
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import gaps
from gatepost.mailboxes.models import Gap, Mailbox
from gatepost.outbox import actions as outbox
from gatepost.outbox.limits import BEGINS as LIMIT_BEGINS
from gatepost.outbox.limits import GAP
from gatepost.outbox.rules import CALENDAR_FIRST, PAUSED
from gatepost.sequences import windows
from gatepost.sequences.hours import hours_of_many
from gatepost.sequences.models import Enrolment


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
