"""Queries whose SQL is written once: on the path of a send, Django needs longer to write a query than to run it.

Only what a send reads each time is worth it. What comes back are rows as any other query gives them, read now.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import Expression, Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)
DATABASE = "default"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the value of this number belongs among a statement's parameters."""

    number: int


class _Slot(Expression):
    """Stands in a query for a value that comes later."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def as_sql(self, compiler: object, connection: object) -> Any:
        return "%s", [_Place(self.number)]


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement with its parameters, and how its rows become what the query promises."""

    sql: str
    parameters: tuple[Any, ...]
    converters: tuple[tuple[int, list[Callable[..., Any]], Any], ...]
    model: type[Model] | None  # None: values, not rows of a table
    columns: slice
    names: tuple[str, ...]
    related: tuple[Any, ...]


class Prepared(Generic[M]):
    """A query with places for values. `write` gets a stand-in for each value and returns the query.

    Values are given as their columns hold them: a UUID, an aware datetime, a text. A `None` never fits: in SQL it is
    compared by other words.
    """

    def __init__(self, write: Callable[..., QuerySet[M, Any]]) -> None:
        self._write = write
        self._written: _Written | None = None

    def all(self, *values: object) -> list[M]:
        """Every row, with the related rows that the query selects."""
        written, rows = self._run(values)
        assert written.model is not None
        found: list[Any] = []
        for row in rows:
            each = written.model.from_db(DATABASE, written.names, row[written.columns])
            for populator in written.related:
                populator.populate(row, each)
            found.append(each)
        return found

    def first(self, *values: object) -> M | None:
        """The first row, or None. The query says how many are fetched."""
        return next(iter(self.all(*values)), None)

    def get(self, *values: object) -> M:
        """The one row. Raises the model's DoesNotExist where there is none."""
        found = self.first(*values)
        if found is None:
            assert self._written is not None and self._written.model is not None
            raise self._written.model.DoesNotExist  # type: ignore[attr-defined]
        return found

    def values(self, *values: object) -> list[Any]:
        """Rows as tuples, for a query of `values_list`."""
        return self._run(values)[1]

    def _run(self, values: tuple[Any, ...]) -> tuple[_Written, list[Any]]:
        if None in values:
            raise TypeError("a prepared query takes no None")
        written = self._written
        if written is None:  # two threads may both write it: they write the same
            written = self._written = _write(self._write(*map(_Slot, range(len(values)))))
        connection = connections[DATABASE]
        with connection.cursor() as cursor:
            cursor.execute(
                written.sql,
                [values[each.number] if isinstance(each, _Place) else each for each in written.parameters],
            )
            rows = cursor.fetchall()
        if not written.converters:
            return written, rows
        converted = []
        for row in map(list, rows):
            for place, converters, expression in written.converters:
                for convert in converters:
                    row[place] = convert(row[place], expression, connection)
            converted.append(row)
        return written, converted


class PreparedInsert(Generic[M]):
    """Storing a new row of one table, in the running transaction. For tables without signals and generated columns."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._sql = ""

    def store(self, row: M) -> None:
        connection, fields = connections[DATABASE], self._model._meta.local_concrete_fields
        if not self._sql:
            columns = ", ".join(f'"{each.column}"' for each in fields)
            places = ", ".join(["%s"] * len(fields))
            self._sql = f'INSERT INTO "{self._model._meta.db_table}" ({columns}) VALUES ({places})'
        values = [each.get_db_prep_save(getattr(row, each.attname), connection) for each in fields]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
        row._state.adding, row._state.db = False, DATABASE


def _write(query: QuerySet[Any, Any]) -> _Written:
    compiler = query.query.get_compiler(DATABASE)
    sql, parameters = compiler.as_sql()
    chosen = [each[0] for each in compiler.select]
    converters = tuple(
        (place, list(each), expression)
        for place, (each, expression) in compiler.get_converters(chosen).items()
    )
    info = compiler.klass_info
    if info is None:
        return _Written(sql, tuple(parameters), converters, None, slice(0), (), ())
    columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
    names = tuple(each.target.attname for each in chosen[columns])
    # The stubs know a later Django than ours, whose populators take a fetch mode.
    related = tuple(get_related_populators(info, compiler.select, DATABASE))  # type: ignore[call-arg]
    return _Written(sql, tuple(parameters), converters, info["model"], columns, names, related)
