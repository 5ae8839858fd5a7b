"""Signing in with Microsoft, against a sign-in host of one function; and with an OpenID provider.

Who somebody is follows from (tenant, object id) and from nothing else: an address in a token can be anybody's.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from gatepost.accounts import actions, invitations, microsoft
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member, User
from gatepost.accounts.rules import Proof
from gatepost.audit.models import AuditEntry
from gatepost.isolation import inside
from gatepost.mailboxes.waiting_room import CALLBACK_PATH
from tests.graph.entra import OBJECT, OTHER_KEY, TENANT, id_token, sign_in_host
from tests.makers import PASSWORD, make_member, make_workspace, rows
from tests.pages import confirmed, signed_in, text_of

pytestmark = pytest.mark.django_db
UID = f"{TENANT}/{OBJECT}"
OTHER_TENANT = "99999999-9999-4999-8999-999999999999"


@pytest.fixture(scope="module")
def running() -> Any:
    with sign_in_host() as host:
        yield host


@pytest.fixture
def host(running: Any, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    running.asked.clear()
    running.entra._apps.clear()
    settings.GATEPOST_SANDBOX_URL = running.entra.sandbox_url
    settings.GATEPOST_SIGN_IN_WITH_MICROSOFT = True
    settings.SOCIALACCOUNT_PROVIDERS = {
        **settings.SOCIALACCOUNT_PROVIDERS,
        "microsoft": {
            "provider_class": "gatepost.accounts.microsoft.Microsoft",
            "APPS": [{"client_id": running.entra.client_id}],
        },
    }
    monkeypatch.setattr(microsoft, "entra", lambda: running.entra)
    return running


@pytest.fixture
def alice(host: Any) -> Member:
    member = make_member(make_workspace())
    allow(member, TENANT)
    return member


def allow(member: Member, *tenants: str, requires: str = "", proof: Proof | None = None) -> None:
    actions.change_sign_in(
        member.workspace_id, requires=requires, tenants=tenants, proof=proof or Proof(), actor=by(member)
    )


def leave(client: Client, path: str = "/sign-in/microsoft/", **given: str) -> dict[str, str]:
    """The browser is sent to Microsoft; the query of that address."""
    answer = client.post(path, given)
    assert answer.status_code == 302, text_of(answer)
    return {key: values[0] for key, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def come_back(host: Any, client: Client, query: dict[str, str], **claims: Any) -> Any:
    host.grants(id_token=id_token("", **{"nonce": query["nonce"], **claims}))
    return client.get("/sign-in/microsoft/back/", {"code": "c", "state": query["state"]}, follow=True)


def sign_in(host: Any, client: Client | None = None, **claims: Any) -> tuple[Client, Any]:
    client = client or Client()
    return client, come_back(host, client, leave(client), **claims)


def link(member: Member, uid: str = UID) -> None:
    SocialAccount.objects.create(user=member.user, provider="microsoft", uid=uid)


def is_in(client: Client) -> bool:
    return client.get("/inbox/").status_code == 200


def test_a_linked_account_signs_in(host: Any, alice: Member) -> None:
    link(alice)
    client, page = sign_in(host)
    assert page.redirect_chain[-1][0] == "/inbox/" and "Alice" in text_of(page)
    (entry,) = rows(AuditEntry, alice.workspace_id, tag="member:sign-in")
    assert entry.detail == {"by": ["socialaccount"]}


def test_microsoft_is_asked_for_the_identity_only_with_pkce_and_to_choose_an_account(
    host: Any, alice: Member
) -> None:
    query = leave(Client(), "/sign-in/microsoft/?scope=Mail.Read&auth_params=prompt%3Dnone")
    assert set(query["scope"].split()) == {"openid", "profile", "email"}
    assert query["prompt"] == "select_account" and query["code_challenge_method"] == "S256"
    assert query["redirect_uri"].endswith("/sign-in/microsoft/back/")


@pytest.mark.parametrize("claim", ["email", "preferred_username", "upn"])
def test_an_address_in_the_token_signs_nobody_in(host: Any, alice: Member, claim: str) -> None:
    """Known as nOAuth: whoever administers a tenant can write any address into these."""
    client, page = sign_in(host, **{claim: alice.user.email})
    assert "This account is not known here" in text_of(page) and not is_in(client)
    assert not SocialAccount.objects.exists()


def test_an_address_whose_domain_the_tenant_has_proved_links_the_account(host: Any, alice: Member) -> None:
    client, _ = sign_in(host, email=alice.user.email, xms_edov=True)
    assert is_in(client)
    assert SocialAccount.objects.get().uid == UID and SocialAccount.objects.get().user_id == alice.user_id


def test_but_not_of_an_organisation_that_no_workspace_lets_in(host: Any, alice: Member) -> None:
    claims = {"tid": OTHER_TENANT, "iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"}
    client, page = sign_in(host, email=alice.user.email, xms_edov=True, **claims)
    assert not is_in(client) and not SocialAccount.objects.exists()


def test_the_same_object_id_of_another_tenant_is_somebody_else(host: Any, alice: Member) -> None:
    link(alice)
    allow(alice, TENANT, OTHER_TENANT)
    claims = {"tid": OTHER_TENANT, "iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"}
    client, page = sign_in(host, **claims)
    assert "not known here" in text_of(page) and not is_in(client)


def test_an_organisation_that_is_allowed_no_more_lets_nobody_in_not_even_to_his_own_page(
    host: Any, alice: Member
) -> None:
    link(alice)
    before, _ = sign_in(host)
    assert is_in(before)
    allow(alice)
    client, page = sign_in(host)
    assert "No workspace of yours lets accounts of this organisation in" in text_of(page)
    assert client.get("/account/").status_code == 302
    assert "does not let your organisation in" in text_of(before.get("/inbox/", follow=True))


WRONG = {
    "signed by somebody else": {"key": OTHER_KEY},
    "for another app": {"aud": "00000000-0000-0000-0000-000000000000"},
    "of another issuer": {"iss": "https://login.microsoftonline.com/common/v2.0"},
    "of another sign-in": {"nonce": "0" * 64},
    "without a nonce": {"nonce": None},
    "run out": {"exp": 1_000_000_000},
    "without object id": {"oid": None},
    "without tenant": {"tid": None},
}


@pytest.mark.parametrize("wrong", WRONG, ids=list(WRONG))
def test_a_wrong_identity_token_signs_nobody_in(host: Any, alice: Member, wrong: str) -> None:
    link(alice)
    client, page = sign_in(host, **WRONG[wrong])
    assert page.status_code == 403 and "The sign-in was not finished" in text_of(page)
    assert not is_in(client)


def test_an_answer_belongs_to_the_browser_that_asked_and_works_once(host: Any, alice: Member) -> None:
    link(alice)
    client = Client()
    query = leave(client)
    assert "not finished" in text_of(come_back(host, Client(), query))  # another browser
    assert "not finished" in text_of(come_back(host, client, {**query, "state": "another"}))
    assert come_back(host, client, query).status_code == 200
    client.post("/sign-out/")
    assert "not finished" in text_of(come_back(host, client, query))
    assert not is_in(client)


def test_cancelling_at_microsoft_says_so(host: Any, alice: Member) -> None:
    client = Client()
    state = leave(client)["state"]
    page = client.get("/sign-in/microsoft/back/", {"error": "access_denied", "state": state})
    assert "It was cancelled" in text_of(page)


def test_the_verifier_goes_to_microsoft_and_no_lasting_access_is_asked_for(host: Any, alice: Member) -> None:
    link(alice)
    sign_in(host)
    (asked,) = [each for each in host.asked if each.get("grant_type") == "authorization_code"]
    assert len(asked["code_verifier"]) > 40


def invited(alice: Member, email: str = "dora@northwind.example") -> str:
    sent = invitations.invite(email, "rep", by=alice, actor=by(alice))
    with inside(alice.workspace_id):
        return "/join/" + invitations.link_of(sent.invitation).partition("/join/")[2]


def test_an_invited_person_joins_with_microsoft_and_has_no_password(host: Any, alice: Member) -> None:
    client = Client()
    query = leave(client, invited(alice), by="microsoft")
    page = come_back(host, client, query, name="Dora Diaz", preferred_username="dora@elsewhere.example")
    assert page.redirect_chain[-1][0] == "/inbox/" and "Dora Diaz" in text_of(page)
    dora = User.objects.get(email="dora@northwind.example")  # the invited address, not a claimed one
    assert not dora.has_usable_password() and SocialAccount.objects.get(user=dora).uid == UID


def test_not_from_an_organisation_that_the_workspace_does_not_let_in(host: Any, alice: Member) -> None:
    client, path = Client(), invited(alice)
    claims = {"tid": OTHER_TENANT, "iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"}
    page = come_back(host, client, leave(client, path, by="microsoft"), **claims)
    assert "lets nobody in from this organisation" in text_of(page)
    assert not User.objects.filter(email="dora@northwind.example").exists()
    assert Client().get(path).status_code == 200  # the invitation is not used up


def test_without_an_invitation_an_unknown_account_becomes_nobody(host: Any, alice: Member) -> None:
    sign_in(host, name="Mallory")
    assert User.objects.count() == 1


def test_somebody_signed_in_links_his_account_and_removes_it_again(host: Any, alice: Member) -> None:
    client = confirmed(signed_in(alice))
    query = leave(client, "/sign-in/microsoft/?process=connect&next=/account/")
    page = come_back(host, client, query, preferred_username="alice@northwind.example")
    assert "alice@northwind.example" in text_of(page)
    account = SocialAccount.objects.get(user=alice.user)
    changes = [
        each.detail["what"] for each in rows(AuditEntry, alice.workspace_id, tag="member:sign-in-change")
    ]
    assert changes == ["account-linked"]
    client.post("/account/linked/", {"account": str(account.pk)})
    assert not SocialAccount.objects.exists()


def test_an_account_that_is_linked_to_somebody_is_linked_to_nobody_else(host: Any, alice: Member) -> None:
    link(alice)
    ben = make_member(alice.workspace, "Ben", role="rep")
    client = confirmed(signed_in(ben))
    come_back(host, client, leave(client, "/sign-in/microsoft/?process=connect&next=/account/"))
    assert SocialAccount.objects.get().user_id == alice.user_id


def test_where_single_sign_on_is_asked_for_a_password_opens_nothing(host: Any, alice: Member) -> None:
    link(alice)
    allow(alice, TENANT, requires="single_sign_on", proof=Proof(tenant=TENANT))
    client = Client()
    client.post("/sign-in/", {"login": alice.user.email, "password": PASSWORD})
    page = client.get("/inbox/", follow=True)
    assert "This workspace asks for single sign-on" in text_of(page)
    client, _ = sign_in(host, client)
    assert is_in(client)


def test_an_invitation_to_it_offers_no_password(host: Any, alice: Member) -> None:
    allow(alice, TENANT, requires="single_sign_on", proof=Proof(tenant=TENANT))
    page = text_of(Client().get(invited(alice)))
    assert "Join with Microsoft" in page and "Password" not in page


def test_the_way_back_is_not_the_mailboxes(settings: Any) -> None:
    assert microsoft.CALLBACK_PATH != CALLBACK_PATH


def test_of_an_account_only_its_names_are_kept(host: Any, alice: Member) -> None:
    link(alice)
    sign_in(host, preferred_username="alice@northwind.example", email="x@y.example", name="Alice Berger")
    assert SocialAccount.objects.get().extra_data == {
        "account": "alice@northwind.example",
        "name": "Alice Berger",
    }


def test_every_user_has_the_address_that_signs_him_in(alice: Member) -> None:
    assert EmailAddress.objects.get(user=alice.user).email == alice.user.email
