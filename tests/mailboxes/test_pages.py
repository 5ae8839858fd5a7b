from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from gatepost import clock
from gatepost.isolation import inside
from gatepost.mailboxes import rules
from gatepost.mailboxes.connection import entra
from gatepost.mailboxes.models import ConnectAttempt, Mailbox
from tests.makers import fresh, make_mailbox, make_member, make_workspace
from tests.pages import signed_in, text_of

SETTINGS = {
    "daily_limit": "30",
    "gap_seconds": "120",
    "briefs_on_calendar": "on",
}


def test_before_leaving_for_microsoft_every_permission_is_shown_with_its_reason(db: None) -> None:
    page = text_of(signed_in(make_member(make_workspace())).get("/mailboxes/new/"))
    for permission in rules.PERMISSIONS:
        asked = permission.scope in rules.scopes_to_ask(rules.PROFILES["standard"])
        assert (permission.reason in page) == asked


def test_a_mailbox_says_what_was_granted_and_what_is_missing(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice, scopes=["Mail.Send", "Mail.Read", "User.Read"])
    page = text_of(signed_in(alice).get(f"/mailboxes/{mailbox.pk}/"))
    assert "alice@northwind.example" in page
    assert "Mail.ReadWrite Missing" in page
    assert "Calendars.ReadWrite Not asked for" in page
    assert "Mail.Send Granted" in page


def test_the_owner_changes_how_much_is_sent(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    signed_in(alice).post(f"/mailboxes/{mailbox.pk}/", SETTINGS)
    changed = fresh(mailbox)
    assert (changed.daily_limit, changed.gap_seconds) == (30, 120)


def test_another_limit_wakes_a_mailbox_that_waits_for_the_old_one(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    with inside(alice.workspace_id):
        Mailbox.objects.update(sending_not_before=clock.now() + timedelta(hours=9))
    signed_in(alice).post(f"/mailboxes/{mailbox.pk}/", SETTINGS)
    assert fresh(mailbox).sending_not_before is None


def test_an_impossible_limit_is_marked_and_nothing_is_changed(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    page = signed_in(alice).post(f"/mailboxes/{mailbox.pk}/", {**SETTINGS, "daily_limit": "1000000"})
    assert 'class="error"' in page.content.decode()
    assert fresh(mailbox).daily_limit == 50


def test_disconnecting_says_what_it_does_and_asks_first(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    client = signed_in(alice)
    assert "Nothing more is sent from it" in text_of(client.get(f"/mailboxes/{mailbox.pk}/disconnect/"))
    assert fresh(mailbox).is_connected
    client.post(f"/mailboxes/{mailbox.pk}/disconnect/")
    assert fresh(mailbox).state == Mailbox.State.DISCONNECTED


def test_a_rep_may_not_disconnect_a_colleagues_mailbox(committed_db: None) -> None:
    workspace = make_workspace()
    mailbox = make_mailbox(make_member(workspace))
    ben = signed_in(make_member(workspace, "Ben", role="rep"))
    assert ben.post(f"/mailboxes/{mailbox.pk}/disconnect/").status_code == 403
    assert fresh(mailbox).is_connected


def test_a_return_from_microsoft_that_was_not_begun_here_connects_nothing(db: None) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    sent_on = client.get("/mailboxes/connected/", {"state": "forged", "code": "x"})
    assert sent_on["Location"] == "/mailboxes/connected/refused/"  # without Microsoft's code
    response = client.get(sent_on["Location"])
    assert response.status_code == 400
    assert "Nothing was connected." in text_of(response)
    with inside(alice.workspace_id):
        assert not Mailbox.objects.exists()


@pytest.fixture
def registration(settings: Any) -> Iterator[None]:
    """An app registration is set."""
    settings.GATEPOST_CLIENT_ID, settings.GATEPOST_CLIENT_SECRET = str(uuid4()), "sandbox-secret"
    entra.cache_clear()
    yield
    entra.cache_clear()


def test_the_waiting_room_has_both_readings_and_a_text_for_it(db: None, registration: None) -> None:
    alice = make_member(make_workspace())
    with inside(alice.workspace_id):
        attempt = ConnectAttempt.objects.create(
            workspace=alice.workspace,
            member=alice,
            scopes=sorted(rules.scopes_to_ask(rules.PROFILES["standard"])),
            created_at=clock.now(),
            left_at=clock.now(),
            outcome=ConnectAttempt.Outcome.NOT_APPROVED,
            problem="access_denied",
        )
    page = text_of(signed_in(alice).get(f"/mailboxes/attempts/{attempt.pk}/"))
    assert "I cancelled, or chose the wrong account" in page
    assert "- Mail.ReadWrite (Read and write access to your mail): Each step is first a draft" in page
    assert "adminconsent?client_id=" in page


def test_an_administrators_return_needs_no_account_and_proves_nothing(db: None) -> None:
    page = text_of(Client().get("/mailboxes/connected/", {"admin_consent": "True", "tenant": str(uuid4())}))
    assert "can now finish connecting the mailbox" in page
    assert "Nothing of your organisation was stored." in page


def test_another_workspaces_mailbox_does_not_exist(db: None) -> None:
    mailbox = make_mailbox(make_member(make_workspace()))
    charlie = signed_in(make_member(make_workspace("Elsewhere"), "Charlie"))
    assert charlie.get(f"/mailboxes/{mailbox.pk}/").status_code == 404
