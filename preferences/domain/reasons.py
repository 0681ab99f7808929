"""Why somebody stopped: one tap, optional, asked after the opt-out is stored (D4)."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """A closed list: free text would be personal data that nobody asked for."""

    TOO_OFTEN = "too_often"
    NOT_RELEVANT = "not_relevant"
    NEVER_ASKED = "never_asked"
    CHANGED_WORK = "changed_work"
    OTHER = "other"
