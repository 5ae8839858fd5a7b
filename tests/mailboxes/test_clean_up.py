"""After disconnecting: what is ours at Microsoft ends, then the tokens are destroyed, in bounded time."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gatepost.accounts.actions import INSTALLER
from gatepost.accounts.membership import by
from gatepost.audit.models import AuditEntry
from gatepost.graph import housekeeping
from gatepost.graph.errors import ApprovalNeeded, NotThere, ReconnectNeeded, TryLater, Unclear
from gatepost.isolation import inside
from gatepost.mailboxes import actions, connection, jobs
from gatepost.mailboxes.connection import MailboxAccess
from gatepost.mailboxes.models import Connection, Mailbox, Subscription
from tests.at_once import at_once, without_threads
from tests.makers import fresh, make_mailbox, make_member, make_workspace, rows


class Microsoft:
    """Answers the shapes of a clean-up; `fails` says which request raises what, once each."""

    def __init__(self):
        self.drafts, self.asked, self.fails, self.lagging = ["d1", "d2"], [], {}, []
        self.briefs = ["b1"]

    async def ask(self, name, **values):
        assert name in housekeeping.CLEAN_UP
        self.asked.append((name, values.get("id")))
        if name in self.fails:
            raise self.fails.pop(name)
        if name == "drafts.ours":
            return {"value": [{"id": each} for each in [*self.drafts, *self.lagging]]}
        if name == "draft.delete":
            if values["id"] not in self.drafts:
                raise NotThere("404")
            self.drafts.remove(values["id"])
        if name == "briefs.ours":
            return {"value": [{"id": each} for each in self.briefs]}
        if name == "brief.delete":
            self.briefs.remove(values["id"])
        return {}

    def ended(self):
        return [each for name, each in self.asked if name == "subscription.delete"]


@pytest.fixture
def microsoft(monkeypatch):
    stand_in = Microsoft()

    @asynccontextmanager
    async def gateway_to_clean_up(mailbox):
        yield stand_in

    monkeypatch.setattr(jobs, "gateway_to_clean_up", gateway_to_clean_up)
    return stand_in


@pytest.fixture
def mailbox(db, microsoft, monkeypatch):
    without_threads(monkeypatch, connection, jobs)
    alice = make_member(make_workspace())
    mailbox = make_mailbox(alice)
    with inside(alice.workspace_id):
        for number, wakes in (("s1", "mail"), ("s2", "calendar"), (None, "mail")):
            Subscription.objects.create(
                workspace_id=alice.workspace_id, mailbox=mailbox, microsoft_id=number, resource=f"{number}",
                wakes=wakes, secret_index="x", expires_at=mailbox.connected_at, renew_at=mailbox.connected_at,
            )  # fmt: skip
    actions.disconnect(mailbox.pk, workspace_id=alice.workspace_id, actor=by(alice))
    return fresh(mailbox)


def clean_up(mailbox):
    at_once(jobs.clean_up(workspace=str(mailbox.workspace_id), mailbox=str(mailbox.pk)))
    return fresh(mailbox)


def time_is_over(mailbox):
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(clean_up_until=datetime.now(UTC) - timedelta(seconds=1))


def test_drafts_briefs_and_subscriptions_end_and_then_the_tokens_are_destroyed(mailbox, microsoft):
    assert rows(Connection, mailbox.workspace_id), "its tokens serve for this"
    after = clean_up(mailbox)
    assert microsoft.ended() == ["s1", "s2"] and microsoft.drafts == microsoft.briefs == []
    assert not rows(Connection, mailbox.workspace_id) and not rows(Subscription, mailbox.workspace_id)
    assert after.clean_up_until is None and after.left_at_microsoft == []
    (entry,) = rows(AuditEntry, mailbox.workspace_id, tag="mailbox:clean-up")
    assert entry.detail == {"left": []}


@pytest.mark.parametrize("error", [TryLater("no answer"), Unclear("no answer")])
@pytest.mark.parametrize("what", ["subscription.delete", "drafts.ours", "draft.delete", "briefs.ours"])
def test_no_answer_is_tried_again_while_there_is_time(mailbox, microsoft, what, error):
    microsoft.fails[what] = error
    with pytest.raises(type(error)):
        clean_up(mailbox)
    assert rows(Connection, mailbox.workspace_id)
    clean_up(mailbox)
    assert microsoft.drafts == [] and set(microsoft.ended()) == {"s1", "s2"}
    assert not rows(Connection, mailbox.workspace_id) and fresh(mailbox).left_at_microsoft == []


def test_when_time_is_over_the_tokens_go_anyway_and_the_page_says_what_is_left(mailbox, microsoft):
    time_is_over(mailbox)
    microsoft.fails = {"subscription.delete": TryLater("no answer"), "drafts.ours": TryLater("no answer")}
    after = clean_up(mailbox)
    assert after.left_at_microsoft == ["notifications", "drafts"] and after.clean_up_until is None
    assert not rows(Connection, mailbox.workspace_id)


@pytest.mark.parametrize("error", [ReconnectNeeded("revoked"), ApprovalNeeded("not granted")])
def test_a_definite_no_is_not_asked_again(mailbox, microsoft, error):
    microsoft.fails["drafts.ours"] = error
    assert clean_up(mailbox).left_at_microsoft == ["drafts"]
    assert not rows(Connection, mailbox.workspace_id) and set(microsoft.ended()) == {"s1", "s2"}


def test_what_is_gone_already_and_a_list_that_lags_behind_are_no_problem(mailbox, microsoft):
    microsoft.lagging = ["d0"]
    microsoft.fails["subscription.delete"] = NotThere("404")
    assert clean_up(mailbox).left_at_microsoft == []
    assert microsoft.drafts == []


def test_without_the_permission_to_write_drafts_none_are_looked_for(mailbox, microsoft):
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(scopes=["Mail.Send", "User.Read"])
    assert clean_up(mailbox).left_at_microsoft == []
    assert not {"drafts.ours", "briefs.ours"} & {name for name, _ in microsoft.asked}


def test_it_runs_once(mailbox, microsoft):
    clean_up(mailbox)
    asked = len(microsoft.asked)
    clean_up(mailbox)
    assert len(microsoft.asked) == asked


def test_a_second_disconnect_changes_nothing_but_can_shorten_the_time(mailbox):
    for minutes, same in ((60, True), (1, False)):
        actions.disconnect(
            mailbox.pk,
            workspace_id=mailbox.workspace_id,
            actor=INSTALLER,
            clean_up_for=timedelta(minutes=minutes),
        )
        assert (fresh(mailbox).clean_up_until == mailbox.clean_up_until) is same
    assert fresh(mailbox).disconnected_at == mailbox.disconnected_at
    assert len(rows(AuditEntry, mailbox.workspace_id, tag="mailbox:disconnect")) == 1


def token(mailbox, *, cleaning_up):
    access = MailboxAccess(
        mailbox.workspace_id, mailbox.pk, frozenset(mailbox.scopes), "test", cleaning_up=cleaning_up
    )
    return at_once(access.token())


def give_token(mailbox):
    with inside(mailbox.workspace_id):
        stored = Connection.objects.get(mailbox=mailbox)
        connection.seal(stored, "access_token", "good")
        stored.access_token_expires_at = datetime.now(UTC) + timedelta(hours=1)
        stored.save()


def test_the_tokens_of_a_disconnected_mailbox_serve_for_cleaning_up_only(mailbox):
    give_token(mailbox)
    assert token(mailbox, cleaning_up=True) == "good"
    with pytest.raises(ReconnectNeeded):
        token(mailbox, cleaning_up=False)


def test_the_tokens_of_a_mailbox_that_was_connected_again_do_not_serve_for_cleaning_up(mailbox):
    give_token(mailbox)
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(state="connected", clean_up_until=None)
    assert token(mailbox, cleaning_up=False) == "good"
    with pytest.raises(ReconnectNeeded):
        token(mailbox, cleaning_up=True)
