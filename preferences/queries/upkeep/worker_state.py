"""Whether a worker is alive, and how much is waiting for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.outbox import OutboxJobRow
from preferences.models.worker_state import PeriodicRunRow, WorkerRow

SILENT_AFTER = timedelta(seconds=60)
"""Four missed signs of life: the worker is dead, or its machine is."""
HANGING_AFTER = timedelta(minutes=15)
"""No single piece of work takes so long: a lane that has not come round hangs."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker and its last sign of life."""

    name: str
    started_at: datetime
    seen_at: datetime
    lanes: Mapping[str, datetime]

    def is_alive(self, now: datetime) -> bool:
        """Whether it has been seen lately."""
        return now - self.seen_at <= SILENT_AFTER

    def hanging_lanes(self) -> list[str]:
        """Lanes that stand still while the worker goes on."""
        return sorted(lane for lane, at in self.lanes.items() if self.seen_at - at > HANGING_AFTER)


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """What waits in the outbox: everything, the part that is due now, and since when the oldest of that has been due."""

    waiting: int
    due: int
    oldest_due_at: datetime | None

    def oldest_age(self, now: datetime) -> timedelta:
        """How long the oldest due job has been waiting; zero when nothing is due."""
        return timedelta() if self.oldest_due_at is None else max(timedelta(), now - self.oldest_due_at)


def workers(session: Session) -> list[WorkerView]:
    """Every worker that did not stop in order, the one seen last first."""
    rows = session.scalars(select(WorkerRow).order_by(WorkerRow.seen_at.desc(), WorkerRow.id))
    return [
        WorkerView(
            row.name,
            row.started_at,
            row.seen_at,
            {lane: datetime.fromisoformat(at) for lane, at in sorted(row.lanes.items())},
        )
        for row in rows
    ]


def last_sign_of_life(session: Session) -> datetime | None:
    """When any worker was last seen; None: there is none."""
    return session.scalar(select(func.max(WorkerRow.seen_at)))


def outbox_depth(session: Session, *, now: datetime) -> OutboxDepth:
    """How deep the outbox is."""
    open_jobs = OutboxJobRow.done_at.is_(None)
    waiting = session.scalar(select(func.count()).where(open_jobs).select_from(OutboxJobRow)) or 0
    due = select(func.count(), func.min(OutboxJobRow.run_at)).where(open_jobs, OutboxJobRow.run_at <= now)
    count, oldest = session.execute(due).one()
    return OutboxDepth(waiting, count, oldest)


def periodic_runs(session: Session) -> dict[str, datetime | None]:
    """When each piece of periodic work was last done to the end."""
    rows = session.execute(select(PeriodicRunRow.name, PeriodicRunRow.last_ran_at).order_by(PeriodicRunRow.name))
    return {row.name: row.last_ran_at for row in rows}
