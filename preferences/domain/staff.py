"""Staff: the rules of passwords, sessions and lockout. Staff sign in; recipients never do."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

SESSION_IDLE = timedelta(minutes=60)
"""A session that nothing was asked in for so long is over."""

SESSION_LASTS = timedelta(hours=12)
"""And every session is over after a working day, however busy."""

HALF_LASTS = timedelta(minutes=10)
"""How long the right password waits for the second factor."""

FRESH_FOR = timedelta(minutes=15)
"""After a sign-in or a confirmation exports and erasure ask for nothing more so long."""

INVITATION_LASTS = timedelta(days=7)

LEAST_PASSWORD, MOST_PASSWORD = 12, 256
"""Characters (NIST SP 800-63B §3.1.1: length, nothing about classes of characters)."""

RECOVERY_CODES = 10
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011")


class SessionStage(StrEnum):
    """How far a session has come. Only an `open` one opens pages."""

    HALF = "half"
    """The password was right; the second factor is missing."""
    OPEN = "open"


class FailureKind(StrEnum):
    """What failures are counted by."""

    PAIR = "pair"
    """One account from one client."""
    CLIENT = "client"
    ACCOUNT = "account"
    CODE = "code"
    """Wrong codes, after the right password."""


LIMITS: dict[FailureKind, tuple[tuple[timedelta, int], ...]] = {
    FailureKind.PAIR: ((timedelta(minutes=15), 5),),
    FailureKind.CLIENT: ((timedelta(minutes=15), 30),),
    FailureKind.ACCOUNT: ((timedelta(hours=1), 25),),
    FailureKind.CODE: ((timedelta(minutes=15), 5), (timedelta(days=1), 20)),
}
"""At most so many failures in so much time; the next attempt is not even looked at. An account that does not exist counts
alike. With the password known, 20 codes a day find one of the three that count with a chance of 1 in 16,000."""


class PasswordProblem(StrEnum):
    """Why a password cannot be used."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_PLAIN = "too_plain"
    """A few characters over and over, or a well-known one."""
    PERSONAL = "personal"
    """Holds the person's address or the company's name."""
    REPEATED_WRONG = "repeated_wrong"


_COMMON = (
    "password",
    "losenord",
    "lösenord",
    "qwerty",
    "123456",
    "welcome",
    "valkommen",
    "välkommen",
    "letmein",
    "admin",
)


def normal_password(typed: str) -> str:
    """A password as it is hashed: the same on every keyboard (NFKC)."""
    return unicodedata.normalize("NFKC", typed)


def password_problem(password: str, *, about: tuple[str, ...] = ()) -> PasswordProblem | None:
    """What is wrong with a new password, if anything. `about`: words that a guesser would try first."""
    text = normal_password(password)
    if len(text) < LEAST_PASSWORD:
        return PasswordProblem.TOO_SHORT
    if len(text) > MOST_PASSWORD:
        return PasswordProblem.TOO_LONG
    folded = text.casefold()
    rest = folded
    for word in _COMMON:
        rest = rest.replace(word, "")
    if len(set(folded)) < 5 or len(rest) < LEAST_PASSWORD // 2 or folded in "abcdefghijklmnopqrstuvwxyzåäö0123456789":
        return PasswordProblem.TOO_PLAIN
    if any(len(word) >= 4 and word.casefold() in folded for word in about):
        return PasswordProblem.PERSONAL
    return None


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryCodes:
    """Fresh codes, as they are shown once."""

    codes: tuple[str, ...]


def new_recovery_codes() -> RecoveryCodes:
    """Ten codes of 80 random bits, in groups that can be typed."""
    return RecoveryCodes(tuple(_grouped(_random_text(16)) for _ in range(RECOVERY_CODES)))


def read_recovery_code(typed: str) -> str:
    """The bare letters of a typed code: dashes, spaces and case left out, 0 and O, 1 and I and L taken as one."""
    folded = unicodedata.normalize("NFKC", typed[:100]).upper().translate(_ALIKE)
    return "".join(letter for letter in folded if letter in _LETTERS)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _grouped(text: str) -> str:
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
