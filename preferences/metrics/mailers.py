"""What mailers have still to hear by webhook, and what those who follow the change feed have not acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from preferences.domain.webhooks import EndpointState
from preferences.queries.mailers.mailers import mailers
from preferences.queries.mailers.reconciliation import acknowledged_by, behind_of
from preferences.queries.mailers.webhook_depth import webhook_depths


def webhook_metrics(session: Session, now: datetime) -> Iterator[Metric]:
    """Endpoints, and what waits for those that are called."""
    endpoints = GaugeMetricFamily("preferences_endpoints", "Endpoints for webhooks.", labels=["mailer", "state"])
    waiting = GaugeMetricFamily("preferences_webhooks_waiting", "Changes not yet delivered.", labels=["mailer"])
    oldest = GaugeMetricFamily(
        "preferences_webhooks_oldest_waiting_seconds", "Age of the oldest of them.", labels=["mailer"]
    )
    for depth in webhook_depths(session):
        endpoints.add_metric([depth.mailer, depth.state.value], depth.endpoints)
        if depth.state is EndpointState.ENABLED:
            waiting.add_metric([depth.mailer], depth.waiting)
            oldest.add_metric([depth.mailer], _age(depth.oldest_at, now))
    yield from (endpoints, waiting, oldest)


def feed_metrics(session: Session, now: datetime) -> Iterator[Metric]:
    """How far behind each mailer is that has ever acknowledged; who only takes webhooks never says so."""
    behind = GaugeMetricFamily("preferences_feed_behind", "Changes not acknowledged.", labels=["mailer"])
    oldest = GaugeMetricFamily(
        "preferences_feed_oldest_opt_out_seconds", "Age of the oldest opt-out among them.", labels=["mailer"]
    )
    for mailer in mailers(session):
        if mailer.archived_at is None and acknowledged_by(session, mailer.id).at is not None:
            found = behind_of(session, mailer)
            behind.add_metric([mailer.key], found.changes)
            oldest.add_metric([mailer.key], _age(found.oldest_opt_out_at, now))
    yield from (behind, oldest)


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())
