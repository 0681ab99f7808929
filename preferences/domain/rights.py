"""Rights requests: what a person may ask of us, and by when they get a written answer (GDPR 12, 15–22; L5)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

ANSWER_WITHIN = timedelta(days=28)
"""The company promises four weeks; the law allows one month (GDPR 12(3))."""

LONGEST_EXTENSION = timedelta(days=61)
"""GDPR 12(3): by two further months where necessary, told with its reason before the first date has passed."""


class RightsKind(StrEnum):
    """What is asked for."""

    ACCESS = "access"
    CORRECT = "correct"
    COMPLETE = "complete"
    ERASE = "erase"
    RESTRICT = "restrict"
    EXPORT = "export"
    OBJECT = "object"
    WITHDRAW_STORAGE = "withdraw_storage"
    OTHER = "other"


class RightsState(StrEnum):
    """Where a request stands. `extended` is still open, with a later date."""

    OPEN = "open"
    EXTENDED = "extended"
    FULFILLED = "fulfilled"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN_STATES = frozenset({RightsState.OPEN, RightsState.EXTENDED})


def due_on(received_at: datetime) -> date:
    """The last day of the answer: the day of receipt plus 28 days."""
    return (received_at + ANSWER_WITHIN).date()
