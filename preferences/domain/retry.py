"""When to try again: exponential backoff with jitter, and a bounded number of tries."""

from __future__ import annotations

from datetime import timedelta

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
MAX_ATTEMPTS = 12
"""Twelve tries span about 20 hours: longer than greylisting and a night's outage, shorter than a link in the mail lasts."""


def wait_after(attempts: int, *, jitter: float) -> timedelta | None:
    """How long to wait after this many tries (1, 2 …), or None to give up. `jitter` in [0, 1) spreads it by ±20 %."""
    if attempts >= MAX_ATTEMPTS:
        return None
    doubled: timedelta = FIRST_WAIT * 2 ** max(attempts - 1, 0)
    return min(doubled, LONGEST_WAIT) * (0.8 + 0.4 * jitter)
