"""Every number of Microsoft's has words, for whoever can act."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gatepost.graph import aadsts, errors
from gatepost.mailboxes import refusals

# What is to be done about a number says who does it.
BY_ACTION = {
    "fix app registration": "operator", "operator": "operator", "redirect URI": "operator", "fix client id": "operator",
    "blocked by customer policy": "it", "admin approval": "it", "admin-approval help with": "it",
    "customer admin must assign": "it", "admin must re-enable": "it", "publisher verification": "it",
    "user stays on Microsoft page": "it", "may be impossible from this app": "it",
    "retry with backoff": "wait", "bug": "us", "wrong account": "rep", "reauth": "rep", "restart sign-in": "rep",
    "interactive sign-in": "rep", "cancelled OR not approved": "rep", "reconnect, show which scopes": "it",
}  # fmt: skip
SAME = {900981: "it"}  # its action is "same" as that of the one before


def known(shared_data: Path) -> list[dict[str, Any]]:
    return json.loads((shared_data / "entra-errors-subset.json").read_bytes())["errors"]


def test_every_number_of_the_reference_has_words(shared_data: Path) -> None:
    numbers = {row["code"] for row in known(shared_data)}
    assert len(numbers) == 57
    assert numbers - aadsts.MEANINGS.keys() == set()


def test_every_number_is_for_the_person_who_can_act(shared_data: Path) -> None:
    judged = 0
    for row in known(shared_data):
        if not row["product_action"]:
            continue
        told = next(
            (who for words, who in BY_ACTION.items() if words in row["product_action"]), SAME.get(row["code"])
        )
        assert told is not None, row
        assert aadsts.MEANINGS[row["code"]].who == told, row
        judged += 1
    assert judged > 40


def test_whoever_runs_gatepost_answers_for_what_the_app_registration_does(shared_data: Path) -> None:
    for row in known(shared_data):
        if row["oauth_error"] in ("invalid_client", "unauthorized_client"):
            assert aadsts.MEANINGS[row["code"]].who == "operator", row
        if row["oauth_error"] == "temporarily_unavailable":
            assert aadsts.MEANINGS[row["code"]].who == "wait", row


@pytest.mark.parametrize("number", aadsts.MEANINGS)
def test_each_meaning_is_whole_sentences_without_microsofts_jargon(number: int) -> None:
    meaning = aadsts.MEANINGS[number]
    for text in (meaning.happened, meaning.do):
        assert re.match(r"[A-Z].*\.$", text), text
    assert not re.search(r"AADSTS|MFA|grant|token|tenant admin", meaning.happened)


@pytest.mark.parametrize(
    ("error", "who"),
    [
        ("access_denied", "rep"), ("consent_required", "it"), ("interaction_required", "rep"), ("login_required", "rep"),
        ("invalid_grant", "rep"), ("invalid_client", "operator"), ("unauthorized_client", "operator"),
        ("temporarily_unavailable", "wait"), ("server_error", "wait"), ("invalid_request", "us"), ("something_new", "rep"),
    ],
)  # fmt: skip
def test_a_number_that_nobody_knows_is_explained_by_its_class(error: str, who: str) -> None:
    assert aadsts.meaning(9_999_999, error).who == who


@pytest.mark.parametrize(
    ("error", "who"),
    [
        (errors.RegistrationWrong("…", code="AADSTS7999999"), "operator"),
        (errors.TryLater("…"), "wait"),
        (errors.ReconnectNeeded("…", code="AADSTS7999999"), "rep"),
        (errors.MailboxUnusable("…"), "it"),
        (errors.Refused("…", code="nonce"), "rep"),
        (errors.Refused("…", code="AADSTS53003"), "it"),
    ],
)
def test_an_error_is_told_by_its_kind_where_its_number_is_not_known(
    error: errors.GraphError, who: str
) -> None:
    refusal = refusals.of_error(error)
    assert refusal.who == who
    assert "Nothing was connected." in refusal.happened


def test_each_account_that_cannot_be_connected_has_its_own_words() -> None:
    told = refusals.IDENTITIES.values()
    assert len({each.title for each in told}) == len({each.do for each in told}) == len(refusals.IDENTITIES)
