"""Tidying: removing the drafts that no message needs."""

from datetime import datetime
from uuid import UUID

from gatepost import clock
from gatepost.graph.errors import GraphError, TryLater, Unclear
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.outbox import actions, protocol
from gatepost.outbox import send_only as send_only  # its job
from gatepost.outbox.models import Message
from gatepost.outbox.sending import remove_drafts


@tick("outbox.find-surplus", every_seconds=5)
def find_surplus() -> int:
    """Messages whose surplus drafts can be looked for: no request that is still under way makes another."""
    found = across_workspaces("messages_to_sweep", clock.now())
    for each in found:
        with inside(each.workspace_id):
            enqueue("outbox.sweep", once_for=each.id, workspace=str(each.workspace_id), message=str(each.id))
    return len(found)


@job("outbox.sweep")
async def sweep(workspace: str, message: str) -> None:
    """Drafts that the message does not need are gone. A failure leaves an unsent draft, no mail; it is tried again."""
    swept = await in_thread(_load, UUID(workspace), UUID(message))
    if swept is None or swept.sweep_at is None:
        return
    again: datetime | None = clock.now() + protocol.QUIESCENCE
    if swept.mailbox.state == Mailbox.State.CONNECTED and swept.state != Message.State.PLANNED:
        try:
            async with gateway_for(swept.mailbox, reason="surplus drafts") as gateway:
                await remove_drafts(swept, gateway)
            again = None
        except GraphError:
            pass
    await in_thread(actions.swept, swept, again_at=again)


@job("outbox.remove-draft", try_again=True)
async def remove_cancelled_drafts(workspace: str, message: str) -> None:
    """The drafts of a cancelled message are gone from the mailbox. A failure leaves an unsent draft, no mail."""
    cancelled = await in_thread(_load, UUID(workspace), UUID(message))
    if cancelled is None or cancelled.state != Message.State.CANCELLED:
        return
    try:
        async with gateway_for(cancelled.mailbox, reason="draft of a cancelled step") as gateway:
            await remove_drafts(cancelled, gateway)
    except (TryLater, Unclear):
        raise  # the job is tried again
    except GraphError:
        return


def _load(workspace_id: UUID, message_id: UUID) -> Message | None:
    with inside(workspace_id):
        return Message.objects.select_related("mailbox", "contact").filter(pk=message_id).first()
