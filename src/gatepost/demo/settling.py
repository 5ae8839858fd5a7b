"""Waiting until nothing is in flight any more, in the product and in the sandbox."""

import time
from datetime import timedelta
from uuid import UUID

from django.db import connections

from gatepost import clock
from gatepost.demo.browser import get_json
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import due_for_calendar, due_for_sync, subscriptions_due
from gatepost.outbox.models import Message
from gatepost.sequences.queries import mailboxes_with_work, returned

POLL_SECONDS = 0.05
# A pause between two mails that ends within this is waited for; a longer wait is a matter of the clock.
SOON = timedelta(minutes=3)


def settle(sandbox_clock: str, workspace_id: UUID, *, seconds: float = 60.0) -> bool:
    """True when nothing is in flight: no job, no due work, nothing on its way in the sandbox (whose clock's
    address is `sandbox_clock`). False when it did not come to rest within `seconds` of real time."""
    deadline = time.monotonic() + seconds
    calm = 0
    while time.monotonic() < deadline:
        busy = get_json(sandbox_clock)["busy"] or in_flight(workspace_id)
        # Twice, since what the sandbox just delivered may not have woken anything yet.
        calm = 0 if busy else calm + 1
        if calm >= 2:
            return True
        time.sleep(POLL_SECONDS)
    return False


def in_flight(workspace_id: UUID) -> bool:
    """Whether the product has anything to do now, or in a moment."""
    now = clock.now()
    due = (mailboxes_with_work, due_for_sync, due_for_calendar, subscriptions_due, returned)
    return any(look(now) for look in due) or _queue_holds_jobs() or _about_to_send(workspace_id)


def _queue_holds_jobs() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))")
        return bool(cursor.fetchone()[0])


def _about_to_send(workspace_id: UUID) -> bool:
    now = clock.now()
    with inside(workspace_id):
        waiting = Mailbox.objects.filter(sending_not_before__gt=now, sending_not_before__lte=now + SOON)
        return waiting.exists() or Message.objects.filter(state=Message.State.SENDING).exists()
