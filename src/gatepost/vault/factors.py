"""Secrets of people's second factors, sealed as text for allauth's table. Only accounts.signin imports this."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from tink import TinkError

from gatepost.vault import keys
from gatepost.vault.sealing import NotReadable

PLACE = b"second-factor"


def seal(text: str) -> str:
    return urlsafe_b64encode(
        keys.installation_sealing_key("second-factor").encrypt(text.encode(), PLACE)
    ).decode()


def open(sealed: str) -> str:
    try:
        key = keys.installation_sealing_key("second-factor")
        return key.decrypt(urlsafe_b64decode(sealed), PLACE).decode()
    except (TinkError, ValueError) as error:
        raise NotReadable("The secret of a second factor cannot be opened.") from error
