"""A recipient's random id: a number inside, 13 characters of Crockford's base32 outside."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from .capability import RecipientId
from .errors import InvalidValue

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TEXT = re.compile(f"[{_ALPHABET}]{{13}}", re.ASCII | re.IGNORECASE)
_DIGITS = str.maketrans(_ALPHABET[10:] + _ALPHABET[10:].upper(), "abcdefghijklmnopqrstuv" * 2)
"""From Crockford's letters to those that int() reads in base 32."""
_LARGEST = 2**63 - 1
_OWN_BITS = 23


def new_recipient_id() -> RecipientId:
    """A fresh id: 63 random bits, never 0."""
    return RecipientId(secrets.randbelow(_LARGEST) + 1)


def neighbouring_ids() -> Iterator[RecipientId]:
    """Fresh ids for one batch: 40 random bits that they share, and 23 that each has of its own.

    Rows of one batch then lie together in every index that starts with the recipient, which makes a million of them fast.
    An id is no secret (links are signed); it only must not be met twice.
    """
    shared = secrets.randbelow(2**40) << _OWN_BITS
    used: set[int] = set()
    while True:
        own = secrets.randbits(_OWN_BITS)
        if own not in used:
            used.add(own)
            if shared + own:
                yield RecipientId(shared + own)


def format_recipient_id(recipient_id: int) -> str:
    """The id as the API writes it."""
    digits = [_ALPHABET[(recipient_id >> shift) & 31] for shift in range(60, -5, -5)]
    return "".join(digits)


def parse_recipient_id(text: str) -> RecipientId:
    """The id of its text, in any case. Raises InvalidValue."""
    found = read_recipient_id(text)
    if found is None:
        raise InvalidValue("A recipient's id is 13 characters of 0-9 and a-z without i, l, o, u.")
    return found


def read_recipient_id(text: str) -> RecipientId | None:
    """The id of its text, in any case; None where the text is no id. For the bulk calls, which read a hundred thousand."""
    if not _TEXT.fullmatch(text):
        return None
    number = int(text.translate(_DIGITS), 32)
    return RecipientId(number) if 0 < number <= _LARGEST else None
