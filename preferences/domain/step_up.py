"""Step-up: fresh proof of the mailbox before anything is seen, corrected, exported or erased (L6, T11).

A mail to the address on file holds a link and a short code; either opens one session, once.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

REQUEST_LASTS = timedelta(minutes=30)
SESSION_LASTS = timedelta(minutes=30)

MOST_WRONG_CODES = 5
"""So many wrong codes end a request."""

LIMITS = ((timedelta(hours=1), 3), (timedelta(days=1), 8))
"""At most so many requests for one person in so much time (T27)."""

WRONG_CODES_A_DAY = 10
"""From then on requests carry no working code, only the link: nobody guesses through a million in their lifetime."""

CODE_DIGITS = 6
_CODE = re.compile(rf"[0-9]{{{CODE_DIGITS}}}", re.ASCII)
_BETWEEN = re.compile(r"[\s\-\u2010-\u2013.]+")


class RequestState(StrEnum):
    """What has become of a request. Only an `open` one can open a session."""

    OPEN = "open"
    USED = "used"
    REPLACED = "replaced"
    GUESSED = "guessed"
    """Dead after too many wrong codes."""
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Origin:
    """The link that somebody asked from, for «why did I get this»; zeros and None where it tells nothing."""

    purpose_id: int = 0
    message_id: int = 0
    issued_at: datetime | None = None


NO_ORIGIN = Origin()


@dataclass(frozen=True, slots=True)
class StepUpRequest:
    """One request for a link and a code."""

    id: int
    recipient_id: int
    attempts: int
    asked_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    ended_at: datetime | None

    def state(self, now: datetime) -> RequestState:
        """Whether it can still open a session, and if not, why."""
        if self.opened_at is not None:
            return RequestState.USED
        if self.ended_at is not None:
            return RequestState.REPLACED
        if self.attempts >= MOST_WRONG_CODES:
            return RequestState.GUESSED
        return RequestState.EXPIRED if self.expires_at <= now else RequestState.OPEN


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def read_code(typed: str) -> str | None:
    """The digits of a typed or pasted code, spaces and dashes left out; None when it cannot be one (WCAG 3.3.8)."""
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed[:100]))
    return digits if _CODE.fullmatch(digits) else None
