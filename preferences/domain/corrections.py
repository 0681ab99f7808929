"""Correcting one's own profile: what may be typed, and whether what was shown is still what is stored (GDPR 16)."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .intake import MAX_NAME_CHARACTERS
from .profile import MAX_FIELD_CHARACTERS, PROFILE_FIELDS

NAME = "name"
OWN_FIELDS = (NAME, *PROFILE_FIELDS)
"""Everything a person can correct or complete about themselves, in the order of the form."""

LONG_FIELDS = frozenset({"address", "domain_holder"})
"""Those of several lines."""


class Wrong(StrEnum):
    """Why a value cannot be taken."""

    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    """It holds control characters or half a character."""
    NOT_A_DATE = "not_a_date"
    CHANGED_MEANWHILE = "changed_meanwhile"
    """Stored differently since the page was made: another tab, a colleague, an import."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One field as the person sent it. `shown` is the fingerprint of the value that their page showed."""

    field: str
    value: str
    shown: str


def clean(field: str, typed: str) -> str:
    """The value as it is stored: NFC, no spaces around it, one line unless the field has several."""
    text = unicodedata.normalize("NFC", typed)
    if field in LONG_FIELDS:
        lines = (" ".join(line.split()) for line in text.strip().splitlines())
        return "\n".join(lines).strip()
    return " ".join(text.split())


def fingerprint(field: str, value: str) -> str:
    """Travels with the form instead of the value: enough to see that it changed, too little to read."""
    return hashlib.sha256(f"{field}\n{clean(field, value)}".encode(errors="replace")).hexdigest()[:16]


def find_wrong(one: Correction, stored: str) -> Wrong | None:
    """Why this correction cannot be taken; None when it can. `one.value` is clean."""
    most = MAX_NAME_CHARACTERS if one.field == NAME else MAX_FIELD_CHARACTERS
    if len(one.value) > most:
        return Wrong.TOO_LONG
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character != "\n" for character in one.value):
        return Wrong.UNREADABLE
    if one.field == "established_on" and one.value and not _is_date(one.value):
        return Wrong.NOT_A_DATE
    return Wrong.CHANGED_MEANWHILE if fingerprint(one.field, stored) != one.shown else None


def is_changed(one: Correction, stored: str) -> bool:
    """Whether the person wants something else than what their page showed, and than what is stored."""
    return fingerprint(one.field, one.value) != one.shown and one.value != clean(one.field, stored)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
