"""Signing what the installation says, so that anybody can check later that it said so (Ed25519, RFC 8032)."""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gatepost.vault import keys

SEED_BYTES = 32


def canonical(said: dict[str, Any]) -> bytes:
    """The one way to write this JSON: names in order, no white space, UTF-8 (RFC 8785; `jq -cjS` writes the same).

    For texts, whole numbers, lists and objects only.
    """
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(said: dict[str, Any], *, purpose: str) -> str:
    """The signature of the installation's key for this purpose, in base64."""
    return base64.b64encode(_private(purpose).sign(canonical(said))).decode()


def public_key(purpose: str) -> str:
    """What others check signatures of this purpose with, as PEM, which openssl reads."""
    return (
        _private(purpose).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )


def is_signed(said: dict[str, Any], signature: str, *, public: str) -> bool:
    """Whether the owner of this public key said exactly this."""
    try:
        key = load_pem_public_key(public.encode())
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(base64.b64decode(signature, validate=True), canonical(said))
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(purpose: str) -> Ed25519PrivateKey:
    # Derived from a key of the keystore, so that it is kept, wrapped and backed up like all others.
    seed = keys.installation_index_key(f"sign-{purpose}").primary().compute(b"ed25519", SEED_BYTES)
    return Ed25519PrivateKey.from_private_bytes(seed)
