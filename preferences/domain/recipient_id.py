"""A recipient's random id: a number inside, 13 characters of Crockford's base32 outside."""

from __future__ import annotations

import secrets

from .capability import RecipientId
from .errors import InvalidValue

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_LENGTH = 13
_LARGEST = 2**63 - 1


def new_recipient_id() -> RecipientId:
    """A fresh id: 63 random bits, never 0."""
    return RecipientId(secrets.randbelow(_LARGEST) + 1)


def format_recipient_id(recipient_id: int) -> str:
    """The id as the API writes it."""
    digits = [_ALPHABET[(recipient_id >> shift) & 31] for shift in range(60, -5, -5)]
    return "".join(digits)


def parse_recipient_id(text: str) -> RecipientId:
    """The id of its text, in any case. Raises InvalidValue."""
    number = 0
    lowered = text.lower()
    if len(lowered) != _LENGTH or any(character not in _VALUES for character in lowered):
        raise InvalidValue("A recipient's id is 13 characters of 0-9 and a-z without i, l, o, u.")
    for character in lowered:
        number = number * 32 + _VALUES[character]
    if not 0 < number <= _LARGEST:
        raise InvalidValue("No recipient has this id.")
    return RecipientId(number)
