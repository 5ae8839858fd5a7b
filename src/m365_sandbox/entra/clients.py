"""How an app proves that it is itself: by a secret, or by an assertion signed with its certificate."""

import base64
import hmac
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from m365_sandbox.entities import App
from m365_sandbox.errors import EntraError
from m365_sandbox.sandbox import Sandbox

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Learn, certificate-credentials: PS256 is recommended, RS256 accepted.
ALGORITHMS = ("RS256", "PS256")
_NEEDED = ("aud", "exp", "iss", "sub")
_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Claim:
    """Who the request says it comes from, and by what it proves that."""

    client_id: str
    secret: str = ""
    assertion: str = ""


def authenticated(sandbox: Sandbox, tenant: str, form: dict[str, str], authorization: str) -> App:
    """The app whose credential is right; raises EntraError."""
    claim = _claim(form, authorization)
    if not claim.client_id:
        raise EntraError(900144, name="client_id")
    app = sandbox.store.apps.get(claim.client_id)
    if app is None:
        raise EntraError(700016, appIdentifier=claim.client_id, tenant=tenant)
    if not app.enabled:
        raise EntraError(7000112, appIdentifier=app.id, appName=app.name)
    if claim.assertion:
        _check_assertion(sandbox, app, claim.assertion)
    elif claim.secret:
        _check_secret(app, claim.secret, sandbox.now())
    else:
        raise EntraError(7000218)
    return app


def _claim(form: dict[str, str], authorization: str) -> Claim:
    if authorization.lower().startswith("basic "):
        try:
            name, _, secret = base64.b64decode(authorization[6:], validate=True).decode().partition(":")
        except ValueError:
            raise EntraError(9002313) from None
        return Claim(unquote(name), unquote(secret))
    if "client_assertion" not in form:
        return Claim(form.get("client_id", ""), form.get("client_secret", ""))
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise EntraError(900144, name="client_assertion_type")
    assertion = form["client_assertion"]
    return Claim(form.get("client_id") or _unverified(assertion).get("sub", ""), assertion=assertion)


def _check_secret(app: App, secret: str, now: float) -> None:
    """Any secret of the app will do; one that is right but expired has a refusal of its own."""
    first = {"value": app.secret, "expires": now if app.secret_expired else None}
    right = [
        s
        for s in [first, *app.more_secrets]
        if hmac.compare_digest(secret.encode(), str(s["value"]).encode())
    ]
    if not right:
        raise EntraError(7000215, appId=app.id)
    if all(s.get("expires") is not None and s["expires"] <= now for s in right):
        raise EntraError(7000222, appId=app.id)


def _unverified(assertion: str) -> dict[str, Any]:
    try:
        return jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise EntraError(50027, reason=f"token format isn't proper ({error}).") from None


def _check_assertion(sandbox: Sandbox, app: App, assertion: str) -> None:
    claims, header = _unverified(assertion), jwt.get_unverified_header(assertion)
    for name in _NEEDED:
        if name not in claims:
            raise EntraError(90014, name=name)
    if header.get("alg") not in ALGORITHMS:
        raise EntraError(50027, reason=f"the algorithm {header.get('alg')!r} isn't supported.")
    _check_signature(app, assertion, header)
    if claims["iss"] != app.id or claims["sub"] != app.id:
        raise EntraError(50027, reason="unexpected issuer or subject; both are the client id.")
    if not _is_for_us(str(claims["aud"])):
        raise EntraError(50027, reason="unexpected audience; it is the address of the token endpoint.")
    # The app's clock is the real one; the sandbox's may run ahead of it. Either may find the assertion valid.
    if not any(_in_time(claims, now) for now in (sandbox.now(), time.time())):
        raise EntraError(50027, reason="not within its valid time range.")


def _check_signature(app: App, assertion: str, header: dict[str, Any]) -> None:
    # msal leaves the padding on.
    named = str(header.get("x5t#S256") or header.get("x5t") or "").rstrip("=")
    if not named:
        raise EntraError(700027, reason="The header names no certificate: x5t or x5t#S256 is missing.")
    for pem in app.certificates:
        if named in thumbprints(pem):
            key = x509.load_pem_x509_certificate(pem.encode()).public_key()
            try:
                jwt.decode(
                    assertion, key, algorithms=list(ALGORITHMS),  # type: ignore[arg-type]
                    options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
                )  # fmt: skip
            except jwt.InvalidSignatureError:
                raise EntraError(700027, reason="Client assertion contains an invalid signature.") from None
            return
    raise EntraError(700027, reason=f"The key was not found. Thumbprint of key used by client: '{named}'")


def thumbprints(pem: str) -> tuple[str, str]:
    """x5t and x5t#S256 of a certificate; the ValueError says that it is none."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return _text(certificate.fingerprint(hashes.SHA1())), _text(certificate.fingerprint(hashes.SHA256()))


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_for_us(audience: str) -> bool:
    parts = urlsplit(audience)
    return parts.hostname == "login.microsoftonline.com" and parts.path.endswith(("/token", "/v2.0"))


def _in_time(claims: dict[str, Any], now: float) -> bool:
    return float(claims.get("nbf", 0)) - _SKEW_SECONDS <= now < float(claims["exp"]) + _SKEW_SECONDS
