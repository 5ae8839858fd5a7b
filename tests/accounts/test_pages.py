from django.test import Client

from gatepost.accounts.models import ApiToken, Workspace
from tests.makers import PASSWORD, make_member, make_workspace, rows
from tests.pages import signed_in, text_of


def test_a_member_signs_in_and_stands_in_the_inbox(db: None) -> None:
    alice = make_member(make_workspace())
    client = Client()
    response = client.post("/sign-in/", {"login": alice.user.email, "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == "/inbox/"
    assert "Alice" in text_of(response)


def test_a_wrong_password_says_so_and_not_whether_the_address_is_known(db: None) -> None:
    alice = make_member(make_workspace())
    known = Client().post("/sign-in/", {"login": alice.user.email, "password": "wrong-password"})
    unknown = Client().post("/sign-in/", {"login": "nobody@northwind.example", "password": "wrong-password"})
    assert 'role="alert"' in known.content.decode()
    assert text_of(known) == text_of(unknown).replace("nobody@northwind.example", alice.user.email)


def test_an_administrator_changes_the_workspace(db: None) -> None:
    alice = make_member(make_workspace())
    given = {
        "name": "Northwind EU",
        "time_zone": "Europe/Lisbon",
        "internal_domains": "@Holding.example\n\nsub.example",
    }
    assert signed_in(alice).post("/settings/", given).status_code == 302
    workspace = Workspace.objects.get(pk=alice.workspace_id)
    assert (workspace.name, workspace.time_zone) == ("Northwind EU", "Europe/Lisbon")
    assert workspace.internal_domains == ["holding.example", "sub.example"]


def test_a_wrong_zone_or_domain_is_marked_at_its_field_and_nothing_is_saved(db: None) -> None:
    alice = make_member(make_workspace())
    given = {"name": "X", "time_zone": "Middle-earth", "internal_domains": "no domain"}
    page = text_of(signed_in(alice).post("/settings/", given))
    assert "Use a name such as Europe/Berlin." in page
    assert "“no domain” is no domain." in page
    assert Workspace.objects.get(pk=alice.workspace_id).name == "Northwind"


def test_a_rep_sees_the_settings_and_may_not_change_them(db: None) -> None:
    ben = make_member(make_workspace(), "Ben", role="rep")
    client = signed_in(ben)
    assert "An owner or administrator can change these." in text_of(client.get("/settings/"))
    given = {"name": "X", "time_zone": "Europe/Lisbon", "internal_domains": ""}
    assert client.post("/settings/", given).status_code == 403


def test_an_auditor_looks_and_changes_nothing(committed_db: None) -> None:
    auditor = signed_in(make_member(make_workspace(), "Otto", role="auditor"))
    assert auditor.get("/privacy/").status_code == 200
    assert auditor.post("/contacts/new/", {"email": "x@contoso.example"}).status_code == 403


def test_a_token_is_shown_once_and_then_only_its_name(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    shown = client.post("/settings/tokens/", {"name": "Our CRM"})
    token = next(word for word in text_of(shown).split() if word.startswith("gatepost_"))
    page = text_of(client.get("/settings/"))
    assert "Our CRM" in page and token not in page
    assert Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/contacts").status_code == 200


def test_a_rep_cannot_revoke_a_colleagues_token(committed_db: None) -> None:
    alice = make_member(make_workspace())
    ben = make_member(alice.workspace, "Ben", role="rep")
    signed_in(alice).post("/settings/tokens/", {"name": "Our CRM"})
    token = rows(ApiToken, alice.workspace_id)[0]
    assert signed_in(ben).post("/settings/tokens/revoke/", {"token": str(token.pk)}).status_code == 403
    assert rows(ApiToken, alice.workspace_id)[0].revoked_at is None
    signed_in(alice).post("/settings/tokens/revoke/", {"token": str(token.pk)})
    assert rows(ApiToken, alice.workspace_id)[0].revoked_at is not None
