"""What text can be kept at all: every database and every reader of an export must take it."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """Neither NUL (PostgreSQL refuses it) nor half of a surrogate pair (UTF-8 cannot write it)."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
