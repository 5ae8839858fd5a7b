"""POST /token: how apps prove themselves, what refresh tokens survive, what tokens are good for."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from .conftest import APP_ID, APP_SECRET, authorize_query
from .entra import (
    ALICE,
    BEN,
    MAIL,
    REDIRECT,
    Browser,
    Served,
    answered,
    ask,
    assertion,
    certificate,
    code_for,
    error_of,
    redeem,
    refresh,
    tokens_for,
)

ALIVE = {
    "password-expires": True,
    "password-changed-by-user": True,
    "self-service-reset": True,
    "admin-reset-azure": True,
    "admin-reset-entra": False,
    "user-revokes": False,
    "admin-revokes": False,
    "single-sign-out": True,
}
CP1 = json.dumps({"access_token": {"xms_cc": {"values": ["cp1"]}}})


CREDENTIAL = {"client_id": APP_ID, "client_secret": APP_SECRET}


def granted(answer_scope: str) -> list[str]:
    return answer_scope.replace("https://graph.microsoft.com/", "").split()


# The app


def test_two_secrets_are_good_at_once_and_an_expired_one_says_so(sandbox: Served) -> None:
    """Learn, reference-error-codes: 7000222 for expired keys, 7000215 for wrong ones."""
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    soon = datetime.now(UTC) + timedelta(days=31)
    sandbox.control(
        "apps", {"more_secrets": [{"value": "new", "expires": soon.strftime("%Y-%m-%dT%H:%M:%SZ")}]}
    )
    assert refresh(sandbox, token).status == refresh(sandbox, token, client_secret="new").status == 200

    sandbox.control("apps", {"secret_expired": True})
    assert error_of(refresh(sandbox, token)) == (401, "invalid_client", [7000222])
    assert refresh(sandbox, token, client_secret="new").status == 200
    sandbox.control("clock", {"advance_seconds": 86400 * 40})
    assert error_of(refresh(sandbox, token, client_secret="new")) == (401, "invalid_client", [7000222])
    assert error_of(refresh(sandbox, token, client_secret="never")) == (401, "invalid_client", [7000215])


def test_the_secret_may_come_by_basic(sandbox: Served) -> None:
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    basic = base64.b64encode(f"{APP_ID}:{APP_SECRET}".encode()).decode()

    form = {"grant_type": "refresh_token", "refresh_token": token}
    answer = sandbox.post("/common/oauth2/v2.0/token", form=form, headers={"Authorization": f"Basic {basic}"})
    assert answer.status == 200


@pytest.mark.parametrize("status", [401, 400])
def test_the_status_of_invalid_client_follows_its_switch(sandbox: Served, status: int) -> None:
    """401 is not documented: switch invalid_client_status."""
    sandbox.control("switches", {"invalid_client_status": status})

    assert error_of(ask(sandbox, client_secret=None, grant_type="refresh_token")) == (
        status, "invalid_client", [7000218],
    )  # fmt: skip


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_an_assertion_signed_with_the_certificate_proves_the_app(sandbox: Served, algorithm: str) -> None:
    """Learn, certificate-credentials."""
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("apps", {"certificates": [certificate()[1]]})

    answer = refresh(sandbox, token, client_secret=None, **assertion(algorithm=algorithm))
    assert answer.status == 200, answer.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://graph.microsoft.com"}, 50027),
        ({"iss": "someone"}, 50027),
        ({"exp": 1_000_000_000}, 50027),
        ({"exp": None}, 90014),
        ({"header": {"x5t": "unknown"}}, 700027),
        ({"header": {"kid": "none"}}, 700027),
    ],
)
def test_a_wrong_assertion_is_refused(sandbox: Served, changes: dict[str, object], code: int) -> None:
    sandbox.control("apps", {"certificates": [certificate()[1]]})

    answer = refresh(sandbox, "any", client_secret=None, **assertion(**changes))  # type: ignore[arg-type]
    assert answer.json["error_codes"] == [code]


def test_an_assertion_with_another_signature_is_refused(sandbox: Served) -> None:
    sandbox.control("apps", {"certificates": [certificate()[1]]})
    proof = assertion()
    head, body, _ = proof["client_assertion"].split(".")
    other = assertion(jti="other")["client_assertion"].rpartition(".")[2]
    proof["client_assertion"] = f"{head}.{body}.{other}"

    assert error_of(refresh(sandbox, "any", client_secret=None, **proof)) == (401, "invalid_client", [700027])
    assert refresh(sandbox, "any", client_secret=None, **assertion()).json["error_codes"] == [70000]


def test_a_disabled_app_gets_nothing(sandbox: Served) -> None:
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("apps", {"enabled": False})

    assert error_of(refresh(sandbox, token)) == (400, "unauthorized_client", [7000112])
    assert "AADSTS7000112" in Browser(sandbox).authorize().text


def test_a_request_without_its_fields_names_them(sandbox: Served) -> None:
    for fields, name in (({}, "grant_type"), ({"grant_type": "refresh_token"}, "refresh_token")):
        body = ask(sandbox, **fields).json
        assert (body["error"], body["error_codes"], name in body["error_description"]) == (
            "invalid_request", [900144], True,
        )  # fmt: skip
    assert ask(sandbox, grant_type="password").json["error"] == "unsupported_grant_type"


# What tokens say


def test_the_scope_of_the_answer_is_full_and_without_offline_access(sandbox: Served) -> None:
    """As captured from the real service; the documentation's sample shows the resource scopes alone."""
    first = tokens_for(sandbox, ALICE, "openid profile offline_access Mail.Send")
    assert first["scope"] == "profile openid email https://graph.microsoft.com/Mail.Send"

    sandbox.control("switches", {"token_scope": "resource_only"})
    assert refresh(sandbox, first["refresh_token"]).json["scope"] == "https://graph.microsoft.com/Mail.Send"


def test_token_lives_are_drawn_between_sixty_and_ninety_minutes(sandbox: Served) -> None:
    """Learn, configurable-token-lifetimes."""
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    lives = {refresh(sandbox, token).json["expires_in"] for _ in range(20)}

    assert len(lives) > 5 and all(3600 <= life <= 5400 for life in lives)


def test_each_scope_brings_its_own_part(sandbox: Served) -> None:
    """Learn, v2-oauth2-auth-code-flow and id-token-claims-reference."""
    assert set(tokens_for(sandbox, ALICE, "Mail.Send")) == {
        "token_type", "scope", "expires_in", "ext_expires_in", "access_token", "client_info",
    }  # fmt: skip
    claims = jwt.decode(
        tokens_for(sandbox, BEN, "openid Mail.Send")["id_token"], options={"verify_signature": False}
    )
    assert "oid" not in claims and "name" not in claims and claims["email"] == BEN


def test_a_refresh_may_ask_for_less_and_for_all_of_it_later(sandbox: Served) -> None:
    token = tokens_for(sandbox, ALICE)["refresh_token"]

    less = refresh(sandbox, token, scope="https://graph.microsoft.com/Mail.Send")
    assert granted(less.json["scope"]) == ["profile", "openid", "email", "Mail.Send"]
    assert "Mail.ReadWrite" in granted(refresh(sandbox, less.json["refresh_token"]).json["scope"])
    more = refresh(sandbox, token, scope="Calendars.ReadWrite")
    assert error_of(more) == (400, "invalid_grant", [65001]) and more.json["suberror"] == "consent_required"


def test_default_is_everything_granted_and_mixes_with_nothing(sandbox: Served) -> None:
    """Learn, scopes-oidc: the .default scope."""
    default = "https://graph.microsoft.com/.default"
    token = tokens_for(sandbox, ALICE)["refresh_token"]

    assert set(granted(refresh(sandbox, token, scope=default).json["scope"])) >= {
        "User.Read",
        "Mail.ReadWrite",
        "Mail.Send",
    }
    mixed = refresh(sandbox, token, scope=f"{default} Mail.Send")
    assert error_of(mixed) == (400, "invalid_scope", [70011])
    assert "AADSTS70011" in Browser(sandbox).authorize(f"{default} Mail.Send").text


def test_default_asks_for_what_the_registration_lists(sandbox: Served) -> None:
    assert "AADSTS65005" in Browser(sandbox).sign_in(ALICE, ".default openid").text
    sandbox.control("apps", {"static_scopes": ["User.Read", "Mail.Send"]})

    assert granted(tokens_for(sandbox, ALICE, ".default openid")["scope"]) == [
        "profile", "openid", "email", "User.Read", "Mail.Send",
    ]  # fmt: skip


def test_incremental_consent_shows_only_what_is_new(sandbox: Served) -> None:
    """Learn, scopes-oidc."""
    tokens_for(sandbox, ALICE, "openid User.Read")

    page = Browser(sandbox).sign_in(ALICE, "openid User.Read Mail.Send")
    assert "Send mail as you" in page.text and "read your profile" not in page.text


def test_another_resource_than_graph_is_unknown(sandbox: Served) -> None:
    """Reference-error-codes: 500011."""
    token = tokens_for(sandbox, ALICE)["refresh_token"]

    assert error_of(refresh(sandbox, token, scope="https://other.example/x")) == (
        400,
        "invalid_resource",
        [500011],
    )
    assert "AADSTS500011" in Browser(sandbox).authorize("https://other.example/x").text


def test_openid_scopes_alone_reach_userinfo_only(sandbox: Served) -> None:
    """Learn, scopes-oidc and userinfo."""
    tokens = tokens_for(sandbox, ALICE, "openid profile email")
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}

    assert sandbox.get("/v1.0/me", headers=bearer).status == 403
    info = sandbox.get("https://graph.microsoft.com/oidc/userinfo", headers=bearer).json
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (info["email"], info["sub"]) == (ALICE, claims["sub"])
    assert sandbox.get("/oidc/userinfo").status == 401


# What ends a refresh token


@pytest.mark.parametrize(("cause", "alive"), ALIVE.items())
def test_the_table_of_revocations(sandbox: Served, cause: str, alive: bool) -> None:
    """Learn, refresh-tokens, "Token revocation": the column of confidential clients."""
    tokens = tokens_for(sandbox, ALICE)
    sandbox.control("users", {"address": ALICE, "revoke": cause})

    answer = refresh(sandbox, tokens["refresh_token"])
    if alive:
        assert answer.status == 200
    else:
        assert error_of(answer) == (400, "invalid_grant", [50173]) and answer.json["suberror"] == "bad_token"
    # Without continuous access evaluation an access token lives out its time.
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert sandbox.get("/v1.0/me", headers=bearer).status == 200


def test_a_new_sign_in_after_a_revocation_is_good(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)
    sandbox.control("users", {"address": ALICE, "revoke": "admin-revokes"})

    assert refresh(sandbox, tokens_for(sandbox, ALICE)["refresh_token"]).status == 200


def test_an_unknown_cause_is_refused_with_the_known_ones(sandbox: Served) -> None:
    answer = sandbox.post("/_sandbox/users", body={"address": ALICE, "revoke": "moonlight"})

    assert (answer.status, "admin-reset-entra" in answer.json["error"]) == (400, True)


@pytest.mark.parametrize("setting", ["refresh", "page_only"])
def test_a_disabled_account_is_told_so_by_switch(sandbox: Served, setting: str) -> None:
    """Where 50057 shows is not documented: switch disabled_account."""
    sandbox.control("switches", {"disabled_account": setting})
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("users", {"address": ALICE, "enabled": False})

    assert "AADSTS50057" in Browser(sandbox).sign_in(ALICE).text
    if setting == "refresh":
        assert error_of(refresh(sandbox, token)) == (400, "invalid_grant", [50057])
    else:
        assert refresh(sandbox, token).status == 200


def test_ninety_days_without_use_end_it_and_each_use_begins_anew(sandbox: Served) -> None:
    """Learn, refresh-tokens: 90 days of inactivity; the old token stays good after a refresh."""
    first = tokens_for(sandbox, ALICE)["refresh_token"]
    for _ in range(2):
        sandbox.control("clock", {"advance_seconds": 80 * 86400})
        assert refresh(sandbox, first).status == 200
    sandbox.control("clock", {"advance_seconds": 91 * 86400})

    refused = refresh(sandbox, first)
    assert error_of(refused) == (400, "invalid_grant", [700082]) and refused.json["suberror"] == "bad_token"
    assert "inactive for 90.00:00:00" in refused.json["error_description"]


def test_sign_in_frequency_counts_from_the_sign_in_not_from_the_refresh(sandbox: Served) -> None:
    """Reference-error-codes: 70043."""
    sandbox.control("tenants", {"domain": "northwind.example", "sign_in_frequency_hours": 12})
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("clock", {"advance_seconds": 8 * 3600})
    token = refresh(sandbox, token).json["refresh_token"]
    sandbox.control("clock", {"advance_seconds": 5 * 3600})

    refused = refresh(sandbox, token)
    assert (
        error_of(refused) == (400, "invalid_grant", [70043]) and refused.json["suberror"] == "token_expired"
    )


def test_a_token_of_a_single_page_app_lives_a_day_however_often_it_is_used(sandbox: Served) -> None:
    """Learn, refresh-tokens; reference-error-codes: 700084."""
    sandbox.control("apps", {"spa_redirect_uris": [REDIRECT]})
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("clock", {"advance_seconds": 20 * 3600})
    token = refresh(sandbox, token).json["refresh_token"]
    sandbox.control("clock", {"advance_seconds": 5 * 3600})

    assert error_of(refresh(sandbox, token)) == (400, "invalid_grant", [700084])
    assert answered(Browser(sandbox).authorize(code_challenge=""))["error"] == "invalid_request"


def test_a_code_dies_with_its_session(sandbox: Served) -> None:
    """Reference-error-codes: 50132 after a change of password, 50133 after a revocation."""
    for cause, code in (("password-changed-by-user", 50132), ("user-revokes", 50133)):
        waiting = code_for(sandbox, ALICE)
        sandbox.control("users", {"address": ALICE, "revoke": cause})
        assert error_of(redeem(sandbox, waiting)) == (400, "invalid_grant", [code])


def test_one_refresh_token_serves_where_its_user_is_a_guest(sandbox: Served) -> None:
    """Learn, refresh-tokens: bound to user and client, not to a tenant."""
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    assert error_of(refresh(sandbox, token, "contoso.example")) == (400, "invalid_grant", [700005])
    sandbox.control("guests", {"account": ALICE, "tenant": "contoso.example"})
    tokens_for(sandbox, ALICE, tenant="contoso.example")

    assert refresh(sandbox, token, "contoso.example").status == 200
    assert refresh(sandbox, token, "northwind.example").status == 200


def test_the_same_request_again_and_again_is_a_loop(sandbox: Served) -> None:
    """Reference-error-codes: 50196. How many are too many is not told: switch loop_requests."""
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("switches", {"loop_requests": 3})
    for _ in range(3):
        assert refresh(sandbox, token).status == 200

    assert error_of(refresh(sandbox, token)) == (400, "invalid_grant", [50196])
    sandbox.control("clock", {"advance_seconds": 301})
    assert refresh(sandbox, token).status == 200


# Continuous access evaluation


def test_a_client_with_cp1_gets_long_tokens_and_a_claims_challenge(sandbox: Served) -> None:
    """Learn, claims-challenge and app-resilience-continuous-access-evaluation."""
    tokens = tokens_for(sandbox, ALICE, claims=CP1)
    assert 90 * 60 < tokens["expires_in"] <= 28 * 3600
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert sandbox.get("/v1.0/me", headers=bearer).status == 200
    sandbox.control("users", {"address": ALICE, "revoke": "password-changed-by-user"})

    refused = sandbox.get("/v1.0/me", headers=bearer)
    header = refused.headers["www-authenticate"]
    assert (refused.status, 'error="insufficient_claims"' in header) == (401, True)
    claims = json.loads(base64.b64decode(header.partition('claims="')[2].partition('"')[0]))
    merged = json.dumps({"access_token": {**claims["access_token"], **json.loads(CP1)["access_token"]}})
    again = refresh(sandbox, tokens["refresh_token"], claims=merged).json
    assert sandbox.get("/v1.0/me", headers={"Authorization": f"Bearer {again['access_token']}"}).status == 200


def test_a_client_without_cp1_is_never_challenged(sandbox: Served) -> None:
    tokens = tokens_for(sandbox, ALICE)
    assert sandbox.control("challenge", {"account": ALICE}) == {"tokens": 0}

    assert (
        sandbox.get("/v1.0/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status == 200
    )


def test_a_disabled_account_is_challenged_at_once(sandbox: Served) -> None:
    tokens = tokens_for(sandbox, ALICE, claims=CP1)
    sandbox.control("users", {"address": ALICE, "enabled": False})

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert "insufficient_claims" in sandbox.get("/v1.0/me", headers=bearer).headers["www-authenticate"]
    assert refresh(sandbox, tokens["refresh_token"]).json["error_codes"] == [50057]


def test_a_busy_service_says_so_in_entras_form(sandbox: Served) -> None:
    """Reference-error-codes: 90033 (503) and 90055 (429)."""
    for action, code, status in (("503", 90033, 503), ("429", 90055, 429)):
        sandbox.control(
            "faults", {"path": "oauth2/v2.0/token", "action": action, "count": 1, "retry_after": 7}
        )
        answer = refresh(sandbox, "any")
        assert error_of(answer) == (status, "temporarily_unavailable", [code])
        assert answer.headers["retry-after"] == "7"


def test_the_nonce_and_scope_of_the_request_are_those_of_the_code(sandbox: Served) -> None:
    query, verifier = authorize_query(MAIL, nonce="n-77")
    assert "nonce=n-77" in query and len(verifier) == 64

    claims = jwt.decode(
        tokens_for(sandbox, ALICE, nonce="n-77")["id_token"], options={"verify_signature": False}
    )
    assert claims["nonce"] == "n-77"


def test_an_app_can_prove_itself_without_a_user_where_the_tenant_is_named(sandbox: Served) -> None:
    """Learn, v2-oauth2-client-creds-grant-flow. What it gets is good for nothing: it has no permission of its own."""
    as_app = {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}

    answer = sandbox.post("/northwind.example/oauth2/v2.0/token", form={**CREDENTIAL, **as_app})
    assert (answer.status, set(answer.json)) == (
        200, {"token_type", "expires_in", "ext_expires_in", "access_token"},
    )  # fmt: skip
    bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert sandbox.get("/v1.0/me", headers=bearer).status == 401

    wrong = {**CREDENTIAL, **as_app, "client_secret": "another"}
    assert error_of(sandbox.post("/northwind.example/oauth2/v2.0/token", form=wrong))[2] == [7000215]
    nowhere = sandbox.post("/organizations/oauth2/v2.0/token", form={**CREDENTIAL, **as_app})
    assert error_of(nowhere) == (400, "invalid_request", [50059])
    narrow = sandbox.post(
        "/northwind.example/oauth2/v2.0/token", form={**CREDENTIAL, **as_app, "scope": "User.Read"}
    )
    assert error_of(narrow) == (400, "invalid_scope", [70011])
