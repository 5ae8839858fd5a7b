"""Figures for Prometheus, on a port of their own: numbers and names of states, never an address, a name or an id.

They are read from the database at each scrape, so one process serves them for an installation of any size.
docs/operate/metrics.md lists them; tests/docs/test_metrics.py compares.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import DatabaseError, connections
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric

from gatepost import __version__, clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name in the function `installation_figures` (migrations/0009), and what it tells."""

    name: str
    unit: str
    tells: str
    label: str = ""
    labels: tuple[str, ...] = ()  # these are shown as 0 where nothing has them

    @property
    def metric(self) -> str:
        return f"gatepost_{self.name}{f'_{self.unit}' if self.unit else ''}"


FIGURES = (
    Figure("mailboxes", "", "Mailboxes by state", "state", ("connected", "needs_reconnect", "disconnected")),
    Figure("mail_read_behind", "seconds", "How long ago the connected mailbox that lags most was read"),
    Figure("last_sent", "timestamp_seconds", "When the last mail left, as Unix time"),
    Figure("subscriptions", "", "Notification subscriptions of connected mailboxes", "state", ("live", "refused")),
    Figure("steps_overdue", "", "Steps that were due more than five minutes ago and are not planned yet"),
    Figure("messages", "", "Mails on their way, and those that wait for a decision (held)", "state",
           ("planned", "drafted", "sending", "accepted", "held")),
    Figure("graph_requests", "last_5_minutes", "Requests to Microsoft in the last five minutes by answer", "answer",
           ("2xx", "4xx", "5xx", "none")),
    Figure("jobs", "", "Jobs in the queue", "status", ("todo", "doing", "failed")),
    Figure("oldest_job", "seconds", "How long the job has waited that waits longest"),
    Figure("workers", "", "Workers that live"),
)  # fmt: skip


class Installation:
    """A collector: asks the database when it is scraped."""

    def collect(self) -> Iterator[Metric]:
        yield _metric("gatepost_info", "The version that runs", "version", {__version__: 1.0})
        try:
            found = _read()
        except DatabaseError as error:
            log.warning("the database gives no figures", extra={"error": type(error).__name__})
            yield _metric("gatepost_database_up", "Whether the database answers", "", {"": 0.0})
            return
        yield _metric("gatepost_database_up", "Whether the database answers", "", {"": 1.0})
        for figure in FIGURES:
            numbers = dict.fromkeys(figure.labels, 0.0) | found.get(figure.name, {})
            yield _metric(figure.metric, figure.tells, figure.label, numbers)


def serve(port: int, *, host: str) -> None:
    """Serve the figures until the process is told to end."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Installation())
    _, thread = start_http_server(port, host, registry)
    thread.join()


def _read() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT figure, label, number FROM installation_figures(%s)", [clock.now()])
            for name, label, number in cursor.fetchall():
                if number is not None:  # nothing was sent yet
                    found.setdefault(name, {})[label] = number
    finally:
        connections["default"].close()  # each scrape has a thread of its own
    return found


def _metric(name: str, tells: str, label: str, numbers: dict[str, float]) -> Metric:
    metric = GaugeMetricFamily(name, tells, labels=[label] if label else [])
    for value, number in numbers.items():
        metric.add_metric([value] if label else [], number)
    return metric
