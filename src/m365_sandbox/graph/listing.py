"""Small collections: pages of them, and the members that were selected."""

from functools import partial
from typing import Any

from m365_sandbox.errors import malformed
from m365_sandbox.graph.odata import holds, parse_filter, parse_orderby, parse_select, whole_number
from m365_sandbox.graph.routes import Answer, Request

Row = dict[str, Any]


def selected(request: Request, row: Row) -> Row:
    """The members that `$select` names, and the id; all without it."""
    select = parse_select(request.query.get("$select"))
    if select is None:
        return row
    wanted = {name.lower() for name in select} | {"id"}
    return {name: value for name, value in row.items() if name.lower() in wanted or name.startswith("@")}


def listed(request: Request, what: str, kind: str, rows: list[Row]) -> Answer:
    """One page of `rows`, after `$filter` and `$orderby`."""
    query = request.query
    if query.get("$filter"):
        condition = parse_filter(query["$filter"])
        rows = [row for row in rows if holds(condition, partial(_value, request, row))]
    for field, descending in reversed(parse_orderby(query.get("$orderby"))):
        rows = sorted(
            rows, key=lambda row: str(_value(request, row, field) or "").casefold(), reverse=descending
        )
    top = whole_number(query.get("$top"), "$top", 10, most=1000)
    skip = whole_number(query.get("$skip"), "$skip", 0, most=10**9)
    shown = [selected(request, row) for row in rows[skip : skip + top]]
    for row in shown:
        request.served.append({"kind": kind, "id": row["id"], "fields": list(row)})
    body: dict[str, Any] = {"@odata.context": request.context(what)}
    if query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(rows)
    body["value"] = shown
    if skip + top < len(rows):
        body["@odata.nextLink"] = request.link(**{**query, "$skip": str(skip + top)})
    return Answer(body=body)


def counted(count: int) -> Answer:
    """What `/$count` says: a number, as text."""
    return Answer(content=str(count).encode(), media_type="text/plain")


def _value(request: Request, row: Row, field: str) -> Any:
    """The member at `a/b`, whatever the case."""
    value: Any = row
    for name in field.split("/"):
        if not isinstance(value, dict):
            return None
        lowered = {key.lower(): item for key, item in value.items()}
        if value is row and name not in lowered:
            raise malformed(f"Could not find a property named '{name}'.", request.sandbox.switches)
        value = lowered.get(name)
    return value
