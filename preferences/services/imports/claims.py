"""Claims on imports: one worker at a time goes on with an import, and another takes over when a claim runs out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.models.import_batch import ImportBatchRow
from preferences.queries.imports.imports import ImportView, import_by_id, waiting_imports

from .imports import CLAIM


def claim_import(session: Session, *, now: datetime) -> ImportView | None:
    """Claim the oldest import that waits for a worker; None: none does. On PostgreSQL rows that others hold are passed over."""
    waiting = waiting_imports(session, now=now)
    if not waiting:
        return None
    free = select(ImportBatchRow.id).where(ImportBatchRow.id.in_(waiting)).order_by(ImportBatchRow.id).limit(1)
    import_id = session.scalar(free.with_for_update(skip_locked=True))
    if import_id is None or import_id not in waiting_imports(session, now=now):
        return None
    renew_claim(session, import_id, now=now)
    return import_by_id(session, import_id)


def renew_claim(session: Session, import_id: int, *, now: datetime) -> None:
    """The work goes on."""
    _set_claim(session, import_id, now + CLAIM)


def release_import(session: Session, import_id: int) -> None:
    """Give it back: whoever comes next goes on."""
    _set_claim(session, import_id, None)


def _set_claim(session: Session, import_id: int, until: datetime | None) -> None:
    session.execute(update(ImportBatchRow).where(ImportBatchRow.id == import_id).values(claimed_until=until))
