"""The sandbox's clock: it can stand still, run fast and jump; other processes may share it through a file.

The file holds {"real": s, "product": s, "rate": r}; the time is product + (real now - real) * rate.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reading:
    """At `real` (Unix seconds) the clock showed `product`, and it moves `rate` times as fast as the world."""

    real: float
    product: float
    rate: float

    def at(self, real: float) -> float:
        return self.product + (real - self.real) * self.rate


REAL_TIME = Reading(0.0, 0.0, 1.0)


class Clock:
    """Reads the shared file where there is one, else keeps its own reading."""

    def __init__(self, path: str | Path | None = None, reading: Reading = REAL_TIME) -> None:
        self._path = Path(path) if path else None
        self._reading = reading
        self._mark: tuple[int, int, int] | None = None

    def reading(self) -> Reading:
        if self._path is None:
            return self._reading
        try:
            stat = os.stat(self._path)
        except FileNotFoundError:
            return self._reading
        mark = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if mark != self._mark:
            self._reading = Reading(**json.loads(self._path.read_bytes()))
            self._mark = mark
        return self._reading

    def now(self) -> float:
        """The sandbox's time in Unix seconds."""
        return self.reading().at(time.time())

    @property
    def rate(self) -> float:
        return self.reading().rate

    def remember(self, reading: Reading) -> None:
        """Take up an earlier reading, unless a shared file says what the time is."""
        if self._path is None or not self._path.exists():
            self._reading = reading

    def set(self, *, product: float | None = None, rate: float | None = None) -> Reading:
        """Move the clock, change its rate, or both; whoever shares the file sees it at the next look."""
        real = time.time()
        old = self.reading()
        new = Reading(
            real,
            old.at(real) if product is None else product,
            old.rate if rate is None else rate,
        )
        if self._path is not None:
            draft = self._path.with_name(self._path.name + ".sandbox")
            draft.write_text(json.dumps(asdict(new)))
            os.replace(draft, self._path)
        self._reading = new
        return new


def iso(seconds: float) -> str:
    """`2026-11-23T08:15:00Z`, as Graph prints times."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> float:
    """Unix seconds of an ISO time; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
