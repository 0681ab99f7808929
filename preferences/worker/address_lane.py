"""The lane that calls our own address when somebody asks on a page: a server with one thread cannot call itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from flask import current_app

from preferences.integrations.own_address import call_own_address
from preferences.models.transaction import glancing, transaction
from preferences.queries.upkeep.address_checks import any_address_check_waits
from preferences.services.upkeep.address_checks import claim_address_check, record_address_check

log = structlog.get_logger()


class AddressLane:
    """Calls of our own address; see loop.Lane."""

    name = "address"
    idle_seconds = 2.0
    is_periodic = False

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock

    def run_batch(self) -> int:
        """Make one call that is asked for. Returns how many were made."""
        with glancing() as session:
            if not any_address_check_waits(session):
                return 0
        with transaction() as session:
            check = claim_address_check(session, now=self.clock())
        if check is None:
            return 0
        settings = current_app.extensions["preferences.settings"]
        found = call_own_address(check.base_url, settings.secret_keys, ca_file=settings.base_url_ca)
        with transaction() as session:
            record_address_check(session, check, found, now=self.clock())
        log.info("address_checked", code=found.code, status=found.status)
        return 1
