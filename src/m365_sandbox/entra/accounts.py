"""Tenants, users, guests and personal accounts: who may sign in where."""

from collections.abc import Iterator

from m365_sandbox.entities import App, Tenant, User
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox

# Learn, id-token-claims-reference: the tenant of all personal accounts.
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
ANY_TENANT = ("common", "organizations", "consumers")

# Learn, grant-admin-consent: who may approve delegated permissions for a tenant. `admin` holds all of them.
APPROVERS = ("admin", "privileged-role-admin", "cloud-application-admin", "application-admin")
ROLES = ("user", "global-admin", *APPROVERS)


def find_tenant(sandbox: Sandbox, name: str) -> Tenant | None:
    return sandbox.store.tenants.get(name) or sandbox.store.tenant_by_domain.get(name.lower())


def authority(sandbox: Sandbox, name: str) -> str:
    """One name for a tenant's id and its domain; `common` and the like stay what they are."""
    tenant = find_tenant(sandbox, name)
    return name if tenant is None or name in ANY_TENANT else tenant.id


def home_of(sandbox: Sandbox, user: User) -> User:
    """The user where they come from; of a guest, that is another tenant."""
    return sandbox.store.users.get(user.home, user)


def address_of(sandbox: Sandbox, user: User) -> str:
    return home_of(sandbox, user).address


def enabled(sandbox: Sandbox, user: User) -> bool:
    return user.enabled and home_of(sandbox, user).enabled


def may_approve(sandbox: Sandbox, user: User) -> bool:
    """Whether this user may consent for the whole tenant."""
    return user.role in APPROVERS or (
        user.role == "global-admin" and sandbox.switches.global_admin_approves == "yes"
    )


def in_tenant(sandbox: Sandbox, user: User, tenant: Tenant) -> User | None:
    """The user as that tenant knows them: at home, or as a guest."""
    if user.tenant == tenant.id:
        return user
    return next(
        (
            guest
            for guest in sandbox.store.users.values()
            if guest.home == user.id and guest.tenant == tenant.id
        ),
        None,
    )


def entering(sandbox: Sandbox, app: App, authority_name: str, address: str) -> User:
    """Whom this address signs in as at that authority; raises EntraError when it cannot."""
    user = sandbox.user(address.strip())
    if user is None:
        raise EntraError(50034)
    personal = user.tenant == PERSONAL_TENANT
    if authority_name == "organizations" and personal or authority_name == "consumers" and not personal:
        raise EntraError(500208)
    named = None if authority_name in ANY_TENANT else find_tenant(sandbox, authority_name)
    found = in_tenant(sandbox, user, named) if named is not None else user
    if found is None or (personal and named is None and not app.personal_accounts):
        raise EntraError(
            50020, email=user.address, idp="live.com" if personal else sandbox.tenant_of(user).name,
            tenant=authority_name, appid=app.id, appName=app.name,
        )  # fmt: skip
    if not enabled(sandbox, found):
        raise EntraError(50057)
    return found


def offered(sandbox: Sandbox, authority_name: str, domain_hint: str = "") -> list[User]:
    """The accounts that the picker shows: those of the people behind the app, then administrators."""
    tenant = None if authority_name in ANY_TENANT else find_tenant(sandbox, authority_name)
    users = [user for user in sandbox.store.users.values() if _belongs(user, authority_name, tenant)]
    if domain_hint:
        users = [user for user in users if _hinted(sandbox, user, domain_hint)]
    reps = [user for user in users if user.person is None and user.kind == "rep" and not user.home]
    return reps + [user for user in users if user.role != "user" and user not in reps]


def _belongs(user: User, authority_name: str, tenant: Tenant | None) -> bool:
    if tenant is not None:
        return user.tenant == tenant.id
    personal = user.tenant == PERSONAL_TENANT
    return {"organizations": not personal, "consumers": personal}.get(authority_name, True)


def _hinted(sandbox: Sandbox, user: User, hint: str) -> bool:
    personal = user.tenant == PERSONAL_TENANT
    if hint in ("organizations", "consumers"):
        return personal == (hint == "consumers")
    return sandbox.tenant_of(user).domain == hint.lower()


def approvers(sandbox: Sandbox, tenant: Tenant) -> Iterator[User]:
    """Those of the tenant who may approve."""
    return (u for u in sandbox.store.users.values() if u.tenant == tenant.id and may_approve(sandbox, u))
