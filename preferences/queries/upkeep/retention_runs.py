"""What retention has removed, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.retention import Kind
from preferences.models.retention import RetentionRunRow


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """One rule, applied once. `rule` may be one that there is no more."""

    id: int
    rule: str
    source: str
    ran_at: datetime
    removed: int


def retention_runs(
    session: Session, *, rule: Kind | None, least: int, before: int | None, limit: int
) -> list[RetentionRun]:
    """Runs of a rule, or of all, that removed at least so much."""
    row = RetentionRunRow
    wanted = select(row.id, row.rule, row.source, row.ran_at, row.removed).where(row.removed >= least)
    if rule is not None:
        wanted = wanted.where(row.rule == rule.value)
    if before is not None:
        wanted = wanted.where(row.id < before)
    return [RetentionRun(*found) for found in session.execute(wanted.order_by(row.id.desc()).limit(limit))]
