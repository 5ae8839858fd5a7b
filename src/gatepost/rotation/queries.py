"""Whose keys there are, what they seal, and how much of that a former generation made."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connections, models
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Substr

from gatepost.accounts.models import Workspace
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.rotation import covers
from gatepost.vault import generations
from gatepost.vault.fields import SealedField
from gatepost.vault.keys import cover_name, sealing_name

INDEX = "index"


@dataclass(frozen=True, slots=True)
class Owner:
    """A workspace or a mailbox, which has a key, or the blind indexes of a workspace, which have a cover."""

    kind: str  # as rows say it (sealed_with), or INDEX
    id: UUID
    workspace_id: UUID

    @property
    def key(self) -> str:
        return cover_name(self.id) if self.kind == INDEX else sealing_name(self.kind, self.id)


def mailboxes_of(workspace_id: UUID) -> list[Owner]:
    with inside(workspace_id):
        there = Mailbox.objects.filter(is_being_erased=False).order_by("pk").values_list("pk", flat=True)
        return [Owner("mailbox", pk, workspace_id) for pk in there]


def owners_in(workspace_id: UUID) -> list[Owner]:
    """Its mailboxes, whose tokens matter most, then the workspace itself, and its blind indexes."""
    return [
        *mailboxes_of(workspace_id),
        Owner("workspace", workspace_id, workspace_id),
        Owner(INDEX, workspace_id, workspace_id),
    ]


def all_owners() -> Iterator[Owner]:
    """Of every workspace that is not closed."""
    for pk in Workspace.objects.filter(closed_at__isnull=True).order_by("pk").values_list("pk", flat=True):
        yield from owners_in(pk)


def sealed_models(kind: str) -> list[type[models.Model]]:
    """Every table that holds something sealed with the key of such an owner; those with tokens first."""

    def holds_tokens(model: type[models.Model]) -> bool:
        fields = model._meta.local_fields
        return any(isinstance(each, SealedField) and each.holds == "token" for each in fields)

    found = [
        model
        for model in apps.get_app_config("gatepost").get_models()
        if generations.sealed_columns(model) and getattr(model, "sealed_with", "") == kind
    ]
    return sorted(found, key=lambda model: (not holds_tokens(model), model._meta.db_table))


def of_former(owner: Owner, model: Any, marks: tuple[bytes, ...]) -> QuerySet[Any]:
    """Rows of this table in which something is sealed that a generation with one of these marks made."""
    by = {
        f"{column}_by": Substr(column, 1, generations.MARK_BYTES, output_field=models.BinaryField())
        for column in generations.sealed_columns(model)
    }
    made = Q()
    for name in by:
        for mark in marks:
            made |= Q((name, mark))
    mine = Q(pk=owner.id) if model._meta.model_name == owner.kind else Q((f"{owner.kind}_id", owner.id))
    rows: QuerySet[Any] = model._default_manager.alias(**by).filter(mine & made)
    return rows


def left(owner: Owner) -> int:
    """How many rows hold something that a former generation made."""
    if owner.kind == INDEX:
        return covers.left(owner.workspace_id)
    known = generations.sealer(owner.key)
    if known is None or not known[1].former:
        return 0
    with inside(owner.workspace_id):
        return sum(
            of_former(owner, model, known[1].former).aggregate(rows=Count("pk"))["rows"]
            for model in sealed_models(owner.kind)
        )


def oldest_transaction() -> timedelta:
    """How long the longest transaction of this installation's has been running, other than our own."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(clock_timestamp() - xact_start), '0') FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
        found: timedelta = cursor.fetchone()[0]
    return found
