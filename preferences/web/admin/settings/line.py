"""A line of the self-check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What to make of a line."""

    GOOD = "good"
    LOOK = "look"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `todo`: empty where there is nothing to do."""

    title: str
    verdict: Verdict
    found: str
    todo: str = ""
