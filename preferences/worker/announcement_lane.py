"""The lane that takes people up for the announcement of a policy version; the mail lane sends what it queues."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from preferences.models.transaction import reading, transaction
from preferences.services.policy.policy import announce_portion, is_announcing

log = structlog.get_logger()


class AnnouncementLane:
    """Announcements of the privacy policy; see loop.Lane."""

    name = "announcements"
    idle_seconds = 5.0
    is_periodic = False

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock

    def run_batch(self) -> int:
        """Take up one portion. Returns how many people."""
        with reading() as session:
            if not is_announcing(session):
                return 0
        with transaction() as session:
            taken = announce_portion(session, now=self.clock())
        if taken:
            log.info("policy_announced", people=taken)
        return taken
