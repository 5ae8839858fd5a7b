"""Checking a receipt. It needs no database, so that whoever was given a receipt can do it anywhere."""

import json
from dataclasses import dataclass
from typing import Any

from gatepost.erasure.rules import RECEIPT_FORMAT
from gatepost.errors import BadInput
from gatepost.vault.signing import is_signed


@dataclass(frozen=True, slots=True)
class Checked:
    """What a receipt says, and whether it can be believed."""

    said: dict[str, Any]
    is_signed: bool  # by the key that stands in it: nothing was changed since
    is_ours: bool  # and that key is the one that it was compared with


def check(text: str, *, public: str) -> Checked:
    """A receipt, compared with a public key (PEM). Raises BadInput for what is no receipt."""
    try:
        whole = json.loads(text)
        said, signature, key = whole["receipt"], whole["signature"], whole["public_key"]
        known = said["format"] == RECEIPT_FORMAT and isinstance(signature, str) and isinstance(key, str)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise BadInput("This is no receipt of Gatepost: a JSON file with receipt, signature and public_key.")
    return Checked(said, is_signed(said, signature, public=key), is_signed(said, signature, public=public))
