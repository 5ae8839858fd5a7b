"""Opting out with one click (RFC 8058): the address that stands in a mail, and what it leads back to.

The address holds the message's id and a keyed hash of it, so nothing is stored for it and nobody can make one.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from gatepost.vault.sealing import installation_index

OWN_HOSTS = ("localhost", "127.0.0.1", "::1")
BY_REPLY = "If you would rather not hear from me, just reply and say so."


def is_public() -> bool:
    """Whether a mail provider somewhere else can reach our address; RFC 8058 asks for https."""
    parts = urlsplit(settings.GATEPOST_PUBLIC_URL)
    return parts.scheme == "https" and parts.hostname not in OWN_HOSTS


def address(message_id: UUID) -> str:
    return f"{settings.GATEPOST_PUBLIC_URL}/unsubscribe/{token_of(message_id)}/"


def line(message_id: UUID) -> str:
    """How the mail itself says it."""
    if not is_public():
        return BY_REPLY
    return f"If you would rather not hear from me: {address(message_id)}"


def headers(message_id: UUID) -> tuple[tuple[str, str], ...]:
    """The headers by which mail programs offer it. None without a public address."""
    if not is_public():
        return ()
    return (
        ("List-Unsubscribe", f"<{address(message_id)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def token_of(message_id: UUID) -> str:
    whole = message_id.bytes + bytes.fromhex(_hash(message_id))
    return urlsafe_b64encode(whole).decode().rstrip("=")


def message_of(token: str) -> UUID | None:
    """The message whose address this is; None for one that we did not make."""
    try:
        whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        message_id = UUID(bytes=whole[:16])
    except (NotBase64, ValueError):
        return None
    known = secrets.compare_digest(whole[16:].hex(), _hash(message_id))
    # One spelling each: base64 has spare bits at its end.
    return message_id if known and secrets.compare_digest(token, token_of(message_id)) else None


def _hash(message_id: UUID) -> str:
    return installation_index("unsubscribe", str(message_id))
