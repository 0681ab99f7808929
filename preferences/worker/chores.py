"""Clears away what need not be kept, once an hour. Several workers doing it at the same time do no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from preferences.models.transaction import transaction
from preferences.services.address_change import forget_address_changes
from preferences.services.idempotency import forget_answers
from preferences.services.imports import forget_old_imports
from preferences.services.outbox_jobs import forget_finished_jobs
from preferences.services.sign_up import forget_sign_ups
from preferences.services.step_up import forget_step_ups

log = structlog.get_logger()

EVERY = timedelta(hours=1)


class Chore(Protocol):
    """Deletes something old. Returns how many rows."""

    def __call__(self, session: Session, *, now: datetime) -> int: ...  # noqa: D102


CHORES: dict[str, Chore] = {
    "address_changes": forget_address_changes,
    "idempotency_keys": forget_answers,
    "imports": forget_old_imports,
    "outbox_jobs": forget_finished_jobs,
    "sign_ups": forget_sign_ups,
    "step_ups": forget_step_ups,
}


class ChoreLane:
    """Runs every chore at the start and then hourly, each in a transaction of its own; see loop.Lane."""

    name = "chores"
    idle_seconds = 5.0
    is_periodic = True

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock
        self._next_at: datetime | None = None

    def run_batch(self) -> int:
        """Run the chores if an hour has passed."""
        now = self.clock()
        if self._next_at is not None and now < self._next_at:
            return 0
        clear_away(now=now)
        self._next_at = now + EVERY
        return 0


def clear_away(*, now: datetime) -> dict[str, int]:
    """Run every chore now. Returns how many rows each deleted."""
    cleared = {}
    for name, chore in CHORES.items():
        with transaction() as session:
            cleared[name] = chore(session, now=now)
    log.info("cleared_away", **cleared)
    return cleared
