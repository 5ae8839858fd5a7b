"""Looking, every few seconds, at what was opened."""

from gatepost.alerts import actions, letters, queries
from gatepost.jobs.ticks import tick

__all__ = ["letters"]  # whoever works also writes them


@tick("alerts.watch", every_seconds=10)
def watch_access() -> int:
    """Somebody who opens texts in an unusual way is told of within half a minute."""
    for workspace_id in queries.workspaces_with_reads():
        actions.watch(workspace_id)
    return 0
