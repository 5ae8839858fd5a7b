"""Asking somebody to join: by a letter with a signed link that works once, for a week."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connections

from gatepost import clock
from gatepost.accounts import rules
from gatepost.accounts.actions import join, new_user
from gatepost.accounts.models import Invitation, Member, User
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput, Conflict, NotAllowed
from gatepost.isolation import inside
from gatepost.post import letters
from gatepost.vault import names
from gatepost.vault.sealing import index, seal

SALT = "invitation"
LETTER = "accounts.invitation"


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation, and whether a letter carries it. Where no mail server is set, its link must be handed over."""

    invitation: Invitation
    by_letter: bool


def invite(email: str, role: str, *, by: Member, actor: Actor) -> Sent:
    """Somebody is asked to join with this role; asked before, with the new role and a new link.
    Raises BadInput, NotAllowed, Conflict."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise BadInput("This is no email address.") from None
    _require_may_give(role, by)
    with inside(by.workspace_id):
        if Member.objects.filter(user__email=address, removed_at__isnull=True).exists():
            raise Conflict("This address is a member of the workspace already.")
        key = index(by.workspace_id, "address", address)
        open_ones = Invitation.objects.select_for_update()
        invitation = open_ones.filter(
            address_index=key, accepted_at__isnull=True, revoked_at__isnull=True
        ).first()
        if invitation is not None:
            invitation.role = role
            return _send(invitation, by=by, actor=actor)
        invitation = Invitation(
            workspace_id=by.workspace_id, address_index=key, role=role, created_at=clock.now(), issue=0
        )
        seal(invitation, "address", address)
        return _send(invitation, by=by, actor=actor)


def send_again(invitation_id: UUID, *, by: Member, actor: Actor) -> Sent:
    """A new letter with a new link, for another week; the earlier link works no more."""
    with inside(by.workspace_id):
        invitation = _open(invitation_id)
        _require_may_give(invitation.role, by)
        return _send(invitation, by=by, actor=actor)


def revoke(invitation_id: UUID, *, by: Member, actor: Actor) -> None:
    """The link works no more."""
    with inside(by.workspace_id):
        invitation = _open(invitation_id)
        _require_may_give(invitation.role, by)
        invitation.revoked_at = clock.now()
        invitation.save(update_fields=["revoked_at"])
        record(actor, tags.INVITATION_REVOKE, invitation)


def find(token: str) -> Invitation | None:
    """The invitation of a link, if it can still be accepted."""
    try:
        row, issue = signing.Signer(salt=SALT).unsign_object(token)
        wanted = UUID(row)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT workspace_id FROM invitation_of(%s)", [wanted])
        found = cursor.fetchone()
    if found is None:
        return None
    with inside(found[0]):
        invitation = (
            Invitation.objects.select_related("workspace", "invited_by")
            .filter(pk=wanted, issue=issue, accepted_at__isnull=True, revoked_at__isnull=True)
            .first()
        )
    return invitation if invitation is not None and invitation.expires_at > clock.now() else None


def accept(token: str, *, name: str, password: str | None = None, user: User | None = None) -> Member:
    """The invited person belongs to the workspace: as the `user` he is already, or as a new one. The link is used up.
    Raises Conflict where it cannot be accepted (any more)."""
    found = find(token)
    if found is None:
        raise Conflict("This invitation was used, revoked or has run out. Ask for a new one.")
    with inside(found.workspace_id):
        invitation = _open(found.pk)  # locked: of two tabs one joins
        if invitation.issue != found.issue:
            raise Conflict("This invitation was sent again. Use the link in the newer letter.")
        address = address_of(invitation)
        if user is None:
            if User.objects.filter(email=address).exists():
                raise Conflict("You have an account here already. Sign in, and open the link again.")
            user = new_user(address, password, proved=invitation.mailed)
        elif user.email != address:
            raise Conflict("This invitation is for another address. Sign out, and open the link again.")
        member = join(invitation.workspace_id, user, name=name.strip()[:100] or address, role=invitation.role)
        invitation.accepted_at = clock.now()
        invitation.save(update_fields=["accepted_at"])
        record(Actor("member", str(member.pk)), tags.INVITATION_ACCEPT, invitation, role=member.role)
    return member


def link_of(invitation: Invitation) -> str:
    """The address that accepts it. Whoever has it can join."""
    token = signing.Signer(salt=SALT).sign_object([str(invitation.pk), invitation.issue])
    return f"{settings.GATEPOST_PUBLIC_URL}/join/{quote(token)}/"


def address_of(invitation: Invitation) -> str:
    return names.open(invitation, "address") or ""


def open_invitations() -> list[Invitation]:
    """Inside a workspace: those that were not accepted or revoked, newest first; some may have run out."""
    found = Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True)
    return list(found.select_related("invited_by").order_by("-created_at"))


@letters.letter(LETTER)
def write(about: UUID) -> letters.Letter | None:
    found = (
        Invitation.objects.select_related("workspace", "invited_by")
        .filter(pk=about, accepted_at__isnull=True, revoked_at__isnull=True)
        .first()
    )
    if found is None:
        return None
    context = {
        "workspace": found.workspace.name,
        "by": found.invited_by.name if found.invited_by else "",
        "role": found.get_role_display(),
        "link": link_of(found),
        "until": found.expires_at,
    }
    return letters.from_template("accounts/letters/invitation.txt", context, to=address_of(found))


def _send(invitation: Invitation, *, by: Member, actor: Actor) -> Sent:
    invitation.invited_by = by
    invitation.issue += 1
    invitation.expires_at = clock.now() + rules.INVITATION_LIFE
    invitation.mailed = letters.send(LETTER, workspace_id=by.workspace_id, about=invitation.pk)
    invitation.save()
    record(actor, tags.INVITATION_SEND, invitation, role=invitation.role, by_letter=invitation.mailed)
    return Sent(invitation, invitation.mailed)


def _open(invitation_id: UUID) -> Invitation:
    found = Invitation.objects.select_for_update().filter(
        pk=invitation_id, accepted_at__isnull=True, revoked_at__isnull=True
    )
    invitation = found.first()
    if invitation is None:
        raise Conflict("This invitation was accepted or revoked already.")
    return invitation


def _require_may_give(role: str, by: Member) -> None:
    if role not in Member.Role.values:
        raise BadInput(f"There is no role {role!r}. Use one of: {', '.join(Member.Role.values)}.")
    if not by.may(rules.Ability.ADMINISTER):
        raise NotAllowed("Only an owner or administrator of the workspace can do this.")
    if role == rules.OWNER and not by.may(rules.Ability.OWN):
        raise NotAllowed("Only an owner can make, change or remove an owner.")
