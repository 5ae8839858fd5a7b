"""The id token, right or wrong on order."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from m365_sandbox import ids
from m365_sandbox.entities import App, User
from m365_sandbox.entra import accounts, keys
from m365_sandbox.sandbox import Sandbox

_DAY = 86400
_OTHER = "0f1e2d3c-4b5a-4968-8776-655443322110"
_WITHOUT = {
    "audience_missing": "aud", "tenant_missing": "tid", "nonce_missing": "nonce", "expiry_missing": "exp",
    "subject_missing": "sub", "object_missing": "oid",
}  # fmt: skip


def issue(sandbox: Sandbox, app: App, user: User, scopes: list[str], nonce: str) -> str | None:
    """The id token of this sign-in; None when it was ordered away."""
    claims = _claims(sandbox, app, user, scopes, nonce)
    wrong = sandbox.orders.wrong_id_token(accounts.address_of(sandbox, user))
    if wrong:
        return _broken(keys.private_key(sandbox), claims, wrong)
    return keys.sign(keys.private_key(sandbox), claims)


def _claims(sandbox: Sandbox, app: App, user: User, scopes: list[str], nonce: str) -> dict[str, Any]:
    """Learn, id-token-claims-reference: `oid`, `name`, `preferred_username` come with the scope `profile`."""
    # Relying parties check these times against the real clock or the sandbox's; both must be content, so the
    # token is valid from the earlier of the two until an hour after the later.
    now, real = int(sandbox.now()), int(time.time())
    home = accounts.home_of(sandbox, user)
    claims: dict[str, Any] = {
        "aud": app.id, "iss": f"{keys.LOGIN}/{user.tenant}/v2.0", "iat": min(now, real),
        "nbf": min(now, real),
        "exp": max(now, real) + 3600, "aio": ids.key(), "rh": ids.key(), "uti": ids.key(), "ver": "2.0",
        "sub": subject(app, user), "tid": user.tenant, "email": home.address,
    }  # fmt: skip
    if "profile" in scopes:
        claims |= {"name": user.name, "oid": user.id, "preferred_username": home.address}
    if home is not user:
        claims["idp"] = f"https://sts.windows.net/{home.tenant}/"
    if nonce:
        claims["nonce"] = nonce
    return claims


def client_info(sandbox: Sandbox, user: User) -> str:
    """What msal names the account by: object and tenant where the user comes from."""
    home = accounts.home_of(sandbox, user)
    return _text(json.dumps({"uid": home.id, "utid": home.tenant}).encode())


def subject(app: App, user: User) -> str:
    """The same for the same app, another for another: pairwise."""
    return _text(hashlib.sha256(f"{app.id}/{user.id}".encode()).digest())


def _broken(pem: str, claims: dict[str, Any], wrong: str) -> str | None:
    if wrong in _WITHOUT:
        return keys.sign(pem, {name: value for name, value in claims.items() if name != _WITHOUT[wrong]})
    changed = _changed(claims, wrong)
    if changed:
        return keys.sign(pem, {**claims, **changed})
    return _unsigned(pem, claims, wrong)


def _changed(claims: dict[str, Any], wrong: str) -> dict[str, Any]:
    tomorrow, yesterday = claims["exp"] + _DAY, claims["iat"] - _DAY
    changes: dict[str, dict[str, Any]] = {
        "issuer_of_another_tenant": {"iss": f"{keys.LOGIN}/{_OTHER}/v2.0"},
        "issuer_placeholder": {"iss": f"{keys.LOGIN}/{{tenantid}}/v2.0"},
        "issuer_v1": {"iss": f"https://sts.windows.net/{claims['tid']}/"},
        "issuer_elsewhere": {"iss": f"https://login.example/{claims['tid']}/v2.0"},
        "audience_other": {"aud": _OTHER},
        "tenant_other": {"tid": _OTHER},
        "nonce_other": {"nonce": ids.key()},
        "expired": {"iat": yesterday - 3600, "nbf": yesterday - 3600, "exp": yesterday},
        "not_yet_valid": {"nbf": tomorrow, "exp": tomorrow + 3600},
        "issued_in_the_future": {"iat": tomorrow, "exp": tomorrow + 3600},
    }
    return changes.get(wrong, {})


def _unsigned(pem: str, claims: dict[str, Any], wrong: str) -> str | None:
    """Those whose claims are right, and whose signature is not."""
    good = keys.sign(pem, claims)
    head, body, signature = good.split(".")
    match wrong:
        case "signature_broken":
            return f"{head}.{_text(json.dumps({**claims, 'oid': _OTHER}).encode())}.{signature}"
        case "signature_missing":
            return f"{head}.{body}."
        case "signed_by_another_key":
            return keys.sign(keys.make_key(), claims, kid=keys.key_id(pem))
        case "key_unknown":
            return keys.sign(keys.make_key(), claims)
        case "algorithm_none":
            return jwt.encode(claims, "", algorithm="none", headers={"kid": keys.key_id(pem)})
        case "algorithm_hs256":
            return _by_hmac(pem, body)
        case "garbled":
            return "this.is-no.token"
    return None


def _by_hmac(pem: str, body: str) -> str:
    """Signed with the public key as if it were a secret: the trap for clients that believe `alg`."""
    public = serialization.load_pem_private_key(pem.encode(), password=None).public_key()
    secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = _text(json.dumps({"alg": "HS256", "typ": "JWT", "kid": keys.key_id(pem)}).encode())
    return f"{head}.{body}.{_text(hmac.digest(secret, f'{head}.{body}'.encode(), 'sha256'))}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
