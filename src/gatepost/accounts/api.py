"""Members and invitations over the API, for those who may administer the workspace."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status

from gatepost.accounts import actions, invitations
from gatepost.accounts.models import Member
from gatepost.accounts.tokens import administrator, reads
from gatepost.isolation import inside

router = Router(tags=["members"])


class MemberOut(Schema):
    id: UUID
    name: str
    email: str
    role: str
    since: str


class RoleIn(Schema):
    role: str


class InvitationIn(Schema):
    email: str
    role: str


class InvitationOut(Schema):
    id: UUID
    email: str
    role: str
    expires_at: str
    link: str = ""  # where no mail server is set: to hand over


@router.get("/members", response=list[MemberOut], summary="List members")
@reads
def members(request: HttpRequest) -> list[dict[str, Any]]:
    found = Member.objects.filter(removed_at__isnull=True).select_related("user").order_by("created_at")
    return [_shown(member) for member in found]


@router.put("/members/{member_id}/role", response=MemberOut, summary="Give a member another role")
def change_role(request: HttpRequest, member_id: UUID, given: RoleIn) -> dict[str, Any]:
    asking = administrator(request)
    actions.change_role(member_id, given.role, by=asking.member, actor=asking.actor)
    with inside(asking.workspace_id):
        return _shown(Member.objects.select_related("user").get(pk=member_id))


@router.delete("/members/{member_id}", response={204: None}, summary="Remove a member")
def remove_member(request: HttpRequest, member_id: UUID, heir: UUID | None = None) -> Status[None]:
    """`heir`: the member who gets the mailboxes. Without one they are disconnected."""
    asking = administrator(request)
    actions.remove_member(member_id, heir_id=heir, by=asking.member, actor=asking.actor)
    return Status(204, None)


@router.get("/invitations", response=list[InvitationOut], summary="List open invitations")
def list_invitations(request: HttpRequest) -> list[dict[str, Any]]:
    asking = administrator(request)
    with inside(asking.workspace_id):
        return [_invitation(each) for each in invitations.open_invitations()]


@router.post("/invitations", response={201: InvitationOut}, summary="Invite somebody")
def invite(request: HttpRequest, given: InvitationIn) -> Status[dict[str, Any]]:
    asking = administrator(request)
    sent = invitations.invite(given.email, given.role, by=asking.member, actor=asking.actor)
    with inside(asking.workspace_id):
        link = "" if sent.by_letter else invitations.link_of(sent.invitation)
        return Status(201, {**_invitation(sent.invitation), "link": link})


@router.delete("/invitations/{invitation_id}", response={204: None}, summary="Revoke an invitation")
def revoke_invitation(request: HttpRequest, invitation_id: UUID) -> Status[None]:
    asking = administrator(request)
    invitations.revoke(invitation_id, by=asking.member, actor=asking.actor)
    return Status(204, None)


def _shown(member: Member) -> dict[str, Any]:
    return {
        "id": member.pk,
        "name": member.name,
        "email": member.user.email,
        "role": member.role,
        "since": member.created_at.isoformat(),
    }


def _invitation(invitation: Any) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "email": invitations.address_of(invitation),
        "role": invitation.role,
        "expires_at": invitation.expires_at.isoformat(),
    }
