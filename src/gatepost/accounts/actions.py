import secrets
from uuid import UUID

from gatepost import clock
from gatepost.accounts.models import ApiToken, Member, User, Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput, Conflict
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.vault.sealing import installation_index

INSTALLER = Actor("operator", "command line")


def create_workspace(name: str, *, time_zone: str = "Europe/Berlin") -> Workspace:
    """A new, empty workspace."""
    workspace_id = uuid7()
    with inside(workspace_id):
        workspace = Workspace.objects.create(
            id=workspace_id, name=name, created_at=clock.now(), time_zone=time_zone
        )
        record(INSTALLER, tags.WORKSPACE_CREATE, workspace, workspace_id=workspace_id)
    return workspace


def add_member(
    workspace_id: UUID, *, email: str, name: str, role: str, password: str, actor: Actor
) -> Member:
    """Somebody can sign in to this workspace. Raises Conflict when the address is a member already."""
    if role not in Member.Role.values:
        raise BadInput(f"There is no role {role!r}. Use one of: {', '.join(Member.Role.values)}.")
    with inside(workspace_id):
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            user = User.objects.create_user(email, password)
        elif Member.objects.filter(workspace_id=workspace_id, user=user).exists():
            raise Conflict("This address is a member of the workspace already.")
        member = Member.objects.create(
            workspace_id=workspace_id, user=user, name=name, role=role, created_at=clock.now()
        )
        record(actor, tags.MEMBER_ADD, member, role=role)
    return member


TOKEN_PREFIX = "gatepost_"


def create_token(member: Member, name: str, *, actor: Actor) -> str:
    """A new API token of this member. It is returned once and cannot be shown again."""
    if not name.strip():
        raise BadInput("Give the token a name that says which program uses it.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with inside(member.workspace_id):
        made = ApiToken.objects.create(
            workspace_id=member.workspace_id,
            member=member,
            name=name.strip()[:100],
            token_index=installation_index("api-token", token),
            created_at=clock.now(),
        )
        record(actor, tags.TOKEN_CREATE, made, name=made.name)
    return token


def revoke_token(token_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """The token opens nothing any more, from this moment."""
    with inside(workspace_id):
        token = ApiToken.objects.select_for_update().get(pk=token_id)
        token.revoked_at = token.revoked_at or clock.now()
        token.save(update_fields=["revoked_at"])
        record(actor, tags.TOKEN_REVOKE, token)


def change_workspace(
    workspace_id: UUID, *, name: str, time_zone: str, internal_domains: list[str], actor: Actor
) -> None:
    """Name, time zone and the domains whose senders are colleagues."""
    with inside(workspace_id):
        workspace = Workspace.objects.select_for_update().get(pk=workspace_id)
        workspace.name, workspace.time_zone, workspace.internal_domains = name, time_zone, internal_domains
        workspace.save(update_fields=["name", "time_zone", "internal_domains"])
        record(
            actor,
            tags.WORKSPACE_SETTINGS,
            workspace,
            workspace_id=workspace_id,
            domains=len(internal_domains),
        )
