"""One workspace's rows are invisible to another, by PostgreSQL's row-level security.

Every transaction says for which workspace it runs (`inside`); a table shows rows of that workspace only, and
none at all where nothing was said. Code that runs before the workspace is known (sign-in, Microsoft's
redirect, the planner) goes through the few SECURITY DEFINER functions in migrations/, which return ids only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from django.apps import apps
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

SETTING = "gatepost.workspace"


@dataclass(frozen=True, slots=True)
class Cover:
    """Which keys cover the blind indexes of a workspace in the running transaction (gatepost.vault.indexes), by Tink's ids."""

    workspace_id: UUID
    now: int | None = None  # None: none covers them yet
    next: int | None = None  # the one that takes over, slice by slice
    slices: int = 0  # so many it covers already


@contextmanager
def inside(workspace_id: UUID) -> Iterator[None]:
    """A transaction that sees and writes the rows of one workspace. Inside another one it is part of that."""
    connection = connections["default"]
    is_part = connection.in_atomic_block
    outer = _said.get(connection) if is_part else None
    if outer is not None and outer.workspace_id == workspace_id:
        with transaction.atomic(savepoint=False):
            yield
        return
    try:
        with transaction.atomic(savepoint=False):
            before = _say(connection, workspace_id)
            yield
            # The end of the transaction forgets the setting by itself. Only a part of another one has to give it back, and
            # only after success: in a broken transaction no statement runs.
            if is_part and before != str(workspace_id):
                _set(connection, before)
    finally:
        _said[connection] = outer


# What `inside` said last in the transaction of each connection, so that a part of it need not say it again.
_said: WeakKeyDictionary[BaseDatabaseWrapper, Cover | None] = WeakKeyDictionary()


def cover(connection: BaseDatabaseWrapper) -> Cover | None:
    """The workspace of the running transaction, and what covers its blind indexes until it ends. None outside of all."""
    return _said.get(connection)


def current() -> UUID | None:
    """The workspace of the running transaction."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [SETTING])
        value = cursor.fetchone()[0]
    return UUID(value) if value else None


def _say(connection: BaseDatabaseWrapper, workspace_id: UUID) -> str:
    """The setting holds this workspace, and it is known what covers its indexes; what the setting held before.

    A cover that is being changed stays as it is until the transaction ends. Whoever changes it waits for those that began
    before they could know.
    """
    before, known = _ask(connection, workspace_id)
    if known.next is not None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock_shared({COVER_LOCK})", [str(workspace_id)])
        _, known = _ask(connection, workspace_id)  # by a snapshot from after the lock
    _said[connection] = known
    return before


# Shared by each transaction of a workspace while its cover is being changed; whoever changes it holds it alone.
COVER_LOCK = "hashtextextended('cover ' || %s, 0)"


def _ask(connection: BaseDatabaseWrapper, workspace_id: UUID) -> tuple[str, Cover]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting(%s, true), ''), set_config(%s, %s, true), "
            "cover.now_key, cover.next_key, coalesce(cover.slices, 0) "
            "FROM (VALUES (%s::uuid)) AS said (id) LEFT JOIN gatepost_cover AS cover USING (id)",
            [SETTING, SETTING, str(workspace_id), workspace_id],
        )
        before, _, *found = cursor.fetchone()
    return before, Cover(workspace_id, *found)


def _set(connection: BaseDatabaseWrapper, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])


def workspace_tables() -> list[str]:
    """Every table of ours with a workspace_id."""
    return sorted(
        model._meta.db_table
        for model in apps.get_app_config("gatepost").get_models()
        if any(field.column == "workspace_id" for field in model._meta.local_fields)
    )


APPEND_ONLY = ("gatepost_anchor", "gatepost_auditentry", "gatepost_ledgerrow", "gatepost_link")


def secure_tables(connection: BaseDatabaseWrapper, *, application_role: str) -> None:
    """Row-level security on each workspace table, rights for the application's role, append-only records.

    Runs as the owner after every migration, so a new table is covered without being named anywhere.
    The owner's own policy lets the SECURITY DEFINER functions look across workspaces.
    """
    statements = [
        f'GRANT USAGE ON SCHEMA public TO "{application_role}"',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{application_role}"',
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{application_role}"',
        # PostgreSQL lets every role run a new function; ours look across workspaces.
        "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
        f'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO "{application_role}"',
    ]
    # As a subquery it is asked once for each statement, not once for each row: of 250,000 rows that is a third of the time.
    rows_of_workspace = f"workspace_id = (SELECT NULLIF(current_setting('{SETTING}', true), '')::uuid)"
    for table in workspace_tables():
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS workspace_rows ON {table}",
            f"DROP POLICY IF EXISTS owner_rows ON {table}",
            f"CREATE POLICY workspace_rows ON {table} USING ({rows_of_workspace})",
            f"CREATE POLICY owner_rows ON {table} TO CURRENT_USER USING (true)",
        ]
    for table in APPEND_ONLY:
        statements.append(f'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{application_role}"')
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
