"""Signs of life of the workers: written by each for itself, read by whoever wants to know whether mail is going out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from preferences.models.upsert import insert_into
from preferences.models.worker_state import WorkerRow

ROWS_LAST = timedelta(days=1)
"""So long the row of a crashed worker is kept for people to see."""


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """Who gives a sign of life."""

    id: str
    name: str
    started_at: datetime


def beat(session: Session, worker: WorkerIdentity, lanes: Mapping[str, datetime], *, now: datetime) -> None:
    """The worker is alive now, and its lanes last came round at these times."""
    turns = {lane: at.isoformat(timespec="seconds") for lane, at in lanes.items()}
    statement = insert_into(session, WorkerRow.__table__).values(
        id=worker.id, name=worker.name, started_at=worker.started_at, seen_at=now, lanes=turns
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"seen_at": now, "lanes": statement.excluded.lanes})
    )


def leave(session: Session, worker: WorkerIdentity) -> None:
    """The worker has stopped in order."""
    session.execute(delete(WorkerRow).where(WorkerRow.id == worker.id))


def forget_workers(session: Session, *, now: datetime) -> int:
    """Delete the rows of workers not seen for a day."""
    result = session.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - ROWS_LAST))
    return cast(CursorResult[Any], result).rowcount
