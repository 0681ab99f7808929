"""The lane that sends our own mail: claim a few jobs, hand each over outside any transaction, record what came of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from preferences.domain.errors import PreferencesError
from preferences.domain.mailing import MailDropped, MailRefused
from preferences.domain.retry import wait_after
from preferences.integrations.mail import MailMessage
from preferences.integrations.transport import MailNotSent, Retry, mail
from preferences.metrics import JOBS
from preferences.models.crypto import UnreadableValue
from preferences.models.transaction import reading, transaction
from preferences.services.outbox.jobs import (
    LEASE,
    Job,
    claim_jobs,
    finish_job,
    has_due_jobs,
    release_jobs,
    retry_job,
)

from .faults import where
from .mail_jobs import make_message

log = structlog.get_logger()

BATCH = 10
MARGIN = timedelta(minutes=2)
"""A job is not begun so late that its claim could run out while the server is still talking."""


class MailLane:
    """Mail of our own; see loop.Lane."""

    name = "mail"
    idle_seconds = 1.0
    is_periodic = False

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock

    def run_batch(self) -> int:
        """Claim and work on one batch. Returns how many jobs were claimed; 0 means idle."""
        with reading() as session:
            if not has_due_jobs(session, now=self.clock()):
                return 0
        with transaction() as session:
            jobs = claim_jobs(session, limit=BATCH, now=self.clock(), lease=LEASE)
        with mail.connect() as connection:
            for number, job in enumerate(jobs):
                if self.stop.is_set() or self.clock() > job.claimed_until - MARGIN:
                    with transaction() as session:
                        release_jobs(session, jobs[number:])
                    break
                self._work(job, connection.send)
        return len(jobs)

    def _work(self, job: Job, send: Callable[[MailMessage], None]) -> None:
        """Make, send, record: an outcome in every case, so that no job is worked on for ever."""
        try:
            with reading() as session:
                message = make_message(session, job, now=self.clock())
            send(message)
        except MailDropped as error:
            self._finish(job, f"dropped: {error.reason}")
        except MailRefused as error:
            self._finish(job, f"dropped: {error.refusal.reason}")
        except MailNotSent as error:
            if error.retry is Retry.NEVER:
                self._finish(job, f"failed: {error.code}")
            else:
                self._again(job, error.code)
        except (PreferencesError, UnreadableValue) as error:
            self._finish(job, f"failed: {error.code if isinstance(error, PreferencesError) else 'unreadable'}")
        except DBAPIError:
            raise
        except Exception as error:
            log.error("job_failed", job=job.id, kind=type(error).__name__, where=where(error))
            self._again(job, f"error: {type(error).__name__}")
        else:
            self._finish(job, "sent")

    def _finish(self, job: Job, outcome: str) -> None:
        with transaction() as session:
            finish_job(session, job, outcome, now=self.clock())
        JOBS.labels(job.kind.value, outcome.partition(":")[0].replace(" ", "_")).inc()
        log.info("job_done", job=job.id, outcome=outcome, attempts=job.attempts)

    def _again(self, job: Job, code: str) -> None:
        wait = wait_after(job.attempts, jitter=random.random())  # noqa: S311 - spreads load, guards nothing
        if wait is None:
            self._finish(job, f"given up: {code}")
            return
        with transaction() as session:
            retry_job(session, job, f"will retry: {code}", run_at=self.clock() + wait)
        JOBS.labels(job.kind.value, "retried").inc()
        log.warning(
            "job_retried", job=job.id, outcome=code, attempts=job.attempts, wait_seconds=round(wait.total_seconds())
        )
