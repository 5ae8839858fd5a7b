"""`gatepost verify sends`: the records against every connected mailbox."""

from dataclasses import dataclass, field
from uuid import UUID

from gatepost.errors import GatepostError
from gatepost.graph.gateway import close_shared_session
from gatepost.isolation import inside
from gatepost.jobs.threads import in_thread
from gatepost.mailboxes.connection import gateway_for
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.outbox.comparing import Difference, differences
from gatepost.outbox.models import Message


@dataclass
class Verified:
    """What came of it. A mailbox that did not answer proves nothing, so it counts as a failure; one that is not
    connected is named."""

    mailboxes: int = 0
    messages: int = 0
    differences: list[Difference] = field(default_factory=list)
    unanswered: list[tuple[UUID, str]] = field(default_factory=list)
    not_connected: list[tuple[UUID, int]] = field(default_factory=list)  # with how many messages

    @property
    def holds(self) -> bool:
        return not self.differences and not self.unanswered


async def verify_all() -> Verified:
    verified = Verified()
    try:
        for box, messages in await in_thread(_mailboxes):
            if box.state == Mailbox.State.CONNECTED:
                await _verify(box, messages, verified)
            elif messages:
                verified.not_connected.append((box.pk, messages))
    finally:
        await close_shared_session()
    return verified


async def _verify(box: Mailbox, messages: int, verified: Verified) -> None:
    try:
        async with gateway_for(box, reason="verifying sends") as gateway:
            verified.differences += await differences(box, gateway)
    except GatepostError as error:
        verified.unanswered.append((box.pk, error.message))
        return
    verified.mailboxes += 1
    verified.messages += messages


def _mailboxes() -> list[tuple[Mailbox, int]]:
    found = []
    for workspace in across_workspaces("workspace_ids"):
        with inside(workspace.workspace_id):
            for box in Mailbox.objects.order_by("connected_at"):
                found.append((box, Message.objects.filter(mailbox=box).count()))
    return found
