"""Switching features, limiting mailboxes, and what the pages say of it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from gatepost.accounts.actions import INSTALLER
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes import features, rules
from gatepost.mailboxes.models import Mailbox
from gatepost.sequences.lists import mailboxes_to_send_from
from gatepost.vault.sealing import seal
from tests.makers import fresh, make_mailbox, make_member, make_workspace, rows
from tests.pages import signed_in, text_of

STANDARD = sorted(rules.scopes_to_ask(rules.PROFILES["standard"]) - {"openid", "profile", "offline_access"})
SEND_ONLY = ["Mail.Send", "User.Read"]


def workspace_of(member: Any) -> Any:
    with inside(member.workspace_id):
        return type(member.workspace).objects.get(pk=member.workspace_id)


def test_switching_a_feature_is_in_the_record_and_wakes_the_mailboxes(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice, calendar_due_at=None)
    features.switch(alice.workspace_id, "briefs", True, actor=INSTALLER)
    assert "briefs" in workspace_of(alice).features
    (entry,) = rows(AuditEntry, alice.workspace_id, tag="workspace:features")
    assert (entry.detail["feature"], entry.detail["on"]) == ("briefs", True)
    assert fresh(mailbox).calendar_due_at is not None


def test_a_feature_that_does_not_exist_is_refused(committed_db: None) -> None:
    alice = make_member(make_workspace())
    for name in ("send", "sign-in", "everything"):
        with pytest.raises(BadInput):
            features.switch(alice.workspace_id, name, True, actor=INSTALLER)
    assert set(workspace_of(alice).features) == {"drafts", "replies", "meetings"}


def test_where_replies_are_switched_off_a_mailbox_is_not_looked_at_any_more(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    features.switch(alice.workspace_id, "replies", False, actor=INSTALLER)
    assert fresh(mailbox).sync_due_at is None
    features.switch(alice.workspace_id, "replies", True, actor=INSTALLER)
    assert fresh(mailbox).sync_due_at is not None


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        ({"scopes": [*STANDARD, "Calendars.ReadWrite"]}, "runs"),
        ({"scopes": STANDARD}, "missing"),
        ({"scopes": [*STANDARD, "Calendars.ReadWrite"], "briefs_on_calendar": False}, "left out"),
        ({"scopes": SEND_ONLY, "send_only": True}, "left out"),
    ],
)
def test_a_mailbox_says_of_each_feature_whether_it_runs(db: None, columns: Any, state: str) -> None:
    alice = make_member(make_workspace())
    features.switch(alice.workspace_id, "briefs", True, actor=INSTALLER)
    mailbox = make_mailbox(alice, **columns)
    with inside(alice.workspace_id):
        of_briefs = {each.feature.name: each for each in features.on_mailbox(fresh(mailbox))}["briefs"]
    assert of_briefs.state == state


def test_what_is_off_for_the_workspace_says_so(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice, scopes=STANDARD)
    page = text_of(signed_in(alice).get(f"/mailboxes/{mailbox.pk}/"))
    assert "Shows briefs as private events in your calendar Off Switched off for the workspace." in page
    assert "Limited" not in page


def test_a_limited_mailbox_says_what_does_not_run_why_and_how_to_mend_it(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice, scopes=["Mail.Send", "User.Read", "Mail.Read", "Mail.ReadWrite"])
    client = signed_in(alice)
    page = text_of(client.get(f"/mailboxes/{mailbox.pk}/"))
    assert "Limited" in page and "Microsoft has not granted “Read your calendars”." in page
    assert "Meetings are not found." in page and "Ask Microsoft for it" in page
    assert "1 thing does not run" in text_of(client.get("/mailboxes/"))


def test_a_send_only_mailbox_says_what_that_means_and_offers_the_rest(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice, scopes=SEND_ONLY, send_only=True, read_through=None)
    client = signed_in(alice)
    page = text_of(client.get(f"/mailboxes/{mailbox.pk}/"))
    assert "follow-ups become tasks for you" in page and "Allow the rest" in page
    assert "Its mail is not read." in page and "Limited" not in page
    assert "Sending only" in text_of(client.get("/mailboxes/"))


def test_aliases_are_shown(db: None) -> None:
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    with inside(alice.workspace_id):
        seal(mailbox, "aliases", "a.berger@northwind.example\nsales@northwind.example")
        mailbox.save()
    client = signed_in(alice)
    assert "a.berger@northwind.example, sales@northwind.example" in text_of(
        client.get(f"/mailboxes/{mailbox.pk}/")
    )
    assert "2 aliases" in text_of(client.get("/mailboxes/"))


def test_several_mailboxes_of_one_rep_stand_side_by_side(db: None) -> None:
    alice = make_member(make_workspace())
    for address in ("alice@northwind.example", "alice@outreach.example", "alice@other.example"):
        make_mailbox(alice, address)
    page = text_of(signed_in(alice).get("/mailboxes/"))
    assert page.count("Alice") >= 3 and "alice@outreach.example" in page and "alice@other.example" in page


@pytest.mark.parametrize("role", ["rep", "lead", "auditor"])
def test_only_administrators_switch_limit_and_mark(committed_db: None, role: str) -> None:
    workspace = make_workspace()
    ben = make_member(workspace, "Ben", role=role)
    mailbox = make_mailbox(ben)
    client = signed_in(ben)
    assert client.get("/mailboxes/permissions/").status_code == 200
    for path, values in (
        ("permissions/switch/", {"feature": "briefs", "on": "yes"}),
        ("permissions/", {"mailbox_domains": "northwind.example"}),
        (f"{mailbox.pk}/outreach-only/", {"outreach_only": "yes"}),
    ):
        assert client.post(f"/mailboxes/{path}", values).status_code == 403
    found = workspace_of(ben)
    assert "briefs" not in found.features and found.mailbox_domains == []
    assert not fresh(mailbox).outreach_only


def test_an_administrator_limits_which_mailboxes_may_be_connected(db: None) -> None:
    alice = make_member(make_workspace())
    tenant = "11111111-2222-4333-8444-555555555555"
    given = {
        "mailbox_domains": "@Outreach.example\n\nnorthwind.example", "mailbox_tenants": tenant.upper(),
        "sender_domains": "outreach.example", "only_outreach_mailboxes": "on",
    }  # fmt: skip
    signed_in(alice).post("/mailboxes/permissions/", given)
    found = workspace_of(alice)
    assert found.mailbox_domains == ["northwind.example", "outreach.example"]
    assert (found.mailbox_tenants, found.sender_domains) == ([tenant], ["outreach.example"])
    assert found.only_outreach_mailboxes
    assert len(rows(AuditEntry, alice.workspace_id, tag="workspace:limits")) == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("mailbox_domains", "alice@northwind.example", "is no domain"),
        ("sender_domains", "northwind", "is no domain"),
        ("mailbox_tenants", "northwind.example", "is no tenant ID"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_marked_and_nothing_is_changed(
    db: None, field: str, value: str, says: str
) -> None:
    alice = make_member(make_workspace())
    page = text_of(signed_in(alice).post("/mailboxes/permissions/", {field: value}))
    assert says in page and value in page
    assert getattr(workspace_of(alice), field) == []


def test_an_outreach_only_mailbox_is_marked_and_offered_first(db: None) -> None:
    alice = make_member(make_workspace())
    make_mailbox(alice, "alice@northwind.example")
    dedicated = make_mailbox(alice, "alice@outreach.example")
    client = signed_in(alice)
    client.post(f"/mailboxes/{dedicated.pk}/outreach-only/", {"outreach_only": "yes"})
    with inside(alice.workspace_id):
        assert [each.address for each in mailboxes_to_send_from(alice)] == [
            "alice@outreach.example",
            "alice@northwind.example",
        ]
    assert "Outreach only" in text_of(client.get("/mailboxes/"))


def test_a_mailbox_of_another_workspace_can_be_neither_marked_nor_connected_again(committed_db: None) -> None:
    mailbox = make_mailbox(make_member(make_workspace()))
    charlie = signed_in(make_member(make_workspace("Elsewhere"), "Charlie"))
    assert (
        charlie.post(f"/mailboxes/{mailbox.pk}/outreach-only/", {"outreach_only": "yes"}).status_code == 404
    )
    assert charlie.post("/mailboxes/new/", {"mailbox": str(mailbox.pk)}).status_code == 404
    assert rows(Mailbox, mailbox.workspace_id)[0].outreach_only is False


def test_while_the_workspace_is_being_changed_a_worker_stores_what_belongs_to_it(committed_db: None) -> None:
    """A lock that also keeps rows from referring to the workspace let the two wait for each other."""
    alice = make_member(make_workspace())

    def store() -> None:
        try:
            with inside(alice.workspace_id):
                connection.cursor().execute("SET LOCAL lock_timeout = '2s'")
                make_mailbox(alice)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        features.switch(alice.workspace_id, "briefs", True, actor=INSTALLER)
        pool.submit(store).result(timeout=30)
