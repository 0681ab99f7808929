"""Passwords of staff as argon2id hashes (RFC 9106), with the parameters OWASP recommends for small machines."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from preferences.domain.staff import MOST_PASSWORD, normal_password

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


def hash_password(password: str) -> str:
    """What is stored of a password: salt, parameters and hash."""
    return _HASHER.hash(normal_password(password))


def is_password(stored: str | None, typed: str) -> bool:
    """Whether this is the password. Without a stored one it takes as long and is not."""
    if len(typed) > MOST_PASSWORD * 4:
        typed = ""
    try:
        return _HASHER.verify(stored or _nobodys(), normal_password(typed)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_new_hash(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's password")
