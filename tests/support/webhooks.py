"""Help for tests of webhooks: endpoints, what is stored about them, a worker whose clock can be set."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.webhook_urls import UrlRules
from preferences.domain.webhooks import SignatureScheme
from preferences.models.endpoint import AttemptRow, DeliveryRow, EndpointRow
from preferences.queries.mailers.endpoints import EndpointView
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.services.webhooks.endpoints import EndpointChange, add_endpoint
from preferences.services.webhooks.mailers import create_mailer
from preferences.worker.webhook_lane import WebhookLane

RULES = UrlRules({"127.0.0.1"}, allows_http=True)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def make_endpoint(
    session: Session, url: str, *, mailer: str = "newsletter", scheme: SignatureScheme = SignatureScheme.V1, **more: Any
) -> tuple[EndpointView, str]:
    """An endpoint, committed, and what it verifies with."""
    now = datetime.now(UTC)
    if mailer_by_key(session, mailer) is None:
        create_mailer(session, key=mailer, name=mailer.title(), now=now)
    owner = mailer_by_key(session, mailer)
    assert owner is not None
    view, secret = add_endpoint(session, owner.id, EndpointChange(url=url, **more), scheme, rules=RULES, now=now)
    session.commit()
    return view, secret.text


def work(clock: Callable[[], datetime], stop: threading.Event | None = None) -> int:
    """What a worker's lane does until nothing is due. Returns how many attempts that was."""
    lane = WebhookLane(stop or threading.Event(), clock)
    total = 0
    while done := lane.run_batch():
        total += done
    return total


def endpoint_row(session: Session, endpoint_id: int) -> EndpointRow:
    session.rollback()
    found = session.scalars(select(EndpointRow).where(EndpointRow.id == endpoint_id)).one()
    _let_go(session)
    return found


def deliveries(session: Session) -> list[DeliveryRow]:
    session.rollback()
    found = list(session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))
    _let_go(session)
    return found


def attempts(session: Session) -> list[AttemptRow]:
    session.rollback()
    found = list(session.scalars(select(AttemptRow).order_by(AttemptRow.id)))
    _let_go(session)
    return found


def _let_go(session: Session) -> None:
    """What was found stays as it was read, and SQLite's one write lock is free again."""
    session.expunge_all()
    session.rollback()
