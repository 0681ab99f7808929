"""Seals the ledger once an hour, or sooner when many entries have come. Several workers doing it at once do no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from flask import current_app

from preferences.models.transaction import reading, transaction
from preferences.services.ledger.sealing import SealKeys, seal_is_due, seal_next

log = structlog.get_logger()


class SealLane:
    """Looks every half minute whether a seal is due; see loop.Lane. Each head is a transaction of its own."""

    name = "seal"
    idle_seconds = 30.0
    is_periodic = True

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock

    def run_batch(self) -> int:
        """Seal what is there when it is due. Returns how many heads were made."""
        with reading() as session:
            if not seal_is_due(session, now=self.clock()):
                return 0
        keys, made = SealKeys(current_app.extensions["preferences.settings"].seal_keys), 0
        while not self.stop.is_set():
            with transaction() as session:
                signed = seal_next(session, keys, now=self.clock())
            if signed is None:
                break
            made += 1
            # Logs are kept elsewhere: whoever cuts heads off the end of the table cannot cut them off there.
            log.info("sealed", head=signed.head.number, entries=signed.head.tree_size, digest=signed.head.digest.hex())
        return made
