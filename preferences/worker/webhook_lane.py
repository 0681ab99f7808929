"""The lane of webhooks: claims what is due for each endpoint, has it called by threads of its own, records what came of it.

A dead or slow endpoint keeps its own threads busy and nobody else: claims are made endpoint by endpoint, for as many as it has
room for, and outcomes are recorded in batches as they come in.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import cast

import structlog
from flask import current_app

from preferences.config import Settings
from preferences.domain.webhooks import Attempt, AttemptCode
from preferences.integrations.http import Reach
from preferences.metrics import WEBHOOKS
from preferences.models.crypto import UnreadableValue
from preferences.models.transaction import glancing, transaction
from preferences.queries.mailers.endpoints import any_endpoint
from preferences.services.webhooks.deliveries import (
    Delivery,
    Tried,
    claim_deliveries,
    endpoints_with_work,
    release_deliveries,
)
from preferences.services.webhooks.outcomes import record_outcomes
from preferences.services.webhooks.webhook_messages import tell

from .webhook_calls import Call, Caller, Result

log = structlog.get_logger()

LOOK_SECONDS = 0.05
"""How often it looks for new work while there are endpoints; also while calls are under way."""
NO_ENDPOINTS_SECONDS = 2.0
ASK_EVERY = timedelta(seconds=2)
"""How often it asks whether there are endpoints at all."""


class WebhookLane:
    """Change events to the endpoints of mailers; see loop.Lane."""

    name = "webhooks"
    is_periodic = False

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock
        self.idle_seconds = NO_ENDPOINTS_SECONDS
        self._results: SimpleQueue[Result] = SimpleQueue()
        self._callers: dict[int, Caller] = {}
        self._unrecorded: list[Result] = []
        self._asked_at: datetime | None = None

    def run_batch(self) -> int:
        """Claim what there is room for and record what has come back. Returns how many were tried; 0 means idle.

        Once stopped, nothing more is claimed or begun, and what is under way is waited for and recorded.
        """
        while True:
            if not self.stop.is_set():
                self._claim()
            if not self._under_way and not self._unrecorded:
                self._rest()
                return 0
            self._gather()
            if self._unrecorded and not (self.stop.is_set() and self._under_way):
                return self._record()

    @property
    def _under_way(self) -> int:
        return sum(caller.in_flight for caller in self._callers.values())

    def _rest(self) -> None:
        """How soon to look again: often while there are endpoints."""
        now = self.clock()
        if self._asked_at is not None and now < self._asked_at + ASK_EVERY:
            return
        self._asked_at = now
        with glancing() as session:
            self.idle_seconds = LOOK_SECONDS if any_endpoint(session) else NO_ENDPOINTS_SECONDS

    def _claim(self) -> None:
        with glancing() as session:
            found = endpoints_with_work(session, now=self.clock())
        for endpoint_id, failures in found:
            caller = self._callers.get(endpoint_id)
            if caller is None:
                caller = self._callers[endpoint_id] = Caller(self._results, self.stop, self.clock)
            if failures:
                caller.window = 1
            if caller.room:
                self._claim_for(endpoint_id, caller)

    def _claim_for(self, endpoint_id: int, caller: Caller) -> None:
        now = self.clock()
        with transaction() as session:
            claimed = claim_deliveries(session, endpoint_id, limit=caller.room, now=now)
            if not claimed:
                return
            try:
                message = tell(session, endpoint_id, claimed, now=now)
            except UnreadableValue as error:
                log.error("webhook_unreadable", endpoint=endpoint_id, kind=type(error).__name__)
                message = None
        calls: list[Call] = []
        if message is not None:
            target, told = message
            reach = Reach.ANYWHERE if _settings().webhook_urls.is_private(target.url) else Reach.PUBLIC
            calls = [Call(one, target, reach) for one in told]
        made = {call.told.delivery.id for call in calls}
        for delivery in claimed:
            if delivery.id not in made:
                self._unrecorded.append(Tried(delivery, Attempt(code=AttemptCode.INTERNAL), now))
        caller.call(calls)

    def _gather(self) -> None:
        """Collect what has come back; waits a little when nothing has."""
        for caller in self._callers.values():
            caller.hang_up_overdue()
        wait = LOOK_SECONDS if not self._unrecorded else 0.0
        while True:
            try:
                result = self._results.get(timeout=wait) if wait else self._results.get_nowait()
            except Empty:
                return
            wait = 0.0
            self._unrecorded.append(result)
            caller = self._callers[_delivery_of(result).endpoint_id]
            caller.in_flight -= 1

    def _record(self) -> int:
        """Record everything that has come back, endpoint by endpoint. What cannot be stored now is stored next time."""
        by_endpoint: dict[int, list[Tried]] = defaultdict(list)
        unbegun: list[Delivery] = []
        for result in self._unrecorded:
            if isinstance(result, Tried):
                by_endpoint[result.delivery.endpoint_id].append(result)
            else:
                unbegun.append(result)
        for endpoint_id, tried in by_endpoint.items():
            with transaction() as session:
                record_outcomes(session, endpoint_id, tried, now=self.clock(), jitter=random.random)
            done = {id(one) for one in tried}
            self._unrecorded = [one for one in self._unrecorded if id(one) not in done]
            if endpoint_id in self._callers:
                self._callers[endpoint_id].learn(tried)
            _log(endpoint_id, tried)
        if unbegun:
            with transaction() as session:
                release_deliveries(session, unbegun)
        self._unrecorded = []
        return sum(map(len, by_endpoint.values())) + len(unbegun)


def _settings() -> Settings:
    return cast(Settings, current_app.extensions["preferences.settings"])


def _delivery_of(result: Result) -> Delivery:
    return result.delivery if isinstance(result, Tried) else result


def _log(endpoint_id: int, tried: list[Tried]) -> None:
    failed = [one for one in tried if not one.attempt.is_delivered]
    for code, count in Counter(one.attempt.code for one in tried).items():
        WEBHOOKS.labels(code.value).inc(count)
    log.debug("webhooks_tried", endpoint=endpoint_id, count=len(tried), failed=len(failed))
    for code in sorted({one.attempt.code for one in failed}):
        count = sum(one.attempt.code is code for one in failed)
        log.warning("webhooks_failed", endpoint=endpoint_id, code=code, count=count)
