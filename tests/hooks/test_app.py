"""The fast door for Microsoft's notifications, driven as a server drives it."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import quote

import orjson
import pytest
from django.conf import settings

from gatepost import clock
from gatepost.hooks.app import MAX_BODY, Hooks
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox, Subscription
from gatepost.vault.sealing import installation_index
from tests.makers import MONDAY, clock_at, fresh, make_mailbox, make_member, make_workspace

SECRET = "s" * 43


@pytest.fixture
def mailbox(committed_db, tmp_path):
    with clock_at(MONDAY, tmp_path):
        mailbox = make_mailbox(make_member(make_workspace()))
        later = MONDAY + timedelta(days=3)
        for microsoft_id, wakes in (("mail-1", "mail"), ("calendar-1", "calendar")):
            with inside(mailbox.workspace_id):
                Subscription.objects.create(
                    workspace_id=mailbox.workspace_id, mailbox=mailbox, microsoft_id=microsoft_id, resource=wakes,
                    wakes=wakes, secret_index=installation_index("hook-secret", SECRET), expires_at=later,
                    renew_at=later,
                )  # fmt: skip
        yield mailbox


@asynccontextmanager
async def running(url, **options):
    hooks, events = Hooks(url, **options), asyncio.Queue()
    started = asyncio.Event()

    async def respond(event):
        started.set()

    living = asyncio.create_task(hooks({"type": "lifespan"}, events.get, respond))
    await events.put({"type": "lifespan.startup"})
    await started.wait()
    try:
        yield hooks
    finally:
        await events.put({"type": "lifespan.shutdown"})
        await living


async def call(hooks, body=b"", *, method="POST", query="", path="/hooks/", chunks=1):
    """(status, headers, content) of one request."""
    size = max(1, -(-len(body) // chunks))
    parts = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    events = [
        {"type": "http.request", "body": p, "more_body": n < len(parts) - 1} for n, p in enumerate(parts)
    ]
    sent = []

    async def receive():
        return events.pop(0)

    async def respond(event):
        sent.append(event)

    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
    await hooks(scope, receive, respond)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def post(body, **options):
    async def once():
        async with running(settings.GATEPOST_DATABASE_URL) as hooks:
            return await call(hooks, body, **options)

    return asyncio.run(once())


def notification(subscription="mail-1", secret=SECRET, **more):
    return {
        "subscriptionId": subscription,
        "clientState": secret,
        "changeType": "created",
        "resource": "x",
        **more,
    }


def body_of(*items):
    return orjson.dumps({"value": list(items)})


def woken(mailbox):
    now = fresh(mailbox)
    return now.sync_due_at, now.calendar_due_at


def test_the_handshake_gives_the_token_back_as_plain_text(db):
    token = "Validation: <script>alert(1)</script> ü"
    status, headers, content = post(b"", query=f"validationToken={quote(token)}")
    assert (status, content.decode()) == (200, token)
    assert headers[b"content-type"].startswith(b"text/plain")
    assert headers[b"x-content-type-options"] == b"nosniff"


def test_a_handshake_token_is_not_given_back_without_end(db):
    _, _, content = post(b"", query="validationToken=" + "a" * 100_000)
    assert len(content) == 4096


def test_a_notification_makes_its_mailbox_due_now(mailbox):
    status, _, content = post(body_of(notification()))
    assert (status, content) == (202, b"")
    assert woken(mailbox) == (clock.now(), None)


def test_a_calendar_notification_wakes_the_calendar_only(mailbox):
    assert post(body_of(notification("calendar-1")))[0] == 202
    assert woken(mailbox) == (None, clock.now())


def test_lifecycle_notifications_wake_like_any_other(mailbox):
    post(body_of({"subscriptionId": "mail-1", "clientState": SECRET, "lifecycleEvent": "missed"}))
    assert woken(mailbox) == (clock.now(), None)


@pytest.mark.parametrize(
    "item",
    [
        notification("unknown"),
        notification(secret="wrong"),
        notification(secret=SECRET + "x"),
        notification(secret=""),
        {"subscriptionId": "mail-1"},
        {"subscriptionId": None, "clientState": None},
        {"subscriptionId": ["mail-1"], "clientState": {"a": 1}},
    ],
)
def test_a_forged_notification_is_answered_like_any_other_and_wakes_nobody(mailbox, item):
    status, _, content = post(body_of(item))
    assert (status, content) == (202, b"")
    assert woken(mailbox) == (None, None)


def test_a_good_notification_among_forged_ones_still_wakes(mailbox):
    post(body_of(notification("unknown"), "junk", notification(), notification(secret="x")))
    assert woken(mailbox) == (clock.now(), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"junk",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'{"value": 1}',
        b'{"value": {"a": 1}}',
        b'{"value": [1, null]}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_notification_is_answered_like_one(mailbox, body):
    assert post(body)[0] == 202
    assert woken(mailbox) == (None, None)


def test_a_notification_that_comes_in_pieces_is_read_whole(mailbox):
    assert post(body_of(notification()), chunks=7)[0] == 202
    assert woken(mailbox) == (clock.now(), None)


def test_a_body_that_is_too_large_is_refused(mailbox):
    status, _, _ = post(body_of(notification(), {"padding": "x" * MAX_BODY}), chunks=5)
    assert status == 413
    assert woken(mailbox) == (None, None)


def test_a_disconnected_mailbox_is_not_woken(mailbox):
    with inside(mailbox.workspace_id):
        Mailbox.objects.filter(pk=mailbox.pk).update(state=Mailbox.State.DISCONNECTED)
    assert post(body_of(notification()))[0] == 202
    assert woken(mailbox) == (None, None)


def test_without_a_database_microsoft_is_asked_to_come_again(db):
    async def once():
        async with running("postgresql://nobody@127.0.0.1:1/nothing", patience=0.05) as hooks:
            return await call(hooks, body_of(notification()))

    status, _, _ = asyncio.run(once())
    assert status == 503


def test_a_burst_is_committed_together_and_each_is_answered_after_it(mailbox):
    async def burst():
        async with running(settings.GATEPOST_DATABASE_URL) as hooks:
            commits = []
            wake = hooks._wake

            async def counted(wakes):
                commits.append(wakes)
                await wake(wakes)

            hooks._wake = counted
            answers = await asyncio.gather(*(call(hooks, body_of(notification())) for _ in range(50)))
            return {status for status, _, _ in answers}, len(commits)

    statuses, commits = asyncio.run(burst())
    assert statuses == {202} and commits < 10
    assert woken(mailbox) == (clock.now(), None)


def test_only_posts_are_taken_and_health_is_told(db):
    assert post(b"", method="GET")[0] == 405
    assert post(b"", method="GET", path="/hooks/health")[::2] == (200, b"ok")
