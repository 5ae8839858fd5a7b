"""Who may consent to what: Learn, "Manage app consent policies", "Configure the admin consent workflow"."""

import urllib.parse

import pytest

from m365_sandbox import permissions

from .conftest import APP_ID
from .entra import ALICE, DANA, ERIN, FRANK, MAIL, REDIRECT, Answer, Browser, Served, answered, tokens_for

FREE = ["openid", "profile", "offline_access", "email", "User.Read", "Mail.Send", "Contacts.Read"]
MAILBOX = [
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.ReadBasic",
    "Calendars.Read",
    "Calendars.ReadWrite",
    "MailboxSettings.Read",
]


@pytest.mark.parametrize(
    ("policy", "blocked"),
    [
        ("legacy", []),
        ("recommended-2025-07", []),
        ("recommended-2025-11", MAILBOX),
        ("recommended-2026-07", [*MAILBOX, "People.Read"]),
        ("no-user-consent", [*MAILBOX, "People.Read", *FREE]),
    ],
)
def test_each_policy_blocks_its_permissions(policy: str, blocked: list[str]) -> None:
    """Message Center MC1163922 (November 2025) and MC1304287 (July 2026)."""
    everything = [*FREE, *MAILBOX, "People.Read"]

    assert set(permissions.needs_admin(everything, policy)) == set(blocked)


@pytest.mark.parametrize("policy", permissions.POLICIES)
def test_a_page_follows_the_policy_of_its_tenant(sandbox: Served, policy: str) -> None:
    sandbox.control("tenants", {"domain": "northwind.example", "consent_policy": policy})

    page = Browser(sandbox).sign_in(ALICE)
    free = policy in ("legacy", "recommended-2025-07")
    assert ("Permissions requested" if free else "Need admin approval") in page.text


def test_an_existing_consent_outlives_a_stricter_policy(sandbox: Served) -> None:
    tokens_for(sandbox, ALICE)
    sandbox.control("tenants", {"domain": "northwind.example", "consent_policy": "no-user-consent"})

    assert "code" in answered(Browser(sandbox).sign_in(ALICE))


def test_a_verified_publisher_is_no_help_against_the_policy(sandbox: Served) -> None:
    sandbox.control("apps", {"verified": True, "publisher": "gatepost.example"})

    assert "Need admin approval" in Browser(sandbox).sign_in(ERIN).text


@pytest.mark.parametrize("setting", ["page", "redirect"])
def test_the_need_of_an_administrator_is_a_page_or_a_redirect(sandbox: Served, setting: str) -> None:
    """The redirect with 90094 has been seen only in tests of others: switch admin_needed."""
    sandbox.control("switches", {"admin_needed": setting})

    browser = Browser(sandbox)
    page = browser.sign_in(ERIN)
    if setting == "page":
        assert answered(browser.submit(page, "return", decision="return")) == {
            "error": "access_denied", "error_subcode": "cancel", "state": "s1",
        }  # fmt: skip
    else:
        assert answered(page)["error_description"].startswith("AADSTS90094")


@pytest.mark.parametrize("setting", ["bare", "described"])
def test_cancel_has_two_forms(sandbox: Served, setting: str) -> None:
    """Both have been recorded: switch cancel."""
    sandbox.control("switches", {"cancel": setting})
    browser = Browser(sandbox)

    told = answered(browser.submit(browser.sign_in(ALICE), "consent", decision="cancel"))
    assert told["error"] == "access_denied"
    assert ("error_subcode" in told, "error_description" in told) == (
        setting == "bare",
        setting == "described",
    )


def test_a_risky_app_gets_basic_permissions_only(sandbox: Served) -> None:
    """Learn, configure-risk-based-step-up-consent: 900941, with the workflow 900981."""
    sandbox.control("tenants", {"domain": "northwind.example", "risky_app": True})

    assert "AADSTS900941" in Browser(sandbox).sign_in(ALICE).text
    basic = Browser(sandbox).sign_in(ALICE, "openid profile User.Read")
    assert "This app may be risky" in basic.text and "Permissions requested" in basic.text


def test_the_consent_page_has_its_blocks(sandbox: Served) -> None:
    """Learn, application-consent-experience."""
    page = Browser(sandbox).sign_in(ALICE).text
    for part in (
        ALICE,
        "Gatepost",
        "unverified",
        "Read and write access to your mail",
        "myapps.microsoft.com",
        "privacy",
    ):
        assert part in page
    assert "Consent on behalf of your organization" not in page

    sandbox.control("apps", {"verified": True, "publisher": "gatepost.example"})
    admins = Browser(sandbox).sign_in(DANA).text
    assert "gatepost.example" in admins and 'name="organization" value="1">' in admins


# Administrators


ROLES = {
    "user": False, "privileged-role-admin": True, "cloud-application-admin": True, "application-admin": True,
    "global-admin": True,
}  # fmt: skip


def approve_by_link(
    sandbox: Served, account: str, path: str = "organizations/v2.0/adminconsent", **more: str
) -> Answer:
    query = urllib.parse.urlencode({"client_id": APP_ID, "redirect_uri": REDIRECT, "state": "s9", **more})
    browser = Browser(sandbox)
    page = browser.submit(browser.go(f"/{path}?{query}"), "other", account=account)
    return browser.submit(page, "consent", decision="accept") if 'id="consent"' in page.text else page


@pytest.mark.parametrize(("role", "may"), ROLES.items())
def test_which_roles_may_approve_for_all(sandbox: Served, role: str, may: bool) -> None:
    """Learn, grant-admin-consent."""
    sandbox.control("users", {"address": ERIN, "role": role})

    page = approve_by_link(sandbox, ERIN, scope=MAIL)
    assert (page.status == 302) is may
    if not may:
        assert "AADSTS90093" in page.text


@pytest.mark.parametrize("setting", ["yes", "no"])
def test_whether_a_global_administrator_may_follows_its_switch(sandbox: Served, setting: str) -> None:
    """Not documented for delegated permissions: switch global_admin_approves."""
    sandbox.control("switches", {"global_admin_approves": setting})
    sandbox.control("users", {"address": ERIN, "role": "global-admin"})

    assert (approve_by_link(sandbox, ERIN, scope=MAIL).status == 302) is (setting == "yes")
    assert approve_by_link(sandbox, FRANK, scope=MAIL).status == 302


def test_an_unknown_role_is_refused_with_the_known_ones(sandbox: Served) -> None:
    answer = sandbox.post("/_sandbox/users", body={"address": ERIN, "role": "king"})

    assert (answer.status, "cloud-application-admin" in answer.json["error"]) == (400, True)


def test_a_declined_admin_consent_says_consent_required(sandbox: Served) -> None:
    """Learn, v2-admin-consent."""
    query = urllib.parse.urlencode(
        {"client_id": APP_ID, "redirect_uri": REDIRECT, "scope": MAIL, "state": "s9"}
    )
    browser = Browser(sandbox)
    page = browser.submit(browser.go(f"/fabrikam.example/v2.0/adminconsent?{query}"), "other", account=FRANK)

    told = answered(browser.submit(page, "consent", decision="cancel"))
    assert (told["error"], told["admin_consent"], told["state"]) == ("consent_required", "True", "s9")
    assert told["error_description"].startswith("AADSTS65004")


@pytest.mark.parametrize("setting", ["grants_all", "not_offered"])
def test_the_older_admin_consent_link_follows_its_switch(sandbox: Served, setting: str) -> None:
    """That it grants all that the registration lists is not documented: switch v1_admin_consent."""
    sandbox.control("switches", {"v1_admin_consent": setting})
    sandbox.control("apps", {"static_scopes": ["User.Read", "Mail.Send"]})
    if setting == "not_offered":
        assert sandbox.get(f"/common/adminconsent?client_id={APP_ID}&redirect_uri={REDIRECT}").status == 404
        return

    told = answered(approve_by_link(sandbox, FRANK, "fabrikam.example/adminconsent"))
    assert told["admin_consent"] == "True" and "scope" not in told
    assert "code" in answered(Browser(sandbox).sign_in(ERIN, "User.Read Mail.Send"))


# The workflow


def request_approval(sandbox: Served) -> str:
    """Erin asks; the request's id."""
    sandbox.control("tenants", {"domain": "fabrikam.example", "admin_consent_workflow": True})
    browser = Browser(sandbox)
    sent = browser.submit(browser.sign_in(ERIN), "approval", justification="I sell")
    assert "Request sent" in sent.text
    return sandbox.control("approvals.json")[-1]["id"]


def subjects(sandbox: Served, account: str) -> list[str]:
    """What is in the account's inbox."""
    store = sandbox.app.state.sandbox.store
    user = store.user_by_address[account]
    return [message.subject for message in store.newest_first(f"{user.id}.inbox")]


def test_reviewers_and_requester_are_told_by_mail(sandbox: Served) -> None:
    request = request_approval(sandbox)
    assert subjects(sandbox, FRANK) == ["Request for admin consent: Gatepost"]

    sandbox.control("review", {"request": request, "reviewer": FRANK, "decision": "approve"})
    assert subjects(sandbox, ERIN) == ["Your request for Gatepost was approved"]
    assert "code" in answered(Browser(sandbox).sign_in(ERIN))


def test_a_reviewer_decides_on_their_page(sandbox: Served) -> None:
    request_approval(sandbox)
    browser = Browser(sandbox)
    assert FRANK in browser.go("/_sandbox/review").text
    page = browser.go(f"/_sandbox/review?reviewer={FRANK}")
    assert "I sell" in page.text and "waiting" in page.text and "expires" in page.text

    browser.submit(page, "review", decision="deny")
    assert "denied" in browser.go(f"/_sandbox/review?reviewer={FRANK}").text
    assert "Approval required" in browser.sign_in(ERIN).text


def test_a_reviewer_without_the_role_may_deny_but_not_approve(sandbox: Served) -> None:
    sandbox.control("users", {"address": "gina@fabrikam.example"})
    sandbox.control("tenants", {"domain": "fabrikam.example", "reviewers": ["gina@fabrikam.example"]})
    request = {"request": request_approval(sandbox), "reviewer": "gina@fabrikam.example"}
    assert subjects(sandbox, FRANK) == []

    refused = sandbox.post("/_sandbox/review", body={**request, "decision": "approve"})
    assert (refused.status, "may not approve" in refused.json["error"]) == (400, True)
    stranger = sandbox.post("/_sandbox/review", body={**request, "reviewer": FRANK, "decision": "deny"})
    assert stranger.status == 400
    assert sandbox.control("review", {**request, "decision": "deny"})["state"] == "denied"


def test_a_request_expires_undecided(sandbox: Served) -> None:
    request = request_approval(sandbox)
    sandbox.control("tenants", {"domain": "fabrikam.example", "approval_days": 5})
    sandbox.control("clock", {"advance_seconds": 6 * 86400})

    assert sandbox.control("approvals.json")[-1]["state"] == "expired"
    late = sandbox.post(
        "/_sandbox/review", body={"request": request, "reviewer": FRANK, "decision": "approve"}
    )
    assert (late.status, "expired" in late.json["error"]) == (400, True)
