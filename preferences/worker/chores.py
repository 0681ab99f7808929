"""Periodic work, each piece with its own period; the lane that does it is beside this file.

To add one: a service `forget_something(session, *, now) -> int` (how many rows it changed), a line in CHORES, and one in
docs/operations.md. It runs once in its period however many workers there are, in one transaction: what could take long does a
portion and leaves the rest for later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from preferences.models.transaction import transaction
from preferences.services.esp.events import forget_esp_events
from preferences.services.imports.imports import forget_old_imports
from preferences.services.outbox.jobs import forget_finished_jobs
from preferences.services.policy.policy import record_deliveries
from preferences.services.recipients.address_change import forget_address_changes
from preferences.services.recipients.step_up import forget_step_ups
from preferences.services.rights.rights_work import remind_of_requests
from preferences.services.sign_up.sign_up import forget_sign_ups
from preferences.services.staff.challenges import forget_challenges
from preferences.services.staff.limits import forget_failures
from preferences.services.staff.sessions import forget_sessions
from preferences.services.upkeep.heartbeats import forget_workers
from preferences.services.upkeep.idempotency import forget_answers
from preferences.services.webhooks.deliveries import forget_old_deliveries

log = structlog.get_logger()

HOURLY = timedelta(hours=1)
TEN_MINUTES = timedelta(minutes=10)


class Work(Protocol):
    """What a chore does. Returns how many rows it changed."""

    def __call__(self, session: Session, *, now: datetime) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Chore:
    """A piece of periodic work."""

    every: timedelta
    work: Work


CHORES: dict[str, Chore] = {
    "address_changes": Chore(HOURLY, forget_address_changes),
    "esp_events": Chore(HOURLY, forget_esp_events),
    "idempotency_keys": Chore(HOURLY, forget_answers),
    "imports": Chore(HOURLY, forget_old_imports),
    "outbox_jobs": Chore(HOURLY, forget_finished_jobs),
    "passkey_challenges": Chore(HOURLY, forget_challenges),
    "policy_deliveries": Chore(TEN_MINUTES, record_deliveries),
    "requests_due": Chore(HOURLY, remind_of_requests),
    "sign_in_failures": Chore(HOURLY, forget_failures),
    "sign_ups": Chore(HOURLY, forget_sign_ups),
    "staff_sessions": Chore(HOURLY, forget_sessions),
    "step_ups": Chore(HOURLY, forget_step_ups),
    "webhooks": Chore(HOURLY, forget_old_deliveries),
    "workers": Chore(HOURLY, forget_workers),
}
"""By name: what stands in `periodic_runs` and in the log."""


def clear_away(*, now: datetime) -> dict[str, int]:
    """Do every chore now, due or not. Returns how many rows each changed."""
    cleared = {}
    for name, chore in CHORES.items():
        with transaction() as session:
            cleared[name] = chore.work(session, now=now)
    log.info("cleared_away", **cleared)
    return cleared
