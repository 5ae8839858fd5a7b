"""`python -m m365_sandbox.condense FILE.yaml`: writes graph_openapi.json from an OpenAPI description of Graph."""

import sys
from pathlib import Path
from typing import Any

import orjson
import yaml

from m365_sandbox.contract import FILE


def condensed(described: dict[str, Any]) -> bytes:
    """The description without its prose, one path and one schema to a line."""
    parts = described["components"]
    kept = {
        "openapi": described["openapi"], "info": _bare(described["info"]), "paths": _bare(described["paths"]),
        "responses": _bare(parts["responses"]), "schemas": _bare(parts["schemas"]),
    }  # fmt: skip

    def lines(name: str) -> str:
        return ",\n".join(f"{_text(key)}:{_text(value)}" for key, value in kept[name].items())

    return (
        f'{{"openapi":{_text(kept["openapi"])},"info":{_text(kept["info"])},\n"paths":{{\n{lines("paths")}\n}},\n'
        f'"components":{{"responses":{{\n{lines("responses")}\n}},\n"schemas":{{\n{lines("schemas")}\n}}}}}}\n'
    ).encode()


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _bare(value: Any, *, names: bool = False) -> Any:
    """Without descriptions; where the keys are `names` of members, one may be called so."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _bare(item, names=key == "properties")
        for key, item in value.items()
        if names or key not in ("description", "summary", "tags", "operationId")
    }


if __name__ == "__main__":
    FILE.write_bytes(condensed(yaml.load(Path(sys.argv[1]).read_bytes(), Loader=yaml.CSafeLoader)))
