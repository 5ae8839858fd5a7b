import itertools
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from gatepost.graph import errors
from gatepost.graph.oauth import Entra
from tests.graph.entra import OBJECT, OTHER_KEY, TENANT, SignIn, granted, id_token, sign_in_host

SCOPES = ("openid", "offline_access", "User.Read", "Mail.Read")
# msal answers a refused refresh token from memory for a minute: each test uses one of its own.
NUMBER = itertools.count()
BACK = "http://localhost:8000/mailboxes/connected/"


@pytest.fixture(scope="module")
def running() -> Iterator[SignIn]:
    with sign_in_host() as host:
        yield host


@pytest.fixture
def host(running: SignIn) -> SignIn:
    running.asked.clear()
    running.entra._apps.clear()  # msal remembers failures for a while
    running.keys_answer = None
    running.entra._keys.clear()
    return running


def finish(host: SignIn, **claims):
    flow = host.entra.begin(SCOPES, BACK)
    host.grants(id_token=id_token(flow["nonce"], **claims))
    return host.entra.finish(flow, {"code": "c", "state": flow["state"]})


def test_the_sign_in_page_lets_the_rep_choose_an_account_and_never_asks_for_consent_again(host):
    flow = host.entra.begin(SCOPES, BACK)
    query = parse_qs(urlsplit(flow["auth_uri"]).query)
    assert query["prompt"] == ["select_account"]
    assert query["code_challenge_method"] == ["S256"]
    assert set(query["scope"][0].split()) >= {"User.Read", "Mail.Read", "offline_access"}
    assert flow["auth_uri"].startswith(host.entra.sandbox_url)


def test_a_good_sign_in_says_who_it_is_and_what_was_granted(host):
    tokens = finish(host)
    assert (tokens.tenant, tokens.object_id) == (UUID(TENANT), UUID(OBJECT))
    assert tokens.scopes == {"Mail.Read"}
    assert host.asked[0]["code_verifier"]


def test_tokens_do_not_print_themselves(host):
    assert "access-1" not in repr(finish(host)) and "refresh-1" not in repr(finish(host))


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another-app"},
        {"iss": "https://login.microsoftonline.com/22222222-2222-4333-8444-555555555555/v2.0"},
        {"iss": "https://evil.example/v2.0"},
        {"tid": "22222222-2222-4333-8444-555555555555"},
        {"tid": "common"},
        {"tid": None},
        {"oid": None},
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"key": OTHER_KEY},
        {"kid": "unknown"},
    ],
    ids=lambda wrong: next(iter(wrong)) + str(next(iter(wrong.values())))[:12],
)
def test_an_identity_token_that_is_not_ours_is_refused(host, wrong):
    with pytest.raises(errors.Refused):
        finish(host, **wrong)


def test_an_identity_token_without_a_signature_is_refused(host):
    flow = host.entra.begin(SCOPES, BACK)
    header, body, _ = id_token(flow["nonce"]).split(".")
    host.grants(id_token=f"{header}.{body}.")
    with pytest.raises(errors.Refused):
        host.entra.finish(flow, {"code": "c", "state": flow["state"]})


def test_an_answer_with_another_state_is_refused_before_any_code_is_redeemed(host):
    flow = host.entra.begin(SCOPES, BACK)
    with pytest.raises(errors.Refused):
        host.entra.finish(flow, {"code": "c", "state": "of-somebody-else"})
    assert host.asked == []


def test_signing_keys_that_cannot_be_read_refuse_the_sign_in(host):
    host.keys_answer = b"<html>Service unavailable</html>"
    with pytest.raises(errors.GraphError):
        finish(host)


@pytest.mark.parametrize(
    ("error", "codes", "expected"),
    [
        ("invalid_grant", [700082], errors.ReconnectNeeded),
        ("invalid_grant", [50173], errors.ReconnectNeeded),
        ("invalid_grant", [50076], errors.ReconnectNeeded),
        ("invalid_grant", [65001], errors.ReconnectNeeded),
        ("interaction_required", [50079], errors.ReconnectNeeded),
        ("invalid_client", [7000215], errors.RegistrationWrong),
        ("invalid_client", [7000222], errors.RegistrationWrong),
        ("unauthorized_client", [700016], errors.RegistrationWrong),
        ("invalid_request", [50194], errors.RegistrationWrong),
        ("access_denied", [], errors.ApprovalNeeded),
        ("invalid_grant", [90094], errors.ApprovalNeeded),
        ("invalid_client", [90095], errors.RegistrationWrong),
        ("temporarily_unavailable", [90033], errors.TryLater),
        ("server_error", [], errors.TryLater),
        ("something_new", [], errors.Refused),
    ],
)
def test_each_refusal_of_a_refresh_says_who_must_act(host, error, codes, expected):
    body = {
        "error": error,
        "error_description": f"AADSTS{codes[0] if codes else 0}: No.",
        "error_codes": codes,
    }
    host.answer = (400, body)
    with pytest.raises(errors.GraphError) as raised:
        host.entra.refresh(f"refresh-{next(NUMBER)}", SCOPES, tenant=UUID(TENANT))
    assert type(raised.value) is expected


@pytest.mark.parametrize(
    "answer", [(503, b"<html>busy</html>"), (500, {"error": "x"}), (200, b"<html>proxy</html>")]
)
def test_a_sign_in_host_that_talks_nonsense_means_waiting(host, answer):
    host.answer = answer
    with pytest.raises(errors.TryLater):
        host.entra.refresh(f"refresh-{next(NUMBER)}", SCOPES, tenant=UUID(TENANT))


def test_a_sign_in_host_that_cannot_be_reached_means_waiting():
    nowhere = Entra("client", "sandbox-secret", "organizations", "http://127.0.0.1:1")
    with pytest.raises(errors.TryLater):
        nowhere.refresh(f"refresh-{next(NUMBER)}", SCOPES, tenant=UUID(TENANT))


def test_a_refresh_asks_the_mailboxes_own_tenant(host):
    host.grants(refresh_token="refresh-2")
    tokens = host.entra.refresh(f"refresh-{next(NUMBER)}", SCOPES, tenant=UUID(TENANT))
    assert tokens.refresh_token == "refresh-2"
    assert host.asked[0]["path"] == f"/{TENANT}/oauth2/v2.0/token"


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one(host):
    host.answer = (200, {key: value for key, value in granted().items() if key != "refresh_token"})
    assert host.entra.refresh("refresh-old", SCOPES, tenant=UUID(TENANT)).refresh_token == "refresh-old"


def test_an_installation_without_an_app_registration_says_what_to_set():
    with pytest.raises(errors.RegistrationWrong, match="GATEPOST_CLIENT_ID"):
        Entra("", None, "organizations", None)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_000},
        {"exp": None},
        {"iat": 99_999_999_999},
        {"nbf": 99_999_999_999},
        {"sub": None},
        {"exp": "soon"},
    ],
    ids=str,
)
def test_an_identity_token_of_another_time_is_refused(host, claims):
    with pytest.raises(errors.Refused):
        finish(host, **claims)
