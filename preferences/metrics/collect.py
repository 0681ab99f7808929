"""Everything a monitor reads, put together at the moment it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preferences.models.transaction import glancing

from .counts import MEMORY, shared_folder
from .esps import esp_metrics
from .mailers import feed_metrics, webhook_metrics
from .opt_outs import OptOuts
from .workers import outbox_metrics, worker_metrics

Ask = Callable[[Session, datetime], Iterable[Metric]]

COLLECTORS: tuple[Ask, ...] = (outbox_metrics, worker_metrics, webhook_metrics, feed_metrics, esp_metrics)
"""What is asked of the database. To add some: a file with a function like these, and its name here."""


def registry(app: Flask, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> CollectorRegistry:
    """The registry of a running application; reading it asks the database."""
    made = CollectorRegistry()
    if shared_folder() is not None:
        made.register(MultiProcessCollector(None, path=str(shared_folder())))  # type: ignore[no-untyped-call]
    else:
        made.register(_InMemory())
    made.register(_Asked(app, clock, (*COLLECTORS, OptOuts())))
    return made


class _InMemory(Collector):
    """The counts of this process."""

    def collect(self) -> Iterable[Metric]:
        return MEMORY.collect()


class _Asked(Collector):
    """What the database says; without an answer only that there was none, so that the counts are still read."""

    def __init__(self, app: Flask, clock: Callable[[], datetime], asks: tuple[Ask, ...]) -> None:
        self.app = app
        self.clock = clock
        self.asks = asks

    def collect(self) -> Iterator[Metric]:
        found: list[Metric] = []
        try:
            with self.app.app_context(), glancing() as session:
                for ask in self.asks:
                    found += ask(session, self.clock())
        except DBAPIError:
            found = []
        up = GaugeMetricFamily("preferences_database_up", "Whether the database answered this reading.")
        up.add_metric([], 1.0 if found else 0.0)
        yield up
        yield from found
