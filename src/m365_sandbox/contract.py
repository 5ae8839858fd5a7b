"""The contract: every request that the sandbox accepts, and every answer, fits Microsoft's description of Graph v1.0.

The description tells of objects in full; an answer to `$select` shows some of them, so no member is required, but none
may be unknown or of another type. A client may send what is wrong: a request must fit only where it was accepted.
No library does this: OpenAPI 3.0's `nullable`, the discriminator `@odata.type` and closed objects would each have to be
rewritten for a validator of JSON Schema.

What Microsoft says stands in graph_openapi.json; condense.py writes it.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

FILE = Path(__file__).with_name("graph_openapi.json")
VARIABLE = "M365_SANDBOX_CONTRACT"
MOST_KEPT = 1000
TELL_EVERY = 100

# Known from Microsoft's pages, though the file does not tell of it.
_MORE_MEMBERS = {
    "microsoft.graph.event": {"uid", "occurrenceId"},  # event resource page; CSDL of 2026
    "microsoft.graph.user": {"mailboxSettings"},
    "microsoft.graph.ODataErrors.MainError": {"innererror"},  # so some services spell it; a switch here
}
_OPEN = {"microsoft.graph.openTypeExtension", "microsoft.graph.ODataErrors.InnerError"}
_MORE_QUERY = {"$deltatoken", "changetype"}  # delta query overview; message-delta
_ALSO_STATUS = {"createreply": 200, "createreplyall": 200, "createforward": 200}  # the pages' JSON samples
_ANNOTATION = re.compile(r"^(\w+)?@(odata|microsoft\.graph)\.|^@removed$")


@dataclass(frozen=True, slots=True)
class Exchange:
    method: str
    path: str
    query: str
    request: bytes
    request_type: str
    status: int
    answer: bytes
    answer_type: str


@dataclass(slots=True)
class Contract:
    """What the file says."""

    paths: list[tuple[re.Pattern[str], str, dict[str, Any]]]
    schemas: dict[str, dict[str, Any]]
    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    def violations(self, exchange: Exchange) -> list[str]:
        """What in the exchange does not fit, in words; empty when all does."""
        name, item = self._find(exchange.path)
        accepted = exchange.status < 400
        if item is None:
            return [f"{exchange.path} is not in the file"] if accepted else []
        operation = item.get(exchange.method.lower())
        if operation is None:
            return [f"{exchange.method} {name} is not in the file"] if accepted else []
        found = [*(self._of_request(name, operation, exchange) if accepted else ())]
        return found + list(self._of_answer(name, operation, exchange))

    def name_of(self, path: str) -> str:
        """As the description writes it, with {…} for each id."""
        return self._find(path)[0]

    def _find(self, path: str) -> tuple[str, dict[str, Any] | None]:
        for pattern, name, item in self.paths:
            if pattern.fullmatch(path):
                return name, item
        return path, None

    def _of_request(self, name: str, operation: dict[str, Any], exchange: Exchange) -> Iterator[str]:
        known = {
            "$skiptoken",
            *(p["name"].lower() for p in operation.get("parameters", ()) if p["in"] == "query"),
        }
        if "delta" in name:
            known |= _MORE_QUERY
        # The frozen options of a round stand in its token: https://learn.microsoft.com/graph/delta-query-overview
        given = dict(parse_qsl(exchange.query, keep_blank_values=True))
        for key in given:
            if key.lower() not in known:
                yield f"query parameter {key} is not in the file"
        content = operation.get("requestBody", {}).get("content", {})
        if exchange.request and "json" in exchange.request_type and "application/json" in content:
            schema = content["application/json"]["schema"]
            yield from self.check(schema, orjson.loads(exchange.request), "request", caseless=True)
        elif exchange.request and not content and exchange.request != b"{}":
            yield "a body where the file has none"

    def _of_answer(self, name: str, operation: dict[str, Any], exchange: Exchange) -> Iterator[str]:
        answers = operation["responses"]
        answer = answers.get(str(exchange.status), answers.get(f"{exchange.status // 100}XX"))
        if answer is None and _ALSO_STATUS.get(name.rpartition("/")[2].lower()) == exchange.status:
            answer = answers["201"]
        if answer is None:
            yield f"status {exchange.status} is not in the file"
            return
        content = self._resolved(answer).get("content", {})
        if not content:
            if exchange.answer:
                yield f"{len(exchange.answer)} bytes where the file has none"
            return
        if "application/json" not in content:
            return
        if "json" not in exchange.answer_type:
            yield f"{exchange.answer_type or 'nothing'} where the file has application/json"
            return
        yield from self.check(content["application/json"]["schema"], orjson.loads(exchange.answer), "answer")

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            return self.schemas[schema["$ref"]]
        return schema

    def check(
        self, schema: dict[str, Any], value: Any, place: str, *, caseless: bool = False
    ) -> Iterator[str]:
        """Where `value` does not fit the schema."""
        if "anyOf" in schema:  # `anyOf: [X, nullable object]` is how the file says "X or null"
            if value is None:
                return
            schema = schema["anyOf"][0]
        ref = schema.get("$ref", "")
        schema = self._resolved(schema)
        if value is None:
            if not schema.get("nullable") and schema:
                yield f"{place} is null"
        elif "enum" in schema:
            names = {str(v).lower() for v in schema["enum"]} if caseless else set(schema["enum"])
            parts = str(value).split(",") if caseless else [value]
            if any((part.strip().lower() if caseless else part) not in names for part in parts):
                yield f"{place} is {value!r}, not one of {', '.join(map(str, schema['enum']))}"
        elif schema.get("type") == "array":
            if not isinstance(value, list):
                yield f"{place} is no list"
                return
            for number, item in enumerate(value):
                yield from self.check(schema["items"], item, f"{place}[{number}]", caseless=caseless)
        elif schema.get("type") == "object" or "allOf" in schema:
            yield from self._check_object(ref, schema, value, place, caseless)
        else:
            yield from _check_plain(schema, value, place)

    def _check_object(
        self, ref: str, schema: dict[str, Any], value: Any, place: str, caseless: bool
    ) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place} is no object"
            return
        name = ref.rpartition("/")[2]
        said = str(value.get("@odata.type", "")).removeprefix("#")
        if said:
            own = f"#/components/schemas/{said}"
            if own not in self.schemas:
                yield f"{place} says it is a {said}, which the file does not know"
                return
            name, schema = said, self.schemas[own]
        members = self._members(name, schema)
        if not members and "additionalProperties" not in schema:
            return  # an object of which the file says nothing
        lowered = {key.lower(): member for key, member in members.items()} if caseless else members
        for key, item in value.items():
            member = lowered.get(key.lower() if caseless else key)
            if member is not None:
                yield from self.check(member, item, f"{place}.{key}", caseless=caseless)
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from self.check(
                    schema["additionalProperties"], item, f"{place}.{key}", caseless=caseless
                )
            elif caseless and item in (None, []):
                pass  # msgraph-core 1.5.2 sends an empty `depends_on` in a batch
            elif not (_ANNOTATION.match(key) or name in _OPEN or key in _MORE_MEMBERS.get(name, ())):
                yield f"{place}.{key} is not in the file"

    def _members(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        if name and name in self.members:
            return self.members[name]
        members: dict[str, Any] = {}
        for part in schema.get("allOf", [schema]):
            if "$ref" in part:
                members |= self._members(part["$ref"].rpartition("/")[2], self.schemas[part["$ref"]])
            else:
                members |= part.get("properties", {})
        if name:
            self.members[name] = members
        return members


def _check_plain(schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
    kind = schema.get("type")
    fits = {
        "string": isinstance(value, str), "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }  # fmt: skip
    if kind in fits and not fits[kind]:
        yield f"{place} is {value!r}, no {kind}"
    elif kind == "string" and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place} is {value!r}, which is not {schema.get('format') or schema['pattern']}"


@cache
def description() -> dict[str, Any]:
    """Graph v1.0 as OpenAPI: the paths that a client of mail, calendar, contacts, people or subscriptions uses."""
    found: dict[str, Any] = orjson.loads(FILE.read_bytes())
    return found


@cache
def contract() -> Contract:
    parts = description()["components"]
    schemas = {f"#/components/schemas/{name}": made for name, made in parts["schemas"].items()}
    schemas |= {f"#/components/responses/{name}": made for name, made in parts["responses"].items()}
    paths = sorted(description()["paths"].items(), key=lambda row: row[0].count("{"))
    return Contract([(_pattern(name), name, item) for name, item in paths], schemas)


def _pattern(name: str) -> re.Pattern[str]:
    """`/users/{id}` is the twin of `/me`; `delta` is `delta()`; OData key syntax is as good as a segment."""
    parts = [re.escape(part) for part in re.split(r"\{[^}]+\}", name)]
    pattern = "[^/()]+".join(parts).replace(re.escape("()"), r"(?:\(\))?")
    if pattern.startswith("/me"):
        pattern = r"(?:/me|/users/[^/]+)" + pattern.removeprefix("/me")
    return re.compile(pattern, re.IGNORECASE)


class Watch:
    """Counts the exchanges that were checked, and keeps what does not fit: in memory, and line by line in `file`.

    A line of the file is a JSON object: {"checked": how many more} or {"violation": what it is}.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.checked = 0
        self.violations: list[str] = []
        self._file, self._told = file, 0

    def see(self, exchange: Exchange) -> None:
        self.checked += 1
        if self.checked - self._told >= TELL_EVERY:
            self.tell()
        exchange = replace(exchange, path=_plain_path(exchange.path))
        for line in contract().violations(exchange):
            found = f"{exchange.method} {contract().name_of(exchange.path)} → {exchange.status}: {line}"
            if len(self.violations) < MOST_KEPT:
                self.violations.append(found)
            self._note({"violation": found})

    def tell(self) -> None:
        """The file's count is up to date."""
        self._note({"checked": self.checked - self._told})
        self._told = self.checked

    def _note(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            with self._file.open("ab") as out:
                out.write(orjson.dumps(line) + b"\n")

    def to_json(self) -> dict[str, Any]:
        return {"checked": self.checked, "violations": self.violations}


def watch_of_the_environment() -> Watch | None:
    """One that writes to the file which M365_SANDBOX_CONTRACT names, so that a test run hears of every sandbox."""
    file = os.environ.get(VARIABLE)
    return Watch(Path(file)) if file else None


def _plain_path(path: str) -> str:
    path = unquote(path.removeprefix("/v1.0").replace("%2F", "_").replace("%2f", "_"))
    keyed = re.sub(r"(?<=s)\('([^']*)'\)", lambda m: "/" + m[1].replace("/", "_"), path)
    return keyed.rstrip("/")
