"""The worker's side of the outbox: claim, finish, try again, let go.

At least once: a job is claimed for a while and worked on outside any transaction. A worker that dies leaves a claim that runs
out, and the job is done again under the same identity (`Job.identity`). On PostgreSQL any number of workers claim side by side
(FOR UPDATE SKIP LOCKED); SQLite has one writer, so claims follow each other (BEGIN IMMEDIATE).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.recipient import RecipientRow

LEASE = timedelta(minutes=10)
"""How long a claim lasts; a single hand-over is bounded by the SMTP timeout and takes far less."""
FINISHED_JOBS_LAST = timedelta(days=30)
MAX_OUTCOME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed piece of work. `attempts` counts this one."""

    id: int
    kind: JobKind
    recipient_id: RecipientId | None
    attempts: int
    created_at: datetime
    claimed_until: datetime

    @property
    def identity(self) -> str:
        """The same through every attempt, and says nothing about how many jobs there are."""
        return hashlib.sha256(f"outbox job {self.id} of {self.created_at.isoformat()}".encode()).hexdigest()[:32]


def has_due_jobs(session: Session, *, now: datetime) -> bool:
    """Whether a claim would find anything: one indexed read, cheap enough for every second."""
    return session.scalar(select(OutboxJobRow.id).where(*_due(now)).limit(1)) is not None


def claim_jobs(session: Session, *, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Job]:
    """Claim up to `limit` due jobs, oldest first. Each claim counts as an attempt, so a job that kills workers ends too."""
    due = (
        select(OutboxJobRow.id)
        .where(*_due(now))
        .order_by(OutboxJobRow.run_at, OutboxJobRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = session.execute(
        update(OutboxJobRow)
        .where(OutboxJobRow.id.in_(select(due.c.id)))
        .values(claimed_until=now + lease, attempts=OutboxJobRow.attempts + 1)
        .returning(
            OutboxJobRow.id,
            OutboxJobRow.kind,
            OutboxJobRow.recipient_id,
            OutboxJobRow.attempts,
            OutboxJobRow.created_at,
            OutboxJobRow.claimed_until,
        ),
        execution_options={"synchronize_session": False},
    )
    return sorted((Job(*cast("tuple[Any, ...]", row)) for row in rows), key=lambda job: job.id)


def payload_of(session: Session, job: Job) -> Mapping[str, Any]:
    """What the job asks for. Raises UnreadableValue when its key is gone."""
    payload: Mapping[str, Any] = session.execute(
        select(OutboxJobRow.payload).where(OutboxJobRow.id == job.id)
    ).scalar_one()
    return payload


def finish_job(session: Session, job: Job, outcome: str, *, now: datetime) -> None:
    """The job is over. Holds although the claim may have run out meanwhile: what was sent is sent.

    Of the receipt that an erased person got, which held the address, nothing is left but that it was sent.
    """
    session.execute(
        update(OutboxJobRow)
        .where(OutboxJobRow.id == job.id, OutboxJobRow.done_at.is_(None))
        .values(done_at=now, outcome=outcome[:MAX_OUTCOME_CHARACTERS], claimed_until=None)
    )
    erased = select(RecipientRow.id).where(RecipientRow.status == RecipientStatus.ERASED)
    session.execute(
        update(OutboxJobRow).where(OutboxJobRow.id == job.id, OutboxJobRow.recipient_id.in_(erased)).values(payload={})
    )


def retry_job(session: Session, job: Job, outcome: str, *, run_at: datetime) -> None:
    """Let the job be done again from `run_at` on, unless another worker has claimed it meanwhile."""
    session.execute(
        update(OutboxJobRow)
        .where(*_still_ours(job))
        .values(run_at=run_at, outcome=outcome[:MAX_OUTCOME_CHARACTERS], claimed_until=None)
    )


def release_jobs(session: Session, jobs: Sequence[Job]) -> None:
    """Give back what was claimed and not begun; it does not count as an attempt."""
    for job in jobs:
        session.execute(
            update(OutboxJobRow).where(*_still_ours(job)).values(claimed_until=None, attempts=OutboxJobRow.attempts - 1)
        )


def forget_finished_jobs(session: Session, *, now: datetime) -> int:
    """Delete jobs that were over 30 days ago: they say who was written to, and nobody needs that any longer."""
    result = session.execute(delete(OutboxJobRow).where(OutboxJobRow.done_at < now - FINISHED_JOBS_LAST))
    return cast(CursorResult[Any], result).rowcount


def _due(now: datetime) -> tuple[Any, ...]:
    return (
        OutboxJobRow.done_at.is_(None),
        OutboxJobRow.run_at <= now,
        or_(OutboxJobRow.claimed_until.is_(None), OutboxJobRow.claimed_until < now),
    )


def _still_ours(job: Job) -> tuple[Any, ...]:
    return (
        OutboxJobRow.id == job.id,
        OutboxJobRow.done_at.is_(None),
        OutboxJobRow.claimed_until == job.claimed_until,
    )
