"""Who has signed in at this browser: a sealed note, kept as a cookie and carried through the pages' forms."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from m365_sandbox.entra import accounts, keys
from m365_sandbox.sandbox import Sandbox

COOKIE = "m365_sandbox_account"


@dataclass(frozen=True, slots=True)
class Session:
    """`user` signed in at `signed_in`, and passed a second factor at `mfa_at` (0: not)."""

    user: str
    signed_in: float
    mfa_at: float = 0.0


def seal(sandbox: Sandbox, sessions: Iterable[Session]) -> str:
    text = json.dumps([astuple(session) for session in sessions]).encode()
    note = base64.urlsafe_b64encode(text).decode().rstrip("=")
    return f"{note}.{_mac(sandbox, note)}"


def opened(sandbox: Sandbox, sealed: str | None) -> list[Session]:
    """The sessions of a note that is ours, save those which a change of password or a revocation ended."""
    note, _, mac = (sealed or "").partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(sandbox, note).encode()):
        return []
    rows = json.loads(base64.urlsafe_b64decode(note + "=="))
    return [session for session in (Session(*row) for row in rows) if _holds(sandbox, session)]


def _holds(sandbox: Sandbox, session: Session) -> bool:
    user = sandbox.store.users.get(session.user)
    if user is None:
        return False
    home = accounts.home_of(sandbox, user)
    ended = max(user.tokens_valid_from, home.tokens_valid_from, home.sessions_valid_from)
    return session.signed_in >= ended


def _mac(sandbox: Sandbox, note: str) -> str:
    key = hashlib.sha256(keys.private_key(sandbox).encode()).digest()
    return hmac.new(key, note.encode(), "sha256").hexdigest()[:32]
