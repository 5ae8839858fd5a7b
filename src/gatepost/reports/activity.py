"""The other side's record of what we asked, compared with ours: `gatepost verify privacy`.

The other side is Microsoft, by an export of its MicrosoftGraphActivityLogs
(https://learn.microsoft.com/graph/microsoft-graph-activity-logs-overview), or the sandbox, which also tells the fields.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gatepost.errors import BadInput
from gatepost.graph.shapes import SHAPES, Shape

# Ids, references and times of so many mails take no more; texts would. In bytes as Microsoft counts the answer.
MOST_BYTES = {
    "folders": 200_000, "envelopes": 600_000, "envelopes.plain": 200_000, "envelopes.count": 10_000,
    "envelopes.all": 600_000, "envelope": 40_000, "sender": 100_000,
}  # fmt: skip
# What Graph adds to every item, whatever was selected.
ALWAYS_SERVED = frozenset({"id", "@odata.etag", "@odata.type", "@removed", "singleValueExtendedProperties"})
WHERE_TO_GO_ON = frozenset({"$deltatoken", "$skiptoken", "$skip", "$top"})

PLACE = re.compile(r"\{[a-z_]+\}")


@dataclass(frozen=True, slots=True)
class Theirs:
    """One request by the other side's record."""

    client_request_id: str
    method: str
    address: str  # path and query
    status: int | None  # None: what was answered is not what arrived
    bytes: int
    at: datetime
    fields: frozenset[str] | None = None  # which left; only the sandbox tells


@dataclass(frozen=True, slots=True)
class Ours:
    """The same by our ledger."""

    client_request_id: str
    shape: str
    status: int  # 0: no answer came
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    where: str


@dataclass
class Compared:
    """What came of it."""

    theirs: int = 0
    ours: int = 0  # of the same time
    by_shape: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.theirs > 0 and not self.differences


def read(text: str, *, client_id: str) -> list[Theirs]:
    """The requests of our app, on behalf of a user, in an export as JSON, JSON lines or CSV. Raises BadInput."""
    found = []
    for row in _rows(text):
        inner = row.get("properties")
        if isinstance(inner, str):
            inner = json.loads(inner)
        # Exports differ in their spelling: ClientRequestId, clientRequestId, TimeGenerated [UTC].
        values = {
            key.partition(" ")[0].casefold(): value
            for key, value in {**row, **(inner if isinstance(inner, dict) else {})}.items()
        }
        try:
            if str(values["appid"]).casefold() != client_id.casefold() or not values["userid"]:
                continue
            address = urlsplit(str(values["requesturi"]))
            found.append(
                Theirs(
                    str(values["clientrequestid"]).casefold(),
                    str(values["requestmethod"]).upper(),
                    address.path + (f"?{address.query}" if address.query else ""),
                    int(values["responsestatuscode"]),
                    int(values.get("responsesizebytes") or 0),
                    _moment(str(values.get("timegenerated") or values["time"])),
                )
            )
        except (KeyError, ValueError) as error:
            raise BadInput(
                "This is no export of MicrosoftGraphActivityLogs: a row lacks AppId, UserId, RequestUri, RequestMethod, "
                f"ClientRequestId, ResponseStatusCode or TimeGenerated, or cannot be read ({error}). Nothing was compared."
            ) from error
    return found


def compare(theirs: Iterable[Theirs], ours: Iterable[Ours]) -> Compared:
    """Every request of theirs is in our ledger and in the closed list, and every one of ours that they must have seen
    is in theirs."""
    done = Compared()
    known = {each.client_request_id: each for each in ours}
    first: datetime | None = None
    last: datetime | None = None
    seen = set()
    for each in theirs:
        done.theirs += 1
        seen.add(each.client_request_id)
        first = each.at if first is None else min(first, each.at)
        last = each.at if last is None else max(last, each.at)
        done.differences += _differences(each, known.get(each.client_request_id), done)
    for mine in known.values():
        if first is None or last is None or not first <= mine.at <= last:
            continue  # their export begins and ends somewhere
        done.ours += 1
        # One without an answer may never have reached them; one with a token that had run out is under nobody's name.
        if mine.client_request_id not in seen and mine.status not in (0, 401):
            where = f"{_name(mine.shape, mine)}, answered {mine.status}"
            done.differences.append(Difference("a request in our ledger that they do not know", where))
    return done


def _differences(theirs: Theirs, ours: Ours | None, done: Compared) -> Iterator[Difference]:
    if ours is None:
        if theirs.status != 401:  # with a token that had run out: in their log, and under nobody's name
            yield Difference(
                "a request that is not in our ledger", f"{theirs.method} {_path(theirs)} {theirs.at:%F %T}"
            )
        return
    done.by_shape[ours.shape] += 1
    shape = SHAPES.get(ours.shape)
    where = _name(ours.shape, ours)
    if shape is None or not fits(shape, theirs.method, theirs.address):
        yield Difference(
            "a request of no shape in the closed list", f"{where}: {theirs.method} {_path(theirs)}"
        )
        return
    if theirs.status is not None and ours.status and theirs.status != ours.status:
        yield Difference("another status", f"{where}: {ours.status} here, {theirs.status} there")
    most = MOST_BYTES.get(ours.shape)
    if most is not None and theirs.bytes > most:
        yield Difference("an answer larger than ids and references are", f"{where}: {theirs.bytes} bytes")
    if theirs.fields is not None and not shape.is_write and (more := theirs.fields - fields_of(shape)):
        yield Difference("fields that the shape does not name", f"{where}: {', '.join(sorted(more))}")


def fits(shape: Shape, method: str, address: str) -> bool:
    """Whether this is a request of the shape: its path, and no more in the query than it names."""
    parts = urlsplit(address)
    if method != shape.method or not shape.path_pattern.match(parts.path):
        return False
    asked, known = dict(parse_qsl(parts.query)), dict(shape.query)
    if shape.follows_links and WHERE_TO_GO_ON & asked.keys():
        return all(asked[name] == known.get(name) for name in ("$select", "$expand") if name in asked)
    return asked.keys() == known.keys() and all(_matches(known[name], asked[name]) for name in asked)


def fields_of(shape: Shape) -> frozenset[str]:
    """Which fields the answer to a question may hold. A write answers with what was written, our own mail."""
    return ALWAYS_SERVED | frozenset(dict(shape.query).get("$select", "").split(","))


def from_sandbox(requests: Iterable[Mapping[str, Any]], *, client_id: str) -> list[Theirs]:
    """The same from the sandbox's own log."""
    return [
        Theirs(
            each["client_request_id"],
            each["method"],
            each["path"] + (f"?{each['query']}" if each["query"] else ""),
            None if each["fault"] else each["status"],
            each["bytes"],
            datetime.fromisoformat(each["at"]),
            frozenset(name for item in each["items"] for name in item["fields"]),
        )
        for each in requests
        if each.get("user") and each.get("app") == client_id
    ]


def _rows(text: str) -> Iterator[dict[str, Any]]:
    text = text.lstrip("\ufeff").strip()
    try:
        if text.startswith("["):
            yield from json.loads(text)
        elif text.startswith("{"):
            for line in text.splitlines():
                if line.strip():
                    yield json.loads(line)
        elif text:
            yield from csv.DictReader(StringIO(text))
    except ValueError as error:
        raise BadInput(f"The export cannot be read: {error}. Nothing was compared.") from error


def _matches(template: str, value: str) -> bool:
    """Whether a value is the template with something in the places of its names. (Property ids have braces too.)"""
    parts = [re.escape(part) for part in PLACE.split(template)]
    return re.fullmatch(".+".join(parts), value, re.DOTALL) is not None


def _path(theirs: Theirs) -> str:
    """Without ids, and without the query, which may hold one."""
    return "/".join("…" if len(part) > 40 else part for part in theirs.address.partition("?")[0].split("/"))


def _name(shape: str, ours: Ours) -> str:
    return f"{shape} {ours.at:%F %T} ({ours.client_request_id})"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
