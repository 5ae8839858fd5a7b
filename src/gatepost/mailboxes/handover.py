"""What becomes of a member's mailboxes when he is removed: another member gets them, or they are disconnected.

Handing over is for a mailbox that goes on in the organisation's hands. Sequences that send from it go on.
"""

from django.db import models
from django.utils.translation import ngettext

from gatepost.accounts.leaving import on_leaving
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.mailboxes.actions import disconnect
from gatepost.mailboxes.models import Mailbox


def _count(member: Member) -> str:
    number = _theirs(member).count()
    return ngettext("%d mailbox", "%d mailboxes", number) % number if number else ""


def _pass_on(member: Member, heir: Member | None, actor: Actor) -> None:
    for mailbox in _theirs(member).select_for_update():
        if heir is None:
            disconnect(mailbox.pk, workspace_id=member.workspace_id, actor=actor)
        else:
            mailbox.member = heir
            mailbox.save(update_fields=["member"])
            record(
                actor, tags.MAILBOX_HAND_OVER, mailbox, mailbox_id=mailbox.pk, member_before=str(member.pk)
            )


def _theirs(member: Member) -> "models.QuerySet[Mailbox]":
    return Mailbox.objects.filter(member=member).exclude(state=Mailbox.State.DISCONNECTED)


on_leaving(_count, _pass_on)
