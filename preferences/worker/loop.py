"""The worker's loop: claim a few jobs, hand each over outside any transaction, record what came of it.

Idle, it costs one indexed read a second. Nothing it logs holds an address: ids and short codes only.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from preferences.domain.errors import PreferencesError
from preferences.domain.mailing import MailDropped, MailRefused
from preferences.domain.retry import wait_after
from preferences.integrations.mail import MailMessage
from preferences.integrations.transport import MailNotSent, Retry, mail
from preferences.models.crypto import UnreadableValue
from preferences.models.transaction import reading, transaction
from preferences.services.outbox_jobs import (
    LEASE,
    Job,
    claim_jobs,
    finish_job,
    has_due_jobs,
    release_jobs,
    retry_job,
)

from .cleanup import Cleaner
from .mail_jobs import make_message

log = structlog.get_logger()

BATCH = 10
IDLE_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
"""How long to wait when the database does not answer."""
MARGIN = timedelta(minutes=2)
"""A job is not begun so late that its claim could run out while the server is still talking."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Worker:
    """One worker. Several may run against one PostgreSQL; on SQLite one is enough. Needs an application context."""

    def __init__(self, *, stop: threading.Event | None = None, clock: Callable[[], datetime] = _utc_now) -> None:
        self.stop = stop or threading.Event()
        self.clock = clock
        self.cleaner = Cleaner()

    def run(self, still_wanted: Callable[[], bool] = lambda: True) -> None:
        """Work until `stop` is set or nobody wants it any more; finishes the job in hand, gives back the others."""
        log.info("worker_started")
        while not self.stop.is_set() and still_wanted():
            try:
                done = self.run_batch()
                self.cleaner.run_if_due(now=self.clock(), monotonic=time.monotonic())
            except DBAPIError as error:
                log.error("database_unavailable", kind=type(error.orig).__name__)
                self.stop.wait(TROUBLE_SECONDS)
                continue
            if not done:
                self.stop.wait(IDLE_SECONDS)
        log.info("worker_stopped")

    def run_until_idle(self) -> int:
        """Do everything that is due now. Returns how many jobs were worked on."""
        total = 0
        while not self.stop.is_set() and (done := self.run_batch()):
            total += done
        return total

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
            log.error("job_failed", job=job.id, kind=type(error).__name__, where=_where(error))
            self._again(job, f"error: {type(error).__name__}")
        else:
            self._finish(job, "sent")

    def _finish(self, job: Job, outcome: str) -> None:
        with transaction() as session:
            finish_job(session, job, outcome, now=self.clock())
        log.info("job_done", job=job.id, outcome=outcome, attempts=job.attempts)

    def _again(self, job: Job, code: str) -> None:
        wait = wait_after(job.attempts, jitter=random.random())  # noqa: S311 - spreads load, guards nothing
        if wait is None:
            self._finish(job, f"given up: {code}")
            return
        with transaction() as session:
            retry_job(session, job, f"will retry: {code}", run_at=self.clock() + wait)
        log.warning(
            "job_retried", job=job.id, outcome=code, attempts=job.attempts, wait_seconds=round(wait.total_seconds())
        )


def _where(error: Exception) -> str:
    """File and line of an unexpected error: its message could hold an address."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
