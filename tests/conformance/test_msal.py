"""Whole stories with Microsoft's msal for Python: it asks genuine addresses, a session maps them."""

import base64
import json
import urllib.parse
import warnings
from collections.abc import Callable
from typing import Any

import msal
import pytest
import requests

from tests.sandbox.conftest import (
    APP_ID,
    APP_SECRET,
    REDIRECT,
    Answer,
    Served,
)
from tests.sandbox.entra import ALICE, BEN, ERIN, FRANK, Browser, answered, certificate

LOGIN = "https://login.microsoftonline.com"
SCOPES = ["User.Read", "Mail.ReadWrite", "Mail.Send"]


class Mapped(requests.Session):
    """Sends what is meant for Microsoft to the sandbox, and counts it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url, self.asked = url, list[str]()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore
        assert url.startswith(LOGIN), url
        self.asked.append(url.removeprefix(LOGIN))
        return super().request(method, url.replace(LOGIN, self._url), *args, **kwargs)


@pytest.fixture(autouse=True)
def answers_come_in_the_query() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="response_mode='form_post'")
        yield


def client(served: Served, *, authority: str = "common", credential: Any = APP_SECRET, **more: Any) -> Any:
    more.setdefault("http_client", Mapped(served.url))
    return msal.ConfidentialClientApplication(
        APP_ID, client_credential=credential, authority=f"{LOGIN}/{authority}", **more
    )


def begin(app: Any, browser: Browser, account: str, **more: Any) -> tuple[dict[str, Any], Answer]:
    """The flow, and the page (or redirect) after the account picker."""
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, prompt="select_account", **more)
    picker = browser.go(flow["auth_uri"].removeprefix(LOGIN))
    return flow, browser.submit(picker, "other", account=account)


def sign_in(app: Any, served: Served, account: str, **more: Any) -> dict[str, Any]:
    browser = Browser(served)
    flow, page = begin(app, browser, account, **more)
    if page.status == 200 and 'id="mfa"' in page.text:
        page = browser.submit(page, "mfa", mfa="approve")
    if page.status == 200:
        page = browser.submit(page, "consent", decision="accept")
    result: dict[str, Any] = app.acquire_token_by_auth_code_flow(flow, answered(page))
    return result


def only_account(app: Any) -> Any:
    [account] = app.get_accounts()
    return account


def mail_of(served: Served, result: dict[str, Any]) -> Answer:
    return served.get(
        "/v1.0/me/messages?$top=1", headers={"Authorization": f"Bearer {result['access_token']}"}
    )


# Consent, each way


def test_a_user_consents(sandbox: Served) -> None:
    app = client(sandbox)
    result = sign_in(app, sandbox, ALICE)

    assert result["id_token_claims"]["preferred_username"] == ALICE
    assert set(SCOPES) <= {scope.rpartition("/")[2] for scope in result["scope"].split()}
    assert mail_of(sandbox, result).status == 200
    assert only_account(app)["username"] == ALICE


def test_a_known_authority_is_asked_two_addresses_only(sandbox: Served) -> None:
    http = Mapped(sandbox.url)
    sign_in(client(sandbox, http_client=http), sandbox, ALICE)

    assert set(http.asked) == {"/common/v2.0/.well-known/openid-configuration", "/common/oauth2/v2.0/token"}


def test_a_user_cancels(sandbox: Served) -> None:
    app, browser = client(sandbox), Browser(sandbox)
    flow, page = begin(app, browser, ALICE)
    result = app.acquire_token_by_auth_code_flow(
        flow, answered(browser.submit(page, "consent", decision="cancel"))
    )

    assert result["error"] == "access_denied" and "access_token" not in result


def test_a_user_is_sent_back_without_approval(sandbox: Served) -> None:
    app, browser = client(sandbox), Browser(sandbox)
    flow, page = begin(app, browser, ERIN)
    assert "Need admin approval" in page.text

    result = app.acquire_token_by_auth_code_flow(
        flow, answered(browser.submit(page, "return", decision="return"))
    )
    assert result["error"] == "access_denied"


def test_an_administrator_consents_by_link_and_then_the_user_passes(sandbox: Served) -> None:
    scope = " ".join(f"https://graph.microsoft.com/{name}" for name in SCOPES)
    query = urllib.parse.urlencode(
        {"client_id": APP_ID, "scope": scope, "redirect_uri": REDIRECT, "state": "a"}
    )
    admin = Browser(sandbox)
    page = admin.submit(admin.go(f"/organizations/v2.0/adminconsent?{query}"), "other", account=FRANK)
    told = answered(admin.submit(page, "consent", decision="accept"))
    assert (told["admin_consent"], told["state"]) == ("True", "a")

    app, browser = client(sandbox), Browser(sandbox)
    flow, redirect = begin(app, browser, ERIN)
    assert redirect.status == 302, "no page is left to show"
    assert mail_of(sandbox, app.acquire_token_by_auth_code_flow(flow, answered(redirect))).status == 200


def test_a_request_is_approved_by_a_reviewer(sandbox: Served) -> None:
    sandbox.control("tenants", {"domain": "fabrikam.example", "admin_consent_workflow": True})
    app, browser = client(sandbox), Browser(sandbox)
    _, page = begin(app, browser, ERIN)
    browser.submit(page, "approval", justification="I sell")
    request = sandbox.control("approvals.json")[0]["id"]
    sandbox.control("review", {"request": request, "reviewer": FRANK, "decision": "approve"})

    assert "access_token" in sign_in(app, sandbox, ERIN)


# Refreshing


def test_silent_takes_from_the_cache_and_refreshes_when_forced(sandbox: Served) -> None:
    app = client(sandbox)
    first = sign_in(app, sandbox, ALICE)

    # msal's cache goes by the scopes of the answer, which are full URIs.
    full = [f"https://graph.microsoft.com/{scope}" for scope in SCOPES]
    cached = app.acquire_token_silent(full, account=only_account(app))
    assert (cached["access_token"], cached["token_source"]) == (first["access_token"], "cache")
    forced = app.acquire_token_silent(SCOPES, account=only_account(app), force_refresh=True)
    assert forced["access_token"] != first["access_token"]
    assert app.acquire_token_silent(["Mail.Send"], account=only_account(app))["access_token"]


def test_a_withdrawn_consent_comes_back_with_its_suberror(sandbox: Served) -> None:
    app = client(sandbox)
    sign_in(app, sandbox, ALICE)
    sandbox.control("grants", {"account": ALICE, "revoke": True})

    result = app.acquire_token_silent_with_error(SCOPES, account=only_account(app), force_refresh=True)
    assert (result["error"], result["suberror"], result["classification"]) == (
        "invalid_grant", "consent_required", "consent_required",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "suberror"),
    [
        ({"revoke": "admin-reset-entra"}, 50173, "bad_token"),
        ({"enabled": False}, 50057, None),
    ],
)
def test_what_ends_a_sign_in_reaches_the_app(
    sandbox: Served,
    change: dict[str, Any],
    code: int,
    suberror: str | None,
) -> None:
    app = client(sandbox)
    sign_in(app, sandbox, ALICE)
    sandbox.control("users", {"address": ALICE, **change})

    result = app.acquire_token_silent_with_error(SCOPES, account=only_account(app), force_refresh=True)
    assert (result["error"], result["error_codes"], result.get("suberror")) == (
        "invalid_grant",
        [code],
        suberror,
    )


def test_a_token_may_be_refreshed_from_outside_the_cache(sandbox: Served) -> None:
    first = sign_in(client(sandbox), sandbox, ALICE)

    other = client(sandbox, authority=first["id_token_claims"]["tid"])
    assert other.acquire_token_by_refresh_token(first["refresh_token"], SCOPES)["access_token"]


# The app's credentials


def by_thumbprint() -> dict[str, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    private, public = certificate()
    digest = x509.load_pem_x509_certificate(public.encode()).fingerprint(hashes.SHA1())
    return {"private_key": private, "thumbprint": digest.hex()}


def by_certificate() -> dict[str, str]:
    private, public = certificate()
    return {"private_key": private, "public_certificate": public}


@pytest.mark.parametrize("credential", [by_thumbprint, by_certificate])
def test_a_certificate_instead_of_a_secret(
    sandbox: Served,
    credential: Callable[[], dict[str, str]],
) -> None:
    sandbox.control("apps", {"certificates": [certificate()[1]]})
    app = client(sandbox, credential=credential())

    assert mail_of(sandbox, sign_in(app, sandbox, ALICE)).status == 200
    assert "access_token" in app.acquire_token_silent(SCOPES, account=only_account(app), force_refresh=True)


def test_an_unregistered_certificate_is_the_operators_problem(sandbox: Served) -> None:
    result = sign_in(client(sandbox, credential=by_certificate()), sandbox, ALICE)

    assert (result["error"], result["error_codes"]) == ("invalid_client", [700027])


@pytest.mark.parametrize(("expired", "code"), [(False, 7000215), (True, 7000222)])
def test_a_wrong_or_expired_secret_is_the_operators_problem(
    sandbox: Served,
    expired: bool,
    code: int,
) -> None:
    app = client(sandbox, credential=APP_SECRET if expired else "wrong")
    sandbox.control("apps", {"secret_expired": expired})

    result = sign_in(app, sandbox, ALICE)
    assert (result["error"], result["error_codes"]) == ("invalid_client", [code])


# Challenges


def test_a_claims_challenge_of_graph_leads_to_a_fresh_token(sandbox: Served) -> None:
    app = client(sandbox, client_capabilities=["CP1"])
    first = sign_in(app, sandbox, ALICE)
    assert mail_of(sandbox, first).status == 200
    sandbox.control("challenge", {"account": ALICE})

    header = mail_of(sandbox, first).headers["www-authenticate"]
    claims = base64.b64decode(header.partition('claims="')[2].partition('"')[0]).decode()
    fresh = app.acquire_token_silent(SCOPES, account=only_account(app), claims_challenge=claims)
    assert fresh["access_token"] != first["access_token"] and mail_of(sandbox, fresh).status == 200


def test_a_demand_for_a_second_factor_is_passed_on_to_the_page(sandbox: Served) -> None:
    app = client(sandbox)
    sign_in(app, sandbox, ALICE)
    sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": "mfa"})

    refused = app.acquire_token_silent_with_error(SCOPES, account=only_account(app), force_refresh=True)
    assert (refused["error"], refused["suberror"]) == ("invalid_grant", "basic_action")
    assert "capolids" in json.loads(refused["claims"])["access_token"]
    assert "access_token" in sign_in(app, sandbox, ALICE, claims_challenge=refused["claims"])
    assert "access_token" in app.acquire_token_silent(SCOPES, account=only_account(app), force_refresh=True)


# Accounts, and tokens that lie


def test_two_accounts_of_two_tenants_live_side_by_side(sandbox: Served) -> None:
    app = client(sandbox)
    sign_in(app, sandbox, ALICE)
    sign_in(app, sandbox, BEN)
    sign_in(app, sandbox, "carol@contoso.example")

    assert {account["username"] for account in app.get_accounts()} == {ALICE, BEN, "carol@contoso.example"}
    [ben] = app.get_accounts(username=BEN)
    assert app.acquire_token_silent(SCOPES, account=ben, force_refresh=True)["access_token"]


def test_the_answer_comes_by_form_post(sandbox: Served) -> None:
    app, browser = client(sandbox), Browser(sandbox)
    sign_in(app, sandbox, ALICE)
    flow, page = begin(app, browser, ALICE, response_mode="form_post")

    from tests.sandbox.conftest import form_fields

    assert page.status == 200 and f'action="{REDIRECT}"' in page.text
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, form_fields(page.text))


@pytest.mark.parametrize("wrong", ["nonce_other", "nonce_missing"])
def test_msal_refuses_an_id_token_of_another_sign_in(sandbox: Served, wrong: str) -> None:
    sandbox.control("orders", {"wrong": wrong})
    with pytest.raises((ValueError, RuntimeError)):
        sign_in(client(sandbox), sandbox, ALICE)


@pytest.mark.parametrize("wrong", ["audience_other", "issuer_elsewhere", "signature_broken"])
def test_msal_leaves_the_other_checks_to_the_app(sandbox: Served, wrong: str) -> None:
    """msal 1.39 takes them as they come: an app that keys accounts on oid and tid has to verify by itself."""
    sandbox.control("orders", {"wrong": wrong})

    assert "access_token" in sign_in(client(sandbox), sandbox, ALICE)


def test_state_that_is_not_ours_is_refused(sandbox: Served) -> None:
    app, browser = client(sandbox), Browser(sandbox)
    flow, page = begin(app, browser, ALICE)
    told = answered(browser.submit(page, "consent", decision="accept"))

    with pytest.raises(ValueError, match="state"):
        app.acquire_token_by_auth_code_flow(flow, {**told, "state": "another"})
