"""The product's clock: due times, waits, windows and token lives follow it.

In production it is the system's time. The demo and the tests run it faster, stop it or move it, through a
small file that every process (and the sandbox) reads: {"real": s, "product": s, "rate": r}.
Leases, time-outs and heartbeats use real time and never this clock.
"""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE_VARIABLE = "GATEPOST_CLOCK_FILE"


@dataclass(frozen=True, slots=True)
class Reading:
    """At `real` (Unix seconds) the product's time was `product`, and it moves `rate` times as fast."""

    real: float
    product: float
    rate: float

    def at(self, real: float) -> float:
        return self.product + (real - self.real) * self.rate


REAL_TIME = Reading(0.0, 0.0, 1.0)
_seen: tuple[tuple[int, int, int], Reading] | None = None


def read() -> Reading:
    """The reading in force. The file is opened again only when it changed."""
    global _seen
    path = os.environ.get(FILE_VARIABLE)
    if not path:
        return REAL_TIME
    stat = os.stat(path)
    mark = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
    if _seen is None or _seen[0] != mark:
        _seen = (mark, Reading(**json.loads(Path(path).read_bytes())))
    return _seen[1]


def now() -> datetime:
    """The product's time, aware, in UTC."""
    return datetime.fromtimestamp(read().at(time.time()), UTC)


def rate() -> float:
    return read().rate


def at_least(product: timedelta, *, real: timedelta) -> timedelta:
    """`product`, or what passes on a fast clock during `real`, whichever is longer.

    For limits on staleness: five minutes of a clock that runs 600 times as fast are half a second,
    which no machine can promise.
    """
    return max(product, real * rate())


def seconds_until(moment: datetime) -> float:
    """Real seconds until the product's clock shows `moment`; 0 when past, infinity when it stands still."""
    left = (moment - now()).total_seconds()
    if left <= 0:
        return 0.0
    return left / rate() if rate() else float("inf")


def write(path: Path, reading: Reading) -> None:
    """Set the clock for every process that reads `path`. The file is never seen half written."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"real": reading.real, "product": reading.product, "rate": reading.rate}))
    os.replace(draft, path)
