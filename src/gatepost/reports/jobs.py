"""Weekly mails that are due; weeks that are over are counted."""

from gatepost import clock
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.queries import across_workspaces
from gatepost.reports import actions, counted, letters

__all__ = ["letters"]  # whoever works also writes them


@tick("reports.find-due", every_seconds=5)
def find_due() -> int:
    found = across_workspaces("saved_views_due", clock.now())
    return sum(actions.mail_due(each.workspace_id, each.id) for each in found)


@tick("reports.count-weeks", every_seconds=30)
def count_weeks() -> int:
    return sum(counted.count_weeks(each.workspace_id) for each in across_workspaces("workspace_ids"))
