"""Waiting for something to happen, for calls that say `wait`: bounded, because a call that waits keeps a thread busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast

from flask import Flask, current_app

from preferences.config import Settings

T = TypeVar("T")

LOOK_EVERY = 0.25
"""Seconds between two looks."""

_PLACES = "preferences.waiting"


def allow_waiting(app: Flask) -> None:
    """Let half of each process's threads wait at a time. With one thread nothing waits: no opt-out may stand behind it."""
    settings = cast(Settings, app.extensions["preferences.settings"])
    app.extensions[_PLACES] = threading.BoundedSemaphore(settings.server_threads // 2)


def wait_for(
    look: Callable[[], T | None],
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T | None:
    """What `look` finds, looking again until it finds something or the time is up; at once where nothing may wait."""
    found = look()
    places = cast(threading.Semaphore, current_app.extensions[_PLACES])
    if found is not None or seconds <= 0 or not places.acquire(blocking=False):
        return found
    try:
        until = clock() + seconds
        while found is None and (left := until - clock()) > 0:
            pause(min(LOOK_EVERY, left))
            found = look()
        return found
    finally:
        places.release()
