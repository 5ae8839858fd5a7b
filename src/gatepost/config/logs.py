"""Log lines: time, level, where, event and a closed list of fields. What is not in the list is not printed.

Mail text, addresses and tokens have no field here, so they cannot reach a log by a forgotten `extra`.
"""

import json
import logging
import time
from datetime import UTC, datetime

FIELDS = ("mailbox", "workspace", "job", "shape", "status", "reason", "count", "seconds", "error", "path")


class OneLine(logging.Formatter):
    """For people: `08:15:02 warning gatepost.jobs.worker: event {"job": "intake.sync"}`."""

    def format(self, entry: logging.LogRecord) -> str:
        values = _values(entry)
        moment = time.strftime("%H:%M:%S", time.gmtime(entry.created))
        line = f"{moment} {entry.levelname.lower():7} {entry.name}: {entry.getMessage()}"
        if values:
            line += " " + json.dumps(values, default=str)
        if entry.exc_info and entry.exc_info[0]:
            line += "\n" + self.formatException(entry.exc_info)
        return line


class OneObject(logging.Formatter):
    """For collectors: one JSON object on a line, the traceback inside it."""

    def format(self, entry: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(entry.created, UTC).isoformat(timespec="milliseconds"),
            "level": entry.levelname.lower(), "where": entry.name, "event": entry.getMessage(), **_values(entry),
        }  # fmt: skip
        if entry.exc_info and entry.exc_info[0]:
            said["traceback"] = self.formatException(entry.exc_info)
        return json.dumps(said, default=str)


def _values(entry: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(entry, name) for name in FIELDS if hasattr(entry, name)}
