"""One workspace's rows are invisible to another, by PostgreSQL's row-level security.

Every transaction says for which workspace it runs (`inside`); a table shows rows of that workspace only, and
none at all where nothing was said. Code that runs before the workspace is known (sign-in, Microsoft's
redirect, the planner) goes through the few SECURITY DEFINER functions in migrations/, which return ids only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID
from weakref import WeakKeyDictionary

from django.apps import apps
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

SETTING = "gatepost.workspace"


@contextmanager
def inside(workspace_id: UUID) -> Iterator[None]:
    """A transaction that sees and writes the rows of one workspace. Inside another one it is part of that."""
    connection, value = connections["default"], str(workspace_id)
    is_part = connection.in_atomic_block
    outer = _said.get(connection) if is_part else None
    if outer == value:
        with transaction.atomic(savepoint=False):
            yield
        return
    _said[connection] = value
    try:
        with transaction.atomic(savepoint=False):
            before = _set(connection, value)
            yield
            # The end of the transaction forgets the setting by itself. Only a part of another one has to give it back, and
            # only after success: in a broken transaction no statement runs.
            if is_part and before != value:
                _set(connection, before)
    finally:
        _said[connection] = outer


# What `inside` said last in the transaction of each connection, so that a part of it need not say it again.
_said: WeakKeyDictionary[BaseDatabaseWrapper, str | None] = WeakKeyDictionary()


def current() -> UUID | None:
    """The workspace of the running transaction."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [SETTING])
        value = cursor.fetchone()[0]
    return UUID(value) if value else None


def _set(connection: BaseDatabaseWrapper, value: str) -> str:
    """The setting holds `value`; what it held before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting(%s, true), set_config(%s, %s, true)", [SETTING, SETTING, value]
        )
        return cursor.fetchone()[0] or ""


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
