"""Rows read once and counted in several ways, each column by itself and all together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from django.db.models import Aggregate, IntegerField, QuerySet
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
    found = rows.annotate(**columns).values(*names).annotate(**counts, grouping=_Grouping(*names)).order_by()
    found.query = found.query.chain(klass=_InSets)
    for row in found:
        # A bit for each column, the last one lowest, that is 0 where the row was grouped by it.
        bits = row.pop("grouping")
        values = [row.pop(name) for name in names]
        by = [n for n in range(len(names)) if not bits >> (len(names) - 1 - n) & 1]
        yield (names[by[0]], values[by[0]], row) if by else ("", None, row)


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


class _Grouping(Aggregate):
    function = "GROUPING"
    output_field = IntegerField()


class _InSets(Query):
    """A query whose columns are each a grouping of their own."""

    def get_compiler(self, *args: Any, **kwargs: Any) -> SQLCompiler:
        compiler = super().get_compiler(*args, **kwargs)
        compiler.__class__ = type("InSets", (_Sets, type(compiler)), {})
        return compiler


class _Sets(SQLCompiler):
    def get_group_by(self, select: Any, order_by: Any) -> list[Any]:
        columns = super().get_group_by(select, order_by)
        sets = ", ".join(f"({sql})" for sql, _parameters in columns)
        return [
            (
                f"GROUPING SETS ({sets}, ())",
                tuple(each for _sql, parameters in columns for each in parameters),
            )
        ]
