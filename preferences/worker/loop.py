"""The worker's loop: lanes of work side by side, each its own thread, so that no slow partner delays what others wait for.

Idle, a lane costs one indexed read each time it looks. Nothing that is logged holds an address: ids and short codes only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError

from .address_lane import AddressLane
from .announcement_lane import AnnouncementLane
from .chore_lane import ChoreLane
from .esp_lane import EspLane
from .faults import where
from .heartbeat import Heartbeat
from .import_lane import ImportLane
from .mail_lane import MailLane
from .numbers_lane import NumbersLane
from .retention_lane import RetentionLane
from .seal_lane import SealLane
from .webhook_lane import WebhookLane

log = structlog.get_logger()

TROUBLE_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""How long a lane in trouble waits before it tries again: a restart of the database is soon over."""
STOPS_WITHIN_SECONDS = 25.0
"""How long lanes may take to finish the work in hand; the claims of one that hangs longer run out by themselves."""


class Lane(Protocol):
    """One kind of work. `run_batch` claims a little, does it, and returns how many pieces it worked on; 0 means idle.

    It returns early, giving back what it has not begun, once its `stop` is set, and lets a DBAPIError out.
    """

    name: str
    idle_seconds: float
    """How long to wait after finding nothing to do."""
    is_periodic: bool
    """Whether it follows the clock instead of what is waiting."""

    def run_batch(self) -> int: ...  # noqa: D102


LaneMaker = Callable[[threading.Event, Callable[[], datetime]], Lane]
LANES: tuple[LaneMaker, ...] = (
    AddressLane,
    AnnouncementLane,
    MailLane,
    EspLane,
    WebhookLane,
    ImportLane,
    ChoreLane,
    RetentionLane,
    SealLane,
    NumbersLane,
)
"""Every kind of work. To add one: a file with its lane, and its name here."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Worker:
    """One worker. Several may run against one PostgreSQL; on SQLite one (see alone.py). Needs an application context."""

    def __init__(self, *, stop: threading.Event | None = None, clock: Callable[[], datetime] = _utc_now) -> None:
        self.stop = stop or threading.Event()
        self.clock = clock
        self.lanes = [make(self.stop, clock) for make in LANES]
        self.heartbeat = Heartbeat(self.stop, clock)

    def run(
        self, still_wanted: Callable[[], bool] = lambda: True, *, stops_within_seconds: float = STOPS_WITHIN_SECONDS
    ) -> None:
        """Work until `stop` is set or nobody wants it any more; finishes the work in hand, gives back the rest.

        Returns in bounded time: a lane that does not finish is left behind, in a thread that does not keep the process.
        """
        log.info("worker_started", worker=self.heartbeat.worker.name)
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        threads = [
            threading.Thread(target=self._follow, args=(app, lane), name=lane.name, daemon=True)
            for lane in (self.heartbeat, *self.lanes)
        ]
        for thread in threads:
            thread.start()
        while not self.stop.wait(1.0):
            if not still_wanted():
                self.stop.set()
        until = time.monotonic() + stops_within_seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        left = [thread.name for thread in threads if thread.is_alive()]
        if left:
            log.error("lanes_left_behind", lanes=left)
        try:
            self.heartbeat.leave()
        except DBAPIError as error:
            log.error("database_unavailable", lane=self.heartbeat.name, kind=type(error.orig).__name__)
        log.info("worker_stopped")

    def run_until_idle(self) -> int:
        """Do everything that is waiting and due now, in this thread. Returns how many pieces of work there were."""
        lanes = [lane for lane in self.lanes if not lane.is_periodic]
        total, busy = 0, True
        while busy and not self.stop.is_set():
            done = sum(lane.run_batch() for lane in lanes)
            total, busy = total + done, bool(done)
        return total

    def _follow(self, app: Flask, lane: Lane) -> None:
        """One lane, until the worker stops. Whatever goes wrong is logged, waited out, and tried again."""
        failures = 0
        with app.app_context():
            while not self.stop.is_set():
                self.heartbeat.came_round(lane.name)
                try:
                    if not lane.run_batch():
                        self.stop.wait(lane.idle_seconds)
                    failures = 0
                    continue
                except DBAPIError as error:
                    log.error("database_unavailable", lane=lane.name, kind=type(error.orig).__name__)
                except Exception as error:
                    log.error("lane_failed", lane=lane.name, kind=type(error).__name__, where=where(error))
                self.stop.wait(TROUBLE_SECONDS[min(failures, len(TROUBLE_SECONDS) - 1)])
                failures += 1
