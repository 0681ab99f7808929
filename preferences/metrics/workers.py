"""How deep the outbox is, and whether anybody works on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from preferences.queries.upkeep.worker_state import outbox_depth, periodic_runs, workers


def outbox_metrics(session: Session, now: datetime) -> Iterator[Metric]:
    """What waits."""
    depth = outbox_depth(session, now=now)
    yield GaugeMetricFamily("preferences_outbox_waiting", "Jobs not done yet.", value=depth.waiting)
    yield GaugeMetricFamily("preferences_outbox_due", "Jobs that could be done now.", value=depth.due)
    yield GaugeMetricFamily(
        "preferences_outbox_oldest_due_seconds",
        "How long the oldest due job has been waiting.",
        value=depth.oldest_age(now).total_seconds(),
    )


def worker_metrics(session: Session, now: datetime) -> Iterator[Metric]:
    """Who is at work, and when periodic work was last done."""
    found = workers(session)
    alive = [worker for worker in found if worker.is_alive(now)]
    yield GaugeMetricFamily("preferences_workers_alive", "Workers that gave a sign of life lately.", value=len(alive))
    yield GaugeMetricFamily(
        "preferences_worker_hanging_lanes",
        "Lanes of living workers that stand still.",
        value=sum(len(worker.hanging_lanes()) for worker in alive),
    )
    runs = GaugeMetricFamily(
        "preferences_periodic_last_run_timestamp_seconds", "When periodic work was last done.", labels=["name"]
    )
    for name, ran_at in periodic_runs(session).items():
        if ran_at is not None:
            runs.add_metric([name], ran_at.timestamp())
    yield runs
