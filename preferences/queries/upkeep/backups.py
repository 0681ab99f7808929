"""Which backups of a database are on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.upkeep import BackupRow


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy. `is_sound`: what the check found; None: not checked."""

    made_at: datetime
    size: int | None
    checked_at: datetime | None
    is_sound: bool | None


@dataclass(frozen=True, slots=True)
class BackupState:
    """The newest copy of this database, the newest of them that was checked, and how many are on record of another database."""

    last: Backup | None
    checked: Backup | None
    others: int


def backup_state(session: Session, database_id: str, *, now: datetime) -> BackupState:
    """How it stands with backups of this database. What lies in the future was noted by a wrong clock, and is left out."""
    row = BackupRow
    of_this = select(row.made_at, row.size, row.checked_at, row.is_sound).where(
        row.database_id == database_id, row.made_at <= now
    )
    newest = of_this.order_by(row.made_at.desc(), row.id.desc()).limit(1)
    last = session.execute(newest).one_or_none()
    checked = session.execute(newest.where(row.checked_at.is_not(None))).one_or_none()
    others = session.scalar(select(func.count()).where(row.database_id != database_id)) or 0
    return BackupState(Backup(*last) if last else None, Backup(*checked) if checked else None, others)
