"""Erasing from the command line. It carries out what it orders, with or without a worker."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from gatepost.accounts.actions import INSTALLER
from gatepost.accounts.models import Workspace
from gatepost.erasure import actions, jobs, queries, receipts
from gatepost.erasure.models import Erasure
from gatepost.errors import BadInput
from gatepost.graph.errors import GraphError
from gatepost.graph.gateway import close_shared_session
from gatepost.isolation import inside
from gatepost.jobs.threads import in_thread
from gatepost.mailboxes import jobs as mailbox_jobs
from gatepost.mailboxes.models import Mailbox
from gatepost.vault import names
from gatepost.vault.signing import public_key

PAUSE_SECONDS = 0.5


def find(kind: str, text: str) -> tuple[Any, str]:
    """What an id, an address or a name means, and what must be typed to confirm. Raises BadInput where it is unclear."""
    look: dict[str, Callable[[str], list[Any]]] = {
        "mailbox": queries.find_mailbox,
        "contact": queries.find_contact,
        "workspace": queries.find_workspace,
    }
    found = look[kind](text)
    if not found:
        raise BadInput(f"There is no {kind} {text!r} here. Nothing was erased.")
    if len(found) > 1:
        ids = ", ".join(str(each.pk) for each in found)
        raise BadInput(
            f"There are {len(found)} of that name. Nothing was erased. Say which by its id: {ids}."
        )
    return found[0], _typed(found[0])


def _typed(subject: Any) -> str:
    if isinstance(subject, Workspace):
        return subject.name
    with inside(subject.workspace_id):
        if isinstance(subject, Mailbox):
            return actions.what_confirms(subject)[0]
        return names.open(subject, "email") or ""


def erase(kind: str, subject: Any, confirm: str) -> Erasure:
    """It is erased, and the receipt is signed."""
    if kind == "workspace":
        erasure = actions.close_workspace(subject.pk, confirm=confirm, actor=INSTALLER)
    else:
        order = actions.erase_mailbox if kind == "mailbox" else actions.erase_contact
        erasure = order(subject.pk, workspace_id=subject.workspace_id, confirm=confirm, actor=INSTALLER)
    return asyncio.run(_carry_out(erasure.workspace_id, erasure.pk))


def check(text: str) -> receipts.Checked:
    """A receipt, compared with this installation's own key."""
    return receipts.check(text, public=public_key(actions.RECEIPTS))


async def _carry_out(workspace_id: UUID, erasure_id: UUID) -> Erasure:
    try:
        for mailbox_id in await in_thread(_cleaning_up, workspace_id, erasure_id):
            await _try_to_clean_up(workspace_id, mailbox_id)
        while True:
            await jobs.carry_on(workspace=str(workspace_id), erasure=str(erasure_id))
            done = await in_thread(_finished, workspace_id, erasure_id)
            if done is not None:
                return done
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await close_shared_session()


async def _try_to_clean_up(workspace_id: UUID, mailbox_id: UUID) -> None:
    """Once, where no worker does it. What does not work is left to its end, which the erasure waits for."""
    with suppress(GraphError):
        await mailbox_jobs.clean_up(workspace=str(workspace_id), mailbox=str(mailbox_id))


def _cleaning_up(workspace_id: UUID, erasure_id: UUID) -> list[UUID]:
    with inside(workspace_id):
        ordered = Erasure.objects.get(pk=erasure_id)
        going = queries.mailboxes_of(ordered).filter(clean_up_until__isnull=False)
        return list(going.values_list("pk", flat=True))


def _finished(workspace_id: UUID, erasure_id: UUID) -> Erasure | None:
    with inside(workspace_id):
        return Erasure.objects.filter(pk=erasure_id, finished_at__isnull=False).first()
