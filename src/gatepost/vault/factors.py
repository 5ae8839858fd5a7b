"""Secrets of people's second factors, sealed as text for allauth's table. Only accounts.signin opens them.

They belong to people, who may be members of several workspaces, and so their key is the installation's.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable

from tink import TinkError, aead

from gatepost.vault import keys
from gatepost.vault.sealing import NotReadable

PURPOSE = "second-factor"
KEY = keys.installation_sealing_name(PURPOSE)
PLACE = PURPOSE.encode()


def seal(text: str) -> str:
    return urlsafe_b64encode(keys.installation_sealing_key(PURPOSE).encrypt(text.encode(), PLACE)).decode()


def open(sealed: str) -> str:
    try:
        try:
            return keys.installation_sealing_key(PURPOSE).decrypt(urlsafe_b64decode(sealed), PLACE).decode()
        except TinkError:
            # Another process may seal with a generation of the key that we do not know yet.
            key = keys.installation_sealing_key(PURPOSE, anew=True)
            return key.decrypt(urlsafe_b64decode(sealed), PLACE).decode()
    except (TinkError, ValueError) as error:
        raise NotReadable("The secret of a second factor cannot be opened.") from error


def is_made_by(sealed: str, marks: Iterable[bytes]) -> bool:
    """Whether a generation of the key with one of these marks made it."""
    try:
        return urlsafe_b64decode(sealed).startswith(tuple(marks))
    except ValueError:
        return False


def reseal(sealed: str, key: aead.Aead) -> str | None:
    """The same secret, sealed by the newest generation of this key; None where it does not open. It shows itself to nobody."""
    try:
        return urlsafe_b64encode(key.encrypt(key.decrypt(urlsafe_b64decode(sealed), PLACE), PLACE)).decode()
    except (TinkError, ValueError):
        return None
