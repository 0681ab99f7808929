"""What text can be kept at all: every database and every reader of an export must take it."""

from __future__ import annotations

import re

_LOCALE = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2})?", re.ASCII)


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


def is_locale(text: str) -> bool:
    """Whether it is written as a language is: `sv`, `en_GB`."""
    return _LOCALE.fullmatch(text) is not None


def printable(text: str) -> str:
    """Without characters that no page and no mail may hold; line breaks stay."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def written(text: str) -> str:
    """What somebody wrote in a field of several lines: its line breaks of one kind, printable, trimmed."""
    return printable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
