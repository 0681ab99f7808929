"""The worker's sign of life, in a lane of its own: it goes on while another lane waits for a slow partner."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable
from datetime import datetime

from flask import current_app

from preferences.models.transaction import transaction
from preferences.services.upkeep.heartbeats import WorkerIdentity, beat, leave
from preferences.services.upkeep.key_sightings import note_keys


class Heartbeat:
    """Tells every 15 seconds that this worker is alive, and when each lane last came round; see loop.Lane."""

    name = "heartbeat"
    idle_seconds = 15.0
    is_periodic = True

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock
        name = f"{socket.gethostname()[:100]}:{os.getpid()}"
        self.worker = WorkerIdentity(secrets.token_hex(16), name, clock())
        self.turns: dict[str, datetime] = {}
        self._has_noted_keys = False

    def came_round(self, lane: str) -> None:
        """A lane has begun another turn."""
        self.turns[lane] = self.clock()

    def run_batch(self) -> int:
        """One sign of life."""
        with transaction() as session:
            beat(session, self.worker, dict(self.turns), now=self.clock())
            if not self._has_noted_keys:  # they change with a restart only
                settings = current_app.extensions["preferences.settings"]
                note_keys(session, settings.keys_by_kind, settings.index_key, now=self.clock())
        self._has_noted_keys = True
        return 0

    def leave(self) -> None:
        """Take the row away: the worker stops in order."""
        with transaction() as session:
            leave(session, self.worker)
