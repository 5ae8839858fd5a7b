"""Weekly mails that are due."""

from gatepost import clock
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.queries import across_workspaces
from gatepost.reports import actions, letters

__all__ = ["letters"]  # whoever works also writes them


@tick("reports.find-due", every_seconds=5)
def find_due() -> int:
    found = across_workspaces("saved_views_due", clock.now())
    return sum(actions.mail_due(each.workspace_id, each.id) for each in found)
