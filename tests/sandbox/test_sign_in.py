"""Entra ID: accounts, consent, tokens; driven by msal and by hand."""

import base64
import json
import urllib.parse
from typing import Any

import jwt
import msal
import requests

from .conftest import (
    APP_ID,
    APP_SECRET,
    EVERYTHING,
    REDIRECT,
    Answer,
    Served,
    authorize_query,
    callback,
    form_fields,
)

MAIL = "User.Read Mail.ReadWrite Mail.Send"


class Mapped(requests.Session):
    """Sends what is meant for Microsoft to the sandbox."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        mapped = url.replace("https://login.microsoftonline.com", self._url)
        return super().request(method, mapped, *args, **kwargs)


def msal_app(sandbox: Served) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        APP_ID, client_credential=APP_SECRET, authority="https://login.microsoftonline.com/common",
        http_client=Mapped(sandbox.url),
    )  # fmt: skip


def pick(sandbox: Served, account: str, query: str, tenant: str = "common") -> Answer:
    return sandbox.post(f"/{tenant}/oauth2/v2.0/signin", form={"account": account, "request": query})


def decide(sandbox: Served, page: Answer, decision: str, **more: str) -> Answer:
    form = "return" if decision == "return" else "consent"
    fields = {**form_fields(page.text, form), "decision": decision, **more}
    return sandbox.post("/common/oauth2/v2.0/consent", form=fields)


def refresh(sandbox: Served, token: str, **changes: str) -> Answer:
    form = {
        "grant_type": "refresh_token", "client_id": APP_ID, "client_secret": APP_SECRET,
        "refresh_token": token,
        **changes,
    }  # fmt: skip
    return sandbox.post("/common/oauth2/v2.0/token", form=form)


def test_msal_signs_in_with_consent_and_refreshes(sandbox: Served) -> None:
    app = msal_app(sandbox)
    flow = app.initiate_auth_code_flow(MAIL.split(), redirect_uri=REDIRECT, prompt="select_account")
    raw = urllib.parse.urlsplit(flow["auth_uri"]).query
    picker = sandbox.get(f"/common/oauth2/v2.0/authorize?{raw}")
    assert "Pick an account" in picker.text and "Sandbox: this is not Microsoft" in picker.text

    page = pick(sandbox, "alice@northwind.example", form_fields(picker.text, "pick")["request"])
    assert "Permissions requested" in page.text and "unverified" in page.text
    assert "Read and write access to your mail" in page.text
    result = app.acquire_token_by_auth_code_flow(flow, callback(decide(sandbox, page, "accept")))

    assert result["id_token_claims"]["preferred_username"] == "alice@northwind.example"
    assert result["scope"].startswith("profile openid email https://graph.microsoft.com/")
    assert 3600 <= result["expires_in"] <= 5400
    [account] = app.get_accounts()
    again = app.acquire_token_silent(MAIL.split(), account=account, force_refresh=True)
    assert again["access_token"] != result["access_token"]


def test_the_id_token_is_signed_by_the_published_key(sandbox: Served) -> None:
    tokens = sandbox.sign_in("alice@northwind.example").tokens
    discovery = sandbox.get("/common/v2.0/.well-known/openid-configuration").json
    assert discovery["issuer"] == "https://login.microsoftonline.com/{tenantid}/v2.0"
    [key] = sandbox.get(discovery["jwks_uri"]).json["keys"]

    claims = jwt.decode(tokens["id_token"], jwt.PyJWK(key), algorithms=["RS256"], audience=APP_ID)
    assert claims["iss"] == f"https://login.microsoftonline.com/{claims['tid']}/v2.0"
    assert (claims["nonce"], claims["email"]) == ("n1", "alice@northwind.example")
    info = json.loads(base64.urlsafe_b64decode(tokens["client_info"] + "=="))
    assert info == {"uid": claims["oid"], "utid": claims["tid"]}


def test_consent_is_asked_only_once(sandbox: Served) -> None:
    sandbox.sign_in("alice@northwind.example")

    assert pick(sandbox, "alice@northwind.example", authorize_query(EVERYTHING)[0]).status == 302


def test_a_remembered_account_passes_without_a_page(sandbox: Served) -> None:
    sandbox.sign_in("alice@northwind.example")
    query, _ = authorize_query(EVERYTHING)
    cookie = pick(sandbox, "alice@northwind.example", query).headers["set-cookie"].partition(";")[0]

    answer = sandbox.get(f"/common/oauth2/v2.0/authorize?{query}", headers={"Cookie": cookie})
    assert "code" in callback(answer)
    silent, _ = authorize_query(EVERYTHING, prompt="none")
    assert callback(sandbox.get(f"/common/oauth2/v2.0/authorize?{silent}"))["error"] == "login_required"


def test_cancel_reaches_the_app_as_access_denied(sandbox: Served) -> None:
    page = pick(sandbox, "alice@northwind.example", authorize_query(MAIL)[0])

    bare = callback(decide(sandbox, page, "cancel"))
    assert bare == {"error": "access_denied", "error_subcode": "cancel", "state": "s1"}
    sandbox.control("switches", {"cancel": "described"})
    assert callback(decide(sandbox, page, "cancel"))["error_description"].startswith("AADSTS65004")


def test_a_tenant_under_the_managed_policy_needs_an_administrator(sandbox: Served) -> None:
    page = pick(sandbox, "erin@fabrikam.example", authorize_query(MAIL)[0])
    assert "Need admin approval" in page.text and "Have an admin account?" in page.text

    returned = callback(decide(sandbox, page, "return"))
    assert returned == {"error": "access_denied", "error_subcode": "cancel", "state": "s1"}


def test_sending_alone_needs_no_administrator(sandbox: Served) -> None:
    page = pick(sandbox, "erin@fabrikam.example", authorize_query("User.Read Mail.Send offline_access")[0])

    assert "code" in callback(decide(sandbox, page, "accept"))


def test_an_administrator_consents_for_everybody(sandbox: Served) -> None:
    page = pick(sandbox, "frank@fabrikam.example", authorize_query(MAIL)[0])
    assert "Consent on behalf of your organization" in page.text

    assert "code" in callback(decide(sandbox, page, "accept", organization="1"))
    assert "code" in callback(pick(sandbox, "erin@fabrikam.example", authorize_query(MAIL)[0]))


def test_the_admin_consent_link_grants_for_the_whole_tenant(sandbox: Served) -> None:
    query = urllib.parse.urlencode(
        {"client_id": APP_ID, "scope": MAIL, "redirect_uri": REDIRECT, "state": "s9"}
    )
    picker = sandbox.get(f"/organizations/v2.0/adminconsent?{query}")
    assert "erin@fabrikam.example" not in picker.text
    page = pick(
        sandbox, "frank@fabrikam.example", form_fields(picker.text, "pick")["request"], "organizations"
    )

    told = callback(decide(sandbox, page, "accept"))
    assert (told["admin_consent"], told["state"]) == ("True", "s9")
    assert "https://graph.microsoft.com/Mail.ReadWrite" in told["scope"]
    assert "code" in callback(pick(sandbox, "erin@fabrikam.example", authorize_query(MAIL)[0]))


def test_the_admin_consent_link_does_not_work_for_common_or_an_ordinary_user(sandbox: Served) -> None:
    query = urllib.parse.urlencode({"client_id": APP_ID, "scope": MAIL, "redirect_uri": REDIRECT})
    assert sandbox.get(f"/common/v2.0/adminconsent?{query}").status == 400

    assert "AADSTS90093" in pick(sandbox, "erin@fabrikam.example", "admin:" + query, "organizations").text


def test_with_the_workflow_the_app_hears_nothing_until_an_administrator_approves(sandbox: Served) -> None:
    sandbox.control("tenants", {"domain": "fabrikam.example", "admin_consent_workflow": True})
    query, _ = authorize_query(MAIL)
    page = pick(sandbox, "erin@fabrikam.example", query)
    assert "Approval required" in page.text

    fields = {**form_fields(page.text, "approval"), "justification": "I sell"}
    sent = sandbox.post("/common/oauth2/v2.0/approval", form=fields)
    assert (sent.status, "Request sent" in sent.text) == (200, True)
    [waiting] = sandbox.control("approvals.json")
    assert (waiting["user"], waiting["justification"]) == ("erin@fabrikam.example", "I sell")
    sandbox.control("approvals.json", {"request": waiting["id"], "decision": "approve"})

    assert "code" in callback(pick(sandbox, "erin@fabrikam.example", query))


def test_prompt_consent_asks_again_for_what_an_administrator_granted(sandbox: Served) -> None:
    sandbox.control("grants", {"tenant": "fabrikam.example", "grant": MAIL.split()})

    page = pick(sandbox, "erin@fabrikam.example", authorize_query(MAIL, prompt="consent")[0])
    assert "Need admin approval" in page.text


def test_an_unknown_app_or_redirect_address_is_a_page_and_no_redirect(sandbox: Served) -> None:
    unknown = sandbox.get(f"/common/oauth2/v2.0/authorize?{authorize_query(MAIL, client_id='nobody')[0]}")
    assert (unknown.status, "AADSTS700016" in unknown.text) == (400, True)

    sandbox.control("apps", {"redirect_uris": ["https://other.example/cb"]})
    elsewhere = sandbox.get(f"/common/oauth2/v2.0/authorize?{authorize_query(MAIL)[0]}")
    assert (elsewhere.status, "AADSTS50011" in elsewhere.text) == (400, True)


def test_form_post_carries_the_code_in_a_form(sandbox: Served) -> None:
    sandbox.sign_in("alice@northwind.example")

    page = pick(sandbox, "alice@northwind.example", authorize_query(MAIL, response_mode="form_post")[0])
    assert page.status == 200
    assert set(form_fields(page.text)) == {"code", "state", "session_state", "client_info"}


def granted_code(sandbox: Served) -> tuple[str, str]:
    sandbox.sign_in("alice@northwind.example")
    query, verifier = authorize_query(EVERYTHING)
    return callback(pick(sandbox, "alice@northwind.example", query))["code"], verifier


def test_a_code_without_its_verifier_is_worth_nothing(sandbox: Served) -> None:
    code, _ = granted_code(sandbox)

    refused = sandbox.redeem(code, "w" * 64)
    assert (refused.status, refused.json["error"], refused.json["error_codes"]) == (
        400,
        "invalid_grant",
        [501481],
    )


def test_a_code_works_once_and_for_ten_minutes(sandbox: Served) -> None:
    code, verifier = granted_code(sandbox)
    assert sandbox.redeem(code, verifier).status == 200
    assert sandbox.redeem(code, verifier).json["error_codes"] == [54005]

    code, verifier = granted_code(sandbox)
    sandbox.control("clock", {"advance_seconds": 601})
    assert sandbox.redeem(code, verifier).json["error_codes"] == [70008]


def test_a_wrong_secret_is_the_operators_problem(sandbox: Served) -> None:
    refused = refresh(sandbox, "any", client_secret="wrong")

    assert (refused.status, refused.json["error"], refused.json["error_codes"]) == (
        401,
        "invalid_client",
        [7000215],
    )
    basic = base64.b64encode(f"{APP_ID}:{APP_SECRET}".encode()).decode()
    form = {"grant_type": "refresh_token", "refresh_token": "any"}
    header = {"Authorization": f"Basic {basic}"}
    assert (
        sandbox.post("/common/oauth2/v2.0/token", form=form, headers=header).json["error"] == "invalid_grant"
    )


def test_a_used_refresh_token_stays_good(sandbox: Served) -> None:
    first = sandbox.sign_in("alice@northwind.example").tokens["refresh_token"]

    second = refresh(sandbox, first).json["refresh_token"]
    assert second != first
    assert refresh(sandbox, first).status == refresh(sandbox, second).status == 200


def test_a_refresh_token_dies_of_ninety_idle_days(sandbox: Served) -> None:
    token = sandbox.sign_in("alice@northwind.example").tokens["refresh_token"]
    sandbox.control("clock", {"advance_seconds": 91 * 86400})

    refused = refresh(sandbox, token).json
    assert (refused["error"], refused["error_codes"]) == ("invalid_grant", [700082])


def test_withdrawn_consent_shows_at_the_next_refresh(sandbox: Served) -> None:
    token = sandbox.sign_in("alice@northwind.example").tokens["refresh_token"]
    sandbox.control("grants", {"account": "alice@northwind.example", "revoke": True})

    refused = refresh(sandbox, token, scope="https://graph.microsoft.com/Mail.ReadWrite").json
    assert (refused["error"], refused["suberror"], refused["error_codes"]) == (
        "invalid_grant", "consent_required", [65001],
    )  # fmt: skip


def test_revoked_sessions_and_disabled_accounts_cannot_refresh(sandbox: Served) -> None:
    token = sandbox.sign_in("alice@northwind.example").tokens["refresh_token"]
    sandbox.control("users", {"address": "alice@northwind.example", "revoke_tokens": True})
    assert refresh(sandbox, token).json["error_codes"] == [50173]

    token = sandbox.sign_in("ben@northwind.example").tokens["refresh_token"]
    sandbox.control("users", {"address": "ben@northwind.example", "enabled": False})
    assert refresh(sandbox, token).json["error_codes"] == [50057]


def test_an_access_token_expires_by_the_sandboxes_clock(sandbox: Served) -> None:
    alice = sandbox.sign_in("alice@northwind.example")
    sandbox.control("clock", {"advance_seconds": 2 * 3600})

    answer = alice.get("/me")
    assert (answer.status, answer.json["error"]["code"]) == (401, "InvalidAuthenticationToken")
