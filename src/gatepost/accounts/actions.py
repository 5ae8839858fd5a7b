import secrets
from collections.abc import Iterable
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from gatepost import clock
from gatepost.accounts import leaving, rules, sessions
from gatepost.accounts.membership import memberships
from gatepost.accounts.models import ApiToken, Member, User, Workspace
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput, Conflict, NotAllowed
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
        user = User.objects.filter(email=email.lower()).first() or new_user(email, password)
        member = join(workspace_id, user, name=name, role=role)
        record(actor, tags.MEMBER_ADD, member, role=role)
    return member


def new_user(email: str, password: str | None, *, proved: bool = False) -> User:
    """Somebody who can sign in; without a password only by single sign-on. `proved`: mail to the address reached him."""
    user = User.objects.create_user(email, password)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=proved)
    return user


def join(workspace_id: UUID, user: User, *, name: str, role: str) -> Member:
    """Inside a transaction: the user belongs to the workspace; who was removed comes back as he was known.
    Raises Conflict where he is a member already."""
    known = Member.objects.select_for_update().filter(user=user).first()
    if known is None:
        return Member.objects.create(
            workspace_id=workspace_id, user=user, name=name, role=role, created_at=clock.now()
        )
    if known.removed_at is None:
        raise Conflict("This address is a member of the workspace already.")
    known.name, known.role, known.removed_at = name, role, None
    known.save(update_fields=["name", "role", "removed_at"])
    return known


def change_role(member_id: UUID, role: str, *, by: Member, actor: Actor) -> None:
    """The member has this role from the next request on. Raises NotAllowed, BadInput."""
    if role not in Member.Role.values:
        raise BadInput(f"There is no role {role!r}. Use one of: {', '.join(Member.Role.values)}.")
    with inside(by.workspace_id):
        member = _for_change(member_id, by=by, role_after=role)
        before, member.role = member.role, role
        if before != role:
            member.save(update_fields=["role"])
            record(actor, tags.MEMBER_ROLE, member, before=before, role=role)


def remove_member(member_id: UUID, *, heir_id: UUID | None, by: Member, actor: Actor) -> None:
    """The member can do nothing here any more: sessions and API tokens have ended. His mailboxes belong to the heir, or
    are disconnected. What he did keeps his name. Raises NotAllowed, BadInput."""
    with inside(by.workspace_id):
        member = _for_change(member_id, by=by, role_after=None)
        heir = Member.objects.filter(pk=heir_id, removed_at__isnull=True).first() if heir_id else None
        if heir_id and (heir is None or heir.pk == member.pk or not heir.may(rules.Ability.WORK)):
            raise BadInput("Hand the mailboxes over to a member who is no auditor.")
        member.removed_at = clock.now()
        member.save(update_fields=["removed_at"])
        tokens = ApiToken.objects.filter(member=member, revoked_at__isnull=True).update(
            revoked_at=clock.now()
        )
        leaving.pass_on(member, heir, actor)
        ended = sessions.end(member.user_id)
        record(
            actor,
            tags.MEMBER_REMOVE,
            member,
            heir=str(heir.pk) if heir else "",
            tokens=tokens,
            sessions=ended,
        )


def end_sessions(member_id: UUID, *, by: Member, actor: Actor) -> int:
    """The member must sign in again everywhere. Returns how many sessions ended."""
    with inside(by.workspace_id):
        member = _for_change(member_id, by=by)
        ended = sessions.end(member.user_id)
        record(actor, tags.MEMBER_SESSIONS_END, member, sessions=ended)
    return ended


def _for_change(member_id: UUID, *, by: Member, role_after: str | None = "") -> Member:
    """The member, locked, if `by` may change him; `role_after` "" leaves the role. The owners are locked with him, so that
    two requests at once cannot remove the last two."""
    owners = list(
        Member.objects.select_for_update().filter(role=rules.OWNER, removed_at__isnull=True).order_by("pk")
    )
    member = Member.objects.select_for_update().get(pk=member_id, removed_at__isnull=True)
    no = rules.may_change_member(
        actor_role=by.role,
        role_before=member.role,
        role_after=member.role if role_after == "" else role_after,
        owners=len(owners),
        themselves=member.pk == by.pk,
    )
    if no is not None:
        raise NotAllowed(no.reason)
    return member


def change_sign_in(
    workspace_id: UUID, *, requires: str, tenants: Iterable[str], proof: rules.Proof, actor: Actor
) -> None:
    """What the workspace asks of those who sign in. Raises BadInput where it would lock out whoever changes it."""
    tenants = sorted(set(tenants))
    shut = rules.closed(requires=requires, tenants=tenants, proof=proof)
    if shut is not None:
        raise BadInput(LOCKED_OUT[shut.needs])
    with inside(workspace_id):
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        workspace.sign_in_requires, workspace.sign_in_tenants = requires, tenants
        workspace.save(update_fields=["sign_in_requires", "sign_in_tenants"])
        record(
            actor,
            tags.WORKSPACE_SIGN_IN,
            workspace,
            workspace_id=workspace_id,
            requires=requires,
            tenants=tenants,
        )


LOCKED_OUT = {
    "another_organisation": "You are signed in from an organisation that is not on this list, so you would lock yourself "
    "out. Add it, or sign in with your password first.",
    rules.SINGLE_SIGN_ON: "You would lock yourself out: sign in by single sign-on yourself first, then come back here.",
    rules.SECOND_FACTOR: "You would lock yourself out: set up your own second factor first, under “Your sign-in”.",
}


def recover(email: str) -> User:
    """For the operator: the person's second factors are gone and his sessions have ended, and workspaces that he owns ask
    for a password only, so that a new password lets him in. Raises BadInput."""
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        raise BadInput("Nobody here signs in with this address.")
    factors, _ = Authenticator.objects.filter(user_id=user.pk).delete()
    sessions.end(user.pk)
    for place in memberships(user.pk):
        with inside(place.workspace_id):
            member = Member.objects.select_related("workspace").get(pk=place.member_id)
            if member.may(rules.Ability.OWN):
                member.workspace.sign_in_requires = ""
                member.workspace.save(update_fields=["sign_in_requires"])
            record(INSTALLER, tags.MEMBER_SIGN_IN_CHANGE, member, what="recovered", factors=factors)
    return user


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
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        workspace.name, workspace.time_zone, workspace.internal_domains = name, time_zone, internal_domains
        workspace.save(update_fields=["name", "time_zone", "internal_domains"])
        record(
            actor,
            tags.WORKSPACE_SETTINGS,
            workspace,
            workspace_id=workspace_id,
            domains=len(internal_domains),
        )
