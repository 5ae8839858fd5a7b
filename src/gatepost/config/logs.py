"""Log lines: time, level, where, event and a closed list of fields. What is not in the list is not printed.

Mail text, addresses and tokens have no field here, so they cannot reach a log by a forgotten `extra`.
"""

import json
import logging
import time

FIELDS = ("mailbox", "workspace", "job", "shape", "status", "reason", "count", "seconds", "error", "path")


class OneLine(logging.Formatter):
    def format(self, entry: logging.LogRecord) -> str:
        values = {name: getattr(entry, name) for name in FIELDS if hasattr(entry, name)}
        moment = time.strftime("%H:%M:%S", time.gmtime(entry.created))
        line = f"{moment} {entry.levelname.lower():7} {entry.name}: {entry.getMessage()}"
        if values:
            line += " " + json.dumps(values, default=str)
        if entry.exc_info and entry.exc_info[0]:
            line += "\n" + self.formatException(entry.exc_info)
        return line
