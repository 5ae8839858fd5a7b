from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from gatepost import clock
from gatepost.accounts import actions, invitations
from gatepost.accounts.actions import INSTALLER
from gatepost.accounts.membership import by, memberships
from gatepost.accounts.models import Invitation, Member, User
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput, Conflict, NotAllowed
from gatepost.isolation import inside
from gatepost.post import letters
from tests.makers import advance, clock_at, make_member, make_workspace, rows
from tests.pages import signed_in, text_of

DORA = "dora@northwind.example"
PASSWORD = "a-long-first-word"


@pytest.fixture
def alice(committed_db: None) -> Member:
    return make_member(make_workspace())


@pytest.fixture
def mail_server(settings: Any) -> None:
    settings.GATEPOST_SMTP_URL = "smtp://localhost"


def invited(alice: Member, role: str = "rep", email: str = DORA) -> str:
    """The path of the link."""
    sent = invitations.invite(email, role, by=alice, actor=by(alice))
    with inside(alice.workspace_id):
        return path_of(sent.invitation)


def path_of(invitation: Invitation) -> str:
    link = invitations.link_of(invitation)
    return "/join/" + link.partition("/join/")[2]


def joins(path: str, name: str = "Dora") -> Any:
    return Client().post(path, {"name": name, "password": PASSWORD}, follow=True)


def test_an_invited_person_sets_a_password_and_stands_in_the_inbox(alice: Member) -> None:
    path = invited(alice)
    assert DORA in text_of(Client().get(path))
    page = joins(path)
    assert page.redirect_chain[-1][0] == "/inbox/" and "Dora" in text_of(page)
    (dora,) = rows(Member, alice.workspace_id, name="Dora")
    assert dora.role == "rep"


def test_a_link_works_once(alice: Member) -> None:
    path = invited(alice)
    joins(path)
    again = joins(path, "Mallory")
    assert again.status_code == 410 and "works no more" in text_of(again)
    assert rows(Member, alice.workspace_id, name="Mallory") == []


def test_a_link_works_for_seven_days(alice: Member, tmp_path: Any) -> None:
    with clock_at(clock.now(), tmp_path) as file:
        path = invited(alice)
        advance(file, timedelta(days=6, hours=23))
        assert Client().get(path).status_code == 200
        advance(file, timedelta(hours=1))
        assert joins(path).status_code == 410


def test_a_revoked_link_and_one_of_an_earlier_letter_work_no_more(alice: Member) -> None:
    first = invited(alice)
    second = invited(alice)  # asked again: one invitation, another link
    (invitation,) = rows(Invitation, alice.workspace_id)
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200
    invitations.revoke(invitation.pk, by=alice, actor=by(alice))
    assert Client().get(second).status_code == 410


def test_a_link_that_we_did_not_sign_opens_nothing(alice: Member) -> None:
    path = invited(alice)
    assert Client().get(path[:-3] + "xx/").status_code == 410
    assert Client().get("/join/anything/").status_code == 410


def test_a_short_password_is_refused_and_the_link_still_works(alice: Member) -> None:
    path = invited(alice)
    page = Client().post(path, {"name": "Dora", "password": "short"})
    assert "at least 10 characters" in text_of(page)
    assert joins(path).status_code == 200


def test_the_letter_waits_as_ids_and_is_written_with_the_link_when_it_leaves(
    alice: Member, mail_server: None
) -> None:
    sent = invitations.invite(DORA, "lead", by=alice, actor=by(alice))
    assert sent.by_letter
    with inside(alice.workspace_id):
        letter = letters.write(invitations.LETTER, sent.invitation.pk)
        assert letter is not None and letter.to == DORA
        assert letter.subject == "Alice asks you to join Northwind in Gatepost"
        assert invitations.link_of(sent.invitation) in letter.text and "Team lead" in letter.text


def test_no_letter_leaves_for_an_invitation_that_was_revoked(alice: Member, mail_server: None) -> None:
    sent = invitations.invite(DORA, "rep", by=alice, actor=by(alice))
    invitations.revoke(sent.invitation.pk, by=alice, actor=by(alice))
    with inside(alice.workspace_id):
        assert letters.write(invitations.LETTER, sent.invitation.pk) is None


def test_without_a_mail_server_the_administrator_gets_the_link(alice: Member, settings: Any) -> None:
    settings.GATEPOST_SMTP_URL = None
    given = {"email": DORA, "role": "rep"}
    page = signed_in(alice).post("/settings/members/invite/", given, follow=True)
    (invitation,) = rows(Invitation, alice.workspace_id)
    assert path_of(invitation) in page.content.decode()


def test_with_one_nobody_but_the_invited_sees_the_link(alice: Member, mail_server: None) -> None:
    given = {"email": DORA, "role": "rep"}
    page = signed_in(alice).post("/settings/members/invite/", given, follow=True)
    assert DORA in text_of(page) and "/join/" not in page.content.decode()


def test_the_address_of_an_invitation_is_sealed(alice: Member) -> None:
    invited(alice)
    (invitation,) = rows(Invitation, alice.workspace_id)
    assert DORA.encode() not in bytes(invitation.address) and DORA not in str(vars(invitation))


def test_somebody_who_has_an_account_joins_with_it_and_then_belongs_to_two_workspaces(alice: Member) -> None:
    charlie = make_member(make_workspace("Fabrikam"), "Charlie")
    path = invited(alice, email=charlie.user.email)
    assert "You have an account here already" in text_of(Client().get(path))
    client = signed_in(charlie)
    page = client.post(path, follow=True)
    assert "Welcome to Northwind." in text_of(page)
    assert len(memberships(charlie.user_id)) == 2
    client.post("/account/workspace/", {"workspace": str(charlie.workspace_id)})
    assert "Fabrikam" in client.get("/settings/").content.decode().partition('name="name"')[2][:200]


def test_nobody_switches_to_a_workspace_that_is_not_his(alice: Member) -> None:
    charlie = make_member(make_workspace("Fabrikam"), "Charlie")
    answer = signed_in(alice).post("/account/workspace/", {"workspace": str(charlie.workspace_id)})
    assert answer.status_code == 404


def test_an_invitation_for_somebody_else_cannot_be_taken(alice: Member) -> None:
    ben = make_member(alice.workspace, "Ben", role="rep")
    path = invited(alice, role="admin")
    client = signed_in(ben)
    assert "Sign out, and open the link again" in text_of(client.get(path))
    assert client.post(path).status_code == 409
    assert not User.objects.filter(email=DORA).exists()


def test_with_a_new_password_nobody_takes_over_an_account_that_exists(alice: Member) -> None:
    charlie = make_member(make_workspace("Fabrikam"), "Charlie")
    path = invited(alice, email=charlie.user.email)
    Client().post(path, {"name": "Mallory", "password": PASSWORD})
    assert not User.objects.get(pk=charlie.user_id).check_password(PASSWORD)
    assert rows(Member, alice.workspace_id, name="Mallory") == []


def test_an_administrator_invites_no_owner(alice: Member) -> None:
    anna = make_member(alice.workspace, "Anna", role="admin")
    with pytest.raises(NotAllowed, match="Only an owner"):
        invitations.invite(DORA, "owner", by=anna, actor=by(anna))
    assert 'value="owner"' not in signed_in(anna).get("/settings/members/invite/").content.decode()


@pytest.mark.parametrize(("email", "error"), [("no address", BadInput), (None, Conflict)])
def test_who_cannot_be_invited_is_told_why(alice: Member, email: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        invitations.invite(email or alice.user.email, "rep", by=alice, actor=by(alice))


def test_who_was_removed_can_be_invited_again_and_is_the_same_member(alice: Member) -> None:
    path = invited(alice)
    joins(path)
    (dora,) = rows(Member, alice.workspace_id, name="Dora")
    actions.remove_member(dora.pk, heir_id=None, by=alice, actor=by(alice))
    path = invited(alice, role="lead")
    client = Client()
    client.post("/sign-in/", {"login": DORA, "password": PASSWORD})
    client.post(path)
    (again,) = rows(Member, alice.workspace_id, user=dora.user)
    assert (again.pk, again.role, again.removed_at) == (dora.pk, "lead", None)


def test_each_step_of_an_invitation_stands_in_the_record(alice: Member) -> None:
    invited(alice)
    joins(invited(alice))
    written = [
        entry.tag for entry in rows(AuditEntry, alice.workspace_id) if entry.tag.startswith("invitation")
    ]
    assert sorted(written) == ["invitation:accept", "invitation:send", "invitation:send"]
    assert DORA not in str([entry.detail for entry in rows(AuditEntry, alice.workspace_id)])


def test_the_operator_still_adds_members_by_command(alice: Member) -> None:
    member = actions.add_member(
        alice.workspace_id, email=DORA, name="Dora", role="rep", password=PASSWORD, actor=INSTALLER
    )
    assert Client().post("/sign-in/", {"login": DORA, "password": PASSWORD}).status_code == 302
    assert member.role == "rep"
