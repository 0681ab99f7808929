"""The lane of retention: once a day every rule, portion after portion, until nothing is over its period or the time is up.

Each portion is a short transaction with its record, and between two of them others get to write: a backlog of a million goes
in a night, beside the service. However many workers there are, whoever has claimed the day does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask import current_app

from preferences.domain.retention import RunSource
from preferences.domain.retention_rules import RULES
from preferences.models.transaction import glancing, transaction
from preferences.queries.upkeep.worker_state import periodic_runs
from preferences.services.retention import PORTION, Progress, first_of, next_portion
from preferences.services.upkeep.periodic import (
    CLOCKS_DIFFER_BY_LESS_THAN,
    PeriodicClaim,
    claim_periodic,
    finish_periodic,
    renew_periodic,
)

log = structlog.get_logger()

NAME = "retention"
"""What stands in `periodic_runs`."""
EVERY = timedelta(days=1)
AT_MOST = timedelta(hours=10)
"""A run that has not come to its end by then stops, and what is left goes with the next day's."""
LOOK_SECONDS = 30.0
BREATH_SECONDS = 0.05


@dataclass
class _Run:
    """A run in hand: the claim, when it began, the rules that are still to come, the first of them begun."""

    claim: PeriodicClaim
    began_at: datetime
    rules: list[Progress]
    removed: int = 0


class RetentionLane:
    """Lets go of what is over its period; see loop.Lane. Stopped or broken off, what is left goes with the next run."""

    name = NAME
    is_periodic = True

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime], portion: int = PORTION) -> None:
        self.stop = stop
        self.clock = clock
        self.portion = portion
        self.idle_seconds = LOOK_SECONDS
        self._run: _Run | None = None

    def run_batch(self) -> int:
        """Begin the day's run when it is due, or remove its next portion. Returns 0: it waits a little after each."""
        if self._run is None:
            self._run = self._begin()
        else:
            run, self._run = (
                self._run,
                None,
            )  # after a fault the run is over here; its claim runs out, and it begins anew
            self._run = self._go_on(run)
        self.idle_seconds = LOOK_SECONDS if self._run is None else BREATH_SECONDS
        return 0

    def _begin(self) -> _Run | None:
        now = self.clock()
        with glancing() as session:
            ran_at = periodic_runs(session).get(NAME)
        if ran_at is not None and now - EVERY < ran_at <= now + CLOCKS_DIFFER_BY_LESS_THAN:
            return None
        with transaction() as session:
            claim = claim_periodic(session, NAME, every=EVERY, now=now)
        return None if claim is None else _Run(claim, now, [first_of(one) for one in RULES.values() if not one.is_kept])

    def _go_on(self, run: _Run) -> _Run | None:
        now = self.clock()
        months = current_app.extensions["preferences.settings"].retention_months
        rule = run.rules[0]
        with transaction() as session:
            claim = renew_periodic(session, run.claim, now=now)
            if claim is None:
                return None
            after = next_portion(session, rule, months, source=RunSource.WORKER, now=run.began_at, limit=self.portion)
            left = run.rules[1:] if after.is_done else [after, *run.rules[1:]]
            is_over = not left or now - run.began_at >= AT_MOST
            if is_over:
                finish_periodic(session, claim, now=run.began_at)
        removed = run.removed + after.removed - rule.removed
        if after.is_done and after.removed:
            log.info("retention_rule_done", rule=rule.rule.kind.value, rows=after.removed)
        if not is_over:
            return _Run(claim, run.began_at, left, removed)
        log.info("retention_done", rows=removed, rules_left=len(left))
        return None
