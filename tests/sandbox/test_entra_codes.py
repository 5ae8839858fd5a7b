"""Every AADSTS code of the table, where the table says it shows: on order, and by its natural cause."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from m365_sandbox import errors

from .entra import (
    ALICE,
    ERIN,
    FRANK,
    MAIL,
    REDIRECT,
    Browser,
    Served,
    answered,
    ask,
    assertion,
    certificate,
    code_for,
    redeem,
    refresh,
    tokens_for,
)

TABLE: list[dict[str, Any]] = json.loads((Path(errors.__file__).with_name("entra_errors.json")).read_bytes())[
    "errors"
]
PLACES = [(row["code"], where) for row in TABLE for where in row["where"]]
BY_CODE = {row["code"]: row for row in TABLE}
SHARED = Path(
    os.environ.get("GATEPOST_SHARED_DATA") or Path(__file__).resolve().parents[2] / "../shared/data"
)


def test_the_table_has_the_codes_and_forms_of_the_reference_data() -> None:
    """Learn, reference-error-codes, as far as it concerns clients like ours."""
    file = SHARED / "entra-errors-subset.json"
    if not file.exists():
        pytest.skip("the reference data are not here")
    names = ("code", "name", "where", "oauth_error", "http_status", "suberror", "text")
    rows = json.loads(file.read_bytes())["errors"]

    assert [[row[n] for n in names] for row in TABLE] == [[row[n] for n in names] for row in rows]
    assert len(TABLE) == 57


@pytest.mark.parametrize(("code", "where"), PLACES)
def test_every_code_can_be_ordered_for_an_account_at_its_place(
    sandbox: Served, code: int, where: str
) -> None:
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("orders", {"code": code, "for": ALICE, "where": where, "count": 1})
    row = BY_CODE[code]

    assert refresh(sandbox, tokens_for(sandbox, FRANK)["refresh_token"]).status == 200
    if where == "token":
        refused = refresh(sandbox, token)
        body = refused.json
        usual = 401 if row["oauth_error"] == "invalid_client" else 400
        assert (body["error"], body["error_codes"]) == (row["oauth_error"] or "invalid_request", [code])
        assert (refused.status, body.get("suberror")) == (row["http_status"] or usual, row["suberror"])
        assert body["error_description"].startswith(f"AADSTS{code}: ")
        assert not re.search(r"\{\w+\}", body["error_description"])
        assert refresh(sandbox, token).status == 200
    else:
        page = Browser(sandbox).sign_in(ALICE)
        if where == "page":
            assert f"AADSTS{code}" in page.text
        else:
            told = answered(page)
            assert (told["error"], told["state"]) == (row["oauth_error"] or "invalid_request", "s1")
            assert told["error_description"].startswith(f"AADSTS{code}: ")
        assert "code" in answered(Browser(sandbox).sign_in(ALICE))


def test_an_order_without_account_strikes_whoever_comes_first(sandbox: Served) -> None:
    sandbox.control("orders", {"code": 90033, "count": 1})
    sandbox.control("orders", {"code": 50011, "count": 1})

    assert ask(sandbox).json["error_codes"] == [90033]
    assert "AADSTS50011" in Browser(sandbox).authorize().text


def test_an_order_may_carry_claims(sandbox: Served) -> None:
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("orders", {"code": 50079, "for": ALICE, "claims": '{"access_token": {}}'})

    assert refresh(sandbox, token).json["claims"] == '{"access_token": {}}'


def test_orders_outlive_a_restart(sandbox: Served) -> None:
    sandbox.control("orders", {"code": 90033})
    parts = sandbox.app.state.sandbox
    parts.orders.clear()
    parts.take_up_settings()

    assert ask(sandbox).json["error_codes"] == [90033]


def test_a_wrong_order_says_what_may_be_ordered(sandbox: Served) -> None:
    for order, hint in (
        ({"code": 1}, "50076"),
        ({"code": 50076, "where": "sky"}, "redirect"),
        ({"wrong": "x"}, "expired"),
    ):
        answer = sandbox.post("/_sandbox/orders", body=order)
        assert (answer.status, hint in answer.json["error"]) == (400, True)
    sandbox.control("orders", {"code": 50076})
    assert sandbox.call("DELETE", "/_sandbox/orders").json == []


def test_channel_status_and_names_of_a_code_can_be_overridden(sandbox: Served) -> None:
    """For most codes they are not documented: switch aadsts."""
    changed = {
        "50057": {"status": 401, "error": "interaction_required", "suberror": "x"},
        "50105": {"where": "redirect"},
    }
    sandbox.control("switches", {"aadsts": changed})
    token = tokens_for(sandbox, ALICE)["refresh_token"]
    sandbox.control("users", {"address": ALICE, "enabled": False})

    refused = refresh(sandbox, token)
    assert (refused.status, refused.json["error"], refused.json["suberror"]) == (
        401,
        "interaction_required",
        "x",
    )
    sandbox.control("tenants", {"domain": "fabrikam.example", "assignment_required": True})
    told = answered(Browser(sandbox).sign_in(ERIN))
    assert told["error"] == "access_denied" and told["error_description"].startswith("AADSTS50105")


@pytest.mark.parametrize("trailer", ["spaces", "lines"])
def test_the_trailer_of_a_description_follows_its_switch(sandbox: Served, trailer: str) -> None:
    """Recordings differ: switch error_trailer."""
    sandbox.control("switches", {"error_trailer": trailer})
    mark = "\r\nTrace ID: " if trailer == "lines" else " Trace ID: "

    body = ask(sandbox, grant_type="refresh_token", refresh_token="x").json
    assert mark in body["error_description"] and body["error_uri"].endswith("/error?code=70000")
    assert {"timestamp", "trace_id", "correlation_id"} < set(body)


# Natural causes


def policy(rule: str) -> Callable[[Served], str]:
    """What the token endpoint says under that rule of conditional access."""

    def cause(sandbox: Served) -> str:
        token = tokens_for(sandbox, ALICE)["refresh_token"]
        sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": rule})
        return refresh(sandbox, token).text

    return cause


def page_under(rule: str) -> Callable[[Served], str]:
    def cause(sandbox: Served) -> str:
        sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": rule})
        return Browser(sandbox).sign_in(ALICE).text

    return cause


def with_app(**changes: Any) -> Callable[[Served], str]:
    def cause(sandbox: Served) -> str:
        sandbox.control("apps", changes)
        return ask(sandbox, grant_type="refresh_token", refresh_token="x").text

    return cause


def risky(workflow: bool) -> Callable[[Served], str]:
    def cause(sandbox: Served) -> str:
        sandbox.control(
            "tenants", {"domain": "northwind.example", "risky_app": True, "admin_consent_workflow": workflow}
        )
        return Browser(sandbox).sign_in(ALICE).text

    return cause


def declined(sandbox: Served) -> str:
    sandbox.control("switches", {"cancel": "described"})
    browser = Browser(sandbox)
    return answered(browser.submit(browser.sign_in(ALICE), "consent", decision="cancel"))["error_description"]


def missing_claim(sandbox: Served) -> str:
    sandbox.control("apps", {"certificates": [certificate()[1]]})
    return refresh(sandbox, "x", client_secret=None, **assertion(iss=None)).text


def used_code(sandbox: Served) -> str:
    code = code_for(sandbox, ALICE)
    redeem(sandbox, code)
    return redeem(sandbox, code).text


def late_code(sandbox: Served) -> str:
    code = code_for(sandbox, ALICE)
    sandbox.control("clock", {"advance_seconds": 601})
    return redeem(sandbox, code).text


def under_workflow(sandbox: Served) -> str:
    sandbox.control("tenants", {"domain": "fabrikam.example", "admin_consent_workflow": True})
    return Browser(sandbox).sign_in(ERIN).text


def ordinary_administrator(sandbox: Served) -> str:
    link = (
        f"/organizations/v2.0/adminconsent?client_id={'6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5'}&scope=Mail.Send"
    )
    browser = Browser(sandbox)
    return browser.submit(browser.go(f"{link}&redirect_uri={REDIRECT}"), "other", account=ERIN).text


def redirected_to(changes: dict[str, str]) -> Callable[[Served], str]:
    return lambda sandbox: answered(Browser(sandbox).authorize(**changes))["error_description"]


# In test_entra_authorize.py, test_entra_token.py and test_entra_consent.py:
ELSEWHERE = {
    16000, 50020, 50053, 50055, 50057, 50058, 50072, 50074, 50076, 50078, 50079, 50105, 50126, 50132, 50133,
    50173,
    50194, 50196, 500011, 65001, 65005, 70000, 70011, 70043, 700005, 700082, 700084, 7000112, 90033, 90055,
}  # fmt: skip
CAUSES: list[tuple[int, Callable[[Served], str]]] = [
    (50011, lambda sandbox: Browser(sandbox).authorize(redirect_uri="").text),
    (50034, lambda sandbox: Browser(sandbox).sign_in("nobody@northwind.example").text),
    (50097, policy("device")),
    (50131, policy("risk")),
    (50158, policy("external-challenge")),
    (501481, lambda sandbox: redeem(sandbox, code_for(sandbox, ALICE), code_verifier="w" * 64).text),
    (53000, policy("compliant-device")),
    (53001, policy("domain-joined-device")),
    (53003, policy("block")),
    (530032, policy("security-policy")),
    (530035, policy("security-defaults")),
    (53000, page_under("compliant-device")),
    (53001, page_under("domain-joined-device")),
    (530032, page_under("security-policy")),
    (530035, page_under("security-defaults")),
    (54005, used_code),
    (65004, declined),
    (70008, late_code),
    (700016, lambda sandbox: ask(sandbox, client_id="nobody").text),
    (7000215, lambda sandbox: ask(sandbox, client_secret="wrong").text),
    (7000218, lambda sandbox: ask(sandbox, client_secret=None).text),
    (7000222, with_app(secret_expired=True)),
    (90002, lambda sandbox: ask(sandbox, "nowhere.example").text),
    (90014, missing_claim),
    (900144, lambda sandbox: ask(sandbox).text),
    (900144, redirected_to({"response_type": ""})),
    (900144, lambda sandbox: Browser(sandbox).authorize(client_id="").text),
    (
        9002313,
        lambda sandbox: (
            sandbox.post("/common/oauth2/v2.0/token", form={}, headers={"Authorization": "Basic !"}).text
        ),
    ),
    (90093, ordinary_administrator),
    (90094, lambda sandbox: Browser(sandbox).sign_in(ERIN).text),
    (90095, under_workflow),
    (900941, risky(workflow=False)),
    (900981, risky(workflow=True)),
]


@pytest.mark.parametrize(
    ("code", "cause"), CAUSES, ids=[f"{code}-{number}" for number, (code, _) in enumerate(CAUSES)]
)
def test_what_brings_a_code_about(sandbox: Served, code: int, cause: Callable[[Served], str]) -> None:
    """Learn, reference-error-codes."""
    assert f"AADSTS{code}" in cause(sandbox)


def test_no_code_is_without_a_natural_cause() -> None:
    assert {code for code, _ in CAUSES} | ELSEWHERE == set(BY_CODE)


def test_a_policy_of_the_token_endpoint_lets_the_page_pass(sandbox: Served) -> None:
    """50097, 50131 and 50158 show at the token endpoint only: consent first, then no token."""
    sandbox.control("tenants", {"domain": "northwind.example", "conditional_access": "risk"})

    refused = redeem(sandbox, code_for(sandbox, ALICE, MAIL)).json
    assert (refused["error_codes"], refused["suberror"]) == ([50131], "message_only")
