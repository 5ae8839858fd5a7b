from typing import Any

import pytest
from django.test import Client

from gatepost.accounts import actions
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput, NotAllowed
from gatepost.mailboxes.models import Mailbox
from tests.api.test_api import Program
from tests.makers import PASSWORD, fresh, make_mailbox, make_member, make_workspace, rows
from tests.pages import confirmed, signed_in, text_of


@pytest.fixture
def alice(committed_db: None) -> Member:
    return make_member(make_workspace())


@pytest.fixture
def ben(alice: Member) -> Member:
    return make_member(alice.workspace, "Ben", role="rep")


def test_an_administrator_gives_another_role_and_the_record_says_so(alice: Member, ben: Member) -> None:
    confirmed(client := signed_in(alice)).post(f"/settings/members/{ben.pk}/", {"role": "auditor"})
    assert fresh(ben).role == "auditor"
    (entry,) = rows(AuditEntry, alice.workspace_id, tag="member:role")
    assert entry.detail == {"before": "rep", "role": "auditor"}
    assert client.get("/settings/members/").status_code == 200
    assert signed_in(ben).post("/contacts/new/", {"email": "x@contoso.example"}).status_code == 403


def test_a_role_is_changed_only_after_showing_once_more_who_one_is(alice: Member, ben: Member) -> None:
    client = signed_in(alice)
    path = f"/settings/members/{ben.pk}/"
    asked = client.post(path, {"role": "admin"})
    assert asked.status_code == 302 and asked["Location"].startswith("/account/confirm/")
    assert fresh(ben).role == "rep"
    client.post(asked["Location"], {"password": PASSWORD})  # what was asked for is then done
    assert fresh(ben).role == "admin"


def test_the_last_owner_keeps_the_role_and_is_told_why(alice: Member) -> None:
    page = confirmed(signed_in(alice)).post(f"/settings/members/{alice.pk}/", {"role": "rep"})
    assert page.status_code == 403 and "last owner" in text_of(page)
    assert fresh(alice).role == "owner"


def test_somebody_removed_is_out_at_once_with_his_sessions_and_tokens(alice: Member, ben: Member) -> None:
    client, program = signed_in(ben), Program(ben)
    assert client.get("/inbox/").status_code == 200 and program.get("/contacts").status_code == 200
    actions.remove_member(ben.pk, heir_id=None, by=alice, actor=by(alice))
    assert client.get("/inbox/").status_code == 302
    assert program.get("/contacts").status_code == 401
    again = Client()
    again.post("/sign-in/", {"login": ben.user.email, "password": PASSWORD})
    assert again.get("/inbox/").status_code == 404


def test_the_mailboxes_of_somebody_removed_are_handed_over(alice: Member, ben: Member) -> None:
    mailbox = make_mailbox(ben)
    client = confirmed(signed_in(alice))
    path = f"/settings/members/{ben.pk}/remove/"
    assert "Ben has 1 mailbox." in text_of(client.get(path))
    client.post(path, {"heir": str(alice.pk)})
    assert (fresh(mailbox).member_id, fresh(mailbox).state) == (alice.pk, "connected")
    (entry,) = rows(AuditEntry, alice.workspace_id, tag="mailbox:hand-over")
    assert entry.detail == {"member_before": str(ben.pk)}


def test_or_disconnected(alice: Member, ben: Member) -> None:
    mailbox = make_mailbox(ben)
    actions.remove_member(ben.pk, heir_id=None, by=alice, actor=by(alice))
    assert fresh(mailbox).state == Mailbox.State.DISCONNECTED


def test_an_auditor_gets_no_mailbox(alice: Member, ben: Member) -> None:
    otto = make_member(alice.workspace, "Otto", role="auditor")
    with pytest.raises(BadInput, match="no auditor"):
        actions.remove_member(ben.pk, heir_id=otto.pk, by=alice, actor=by(alice))
    assert fresh(ben).removed_at is None


def test_an_administrator_removes_no_owner_and_nobody_himself(alice: Member) -> None:
    anna = make_member(alice.workspace, "Anna", role="admin")
    for member in (alice, anna):
        with pytest.raises(NotAllowed):
            actions.remove_member(member.pk, heir_id=None, by=anna, actor=by(anna))


def test_an_administrator_ends_the_sessions_of_a_member(alice: Member, ben: Member) -> None:
    client = signed_in(ben)
    client.get("/inbox/")
    signed_in(alice).post(f"/settings/members/{ben.pk}/sessions/")
    assert client.get("/inbox/")["Location"].startswith("/sign-in/")
    assert rows(AuditEntry, alice.workspace_id, tag="member:sessions-end")[0].detail == {"sessions": 1}


def test_a_member_of_another_workspace_is_not_there(alice: Member, ben: Member) -> None:
    charlie = confirmed(signed_in(make_member(make_workspace("Fabrikam"), "Charlie")))
    for path in ("", "sessions/", "remove/"):
        assert charlie.post(f"/settings/members/{ben.pk}/{path}", {"role": "owner"}).status_code == 404
    assert fresh(ben).role == "rep" and fresh(ben).removed_at is None


def test_a_program_lists_changes_and_removes_members(alice: Member, ben: Member) -> None:
    program = Program(alice)
    assert {each["name"] for each in program.get("/members").json()} == {"Alice", "Ben"}
    assert program.put(f"/members/{ben.pk}/role", {"role": "lead"}).json()["role"] == "lead"
    answer: Any = program.client.delete(f"/api/v1/members/{ben.pk}")
    assert answer.status_code == 204
    assert [each["name"] for each in program.get("/members").json()] == ["Alice"]


def test_a_program_invites_and_revokes(alice: Member, settings: Any) -> None:
    settings.GATEPOST_SMTP_URL = None
    program = Program(alice)
    made = program.post("/invitations", {"email": "dora@northwind.example", "role": "rep"}).json()
    assert "/join/" in made["link"]
    assert program.client.delete(f"/api/v1/invitations/{made['id']}").status_code == 204
    assert program.get("/invitations").json() == []
