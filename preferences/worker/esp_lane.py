"""The lane that works through what ESPs reported: most are only counted, those that change something are done one by one."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import cast

import structlog
from flask import current_app
from sqlalchemy.exc import DBAPIError

from preferences.domain.capability import LinkSigner
from preferences.domain.esp_events import WITH_EFFECT, EspEvent
from preferences.domain.retry import wait_after
from preferences.integrations.esp import PROVIDERS
from preferences.models.crypto import UnreadableValue
from preferences.models.transaction import reading, transaction
from preferences.services.esp.effects import act_on
from preferences.services.esp.events import (
    ClaimedEvent,
    NoLongerOurs,
    claim_events,
    finish_event,
    finish_quiet_events,
    has_due_events,
    open_payload,
    release_events,
    retry_event,
    sealed_payloads,
)

from .faults import where

log = structlog.get_logger()

BATCH = 500


class EspLane:
    """Events of ESPs; see loop.Lane."""

    name = "esp"
    idle_seconds = 1.0
    is_periodic = False

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock

    def run_batch(self) -> int:
        """Claim and work on one batch. Returns how many events were claimed; 0 means idle."""
        with reading() as session:
            if not has_due_events(session, now=self.clock()):
                return 0
        with transaction() as session:
            claimed = claim_events(session, limit=BATCH, now=self.clock())
        with reading() as session:
            sealed = sealed_payloads(session, claimed)
        quiet: list[ClaimedEvent] = []
        loud: list[tuple[ClaimedEvent, EspEvent]] = []
        for one in claimed:
            event = self._read(one, sealed.get(one.id))
            if event is None:
                continue
            if event.type in WITH_EFFECT or event.confirm_url or event.type is not one.type:
                loud.append((one, event))
            else:
                quiet.append(one)
        with transaction() as session:
            finish_quiet_events(session, quiet, "counted", now=self.clock())
        for number, (one, event) in enumerate(loud):
            if self.stop.is_set():
                with transaction() as session:
                    release_events(session, [left for left, _ in loud[number:]])
                break
            self._work(one, event)
        return len(claimed)

    def _read(self, claimed: ClaimedEvent, sealed: bytes | None) -> EspEvent | None:
        """What the event says. None: it is over, because nobody can read it any more."""
        provider = PROVIDERS.get(claimed.provider)
        try:
            if provider is None or sealed is None:
                self._finish(claimed, "failed: unknown provider" if provider is None else "dropped: forgotten")
            else:
                return provider.read(open_payload(sealed))
        except UnreadableValue:
            self._finish(claimed, "failed: unreadable")
        except DBAPIError:
            raise
        except Exception as error:
            self._fail(claimed, error)
        return None

    def _work(self, claimed: ClaimedEvent, event: EspEvent) -> None:
        """Do it and end it in one transaction. Whatever goes wrong is tried again later, and given up in the end."""
        signer = cast(LinkSigner, current_app.extensions["preferences.signer"])
        try:
            outcome = self._confirm(claimed, event) if event.confirm_url else ""
            with transaction() as session:
                now = self.clock()
                outcome = outcome or act_on(session, claimed, event, signer=signer, now=now)
                finish_event(session, claimed, event, outcome, now=now)
        except NoLongerOurs:
            log.info("esp_event_taken_over", row=claimed.id)
        except DBAPIError:
            raise
        except Exception as error:
            self._fail(claimed, error)
        else:
            log.info("esp_event_done", row=claimed.id, type=event.type, outcome=outcome)

    def _confirm(self, claimed: ClaimedEvent, event: EspEvent) -> str:
        confirm = PROVIDERS[claimed.provider].confirm
        if confirm is None:
            return "counted"
        confirm(event.confirm_url)
        return "confirmed"

    def _finish(self, claimed: ClaimedEvent, outcome: str) -> None:
        with suppress(NoLongerOurs), transaction() as session:
            finish_event(session, claimed, None, outcome, now=self.clock())
        log.warning("esp_event_done", row=claimed.id, outcome=outcome)

    def _fail(self, claimed: ClaimedEvent, error: Exception) -> None:
        kind = type(error).__name__
        log.error("esp_event_failed", row=claimed.id, attempts=claimed.attempts, kind=kind, where=where(error))
        wait = wait_after(claimed.attempts, jitter=random.random())  # noqa: S311 - spreads load, guards nothing
        if wait is None:
            self._finish(claimed, f"failed: {kind}")
            return
        with transaction() as session:
            retry_event(session, claimed, f"will retry: {kind}", run_at=self.clock() + wait)
