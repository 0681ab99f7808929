"""Notes which copies of the database were made, and which of them were proved: after the fact, and never in the copy itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from preferences.models.upkeep import BackupRow

REMEMBERED = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class MadeCopy:
    """A copy: of which database, how large, its SHA-256. Size and digest are None where somebody else made it, out of reach."""

    database_id: str
    size: int | None = None
    digest: bytes | None = None


def record_backup(session: Session, copy: MadeCopy, *, made_at: datetime, now: datetime) -> None:
    """Note a copy, and forget those of more than a year ago."""
    session.execute(
        insert(BackupRow).values(database_id=copy.database_id, made_at=made_at, size=copy.size, digest=copy.digest)
    )
    session.execute(delete(BackupRow).where(BackupRow.made_at < now - REMEMBERED))


def record_backup_check(session: Session, digest: bytes, *, is_sound: bool, now: datetime) -> int:
    """Note what a check found about the copy with this digest. Returns how many are on record with it: 0 for a stranger's."""
    found = session.execute(
        update(BackupRow)
        .where(BackupRow.digest == digest)
        .values(checked_at=now, is_sound=is_sound)
        .returning(BackupRow.id)
    )
    return len(found.all())
