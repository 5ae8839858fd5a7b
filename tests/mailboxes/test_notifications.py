"""What Microsoft is asked to tell of: one subscription covers every folder of a mailbox."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from gatepost import clock
from gatepost.isolation import inside
from gatepost.mailboxes import jobs
from gatepost.mailboxes.models import Subscription
from tests.at_once import at_once, without_threads
from tests.makers import make_mailbox, make_member, make_workspace, rows


class Microsoft:
    def __init__(self):
        self.asked = []

    async def ask(self, name, *, body=None, **values):
        self.asked.append(
            (name, (body or {}).get("resource") or values.get("id"), (body or {}).get("changeType"))
        )
        return {"id": f"new-{len(self.asked)}", "expirationDateTime": (body or {}).get("expirationDateTime")}


@pytest.fixture
def microsoft(monkeypatch, settings):
    settings.GATEPOST_HOOKS_URL = "https://outreach.example/hooks/graph"
    stand_in = Microsoft()

    @asynccontextmanager
    async def gateway_for(mailbox, *, reason):
        yield stand_in

    monkeypatch.setattr(jobs, "gateway_for", gateway_for)
    without_threads(monkeypatch, jobs)
    return stand_in


def subscribe(mailbox):
    at_once(jobs.subscribe(workspace=str(mailbox.workspace_id), mailbox=str(mailbox.pk)))


def test_mail_that_comes_into_whatever_folder_is_told_of_and_no_flag_that_the_rep_sets(db, microsoft):
    mailbox = make_mailbox(make_member(make_workspace()))
    subscribe(mailbox)
    assert ("subscription.create", "me/messages", "created") in microsoft.asked
    subscribe(mailbox)
    assert len(microsoft.asked) == 2  # mail and calendar, once


def test_subscriptions_of_single_folders_that_a_version_before_made_end(db, microsoft):
    mailbox = make_mailbox(make_member(make_workspace()))
    alive = clock.now() + timedelta(days=3)
    with inside(mailbox.workspace_id):
        Subscription.objects.create(
            workspace_id=mailbox.workspace_id, mailbox=mailbox, microsoft_id="old", wakes="mail", secret_index="x",
            resource="me/mailFolders('inbox')/messages", expires_at=alive, renew_at=alive,
        )  # fmt: skip
    subscribe(mailbox)
    assert ("subscription.delete", "old", None) in microsoft.asked
    assert {each.resource for each in rows(Subscription, mailbox.workspace_id)} == {
        "me/messages",
        "me/events",
    }
