"""Putting the blind indexes of a workspace under another key of its cover (gatepost.vault.indexes), a slice at a time.

Each slice is moved in all tables by one transaction that has the workspace for itself for a moment, so that every hash has
one form whenever somebody looks. Killed anywhere, the rest is done by whoever comes next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.db import connections, models, transaction
from django.db.models.functions import Now
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable

from gatepost.isolation import COVER_LOCK, cover, inside
from gatepost.rotation.models import Cover
from gatepost.vault import generations, indexes
from gatepost.vault.indexes import SLICES, IndexesField, IndexField

BATCH = 500
# So long at most does everybody in the workspace wait for one whose transaction lasts, before they go first again.
WAIT_MS = 1000


class Busy(Exception):
    """Somebody's transaction in the workspace lasts longer than others should wait for it."""


@dataclass(frozen=True, slots=True)
class Found:
    """How far the cover of a workspace is, by the main database."""

    now: int | None
    next: int | None
    slices: int
    age: (
        timedelta | None
    )  # since when each transaction that begins knows `next`; None: that is not sure of any


def found(workspace_id: UUID) -> Found:
    known = (
        Cover.objects.filter(pk=workspace_id).annotate(age=Now() - models.F("changing_since"))
        .values_list("now_key", "next_key", "slices", "age").first()
    )  # fmt: skip
    return Found(*(known or (None, None, 0, None)))


def take_over(workspace_id: UUID, key: int) -> None:
    """This key is to take over, where none does yet."""
    with inside(workspace_id):
        Cover.objects.get_or_create(pk=workspace_id)
        Cover.objects.filter(pk=workspace_id, next_key=None).update(next_key=key)


def announced(workspace_id: UUID) -> None:
    """It stands in the row since when each transaction that begins knows which key takes over. By a transaction of its own,
    since one that began while `take_over` was not committed yet does not know."""
    with inside(workspace_id):
        taking_over = Cover.objects.filter(pk=workspace_id, next_key__isnull=False, changing_since=None)
        taking_over.update(changing_since=Now())


def move_slice(workspace_id: UUID) -> int | None:
    """The hashes of the next slice lie under the key that takes over, in every table. How many rows that were; None: there
    was no further slice. Raises Busy."""
    layers = indexes.layers(workspace_id, anew=True)  # before everybody waits for us
    with _alone(workspace_id):
        known = cover(connections["default"])
        if known is None or known.next is None or known.slices == SLICES:
            return None
        former, newer = (None if known.now is None else layers[known.now]), layers[known.next]
        first = (former.letter if former else "") + f"{known.slices:02x}"
        moved = 0
        with connections["default"].cursor() as cursor:
            for model, column in columns(IndexField):
                table, mine = model._meta.db_table, ""
                if any(each.name == "mailbox" for each in model._meta.local_fields):
                    # Says nothing new, but some of these indexes begin with the mailbox.
                    mine = "AND mailbox_id IN (SELECT id FROM gatepost_mailbox WHERE workspace_id = %(workspace)s)"
                cursor.execute(
                    f'SELECT id, "{column}" FROM {table} '
                    f'WHERE workspace_id = %(workspace)s {mine} AND "{column}" >= %(first)s AND "{column}" < %(behind)s',
                    # Behind all that go on with hex digits.
                    {"workspace": workspace_id, "first": first, "behind": f"{first}g"},
                )
                ids, forms = zip(*cursor.fetchall(), strict=True) if cursor.rowcount else ((), ())
                to = newer.lay(former.lift(forms) if former else forms)
                cursor.execute(
                    f'UPDATE {table} AS row SET "{column}" = given.form '
                    "FROM unnest(%s::uuid[], %s::text[]) AS given (id, form) WHERE row.id = given.id",
                    [list(ids), to],
                )
                moved += len(ids)
        Cover.objects.filter(pk=workspace_id).update(slices=known.slices + 1)
    return moved


def move_some_lists(workspace_id: UUID, model: type[Any], column: str) -> int:
    """The lists of some rows lie under the key that takes over. How many; 0 where none was left that nobody is changing."""
    with inside(workspace_id):
        known = cover(connections["default"])
        if known is None or known.next is None:
            return 0
        some = list(
            _lists_of_others(workspace_id, model, column, known.next)
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
            .only("pk", column)[:BATCH]
        )
        model._default_manager.bulk_update(some, [column])
    return len(some)


def finish(workspace_id: UUID) -> bool:
    """The key that took over is the one of now. False where something is left. Raises Busy."""
    with _alone(workspace_id):
        known = cover(connections["default"])
        if known is None or known.next is None:
            return True
        if known.slices < SLICES or any(
            _lists_of_others(workspace_id, model, column, known.next).exists()
            for model, column in columns(IndexesField)
        ):
            return False
        Cover.objects.filter(pk=workspace_id).update(
            now_key=known.next, next_key=None, slices=0, changing_since=None
        )
    return True


def left(workspace_id: UUID) -> int:
    """How many rows do not lie under the newest key."""
    known = generations.covering(workspace_id)
    if known is None:
        return 0
    newest, count = indexes.letter(known[1].newest), 0
    with inside(workspace_id), connections["default"].cursor() as cursor:
        for model, column in [*columns(IndexField), *columns(IndexesField)]:
            form = column if isinstance(model._meta.get_field(column), IndexField) else f"{column}[1]"
            cursor.execute(
                f"SELECT count(*) FROM {model._meta.db_table} WHERE workspace_id = %s AND {form} > '' AND NOT starts_with({form}, %s)",
                [workspace_id, newest],
            )
            count += cast(int, cursor.fetchone()[0])
    return count


def columns(kind: "type[models.Field[Any, Any]]") -> list[tuple[type[Any], str]]:
    """Every column of blind indexes of this kind."""
    return [
        (model, str(each.column))
        for model in apps.get_app_config("gatepost").get_models()
        for each in model._meta.local_fields
        if isinstance(each, kind)
    ]


def _lists_of_others(workspace_id: UUID, model: type[Any], column: str, key: int) -> models.QuerySet[Any]:
    there: models.QuerySet[Any] = model._default_manager.filter(
        workspace_id=workspace_id, **{f"{column}__0__isnull": False}
    )
    return there.exclude(**{f"{column}__0__startswith": indexes.letter(key)})


@contextmanager
def _alone(workspace_id: UUID) -> Iterator[None]:
    """A transaction inside of the workspace beside which there is no other that could know how its indexes are covered."""
    try:
        with transaction.atomic():
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(WAIT_MS)])
                cursor.execute(f"SELECT pg_advisory_xact_lock({COVER_LOCK})", [str(workspace_id)])
            with inside(workspace_id):
                yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Busy from error
        raise
