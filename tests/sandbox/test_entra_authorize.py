"""GET /authorize as Learn, v2-oauth2-auth-code-flow, tells it."""

import json
import urllib.parse

import jwt
import pytest

from .conftest import APP_ID, authorize_query
from .entra import (
    ALICE,
    BEN,
    DANA,
    ERIN,
    MAIL,
    REDIRECT,
    Browser,
    Served,
    answered,
    code_for,
    error_of,
    redeem,
    refresh,
    tokens_for,
)


def silent(browser: Browser, **more: str) -> dict[str, str]:
    return answered(browser.authorize(prompt="none", **more))


# prompt


def test_prompt_none_without_a_session_is_login_required(sandbox: Served) -> None:
    told = silent(Browser(sandbox))

    assert (told["error"], told["state"]) == ("login_required", "s1")
    assert told["error_description"].startswith("AADSTS50058")
    assert told["error_uri"] == "https://login.microsoftonline.com/error?code=50058"


def test_prompt_none_with_a_session_and_consent_gives_a_code(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)
    browser = Browser(sandbox)
    browser.sign_in(ALICE)

    assert "code" in silent(browser, login_hint=ALICE)


@pytest.mark.parametrize("name", ["interaction_required", "consent_required"])
def test_prompt_none_without_consent_follows_its_switch(sandbox: Served, name: str) -> None:
    """The error's name is not documented for this case: switch silent_without_consent."""
    sandbox.control("switches", {"silent_without_consent": name})
    browser = Browser(sandbox)
    browser.sign_in(ALICE)

    assert silent(browser)["error"] == name


def test_prompt_none_among_several_sessions_needs_a_choice(sandbox: Served) -> None:
    """Reference-error-codes: AADSTS16000, several identities are available."""
    tokens_for(sandbox, ALICE)
    browser = Browser(sandbox)
    browser.sign_in(ALICE)
    browser.sign_in(BEN)

    told = silent(browser)
    assert (told["error"], told["error_description"][:11]) == ("interaction_required", "AADSTS16000")
    assert "code" in silent(browser, login_hint=ALICE)


def test_select_account_overrides_the_login_hint(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)

    page = Browser(sandbox).authorize(prompt="select_account", login_hint=ALICE)
    assert "Pick an account" in page.text and BEN in page.text
    assert "code" in answered(Browser(sandbox).authorize(login_hint=ALICE))


def test_prompt_login_asks_again_despite_the_session(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)
    browser = Browser(sandbox)
    browser.sign_in(ALICE)
    assert "code" in answered(browser.authorize())

    page = browser.authorize(prompt="login", login_hint=ALICE)
    assert "Pick an account" in page.text and BEN not in page.text


def test_prompt_consent_shows_the_consent_page_again(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)
    browser = Browser(sandbox)

    assert "Permissions requested" in browser.sign_in(ALICE, prompt="consent").text


def test_only_four_prompts_are_known(sandbox: Served) -> None:
    told = answered(Browser(sandbox).authorize(prompt="create"))

    assert (told["error"], told["state"]) == ("invalid_request", "s1")


# what is asked


def test_a_wrong_request_is_told_on_the_redirect_and_a_wrong_app_is_not(sandbox: Served) -> None:
    for changes in (
        {"response_type": ""},
        {"scope": ""},
        {"response_mode": "carrier_pigeon"},
        {"claims": "{"},
    ):
        told = answered(Browser(sandbox).authorize(**changes))
        assert (told["error"], told["state"]) == ("invalid_request", "s1"), changes
    assert answered(Browser(sandbox).authorize(response_type="token"))["error"] == "unsupported_response_type"
    for changes, code in (
        ({"client_id": ""}, 900144),
        ({"client_id": "x"}, 700016),
        ({"redirect_uri": ""}, 50011),
    ):
        page = Browser(sandbox).authorize(**changes)
        assert (page.status, f"AADSTS{code}" in page.text) == (400, True), changes


def test_the_answer_comes_in_the_query_the_fragment_or_a_form(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)

    for mode, mark in (("query", "?"), ("fragment", "#")):
        page = Browser(sandbox).authorize(login_hint=ALICE, response_mode=mode)
        assert page.headers["location"].startswith(f"{REDIRECT}{mark}")
        assert answered(page)["state"] == "s1"
    form = Browser(sandbox).authorize(login_hint=ALICE, response_mode="form_post")
    assert form.status == 200 and f'action="{REDIRECT}"' in form.text and 'name="code"' in form.text


def test_an_id_token_comes_with_the_code_where_the_registration_allows_it(sandbox: Served) -> None:
    """Learn, v2-protocols-oidc: response_type "code id_token" wants a nonce, and no query."""
    tokens_for(sandbox, ALICE)
    wanted = {"login_hint": ALICE, "response_type": "code id_token"}
    assert answered(Browser(sandbox).authorize(**wanted))["error"] == "unsupported_response_type"
    sandbox.control("apps", {"id_tokens_at_authorize": True})

    told = answered(Browser(sandbox).authorize(**wanted))
    claims = jwt.decode(told["id_token"], options={"verify_signature": False})
    assert (claims["nonce"], claims["preferred_username"], "code" in told) == ("n1", ALICE, True)
    assert answered(Browser(sandbox).authorize(**wanted, response_mode="query"))["error"] == "invalid_request"


def test_the_domain_hint_narrows_the_accounts(sandbox: Served) -> None:
    page = Browser(sandbox).authorize(domain_hint="fabrikam.example")

    assert ERIN in page.text and ALICE not in page.text


def test_pkce_may_be_plain_and_its_challenge_has_43_to_128_characters(sandbox: Served) -> None:
    plain = {"code_challenge": "v" * 64, "code_challenge_method": "plain"}
    assert redeem(sandbox, code_for(sandbox, ALICE, **plain)).status == 200

    told = answered(Browser(sandbox).authorize(code_challenge="short", code_challenge_method="plain"))
    assert told["error"] == "invalid_request"


def test_redirect_uris_are_exact_but_for_the_port_of_localhost(sandbox: Served) -> None:
    """Learn, reply-url."""
    sandbox.control("apps", {"redirect_uris": ["http://localhost:5000/cb", "https://app.example/cb"]})

    assert Browser(sandbox).authorize(redirect_uri="http://localhost:1234/cb").status == 200
    for other in ("https://app.example/CB", "https://app.example/cb?x=1", "http://localhost:5000/other"):
        assert "AADSTS50011" in Browser(sandbox).authorize(redirect_uri=other).text


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example/cb",
        "https://app.example/" + "a" * 256,
        "https://app.example/cb(1)",
        "https://a.example/#f",
    ],
)
def test_what_reply_url_forbids_cannot_be_registered(sandbox: Served, address: str) -> None:
    """Learn, reply-url: https or localhost, 256 characters, no ! $ ' ( ) , ;"""
    answer = sandbox.post("/_sandbox/apps", body={"redirect_uris": [address]})

    assert (answer.status, "cannot be a redirect URI" in answer.json["error"]) == (400, True)


# tenants


def test_the_tenant_may_be_named_by_id_or_domain(sandbox: Served) -> None:
    tenant = tokens_for(sandbox, ALICE, tenant="northwind.example")["id_token"]
    name = jwt.decode(tenant, options={"verify_signature": False})["tid"]

    code = code_for(sandbox, ALICE, tenant=name)
    assert redeem(sandbox, code, "northwind.example").status == 200
    assert "AADSTS90002" in Browser(sandbox).authorize(tenant="nowhere.example").text


def test_a_code_is_redeemed_where_it_was_asked_for(sandbox: Served) -> None:
    """Reference-error-codes: AADSTS700005."""
    code = code_for(sandbox, ALICE)

    assert error_of(redeem(sandbox, code, "northwind.example")) == (400, "invalid_grant", [700005])


def test_an_app_for_one_tenant_cannot_use_common(sandbox: Served) -> None:
    """Reference-error-codes: AADSTS50194."""
    home = sandbox.control("tenants", {"domain": "northwind.example"})["id"]
    sandbox.control("apps", {"tenant": home})

    assert "AADSTS50194" in Browser(sandbox).authorize().text
    assert "AADSTS700016" in Browser(sandbox).authorize(tenant="fabrikam.example").text
    assert Browser(sandbox).authorize(tenant="northwind.example").status == 200


def test_personal_accounts_have_a_tenant_of_their_own(sandbox: Served) -> None:
    """Learn, id-token-claims-reference: tid 9188040d-6c67-4c5b-b112-36a304b66dad."""
    sandbox.control("users", {"address": "pat@outlook.com", "personal": True})
    assert "AADSTS50020" in Browser(sandbox).sign_in("pat@outlook.com").text
    assert "AADSTS9002332" in Browser(sandbox).authorize(tenant="consumers").text
    sandbox.control("apps", {"personal_accounts": True})

    tokens = tokens_for(sandbox, "pat@outlook.com", tenant="consumers")
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["tid"] == "9188040d-6c67-4c5b-b112-36a304b66dad"
    assert "AADSTS500208" in Browser(sandbox).sign_in("pat@outlook.com", tenant="organizations").text
    assert "AADSTS500208" in Browser(sandbox).sign_in(ALICE, tenant="consumers").text
    discovery = sandbox.get("/consumers/v2.0/.well-known/openid-configuration").json
    assert claims["iss"] == discovery["issuer"]


def test_a_guest_is_another_object_in_the_other_tenant(sandbox: Served) -> None:
    """Learn, id-token-claims-reference (oid, idp) and, of external users, refresh-tokens."""
    assert "AADSTS50020" in Browser(sandbox).sign_in(BEN, tenant="contoso.example").text
    guest = sandbox.control("guests", {"account": BEN, "tenant": "contoso.example"})

    tokens = tokens_for(sandbox, BEN, tenant="contoso.example")
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (claims["oid"], claims["tid"]) == (guest["id"], guest["tenant"])
    assert claims["preferred_username"] == BEN and claims["idp"].startswith("https://sts.windows.net/")
    mailbox = sandbox.get("/v1.0/me/messages", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert mailbox.json["error"]["code"] == "MailboxNotEnabledForRESTAPI"
    sandbox.control("users", {"address": BEN, "revoke": "admin-reset-entra"})
    assert refresh(sandbox, tokens["refresh_token"], "contoso.example").status == 200


# what stands in the way


def test_a_password_is_asked_of_those_who_have_one(sandbox: Served) -> None:
    """Reference-error-codes: 50126 for a wrong one, 50053 when the account is locked."""
    sandbox.control("users", {"address": ALICE, "password": "right"})
    browser = Browser(sandbox)
    page = browser.sign_in(ALICE)
    assert "Enter password" in page.text

    for _ in range(10):
        page = browser.submit(page, "password", password="wrong")
        assert "AADSTS50126" in page.text
    assert "AADSTS50053" in browser.submit(page, "password", password="right").text
    sandbox.control("clock", {"advance_seconds": 61})
    consent = browser.submit(page, "password", password="right")
    assert "code" in answered(browser.submit(consent, "consent", decision="accept"))


def test_an_expired_password_ends_at_the_sign_in_page(sandbox: Served) -> None:
    sandbox.control("users", {"address": ALICE, "revoke": "password-expires"})

    assert "AADSTS50055" in Browser(sandbox).sign_in(ALICE).text


def test_a_second_factor_is_asked_for_and_carried_into_the_tokens(sandbox: Served) -> None:
    """Reference-error-codes: 50076, with claims; after a sign-in with the second factor all is well."""
    before = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": "mfa"})
    refused = refresh(sandbox, before)
    assert error_of(refused) == (400, "invalid_grant", [50076]) and refused.json["suberror"] == "basic_action"
    assert "capolids" in json.loads(refused.json["claims"])["access_token"]

    browser = Browser(sandbox)
    page = browser.sign_in(ALICE, claims=refused.json["claims"])
    assert "Approve sign in request" in page.text
    tokens = redeem(sandbox, answered(browser.submit(page, "mfa", mfa="approve"))["code"]).json
    assert refresh(sandbox, tokens["refresh_token"]).status == 200
    assert "AADSTS50074" in browser.submit(page, "mfa", mfa="deny").text


def test_who_has_no_second_factor_has_to_set_one_up(sandbox: Served) -> None:
    """Reference-error-codes: 50079 at the token endpoint, 50072 on the page."""
    before = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": "mfa"})
    sandbox.control("users", {"address": ALICE, "mfa_enrolled": False})
    assert error_of(refresh(sandbox, before)) == (400, "interaction_required", [50079])

    browser = Browser(sandbox)
    page = browser.sign_in(ALICE)
    assert "More information required" in page.text
    assert "AADSTS50072" in browser.submit(page, "mfa", mfa="deny").text
    assert "code" in answered(browser.submit(page, "mfa", mfa="approve"))


def test_a_second_factor_grows_old(sandbox: Served) -> None:
    """Reference-error-codes: 50078."""
    sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": "mfa", "mfa_hours": 8})
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    assert refresh(sandbox, token).status == 200
    sandbox.control("clock", {"advance_seconds": 9 * 3600})

    assert error_of(refresh(sandbox, token)) == (400, "invalid_grant", [50078])


@pytest.mark.parametrize("where", ["page", "redirect"])
def test_a_blocked_sign_in_is_a_page_or_a_redirect_by_switch(sandbox: Served, where: str) -> None:
    """53003 has been seen in both places: switch conditional_access_block."""
    sandbox.control("switches", {"conditional_access_block": where})
    sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": "block"})

    page = Browser(sandbox).sign_in(ALICE)
    if where == "page":
        assert (page.status, "AADSTS53003" in page.text) == (400, True)
    else:
        assert answered(page)["error_description"].startswith("AADSTS53003")


def test_an_app_that_requires_assignment_refuses_the_others(sandbox: Served) -> None:
    """Reference-error-codes: 50105; and even basic permissions then need an administrator."""
    sandbox.control("tenants", {"domain": "northwind.example", "assignment_required": True})
    assert "AADSTS50105" in Browser(sandbox).sign_in(ALICE, "User.Read").text
    sandbox.control("users", {"address": ALICE, "assigned": True})

    assert "Need admin approval" in Browser(sandbox).sign_in(ALICE, "User.Read").text


# logout


def test_logout_returns_to_a_registered_address_and_keeps_refresh_tokens(sandbox: Served) -> None:
    """Learn, v2-protocols-oidc (post_logout_redirect_uri); refresh-tokens: single sign-out ends none."""
    sandbox.control("apps", {"redirect_uris": [REDIRECT, "https://app.example/bye"]})
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    browser = Browser(sandbox)
    browser.sign_in(ALICE)
    assert "code" in silent(browser)

    query = urllib.parse.urlencode({"post_logout_redirect_uri": "https://app.example/bye", "state": "x"})
    left = browser.go(f"/common/oauth2/v2.0/logout?{query}")
    assert (left.status, left.headers["location"]) == (302, "https://app.example/bye?state=x")
    assert silent(browser)["error"] == "login_required"
    assert refresh(sandbox, token).status == 200
    stray = browser.go("/common/oauth2/v2.0/logout?post_logout_redirect_uri=https://evil.example/")
    assert (stray.status, "You signed out" in stray.text) == (200, True)


def test_logout_hint_ends_one_session_of_several(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)
    browser = Browser(sandbox)
    browser.sign_in(ALICE)
    browser.sign_in(BEN)
    browser.go(f"/common/oauth2/v2.0/logout?logout_hint={BEN}")

    assert "code" in silent(browser)


def test_client_info_names_object_and_tenant(sandbox: Served) -> None:
    query, _ = authorize_query(MAIL)
    assert f"client_id={APP_ID}" in query
    tokens_for(sandbox, DANA)

    told = answered(Browser(sandbox).authorize(login_hint=DANA, client_info="1"))
    assert set(json.loads(jwt.utils.base64url_decode(told["client_info"]))) == {"uid", "utid"}
