"""Tidying: removing the drafts of messages that will never leave."""

from uuid import UUID

from gatepost.graph.errors import GraphError, TryLater, Unclear
from gatepost.isolation import inside
from gatepost.jobs.queue import job
from gatepost.jobs.threads import in_thread
from gatepost.mailboxes.connection import gateway_for
from gatepost.outbox import send_only as send_only  # its job
from gatepost.outbox.models import Message
from gatepost.outbox.sending import remove_draft


@job("outbox.remove-draft", try_again=True)
async def remove_cancelled_draft(workspace: str, message: str) -> None:
    """The draft of a cancelled message is gone from the mailbox. A failure leaves an unsent draft, no mail."""
    cancelled = await in_thread(_cancelled, UUID(workspace), UUID(message))
    if cancelled is None:
        return
    try:
        async with gateway_for(cancelled.mailbox, reason="draft of a cancelled step") as gateway:
            await remove_draft(cancelled, gateway)
    except (TryLater, Unclear):
        raise  # the job is tried again
    except GraphError:
        return


def _cancelled(workspace_id: UUID, message_id: UUID) -> Message | None:
    with inside(workspace_id):
        messages = Message.objects.select_related("mailbox", "contact")
        return messages.filter(pk=message_id, state=Message.State.CANCELLED).first()
