"""Photos from trainings: what a takedown asks for, and where it stands (L11, L17)."""

from __future__ import annotations

from enum import StrEnum


class TakedownWhat(StrEnum):
    """What shall go from something already published."""

    NAME = "name"
    IMAGE = "image"
    BOTH = "both"


class TakedownState(StrEnum):
    """Where the work stands; `done` has a date and says what was removed."""

    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    REFUSED = "refused"
