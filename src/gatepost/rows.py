"""Many rows changed by one statement, each to values of its own, or added by one."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import connections
from django.db.models import Field, Model

Columns = Mapping[str, Any]


def change(model: type[Model], wanted: Sequence[tuple[Columns, Columns]]) -> set[Any]:
    """Each row that still is as the first says, its `id` among it, becomes as the second says. The ids of those that did.

    `bulk_update` does not ask how a row is, nor does it say which ones there were.
    """
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[Any, ...]]] = {}
    for where, to in wanted:
        alike.setdefault((tuple(where), tuple(to)), []).append((*where.values(), *to.values()))
    changed: set[Any] = set()
    for (where_names, to_names), rows in alike.items():
        changed |= _change(model, where_names, to_names, rows)
    return changed


def _change(
    model: type[Model], where: tuple[str, ...], to: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> set[Any]:
    connection = connections["default"]
    fields: list[Field[Any, Any]] = [model._meta.get_field(name) for name in (*where, *to)]  # type: ignore[misc]
    types = [str(each.db_type(connection)).partition("(")[0] for each in fields]
    same = [f'now."{each.column}" = given."old {each.column}"' for each in fields[: len(where)]]
    set_to = [f'"{each.column}" = given."{each.column}"' for each in fields[len(where) :]]
    names = [f'"old {each.column}"' for each in fields[: len(where)]]
    names += [f'"{each.column}"' for each in fields[len(where) :]]
    values = [
        [field.get_db_prep_save(value, connection) for value in column]
        for field, column in zip(fields, zip(*rows, strict=True), strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{model._meta.db_table}" AS now SET {", ".join(set_to)} '
            f"FROM unnest({', '.join(f'%s::{each}[]' for each in types)}) AS given ({', '.join(names)}) "
            f"WHERE {' AND '.join(same)} RETURNING now.id",
            values,
        )
        return {row[0] for row in cursor.fetchall()}


def add(rows: Sequence[Model]) -> None:
    """New rows of one model stand in its table, all by one statement with one value.

    For what is written with nearly everything else, such as entries of the audit: `bulk_create` makes a parameter of each
    value of each row, which takes six times as long for 40 rows. A column that
    the database computes is read when it is asked for.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = [each for each in model._meta.concrete_fields if not each.generated]
    columns = ", ".join(f'"{each.column}"' for each in fields)
    types = ", ".join(f'"{each.column}" {each.db_type(connections["default"])}' for each in fields)
    given = [{each.column: getattr(row, each.attname) for each in fields} for row in rows]
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({columns}) '
            f"SELECT {columns} FROM jsonb_to_recordset(%s::jsonb) AS given ({types})",
            [orjson.dumps(given, default=_as_postgres_reads).decode()],
        )
    for row in rows:
        row._state.adding = False


def _as_postgres_reads(value: Any) -> str:
    """Bytes, the only values of ours that JSON does not know."""
    return "\\x" + bytes(value).hex()
