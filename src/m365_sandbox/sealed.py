"""Notifications that carry the item: sealed for the subscriber, with proof of who sent them.

https://learn.microsoft.com/graph/change-notifications-with-resource-data
"""

import base64
import hashlib
import hmac
import os
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from m365_sandbox import ids
from m365_sandbox.entities import Subscription
from m365_sandbox.sandbox import Sandbox

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The application that Microsoft's change notifications come from."""
SHORTEST_KEY, LONGEST_KEY = 2048, 4096


class NoCertificate(ValueError):
    """It is none, or its key will not do."""


def certificate(text: str) -> x509.Certificate:
    """The certificate of a subscription: base64 of X.509, with an RSA key of 2048 to 4096 bits."""
    try:
        found = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise NoCertificate(f"encryptionCertificate is no base64 of an X.509 certificate: {error}") from None
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or not SHORTEST_KEY <= key.key_size <= LONGEST_KEY:
        raise NoCertificate(
            f"encryptionCertificate needs an RSA key of {SHORTEST_KEY} to {LONGEST_KEY} bits."
        )
    return found


def seal(content: bytes, subscription: Subscription) -> dict[str, str]:
    """encryptedContent: AES-CBC with a new key, whose first 16 bytes are the IV; the key by RSA-OAEP."""
    to = certificate(subscription.certificate)
    key = os.urandom(32)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    public = to.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = asymmetric.OAEP(asymmetric.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    return {
        "data": base64.b64encode(data).decode(),
        "dataSignature": base64.b64encode(hmac.new(key, data, hashlib.sha256).digest()).decode(),
        "dataKey": base64.b64encode(public.encrypt(key, oaep)).decode(),
        "encryptionCertificateId": subscription.certificate_id,
        "encryptionCertificateThumbprint": to.fingerprint(hashes.SHA1()).hex().upper(),
    }


def validation_token(sandbox: Sandbox, app: str, tenant: str) -> str:
    """A v1 token by which the subscriber knows that Microsoft sent this."""
    from m365_sandbox.entra import keys  # the sign-in side keeps the signing key

    now = int(sandbox.now())
    claims: dict[str, Any] = {
        "aud": app, "iss": f"https://sts.windows.net/{tenant}/", "iat": now, "nbf": now, "exp": now + 3600,
        "appid": PUBLISHER, "azp": PUBLISHER, "appidacr": "2", "tid": tenant, "idtyp": "app", "ver": "1.0",
        "oid": ids.guid(), "sub": ids.guid(),
        "idp": f"https://sts.windows.net/{tenant}/", "uti": ids.key(),
    }  # fmt: skip
    return keys.sign(keys.private_key(sandbox), claims)
