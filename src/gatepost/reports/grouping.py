"""Rows read once and counted in several ways, each column by itself and all together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Aggregate, DurationField, F, IntegerField, QuerySet, Value
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

# For each column and each value in it the counts of its rows; and once, as column "", those of all.
Grouped = Iterator[tuple[str, Any, dict[str, Any]]]


def summed(rows: QuerySet[Any], columns: Mapping[str, Any], counts: Mapping[str, Aggregate]) -> Grouped:
    """Of counts that add up: grouped by all columns at once, which is quicker than by each, and summed here."""
    sums: defaultdict[tuple[str, Any], dict[str, int]] = defaultdict(lambda: dict.fromkeys(counts, 0))
    for row in rows.annotate(**columns).values(*columns).annotate(**counts).order_by():
        for column in ("", *columns):
            of_part = sums[column, row[column] if column else None]
            for name in counts:
                of_part[name] += row[name]
    for (column, part), found in sums.items():
        yield column, part, dict(found)


def grouped(rows: QuerySet[Any], columns: Mapping[str, Any], counts: Mapping[str, Aggregate]) -> Grouped:
    """Of any counts: by PostgreSQL's GROUPING SETS, which Django's querysets do not know."""
    names = list(columns)
    for row in _in_sets(rows, columns, counts, {}):
        column = _grouped_by(row.pop("grouping"), names)
        values = {name: row.pop(name) for name in names}
        yield column, values.get(column), row


def _in_sets(
    rows: QuerySet[Any],
    columns: Mapping[str, Any],
    counts: Mapping[str, Aggregate],
    shared: Mapping[str, Any],
) -> QuerySet[Any, dict[str, Any]]:
    """Grouped by each column, and once by none; in each by the shared ones too."""
    found = rows.annotate(**columns, **shared).values(*columns, *shared)
    found = found.annotate(**counts, grouping=_Grouping(*columns) if columns else Value(0)).order_by()
    found.query = found.query.chain(klass=_InSets)
    found.query.shared = len(shared)
    return found


def _grouped_by(bits: int, names: Sequence[str]) -> str:
    """By which of the columns a row was grouped: that one's bit is 0, the last column's being the lowest."""
    by = [n for n in range(len(names)) if not bits >> (len(names) - 1 - n) & 1]
    return names[by[0]] if by else ""


def gathered(
    rows: QuerySet[Any], columns: Mapping[str, Any], of: str, what: Aggregate
) -> Iterator[tuple[str, Any, Any, int]]:
    """For each column and each value in it, and once for all: what is gathered from the rows of each value of the column
    `of`, and of how many of these values that is so. To let the database count different values once for each thing that
    may be so of them costs it several times as much: it sorts for each."""
    names = list(columns)
    found = _in_sets(rows, columns, {"what": what}, {"each": F(of)})
    try:
        inner, parameters = found.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return
    together = ", ".join((*names, "grouping", "what"))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {together}, count(*) FROM ({inner}) AS found GROUP BY {together}", parameters)
        for *values, bits, gathering, count in cursor.fetchall():
            column = _grouped_by(bits, names)
            yield column, values[names.index(column)] if column else None, gathering, count


def medians(rows: QuerySet[Any], columns: Mapping[str, Any], name: str, of: Any) -> Grouped:
    """Of a value that has to be looked up for each row: that happens once, where grouping sets would do it for each set."""
    found: defaultdict[tuple[str, Any], list[Any]] = defaultdict(list)
    for *parts, value in rows.annotate(**columns, **{name: of}).values_list(*columns, name).order_by():
        if value is not None:
            found["", None].append(value)
            for column, part in zip(columns, parts, strict=True):
                found[column, part].append(value)
    for (column, part), values in found.items():
        yield column, part, {name: median(values)}


class Median(Aggregate):
    """The same in the database, of values that stand in the rows."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


class _Grouping(Aggregate):
    function = "GROUPING"
    output_field = IntegerField()


class _InSets(Query):
    """A query whose columns are each a grouping of their own; but the last ones, which all groupings share."""

    shared = 0

    def get_compiler(self, *args: Any, **kwargs: Any) -> SQLCompiler:
        compiler = super().get_compiler(*args, **kwargs)
        compiler.__class__ = type("InSets", (_Sets, type(compiler)), {})
        return compiler


class _Sets(SQLCompiler):
    query: _InSets

    def get_group_by(self, select: Any, order_by: Any) -> list[Any]:
        columns = super().get_group_by(select, order_by)
        shared = columns[len(columns) - self.query.shared :]
        sets = columns[: len(columns) - len(shared)]
        every = "".join(f"({sql}), " for sql, _parameters in sets)
        parameters = tuple(each for _sql, parameters in sets for each in parameters)
        return [*shared, (f"GROUPING SETS ({every}())", parameters)]
