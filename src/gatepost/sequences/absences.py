"""Days off of a member."""

from datetime import date, timedelta
from uuid import UUID

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox import actions as outbox
from gatepost.sequences import windows
from gatepost.sequences.models import Absence, Enrolment


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
