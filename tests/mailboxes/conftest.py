"""A sign-in host of one function in Microsoft's place, and a rep on a Monday."""

import pytest

from gatepost.mailboxes import actions, connection, waiting_views
from tests.graph.entra import OBJECT, sign_in_host
from tests.makers import MONDAY, clock_at, make_member, make_workspace


@pytest.fixture(scope="module")
def running():
    with sign_in_host() as host:
        yield host


@pytest.fixture
def host(running, monkeypatch, settings):
    running.asked.clear()
    running.entra._apps.clear()  # msal remembers failures for a while
    running.profile = dict(running.profile, id=OBJECT)
    running.inbox = (200, {"id": "inbox"})
    settings.GATEPOST_SANDBOX_URL = running.entra.sandbox_url
    for module in (actions, connection, waiting_views):
        monkeypatch.setattr(module, "entra", lambda: running.entra)
    return running


@pytest.fixture
def clock_file(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def member(committed_db, clock_file):
    # Looking at the account runs in a thread of its own, so the changes must be committed.
    return make_member(make_workspace())
