"""How old keys may become, and how long that has been: what the self-check says of them. See docs/keys.md."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from enum import StrEnum

OLD_AFTER = timedelta(days=365)
"""A key that has been in use for longer should be replaced by a fresh one."""
_MONTH_DAYS = 30.44


class KeyKind(StrEnum):
    """What a key of the service itself is for; as `flask keys rotate` calls it."""

    SECRET = "secret"  # noqa: S105 - what it is called
    LINK = "link"
    DATA = "data"
    SEAL = "seal"
    INDEX = "index"


def fingerprint(index_key: bytes, kind: KeyKind, key: bytes) -> bytes:
    """By what a key is known again: a keyed hash, of which nothing can be learned without the key of the indexes."""
    return hmac.digest(index_key, b"preferences.key-age." + kind.encode() + b"." + key, "sha256")[:16]


def months_of(age: timedelta) -> int:
    """Whole months; below two, days say more."""
    return int(age.days / _MONTH_DAYS)


def is_old(since: datetime, now: datetime) -> bool:
    """Whether what has been in use since then should be replaced."""
    return now - since > OLD_AFTER
