"""The worker's side of the outbox: claims, leases, waits, and what is cleared away."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.retry import LONGEST_WAIT, MAX_ATTEMPTS, wait_after
from preferences.models.idempotency import IdempotencyRow
from preferences.models.outbox import OutboxJobRow
from preferences.models.transaction import transaction
from preferences.services.outbox.jobs import (
    LEASE,
    Job,
    claim_jobs,
    finish_job,
    has_due_jobs,
    payload_of,
    release_jobs,
    retry_job,
)
from preferences.services.outbox.outbox import enqueue_mail
from preferences.worker.chores import clear_away
from tests.factories import make_recipient
from tests.support.mailing import jobs


def enqueue(session: Session, recipient_id: RecipientId, now: datetime, **more: Any) -> None:
    enqueue_mail(session, "fresh_link", recipient_id=recipient_id, parameters={"locale": "sv", **more}, now=now)
    session.commit()


def claim(now: datetime, limit: int = 10) -> list[Job]:
    with transaction() as session:
        return claim_jobs(session, limit=limit, now=now)


def test_two_claims_at_once_never_get_the_same_job(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    for _ in range(40):
        enqueue(session, anna.id, now)
    found: list[list[Job]] = []
    barrier = threading.Barrier(4)

    def run() -> None:
        with app.app_context():
            barrier.wait()
            for _ in range(5):
                found.append(claim(now + timedelta(seconds=1), limit=3))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [job.id for batch in found for job in batch]
    assert len(ids) == len(set(ids)) == 40


def test_a_crashed_workers_claim_runs_out_and_the_job_keeps_its_identity(session: Session, now: datetime) -> None:
    enqueue(session, make_recipient(session).id, now)
    (first,) = claim(now)
    assert claim(now + LEASE) == []
    (second,) = claim(now + LEASE + timedelta(seconds=1))
    assert second.identity == first.identity
    assert (first.attempts, second.attempts) == (1, 2)


def test_a_late_worker_does_not_take_back_what_another_has_claimed(session: Session, now: datetime) -> None:
    enqueue(session, make_recipient(session).id, now)
    (late,) = claim(now)
    later = now + LEASE + timedelta(seconds=1)
    (other,) = claim(later)
    with transaction() as writing:
        retry_job(writing, late, "will retry: timeout", run_at=later)
        release_jobs(writing, [late])
    assert jobs(session)[0].claimed_until == other.claimed_until
    with transaction() as writing:
        finish_job(writing, late, "sent", now=later)
    assert jobs(session)[0].outcome == "sent"


def test_what_is_not_due_waits(session: Session, now: datetime) -> None:
    enqueue(session, make_recipient(session).id, now + timedelta(hours=1))
    assert claim(now) == []
    assert not has_due_jobs(session, now=now)
    assert has_due_jobs(session, now=now + timedelta(hours=1))


def test_the_payload_is_encrypted_at_rest(session: Session, now: datetime) -> None:
    enqueue(session, make_recipient(session).id, now)
    stored = session.execute(text("SELECT payload FROM outbox_jobs")).scalar_one()
    session.rollback()
    assert b"fresh_link" not in bytes(stored)
    (job,) = claim(now)
    assert payload_of(session, job) == {"template": "fresh_link", "locale": "sv"}


def test_cleaning_keeps_what_is_young(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    for hours, key in ((23, "young"), (25, "old")):
        session.execute(
            insert(IdempotencyRow),
            {
                "mailer_id": 1,
                "key": key,
                "request_digest": b"d" * 32,
                "status": 200,
                "answer": {},
                "created_at": now - timedelta(hours=hours),
            },
        )
    for _ in range(3):
        enqueue(session, anna.id, now)
    ids = [job.id for job in jobs(session)]
    for days, job_id in zip((29, 31), ids[:2], strict=True):
        done = update(OutboxJobRow).where(OutboxJobRow.id == job_id)
        session.execute(done.values(done_at=now - timedelta(days=days), outcome="sent"))
    session.commit()
    cleared = clear_away(now=now)
    assert (cleared["idempotency_keys"], cleared["outbox_jobs"]) == (1, 1)
    assert session.scalars(select(IdempotencyRow.key)).all() == ["young"]
    assert [job.id for job in jobs(session)] == [ids[0], ids[2]]


@pytest.mark.parametrize("attempts", range(1, MAX_ATTEMPTS))
def test_waits_grow_with_jitter_and_have_an_end(attempts: int) -> None:
    shortest, longest = wait_after(attempts, jitter=0.0), wait_after(attempts, jitter=0.999)
    assert shortest is not None
    assert longest is not None
    assert timedelta(seconds=48) <= shortest < longest <= LONGEST_WAIT * 1.2
    assert wait_after(MAX_ATTEMPTS, jitter=0.5) is None
