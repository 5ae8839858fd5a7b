"""Figures beside the limits that they must keep: `gatepost bench NAME --json`."""

from collections.abc import Callable
from typing import Any

from gatepost.bench import classify, due, extract, hooks, imports, pages, reply_to_stop, sandbox, send, triage

_BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "classify": classify.measure,
    "due": due.measure,
    "extract": extract.measure,
    "hooks": hooks.measure,
    "import": imports.measure,
    "pages": pages.measure,
    "reply-to-stop": reply_to_stop.measure,
    "sandbox": sandbox.measure,
    "send": send.measure,
    "triage": triage.measure,
}
NAMES = tuple(_BENCHES)


def run(name: str) -> dict[str, Any]:
    """What was measured: {"ok": whether every limit is kept, "figures": {...}, "limits": {...}}."""
    return _BENCHES[name]()
