"""The lane of periodic work: looks every few seconds whether something is due, and does it if no other worker has taken it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from preferences.models.transaction import glancing, transaction
from preferences.queries.upkeep.worker_state import periodic_runs
from preferences.services.upkeep.periodic import (
    CLOCKS_DIFFER_BY_LESS_THAN,
    PeriodicClaim,
    claim_periodic,
    finish_periodic,
)

from .chores import CHORES, Chore
from .faults import where

log = structlog.get_logger()


class ChoreLane:
    """Periodic work; see loop.Lane. A chore that fails is tried again when its claim has run out, and holds up no other."""

    name = "chores"
    idle_seconds = 5.0
    is_periodic = True

    def __init__(
        self, stop: threading.Event, clock: Callable[[], datetime], chores: Mapping[str, Chore] = CHORES
    ) -> None:
        self.stop = stop
        self.clock = clock
        self.chores = chores

    def run_batch(self) -> int:
        """Do what is due. Returns how many chores were done; 0 means idle."""
        with glancing() as session:
            ran = periodic_runs(session)
        done = 0
        for name, chore in self.chores.items():
            if self.stop.is_set():
                break
            if _may_be_due(ran.get(name), chore, self.clock()):
                done += self._try(name, chore)
        return done

    def _try(self, name: str, chore: Chore) -> int:
        with transaction() as session:
            claim = claim_periodic(session, name, every=chore.every, now=self.clock())
        if claim is None:
            return 0
        try:
            self._do(claim, chore)
        except DBAPIError:
            raise
        except Exception as error:
            log.error("chore_failed", chore=name, kind=type(error).__name__, where=where(error))
            return 0
        return 1

    def _do(self, claim: PeriodicClaim, chore: Chore) -> None:
        now = self.clock()
        with transaction() as session:
            rows = chore.work(session, now=now)
            finish_periodic(session, claim, now=now)
        log.info("chore_done", chore=claim.name, rows=rows)


def _may_be_due(ran_at: datetime | None, chore: Chore, now: datetime) -> bool:
    """Worth asking for; the claim decides."""
    return ran_at is None or ran_at <= now - chore.every or ran_at > now + CLOCKS_DIFFER_BY_LESS_THAN
