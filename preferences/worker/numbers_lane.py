"""Counts the ledger by day, for the numbers of the admin pages. Several workers doing it at once do no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from flask import current_app

from preferences.models.transaction import reading, transaction
from preferences.services.ledger.daily_numbers import PORTION, count_next, counting_is_due


class NumbersLane:
    """Looks every half minute whether entries have come; see loop.Lane. Each portion is a transaction of its own."""

    name = "numbers"
    idle_seconds = 30.0
    is_periodic = True

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock

    def run_batch(self) -> int:
        """Count what is settled. Returns how many entries that was."""
        zone, done = current_app.extensions["preferences.settings"].time_zone, 0
        with reading() as session:
            if not counting_is_due(session, zone):
                return 0
        while not self.stop.is_set():
            with transaction() as session:
                counted = count_next(session, zone, now=self.clock())
            done += counted
            if counted < PORTION:
                break
        return done
