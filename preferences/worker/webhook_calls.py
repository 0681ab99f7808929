"""Calls one endpoint from a few threads of its own, so that however long it takes, no other endpoint waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

import structlog

from preferences.domain.webhooks import Attempt, AttemptCode
from preferences.integrations.http import Line, Reach
from preferences.integrations.standard_webhooks import make_body, signed_headers
from preferences.services.webhooks.deliveries import Delivery, Tried
from preferences.services.webhooks.webhook_messages import Target, Told

from .faults import where

log = structlog.get_logger()

THREADS = 8
"""How many calls of one endpoint one worker makes at a time."""
LARGEST_WINDOW = 128
"""How many deliveries of one endpoint a worker holds at most, while it answers fast."""
FAST = timedelta(milliseconds=250)
MARGIN = timedelta(seconds=60)
"""A call is not begun so late that the claim could run out while it lasts."""
IDLE_SECONDS = 20.0
"""How long a thread keeps its connection open with nothing to send."""
USER_AGENT = "preferences-webhooks/1"

Result = Tried | Delivery
"""What comes back of a delivery: it was tried, or given back unbegun."""


@dataclass(frozen=True, slots=True)
class Call:
    """One delivery to be made."""

    told: Told
    target: Target
    reach: Reach


class Caller:
    """The calls of one endpoint. `window` grows while it answers fast, and shrinks to one while it fails."""

    def __init__(self, results: SimpleQueue[Result], stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self._results, self._stop, self._clock = results, stop, clock
        self._waiting: SimpleQueue[Call] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._lines: set[Line] = set()
        self.in_flight = 0
        self.window = THREADS

    @property
    def room(self) -> int:
        """How many more may be claimed: none before half of the window is free, so that claims come in batches."""
        return 0 if self.in_flight > self.window // 2 else self.window - self.in_flight

    def call(self, calls: list[Call]) -> None:
        """Make these calls as threads become free."""
        self.in_flight += len(calls)
        for one in calls:
            self._waiting.put(one)
        with self._lock:
            for _ in range(min(THREADS, self.in_flight) - self._threads):
                self._threads += 1
                threading.Thread(target=self._work, name="webhook-call", daemon=True).start()

    def learn(self, tried: list[Tried]) -> None:
        """Adjust the window to how the endpoint did."""
        if not all(one.attempt.is_delivered for one in tried):
            self.window = 1
        elif max(one.attempt.latency for one in tried) > FAST:
            self.window = THREADS
        else:
            self.window = min(self.window * 2, LARGEST_WINDOW)

    def hang_up_overdue(self) -> None:
        """Cut off calls that take too long."""
        for line in list(self._lines):
            line.hang_up_if_overdue()

    def _work(self) -> None:
        lines: dict[Reach, Line] = {}
        while True:
            try:
                call = self._waiting.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if not self._waiting.empty():
                        continue
                    self._threads -= 1
                break
            self._results.put(self._make(call, lines))
        for line in lines.values():
            self._lines.discard(line)
            line.close()

    def _make(self, call: Call, lines: dict[Reach, Line]) -> Result:
        delivery = call.told.delivery
        now = self._clock()
        if self._stop.is_set() or now > delivery.claimed_until - MARGIN:
            return delivery
        try:
            if call.reach not in lines:
                lines[call.reach] = Line(call.reach, user_agent=USER_AGENT)
                self._lines.add(lines[call.reach])
            body = make_body(call.told.type, call.told.timestamp, call.told.data)
            headers = signed_headers(delivery.message_id, body, call.target.secrets, now=now)
            attempt = lines[call.reach].post(call.target.url, body.encode(), headers)
        except Exception as error:
            log.error("webhook_failed", delivery=delivery.id, kind=type(error).__name__, where=where(error))
            attempt = Attempt(code=AttemptCode.INTERNAL)
        return Tried(delivery, attempt, now)
