"""Writing audit entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import models

from gatepost import clock, rows
from gatepost.audit.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member, an API token, a job of ours, a contact (opting out), or IT on its page."""

    kind: str
    id: str = ""


def job(name: str) -> Actor:
    return Actor("job", name)


def record(
    actor: Actor,
    tag: str,
    subject: models.Model,
    *,
    workspace_id: UUID | None = None,
    mailbox_id: UUID | None = None,
    **detail: object,
) -> AuditEntry:
    """One entry, in the running transaction. `tag` is one of audit.tags."""
    made = entry(actor, tag, subject, workspace_id=workspace_id, mailbox_id=mailbox_id, **detail)
    record_each([made])
    return made


def record_each(entries: Iterable[AuditEntry]) -> None:
    """All of them, by one statement, in the running transaction."""
    rows.add(list(entries))


def entry(
    actor: Actor,
    tag: str,
    subject: models.Model,
    *,
    workspace_id: UUID | None = None,
    mailbox_id: UUID | None = None,
    **detail: object,
) -> AuditEntry:
    """An entry that still has to be stored, with `record_each`."""
    return AuditEntry(
        workspace_id=workspace_id or subject.workspace_id,  # type: ignore[attr-defined]
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        tag=tag,
        subject_id=subject.pk,
        mailbox_id=mailbox_id or getattr(subject, "mailbox_id", None),
        detail=detail,
    )
