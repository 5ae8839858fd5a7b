"""Id tokens that a client has to refuse, keys that rotate, and the documents that tell where keys are."""

import json
import time
from typing import Any

import jwt
import pytest

from m365_sandbox.entra.orders import WRONG_ID_TOKENS

from .conftest import APP_ID
from .entra import ALICE, BEN, Served, tokens_for


def verified(sandbox: Served, token: str | None, *, nonce: str = "n1") -> dict[str, Any]:
    """As a careful client of many tenants does it: Learn, "Validate tokens" and id-token-claims-reference."""
    if not token:
        raise jwt.InvalidTokenError("no id token")
    kid = jwt.get_unverified_header(token).get("kid")
    claimed = jwt.decode(token, options={"verify_signature": False})
    keys = {key["kid"]: key for key in sandbox.get("/common/discovery/v2.0/keys").json["keys"]}
    if kid not in keys:
        raise jwt.InvalidKeyError(f"unknown key {kid}")
    issuer = f"https://login.microsoftonline.com/{claimed.get('tid')}/v2.0"
    claims = jwt.decode(
        token, jwt.PyJWK(keys[kid], "RS256").key, algorithms=["RS256"], audience=APP_ID, issuer=issuer,
        options={"require": ["aud", "iss", "tid", "oid", "sub", "exp", "iat", "nbf"]},
    )  # fmt: skip
    if claims.get("nonce") != nonce:
        raise jwt.InvalidTokenError("another nonce")
    return claims


def test_a_right_id_token_passes(sandbox: Served) -> None:
    claims = verified(sandbox, tokens_for(sandbox, ALICE)["id_token"])

    assert claims["preferred_username"] == ALICE and claims["ver"] == "2.0"
    assert abs(claims["exp"] - time.time() - 3600) < 60


@pytest.mark.parametrize("wrong", WRONG_ID_TOKENS)
def test_a_wrong_id_token_is_refused_by_a_careful_client(sandbox: Served, wrong: str) -> None:
    sandbox.control("orders", {"wrong": wrong, "for": ALICE, "count": 1})
    verified(sandbox, tokens_for(sandbox, BEN)["id_token"])

    bad = tokens_for(sandbox, ALICE).get("id_token")
    with pytest.raises(jwt.PyJWTError):
        verified(sandbox, bad)
    verified(sandbox, tokens_for(sandbox, ALICE)["id_token"])


def test_there_are_twenty_kinds_and_each_says_what_is_wrong() -> None:
    assert len(WRONG_ID_TOKENS) >= 20 and all(WRONG_ID_TOKENS.values())


def test_a_new_key_is_published_beside_the_old_one(sandbox: Served) -> None:
    """Learn, signing-key-rollover: clients fetch the keys again when they meet an unknown kid."""
    before = tokens_for(sandbox, ALICE)["id_token"]
    kids = sandbox.control("keys", {"rotate": True})["kids"]
    after = tokens_for(sandbox, ALICE)["id_token"]

    assert len(kids) == 2 and jwt.get_unverified_header(after)["kid"] == kids[0]
    assert verified(sandbox, before)["oid"] == verified(sandbox, after)["oid"]


def test_a_key_in_an_emergency_is_gone_at_once(sandbox: Served) -> None:
    before = tokens_for(sandbox, ALICE)["id_token"]
    assert len(sandbox.control("keys", {"keep_old": False})["kids"]) == 1

    with pytest.raises(jwt.InvalidKeyError):
        verified(sandbox, before)


def test_the_discovery_documents_name_issuer_and_addresses(sandbox: Served) -> None:
    """Learn, v2-protocols-oidc: `common` and `organizations` have a placeholder for the tenant."""
    tenant = sandbox.control("tenants", {"domain": "northwind.example"})["id"]
    issuers = {
        name: sandbox.get(f"/{name}/v2.0/.well-known/openid-configuration").json["issuer"]
        for name in ("common", "organizations", "northwind.example", tenant)
    }

    login = "https://login.microsoftonline.com"
    assert issuers["common"] == issuers["organizations"] == f"{login}/{{tenantid}}/v2.0"
    assert issuers["northwind.example"] == issuers[tenant] == f"{login}/{tenant}/v2.0"
    document = sandbox.get("/common/v2.0/.well-known/openid-configuration").json
    assert document["token_endpoint_auth_methods_supported"] == [
        "client_secret_post", "private_key_jwt", "client_secret_basic",
    ]  # fmt: skip
    assert document["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert document["end_session_endpoint"] == f"{login}/common/oauth2/v2.0/logout"
    assert {"kerberos_endpoint", "userinfo_endpoint", "rbac_url", "msgraph_host"} < set(document)
    unknown = sandbox.get("/nowhere.example/v2.0/.well-known/openid-configuration")
    assert (unknown.status, unknown.json["error_codes"]) == (400, [90002])


def test_the_subject_is_pairwise(sandbox: Served) -> None:
    """Learn, id-token-claims-reference: sub differs from app to app, oid does not."""
    first = verified(sandbox, tokens_for(sandbox, ALICE)["id_token"])
    again = verified(sandbox, tokens_for(sandbox, ALICE)["id_token"])

    assert first["sub"] == again["sub"] != first["oid"]
    assert json.dumps(first["oid"]) != json.dumps(
        verified(sandbox, tokens_for(sandbox, BEN)["id_token"])["oid"]
    )
