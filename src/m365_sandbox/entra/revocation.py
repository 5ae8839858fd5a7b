"""What ends a sign-in, and what does not.

Learn, refresh-tokens, table "Token revocation", column of confidential clients.
"""

from m365_sandbox.entities import User
from m365_sandbox.sandbox import Sandbox

REFRESH_TOKENS_DIE = {
    "password-expires": False,
    "password-changed-by-user": False,
    "self-service-reset": False,
    "admin-reset-azure": False,
    "admin-reset-entra": True,
    "user-revokes": True,
    "admin-revokes": True,
    "single-sign-out": False,
}
_NEW_PASSWORD = ("password-changed-by-user", "self-service-reset", "admin-reset-azure", "admin-reset-entra")


def revoke(sandbox: Sandbox, user: User, cause: str) -> None:
    """Let that happen to the user. Access tokens live on, save those under continuous access evaluation."""
    if cause not in REFRESH_TOKENS_DIE:
        raise ValueError(f"revoke is one of {', '.join(REFRESH_TOKENS_DIE)}, not {cause!r}.")
    # The sign-in that follows at once is a later one.
    moment = sandbox.now() + 0.001
    if cause == "password-expires":
        user.password_expired = True
    if cause in _NEW_PASSWORD or cause == "single-sign-out":
        user.sessions_valid_from = moment
    if cause in _NEW_PASSWORD:
        user.password_expired = False
    if REFRESH_TOKENS_DIE[cause]:
        user.tokens_valid_from = moment
    sandbox.store.save(user)
    if cause in _NEW_PASSWORD or REFRESH_TOKENS_DIE[cause]:
        challenge(sandbox, user)


def challenge(sandbox: Sandbox, user: User) -> int:
    """From now on Graph answers this user's tokens with a claims challenge, if the client can handle it."""
    tokens = [t for t in sandbox.store.access_tokens.values() if t.user == user.id and t.cae]
    for token in tokens:
        token.challenged = sandbox.now()
        sandbox.store.save(token)
    return len(tokens)
