"""Telling members what they can act on, once: in the app and by letter."""

from uuid import UUID

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.isolation import inside
from gatepost.mailboxes.models import Gap, Mailbox, Notice
from gatepost.mailboxes.queries import across_workspaces
from gatepost.post.letters import send

LETTER = "mailboxes.notice"  # written in mailboxes/letters.py
ADMINISTRATORS = (Member.Role.OWNER, Member.Role.ADMIN)


def tell(
    member: Member,
    kind: str,
    *,
    about: str = "",
    mailbox: Mailbox | None = None,
    gap: Gap | None = None,
    by_letter: bool = True,
) -> Notice:
    """The member finds the notice in the app, and a letter leaves. Inside the caller's transaction."""
    notice = Notice.objects.create(
        workspace_id=member.workspace_id,
        member=member,
        mailbox=mailbox,
        gap=gap,
        kind=kind,
        about=about[:60],
        created_at=clock.now(),
    )
    if by_letter:
        send(LETTER, workspace_id=member.workspace_id, about=notice.pk)
    return notice


def tell_administrators(kind: str, about: str) -> int:
    """Every owner and administrator of every workspace is told. How many they are."""
    told = 0
    for found in across_workspaces("workspace_ids"):
        with inside(found.workspace_id):
            # What was said before of the same matter is out of date.
            Notice.objects.filter(kind=kind, seen_at__isnull=True).update(seen_at=clock.now())
            for member in Member.objects.select_related("user").filter(role__in=ADMINISTRATORS):
                tell(member, kind, about=about)
                told += 1
    return told


def unseen(member: Member) -> list[Notice]:
    """What the member was told and has not put away, newest first. Inside the workspace."""
    found = Notice.objects.select_related("mailbox__workspace", "gap").filter(
        member=member, seen_at__isnull=True
    )
    return list(found.order_by("-created_at")[:20])


def put_away(notice_id: UUID, member: Member) -> None:
    with inside(member.workspace_id):
        Notice.objects.filter(pk=notice_id, member=member).update(seen_at=clock.now())
