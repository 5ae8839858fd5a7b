"""Conditional access: what stands between a user who is who they say and a token. Pure."""

import base64
import hashlib
import json

from m365_sandbox.entities import Tenant, User
from m365_sandbox.errors import EntraError

BLOCKS = {
    "block": 53003, "compliant-device": 53000, "domain-joined-device": 53001, "device": 50097,
    "external-challenge": 50158, "risk": 50131, "security-policy": 530032, "security-defaults": 530035,
}  # fmt: skip
RULES = ("", "mfa", *BLOCKS)
# Learn, reference-error-codes, tells of these to the client; the page lets the user through.
_TOKEN_ONLY = (50097, 50131, 50158)
_WITH_CLAIMS = (50076, 50078, 50079, 50158)


def obstacle(tenant: Tenant, user: User, *, mfa_at: float, now: float) -> EntraError | None:
    """Why the tenant refuses a token to a sign-in that passed its second factor at `mfa_at` (0: never)."""
    rule = tenant.conditional_access
    if rule in BLOCKS:
        return _refusal(BLOCKS[rule], tenant)
    if rule != "mfa":
        return None
    if not mfa_at:
        return _refusal(50076 if user.mfa_enrolled else 50079, tenant)
    if tenant.mfa_hours and now - mfa_at > tenant.mfa_hours * 3600:
        return _refusal(50078, tenant)
    return None


def wants_second_factor(error: EntraError) -> bool:
    return error.code in (50076, 50078, 50079)


def shows_on_page(error: EntraError) -> bool:
    return error.code not in _TOKEN_ONLY


def _refusal(code: int, tenant: Tenant) -> EntraError:
    return EntraError(code, claims=claims_for(tenant) if code in _WITH_CLAIMS else "")


def claims_for(tenant: Tenant) -> str:
    """The claims that the client has to bring to its next request (Learn, claims-challenge)."""
    policy = hashlib.sha256(tenant.id.encode()).hexdigest()
    guid = "-".join((policy[:8], policy[8:12], policy[12:16], policy[16:20], policy[20:32]))
    return json.dumps({"access_token": {"capolids": {"essential": True, "values": [guid]}}})


def declares_cp1(claims: str) -> bool:
    """Whether the client says that it can handle claims challenges (xms_cc with cp1)."""
    values = _access_token(claims).get("xms_cc", {}).get("values", [])
    return any(str(value).lower() == "cp1" for value in values)


def readable(claims: str) -> bool:
    try:
        return isinstance(json.loads(claims), dict)
    except ValueError:
        return False


def _access_token(claims: str) -> dict[str, dict[str, list[str]]]:
    if not claims or not readable(claims):
        return {}
    return json.loads(claims).get("access_token") or {}


def challenge(moment: float) -> str:
    """WWW-Authenticate of Graph for a token whose user's circumstances changed at `moment`.

    Learn, claims-challenge, and recorded answers of Graph: the claims are JSON in base64.
    """
    claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": str(int(moment))}}})
    return (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", '
        f'claims="{base64.b64encode(claims.encode()).decode()}"'
    )
