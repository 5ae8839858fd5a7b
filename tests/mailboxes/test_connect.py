"""Connecting a mailbox, against a sign-in host of one function."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.db import connections

from gatepost.accounts.models import Workspace
from gatepost.audit.models import AuditEntry, LedgerRow
from gatepost.isolation import inside
from gatepost.mailboxes import actions, features, rules
from gatepost.mailboxes.actions import Connected, NotApproved, NotConnected, finish_connect, start_connect
from gatepost.mailboxes.models import ConnectAttempt, Connection, Departure, Folder, Mailbox
from gatepost.vault import names, tokens
from gatepost.vault.sealing import index
from tests.graph.entra import OBJECT, TENANT, id_token
from tests.makers import MONDAY, advance, fresh, make_member, make_workspace, rows

FULL = "openid profile User.Read Mail.Read Mail.ReadWrite Mail.Send Calendars.Read"


def leave(member, *, session="browser-1"):
    """The rep leaves for Microsoft; the query of the address that he is sent to."""
    query = parse_qs(urlsplit(start_connect(member, session_key=session)).query)
    return {key: values[0] for key, values in query.items()}


def come_back(host, query, *, session="browser-1", scope=FULL, **claims):
    host.grants(id_token=id_token("", **{"nonce": query["nonce"], **claims}), scope=scope)
    return finish_connect({"code": "c", "state": query["state"]}, session_key=session)


def connect(host, member, **options):
    return come_back(host, leave(member), **options)


def test_a_mailbox_is_connected_with_its_name_addresses_and_permissions(host, member):
    result = connect(host, member)

    assert isinstance(result, Connected) and not result.again
    (mailbox,) = rows(Mailbox, member.workspace_id)
    assert names.open(mailbox, "address") == "alice@northwind.example"
    assert (mailbox.microsoft_tenant, mailbox.microsoft_object) == (UUID(TENANT), UUID(OBJECT))
    assert set(mailbox.scopes) == set(FULL.split()) - {"openid", "profile"}
    for address in ("alice@northwind.example", "a.berger@northwind-labs.example"):
        assert index(member.workspace_id, "address", address) in mailbox.own_address_indexes
        assert index(member.workspace_id, "domain", address.partition("@")[2]) in mailbox.domain_indexes


def test_a_connected_mailbox_reads_before_it_speaks(host, member):
    connect(host, member)
    (mailbox,) = rows(Mailbox, member.workspace_id)
    assert (mailbox.read_through, mailbox.sync_due_at, mailbox.calendar_due_at) == (None, MONDAY, MONDAY)
    folders = rows(Folder, member.workspace_id)
    assert {folder.name for folder in folders} == {"inbox", "junkemail", "sentitems"}
    assert {folder.anchored_at for folder in folders} == {MONDAY - timedelta(days=1)}


def test_the_tokens_are_stored_sealed_and_what_the_sign_in_needed_is_forgotten(host, member):
    connect(host, member)
    (stored,), (departure,) = rows(Connection, member.workspace_id), rows(Departure, member.workspace_id)
    assert tokens.open(stored, "refresh_token") == "refresh-1"
    assert b"refresh-1" not in bytes(stored.refresh_token)
    assert departure.flow is None
    assert [each.outcome for each in rows(ConnectAttempt, member.workspace_id)] == ["connected"]


def test_each_request_made_while_connecting_is_in_the_ledger(host, member):
    connect(host, member)
    ledger = rows(LedgerRow, member.workspace_id)
    assert sorted(row.shape for row in ledger) == ["inbox.check", "profile"]
    assert {row.reason for row in ledger} == {"connect"}


def test_an_address_works_once(host, member):
    query = leave(member)
    assert isinstance(come_back(host, query), Connected)
    again = come_back(host, query)
    assert isinstance(again, NotConnected) and "already finished" in again.refusal.happened
    assert len(rows(Mailbox, member.workspace_id)) == 1


def test_an_address_that_failed_once_does_not_work_later(host, member):
    query = leave(member)
    finish_connect({"error": "access_denied", "state": query["state"]}, session_key="browser-1")
    assert isinstance(come_back(host, query), NotConnected)


def test_an_address_does_not_work_in_another_browser_and_still_works_in_the_right_one(host, member):
    query = leave(member)
    assert isinstance(come_back(host, query, session="browser-2"), NotConnected)
    assert host.asked == []
    assert isinstance(come_back(host, query), Connected)


def test_an_address_does_not_work_for_ever(host, member, clock_file):
    query = leave(member)
    advance(clock_file, rules.DEPARTURE_LIFE + timedelta(seconds=1))
    assert isinstance(come_back(host, query), NotConnected)
    assert host.asked == []


@pytest.mark.parametrize("state", ["", "made-up"])
def test_a_made_up_address_connects_nothing(host, member, state):
    assert isinstance(finish_connect({"code": "c", "state": state}, session_key="browser-1"), NotConnected)


def test_connecting_again_keeps_the_mailbox_and_asks_it_to_catch_up(host, member, clock_file):
    first = connect(host, member)
    with inside(member.workspace_id):
        Mailbox.objects.update(state="needs_reconnect", read_through=MONDAY)
        Folder.objects.filter(name="inbox").update(position="https://graph.microsoft.com/…", walking=False)
    advance(clock_file, timedelta(days=3))

    second = connect(host, member)

    assert (second.mailbox_id, second.again) == (first.mailbox_id, True)
    (mailbox,) = rows(Mailbox, member.workspace_id)
    assert (mailbox.state, mailbox.read_through) == ("connected", None)
    assert rows(Folder, member.workspace_id, name="inbox")[0].position.startswith("https://")
    assert len(rows(Connection, member.workspace_id)) == 1


def test_a_colleague_cannot_take_over_a_mailbox(host, member):
    connect(host, member)
    colleague = make_member(member.workspace, "Ben", role="rep")
    refused = connect(host, colleague)
    assert isinstance(refused, NotConnected) and "colleague" in refused.refusal.title
    assert rows(Mailbox, member.workspace_id)[0].member_id == member.pk


def test_a_colleague_may_connect_a_mailbox_that_was_disconnected_and_the_record_says_so(host, member):
    connected = connect(host, member)
    actions.disconnect(connected.mailbox_id, workspace_id=member.workspace_id, actor=actions.Actor("member"))
    colleague = make_member(member.workspace, "Ben", role="rep")
    taken = connect(host, colleague)
    assert isinstance(taken, Connected) and taken.again
    assert rows(Mailbox, member.workspace_id)[0].member_id == colleague.pk
    (entry,) = rows(AuditEntry, member.workspace_id, tag="mailbox:reconnect")
    assert (entry.actor_id, entry.detail["member_before"]) == (str(colleague.pk), str(member.pk))


def test_another_workspace_cannot_take_over_a_mailbox(host, member):
    connect(host, member)
    stranger = make_member(make_workspace("Fabrikam"), "Charlie")
    refused = connect(host, stranger)
    assert isinstance(refused, NotConnected) and "another workspace" in refused.refusal.title
    assert rows(Mailbox, stranger.workspace_id) == []


def test_a_mailbox_is_known_by_its_account_and_not_by_its_address(host, member):
    connect(host, member)
    other = "77777777-8888-4777-8666-555555555555"
    host.profile = dict(host.profile, id=other)
    assert isinstance(connect(host, member, oid=other), Connected)
    assert len(rows(Mailbox, member.workspace_id)) == 2


def test_cancelling_at_microsoft_may_mean_that_an_administrator_must_approve(host, member):
    query = leave(member)
    result = finish_connect({"error": "access_denied", "state": query["state"]}, session_key="browser-1")
    (attempt,) = rows(ConnectAttempt, member.workspace_id)
    assert isinstance(result, NotApproved) and result.attempt_id == attempt.pk
    assert attempt.outcome == "not_approved"
    assert len(rows(AuditEntry, member.workspace_id, tag="mailbox:connect-refused")) == 1


def test_an_account_without_a_mailbox_is_not_connected_and_says_what_to_ask_for(host, member):
    host.inbox = (404, {"error": {"code": "MailboxNotEnabledForRESTAPI", "message": "No."}})
    result = connect(host, member)
    assert isinstance(result, NotConnected) and "no mailbox" in result.refusal.title
    assert rows(Mailbox, member.workspace_id) == []


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ((401, {"error": "invalid_client", "error_codes": [7000222]}), "Gatepost itself"),
        ((503, b"<html>"), "does not answer"),
        ((400, {"error": "invalid_request", "error_codes": [9002313]}), "made a mistake"),
        ((400, {"error": "invalid_grant", "error_codes": [70000]}), "refused the sign-in"),
    ],
)
def test_a_sign_in_that_fails_says_who_can_mend_it(host, member, answer, title):
    query = leave(member)
    host.answer = answer
    result = finish_connect({"code": "c", "state": query["state"]}, session_key="browser-1")
    assert isinstance(result, NotConnected) and title in result.refusal.title
    assert rows(Mailbox, member.workspace_id) == []


def test_an_identity_token_of_another_sign_in_connects_nothing(host, member):
    assert isinstance(connect(host, member, nonce="of-another"), NotConnected)
    assert rows(Connection, member.workspace_id) == []


def test_fewer_permissions_than_asked_connect_with_fewer_features(host, member):
    connect(host, member, scope="openid profile User.Read Mail.Send Mail.Read")
    (mailbox,) = rows(Mailbox, member.workspace_id)
    with inside(member.workspace_id):
        assert fresh(mailbox).running == {"sign-in", "send", "replies"}


def disconnect(member, mailbox_id):
    actions.disconnect(mailbox_id, workspace_id=member.workspace_id, actor=actions.Actor("member"))
    return rows(Mailbox, member.workspace_id)[0]


def test_disconnecting_ends_everything_at_once(host, member):
    mailbox = disconnect(member, connect(host, member).mailbox_id)
    assert (mailbox.state, mailbox.sync_due_at, mailbox.calendar_due_at) == ("disconnected", None, None)
    assert fresh(mailbox).is_connected is False


def test_connecting_again_while_the_old_access_is_being_destroyed_keeps_the_new_one(host, member):
    mailbox = disconnect(member, connect(host, member).mailbox_id)
    assert mailbox.clean_up_until is not None
    assert connect(host, member).again
    actions.cleaned_up(mailbox.pk, [], workspace_id=member.workspace_id)
    assert fresh(mailbox).is_connected and fresh(mailbox).clean_up_until is None
    assert rows(Connection, member.workspace_id)


def test_a_mailbox_that_is_being_erased_cannot_be_connected(host, member):
    mailbox = disconnect(member, connect(host, member).mailbox_id)
    with inside(member.workspace_id):
        Mailbox.objects.update(is_being_erased=True)
    result = connect(host, member)
    assert isinstance(result, NotConnected) and "being erased" in result.refusal.happened
    assert not fresh(mailbox).is_connected


def test_nothing_is_connected_to_a_closed_workspace(host, member):
    query = leave(member)
    with inside(member.workspace_id):
        Workspace.objects.filter(pk=member.workspace_id).update(closed_at=MONDAY)
    result = come_back(host, query)
    assert isinstance(result, NotConnected) and "was closed" in result.refusal.happened
    assert rows(Mailbox, member.workspace_id) == []


def test_for_sending_only_nothing_else_is_asked_for_and_the_mailbox_is_not_read(host, member):
    query = parse_qs(urlsplit(start_connect(member, session_key="browser-1", send_only=True)).query)
    assert set(query["scope"][0].split()) == {"openid", "profile", "offline_access", "User.Read", "Mail.Send"}
    come_back(host, {key: v[0] for key, v in query.items()}, scope="openid profile User.Read Mail.Send")
    (mailbox,) = rows(Mailbox, member.workspace_id)
    assert (mailbox.send_only, mailbox.sync_due_at) == (True, None)
    assert [row.shape for row in rows(LedgerRow, member.workspace_id)] == ["profile"]


def test_allowing_the_rest_keeps_the_mailbox_and_finds_what_was_sent_before_it_is_read(host, member):
    sending = parse_qs(urlsplit(start_connect(member, session_key="browser-1", send_only=True)).query)
    come_back(host, {key: v[0] for key, v in sending.items()}, scope="openid profile User.Read Mail.Send")
    first = rows(Mailbox, member.workspace_id)[0]
    connect(host, member)
    (mailbox,) = rows(Mailbox, member.workspace_id)
    assert (mailbox.pk, mailbox.send_only, mailbox.sync_due_at) == (first.pk, False, None)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'outbox.find-sent'")
        assert cursor.fetchone()[0] == 1


def test_a_mailbox_that_leaves_briefs_out_is_not_asked_for_them_again(host, member):
    features.switch(member.workspace_id, "briefs", True, actor=actions.Actor("member"))
    connect(host, fresh_member(member))
    (mailbox,) = rows(Mailbox, member.workspace_id)
    with inside(member.workspace_id):
        Mailbox.objects.update(briefs_on_calendar=False)
    again = urlsplit(start_connect(fresh_member(member), session_key="b", mailbox_id=mailbox.pk)).query
    assert "Calendars.ReadWrite" not in parse_qs(again)["scope"][0].split()


def fresh_member(member):
    with inside(member.workspace_id):
        return type(member).objects.select_related("workspace").get(pk=member.pk)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"mailbox_domains": ["outreach.example"]}, "only mailboxes of outreach.example"),
        ({"mailbox_tenants": ["99999999-8888-4777-8666-555555555555"]}, "certain Microsoft organisations"),
    ],
)
def test_a_mailbox_that_the_workspace_does_not_allow_is_refused_and_nothing_of_it_is_kept(
    host, member, limits, says
):
    nothing = {
        "mailbox_domains": [],
        "mailbox_tenants": [],
        "sender_domains": [],
        "only_outreach_mailboxes": False,
    }
    features.limit(member.workspace_id, **{**nothing, **limits}, actor=actions.Actor("member"))
    refused = connect(host, fresh_member(member))
    assert (
        isinstance(refused, NotConnected)
        and says in refused.refusal.happened
        and "administrator" in refused.refusal.happened
    )
    assert rows(Mailbox, member.workspace_id) == [] and rows(Connection, member.workspace_id) == []


def test_a_mailbox_that_the_workspace_allows_is_connected(host, member):
    features.limit(
        member.workspace_id, mailbox_domains=["northwind.example"], mailbox_tenants=[TENANT], sender_domains=[],
        only_outreach_mailboxes=False, actor=actions.Actor("member"),
    )  # fmt: skip
    assert isinstance(connect(host, fresh_member(member)), Connected)


def test_the_other_addresses_of_the_account_are_kept_sealed(host, member):
    connect(host, member)
    (mailbox,) = rows(Mailbox, member.workspace_id)
    assert names.open(mailbox, "aliases") == "a.berger@northwind-labs.example"
