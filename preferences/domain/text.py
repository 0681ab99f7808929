"""What text can be kept at all: every database and every reader of an export must take it."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """Neither NUL (PostgreSQL refuses it) nor half of a surrogate pair (UTF-8 cannot write it)."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
