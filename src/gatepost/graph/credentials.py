"""How our app registration proves to Microsoft that it is itself: by a secret, or by a certificate that signs.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its private key. Microsoft has the certificate; the key never leaves this machine."""

    private_key: str
    public: str
    ends: datetime

    def __repr__(self) -> str:
        return f"Certificate(***, ends={self.ends:%Y-%m-%d})"


Credential = str | Certificate


def read_certificate(pem: bytes) -> Certificate:
    """The certificate and key of a PEM file. The ValueError says what is missing or does not fit."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise ValueError("holds no certificate (-----BEGIN CERTIFICATE-----)") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError):
        raise ValueError("holds no private key without a password (-----BEGIN PRIVATE KEY-----)") from None
    if key.public_key() != certificate.public_key():
        raise ValueError("holds a private key that does not belong to its certificate")
    return Certificate(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate.public_bytes(Encoding.PEM).decode(),
        certificate.not_valid_after_utc,
    )


def for_msal(credential: Credential) -> str | dict[str, Any]:
    """The form in which msal takes it; of a certificate it makes the SHA-256 thumbprint itself."""
    if isinstance(credential, Certificate):
        return {"private_key": credential.private_key, "public_certificate": credential.public}
    return str(credential)
