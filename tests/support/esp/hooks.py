"""Hooks to send to, and what became of what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.models.esp import EspEventRow
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.services.esp.hooks import add_hook
from preferences.services.webhooks.mailers import create_mailer
from preferences.worker import Worker
from tests.support.client import StrictClient

from . import Sample


def make_hook(session: Session, sample: Sample, *, purpose: str | None = None, mailer: str = "newsletter") -> None:
    """A hook with the sample's secrets; makes the mailer on first use."""
    now = datetime.now(UTC)
    if mailer_by_key(session, mailer) is None:
        create_mailer(session, key=mailer, name=mailer.title(), now=now)
    add_hook(session, mailer_key=mailer, provider=sample.provider, secrets=sample.secrets, purpose_key=purpose, now=now)
    session.commit()


def post(client: StrictClient, sample: Sample, payload: Any, *, at: datetime | None = None) -> TestResponse:
    """Send a signed request."""
    signed = sample.sign(payload, at or datetime.now(UTC))
    return client.post(sample.path, data=signed.body, headers=dict(signed.headers))


def stored(session: Session) -> Sequence[EspEventRow]:
    """Every event on record, oldest first."""
    session.commit()
    session.expire_all()
    found = session.scalars(select(EspEventRow).order_by(EspEventRow.id)).all()
    session.commit()  # reading takes SQLite's one write lock
    return found


def outcomes(session: Session) -> list[str | None]:
    """What became of the events."""
    session.commit()
    found = list(session.scalars(select(EspEventRow.outcome).order_by(EspEventRow.id)))
    session.commit()
    return found


def work(*, ahead: timedelta = timedelta()) -> int:
    """Let a worker do everything that is due, perhaps some time from now."""
    return Worker(clock=lambda: datetime.now(UTC) + ahead).run_until_idle()
