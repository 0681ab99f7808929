"""How many reported events are still to be worked through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.esp import EspEventRow


@dataclass(frozen=True, slots=True)
class EspDepth:
    """What waits, and when the oldest of it came; None: nothing waits."""

    waiting: int
    oldest_at: datetime | None


def esp_depth(session: Session) -> EspDepth:
    """Events of all providers."""
    waiting = select(func.count(), func.min(EspEventRow.received_at)).where(EspEventRow.done_at.is_(None))
    count, oldest = session.execute(waiting).one()
    return EspDepth(count, oldest)
