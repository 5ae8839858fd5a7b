"""What an app asks for, and what that comes to."""

from m365_sandbox import permissions
from m365_sandbox.entities import App, User
from m365_sandbox.entra import consent
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox

DEFAULT = ".default"
_RESOURCES = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")


def read(text: str, tenant: str) -> list[str]:
    """The names in `scope`. Raises EntraError: another resource, an unknown name, `.default` mixed."""
    names: list[str] = []
    for part in text.split():
        resource, _, name = part.rpartition("/")
        if resource and resource.lower().rstrip("/") not in _RESOURCES:
            raise EntraError(500011, name=resource, tenant=tenant)
        known = [DEFAULT] if name.lower() == DEFAULT else permissions.parse_scopes(name)
        if not known:
            raise EntraError(70011)
        names += [name for name in known if name not in names]
    # Learn, scopes-oidc: .default goes with the OpenID scopes, with no other.
    if DEFAULT in names and any(name not in (DEFAULT, *permissions.OIDC) for name in names):
        raise EntraError(70011)
    return names


def resolve(sandbox: Sandbox, app: App, user: User, names: list[str]) -> list[str]:
    """`.default` is all that is granted already, else what the registration lists."""
    if DEFAULT not in names:
        return names
    granted = [name for name in consent.granted(sandbox, app, user) if name not in permissions.OIDC]
    meant = granted or app.static_scopes
    if not meant:
        raise EntraError(65005)
    return [*(name for name in names if name != DEFAULT), *meant]
