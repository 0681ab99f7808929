"""Rights requests: what a person may ask of us, and by when they get a written answer (GDPR 12, 15–22; L5)."""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime, timedelta
from enum import StrEnum

ANSWER_WITHIN = timedelta(days=28)
"""The company promises four weeks; the law allows one month (GDPR 12(3))."""

LONGEST_EXTENSION = timedelta(days=61)
"""GDPR 12(3): by two further months where necessary, told with its reason before the first date has passed."""

MOST_OPEN = 5
"""So many requests of one person may wait for an answer at a time."""

MOST_A_DAY = 20
"""So many requests of one person are taken in 24 hours, those done at once among them (T27)."""

MOST_DETAILS = 2000
"""Characters of what a person writes with a request."""

MOST_ANSWER = 10_000
"""Characters of a written answer."""

ALERT_DAYS = (14, 7, 2, -1)
"""So many days before the due date staff are reminded; the last is the day after it."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE = re.compile(f"R-[{_ALPHABET}]{{8}}", re.ASCII)


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

ASKED_IN_WORDS = (RightsKind.OBJECT, RightsKind.ACCESS, RightsKind.CORRECT, RightsKind.OTHER)
"""What a person may ask for in their own words; everything that can be done at once has a page of its own."""


class NotTaken(StrEnum):
    """Why a request was not stored."""

    TOO_MANY_OPEN = "too_many_open"
    TOO_MANY_TODAY = "too_many_today"
    GONE = "gone"
    """The person was erased meanwhile."""


def due_on(received_at: datetime) -> date:
    """The last day of the answer: the day of receipt plus 28 days."""
    return (received_at + ANSWER_WITHIN).date()


def latest_extension(received_at: datetime) -> date:
    """The last day that an extension may name: two further months after the one that the law gives (GDPR 12(3))."""
    return (received_at + ANSWER_WITHIN + LONGEST_EXTENSION).date()


def new_reference() -> str:
    """What person and staff call a request: `R-` and eight characters of Crockford's base32, 40 random bits."""
    return "R-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def is_reference(text: str) -> bool:
    """Whether it can be the reference of a request; nothing else is looked up."""
    return _REFERENCE.fullmatch(text) is not None
