"""What was put off comes back by itself."""

from gatepost import clock
from gatepost.conversations import actions
from gatepost.jobs.ticks import tick


@tick("conversations.reopen", every_seconds=5)
def reopen_snoozed() -> int:
    """Conversations whose snooze or promise is over are in the inbox again."""
    return actions.reopen(clock.now())
