"""Carrying out erasures, and removing what has been kept long enough."""

import logging
from collections import Counter
from datetime import timedelta
from uuid import UUID

from gatepost import clock
from gatepost.accounts.models import Workspace
from gatepost.erasure import actions, queries, rules
from gatepost.erasure.models import Erasure
from gatepost.graph.errors import GraphError, TryLater, Unclear
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.rules import CLEAN_UP_BEFORE_ERASING_FOR
from gatepost.outbox.sending import remove_drafts
from gatepost.vault import keys

log = logging.getLogger(__name__)

REAL_PAUSE = timedelta(minutes=1)


@tick("erasure.find-unfinished", every_seconds=1)
def find_unfinished() -> int:
    """Whatever was ordered is carried on, also after a crash."""
    found = queries.unfinished()
    for each in found:
        actions.woken(each.workspace_id, each.id)
    return len(found)


@tick("erasure.keep-destroyed", every_seconds=60)
def keep_destroyed() -> int:
    """A key that a backup of the keystore brought back is destroyed once more."""
    back = keys.destroy_again(queries.erased_keys())
    if back:
        log.warning(
            "destroyed keys again that a backup of the keystore had brought back", extra={"count": back}
        )
    return 0


@tick("erasure.find-due", every_seconds=5)
def find_due_retention() -> int:
    found = queries.due_for_retention(clock.now())
    for workspace_id in found:
        with inside(workspace_id):
            enqueue("erasure.expire", once_for=workspace_id, workspace=str(workspace_id))
    return len(found)


@job("erasure.carry-on")
async def carry_on(workspace: str, erasure: str) -> None:
    """What was ordered is erased, and the receipt is signed; or it waits a moment, and the tick comes again.

    1. what is ours at Microsoft ends, in bounded time · 2. keys are destroyed, so that no copy can be read ·
    3. rows are removed in batches · 4. the receipt. A crash anywhere goes on with the step that it met.
    """
    ordered = await in_thread(queries.load_unfinished, UUID(workspace), UUID(erasure))
    if ordered is None or await in_thread(queries.still_cleaning_up, ordered):
        return
    left: list[str] = []
    if ordered.kind == Erasure.Kind.CONTACT and ordered.began_at is None:
        try:
            left = await _remove_drafts(ordered)
        except (TryLater, Unclear):
            return
    await in_thread(_destroy_keys, ordered)
    await in_thread(actions.begin, ordered, left)
    while await in_thread(actions.remove_some, ordered):
        pass
    # Whoever was in the middle of something may have made the key anew; with the rows gone, nobody can any more.
    await in_thread(_destroy_keys, ordered)
    await in_thread(actions.finish, ordered)


@job("erasure.expire")
async def expire(workspace: str) -> None:
    """What has been kept long enough in this workspace is gone; erasures of mailboxes are ordered."""
    workspace_id, now = UUID(workspace), clock.now()
    chosen = await in_thread(_chosen, workspace_id)
    if chosen is None:
        return
    removed: Counter[str] = Counter()
    for each in rules.RETENTION:
        since = rules.kept_since(each.kind, chosen, now=now)
        while some := await in_thread(actions.expire_some, workspace_id, each.kind, since):
            removed[each.kind] += some
    next_look = now + clock.at_least(rules.LOOK_EVERY, real=REAL_PAUSE)
    await in_thread(actions.looked_through, workspace_id, dict(removed), next_look=next_look)


async def _remove_drafts(erasure: Erasure) -> list[str]:
    """Unsent drafts to a person are gone from the mailboxes. Raises TryLater or Unclear while there is time."""
    in_time = clock.now() < erasure.ordered_at + clock.at_least(
        CLEAN_UP_BEFORE_ERASING_FOR, real=CLEAN_UP_BEFORE_ERASING_FOR
    )
    left: list[str] = []
    for message in await in_thread(queries.drafts_to, erasure):
        try:
            async with gateway_for(message.mailbox, reason="draft to an erased person") as gateway:
                await remove_drafts(message, gateway)
        except (TryLater, Unclear):
            if in_time:
                raise
            left = ["drafts"]
        except GraphError:
            left = ["drafts"]
    return left


def _destroy_keys(erasure: Erasure) -> None:
    for name in erasure.keys:
        owner, _, owner_id = name.partition(":")
        keys.destroy(owner, owner_id)


def _chosen(workspace_id: UUID) -> dict[str, int] | None:
    return (
        Workspace.objects.filter(pk=workspace_id, closed_at__isnull=True)
        .values_list("retention", flat=True)
        .first()
    )
