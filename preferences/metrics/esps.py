"""What ESPs reported and nobody has worked through yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from preferences.queries.esp.esp_depth import esp_depth


def esp_metrics(session: Session, now: datetime) -> Iterator[Metric]:
    """What waits."""
    depth = esp_depth(session)
    age = 0.0 if depth.oldest_at is None else max(0.0, (now - depth.oldest_at).total_seconds())
    yield GaugeMetricFamily("preferences_esp_events_waiting", "Events not worked through yet.", value=depth.waiting)
    yield GaugeMetricFamily("preferences_esp_oldest_waiting_seconds", "Age of the oldest of them.", value=age)
