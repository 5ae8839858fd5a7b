"""Importing lists in the background, and forgetting files that nobody went on with."""

import logging
from datetime import timedelta
from uuid import UUID

from gatepost import clock
from gatepost.contacts import imports
from gatepost.errors import Conflict
from gatepost.isolation import inside
from gatepost.jobs.queue import enqueue, job
from gatepost.jobs.threads import in_thread
from gatepost.jobs.ticks import tick
from gatepost.mailboxes.queries import across_workspaces

log = logging.getLogger(__name__)

ABANDONED_AFTER = timedelta(days=1)


@tick("contacts.find-imports", every_seconds=5)
def find_imports() -> int:
    """What was begun is carried on, also after a crash."""
    found = across_workspaces("imports_under_way")
    for each in found:
        with inside(each.workspace_id):
            enqueue(
                "contacts.import", once_for=each.id, workspace=str(each.workspace_id), imported=str(each.id)
            )
    return len(found)


@tick("contacts.forget-abandoned", every_seconds=60)
def forget_abandoned() -> int:
    """Files whose columns nobody chose within a day are gone."""
    before = clock.now() - ABANDONED_AFTER
    for each in across_workspaces("imports_abandoned", before):
        imports.forget_abandoned(each.workspace_id, each.id, before=before)
    return 0


@job("contacts.import")
async def carry_on(workspace: str, imported: str) -> None:
    """The list is read to its end, batch by batch. Run again, it goes on behind the last batch that was committed."""
    workspace_id, import_id = UUID(workspace), UUID(imported)
    try:
        while (reader := await in_thread(imports.begin, workspace_id, import_id)) is not None:
            while await in_thread(imports.read_some, reader):
                pass
    except Conflict:
        return  # the tick comes again
    except Exception as error:
        log.warning("an import fell over", extra={"job": "contacts.import", "error": type(error).__name__})
        await in_thread(imports.fell_over, workspace_id, import_id)
