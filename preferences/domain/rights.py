"""Rights requests: what a person may ask of us, and by when they get a written answer (GDPR 12, 15–22; L5)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
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

MOST_PROOF = 500
"""Characters of how an identity was checked."""

OLDEST_ARRIVAL = timedelta(days=3 * 366)
"""Nothing that is entered arrived longer ago than that: it is a slip of the keyboard."""

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


class RequestChannel(StrEnum):
    """How a request reached us. `page`: the person's own page; everything else is entered by staff."""

    PAGE = "page"
    LETTER = "letter"
    TELEPHONE = "telephone"
    MAIL = "mail"
    IN_PERSON = "in_person"


ENTERED = tuple(one for one in RequestChannel if one is not RequestChannel.PAGE)
"""What staff can enter."""


class IdentityState(StrEnum):
    """What is known about who asks (GDPR 12(6); L6)."""

    MAILBOX = "mailbox"
    """The mailbox was proved before it was asked for."""
    UNCHECKED = "unchecked"
    CONFIRMED = "confirmed"
    """Staff have checked it, and said how."""


class RefusalGround(StrEnum):
    """Why nothing is done. The first two are those of GDPR 12(5); whoever refuses must be able to show them."""

    UNFOUNDED = "manifestly_unfounded"
    EXCESSIVE = "excessive"
    IDENTITY = "identity_not_shown"
    MUST_BE_KEPT = "must_be_kept"
    NO_SUCH_RIGHT = "right_does_not_apply"


class RequestStep(StrEnum):
    """What staff did with a request before the answer; kept in the audit of the request."""

    PERSON_FOUND = "person_found"
    COPY_MAILED = "copy_mailed"
    COPY_TAKEN = "copy_taken"
    FIELDS_NOTED = "fields_noted"
    FIELDS_WRITTEN = "fields_written"
    RESTRICTED = "restricted"
    OBJECTED = "objected"
    ERASED = "erased"
    POSTED = "posted"
    """The letter is on its way."""


class AnswerBy(StrEnum):
    """How we write to the person."""

    MAIL = "mail"
    LETTER = "letter"


@dataclass(frozen=True, slots=True, repr=False)
class Contact:
    """How somebody whom we do not know can be reached. Never logged."""

    name: str = ""
    email: str = ""
    post: str = ""
    """The address for a letter, in lines."""


NEEDS_IDENTITY = frozenset(
    {
        RightsKind.ACCESS,
        RightsKind.EXPORT,
        RightsKind.CORRECT,
        RightsKind.COMPLETE,
        RightsKind.ERASE,
        RightsKind.WITHDRAW_STORAGE,
    }
)
"""What is not done for somebody who may be anybody (L6). Blocking and objecting only ever reduce what is done to a person."""

COPIES = frozenset({RightsKind.ACCESS, RightsKind.EXPORT})
ERASURES = frozenset({RightsKind.ERASE, RightsKind.WITHDRAW_STORAGE})
CORRECTIONS = frozenset({RightsKind.CORRECT, RightsKind.COMPLETE})

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
