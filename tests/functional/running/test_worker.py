"""The worker: at least once, never for ever, never a word about addresses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import RecipientId
from preferences.domain.retry import MAX_ATTEMPTS
from preferences.models.outbox import OutboxJobRow
from preferences.services.outbox.jobs import (
    LEASE,
)
from preferences.services.outbox.outbox import enqueue_mail
from preferences.worker import Worker
from preferences.worker.mail_lane import MailLane
from tests.factories import act, make_recipient
from tests.support.logs import log_lines
from tests.support.mailing import jobs, received, sending_to
from tests.support.processes import environment, mailing_through
from tests.support.smtp import Kept, broken_server, smtp_server


def enqueue(session: Session, recipient_id: RecipientId, now: datetime, **more: Any) -> None:
    enqueue_mail(session, "fresh_link", recipient_id=recipient_id, parameters={"locale": "sv", **more}, now=now)
    session.commit()


def start_again(session: Session, now: datetime) -> None:
    """Make every waiting job due now."""
    session.execute(update(OutboxJobRow).where(OutboxJobRow.done_at.is_(None)).values(run_at=now))
    session.commit()


@pytest.fixture
def kept(app: Flask) -> Iterator[Kept]:
    """What a real SMTP server receives while the application sends to it."""
    with smtp_server() as (port, kept), sending_to(app, port):
        yield kept


def test_a_job_is_done_once_and_its_outcome_kept(session: Session, now: datetime, kept: Kept) -> None:
    enqueue(session, make_recipient(session).id, now)
    assert Worker().run_until_idle() == 1
    assert Worker().run_until_idle() == 0
    (job,) = jobs(session)
    assert (job.outcome, job.attempts, job.claimed_until) == ("sent", 1, None)
    assert job.done_at is not None
    assert kept.recipients == [["anna@example.se"]]


def test_a_repeat_carries_the_same_message_id(session: Session, now: datetime, kept: Kept) -> None:
    enqueue(session, make_recipient(session).id, now)
    Worker().run_until_idle()
    session.execute(update(OutboxJobRow).values(done_at=None))
    session.commit()
    Worker().run_until_idle()
    ids = {message_from_bytes(raw, policy=policy.default)["Message-ID"] for raw in kept.messages}
    assert len(kept.messages) == 2
    assert len(ids) == 1


@pytest.mark.parametrize("reply", ["451 4.7.1 greylisted", "421 too busy"])
def test_a_greylisted_mail_is_tried_again_later_and_then_arrives(
    session: Session, now: datetime, kept: Kept, reply: str
) -> None:
    enqueue(session, make_recipient(session).id, now)
    kept.replies["RCPT"] = reply
    Worker().run_until_idle()
    (job,) = jobs(session)
    assert job.done_at is None
    assert job.outcome == f"will retry: refused {reply[:9] if reply[:3] == '451' else reply[:3]}"
    assert timedelta(seconds=40) < job.run_at - datetime.now(UTC) < timedelta(seconds=80)
    kept.replies.clear()
    start_again(session, now)
    Worker().run_until_idle()
    assert [job.outcome for job in jobs(session)] == ["sent"]
    assert len(kept.messages) == 1


def test_a_final_refusal_is_not_tried_again(session: Session, now: datetime, kept: Kept) -> None:
    enqueue(session, make_recipient(session).id, now)
    kept.replies["RCPT"] = "550 5.1.1 <ADDRESS> unknown"
    Worker().run_until_idle()
    (job,) = jobs(session)
    assert job.outcome == "failed: refused 550 5.1.1"
    assert job.done_at is not None


def test_after_the_last_try_it_gives_up_and_says_why(session: Session, now: datetime, kept: Kept) -> None:
    enqueue(session, make_recipient(session).id, now)
    kept.replies["DATA"] = "452 disk full"
    for _ in range(MAX_ATTEMPTS):
        start_again(session, now)
        Worker().run_until_idle()
    (job,) = jobs(session)
    assert job.outcome == "given up: refused 452"
    assert job.attempts == MAX_ATTEMPTS
    assert kept.messages == []


def test_a_job_that_kills_its_workers_ends_too(session: Session, now: datetime, app: Flask) -> None:
    enqueue(session, make_recipient(session).id, now)
    session.execute(update(OutboxJobRow).values(attempts=MAX_ATTEMPTS))
    session.commit()
    with broken_server("greeting", hang=False) as port, sending_to(app, port):
        Worker().run_until_idle()
    assert (jobs(session)[0].outcome or "").startswith("given up: ")


def test_one_bad_job_does_not_hold_up_the_others(session: Session, now: datetime, kept: Kept) -> None:
    anna = make_recipient(session)
    enqueue(session, anna.id, now)
    enqueue(session, anna.id, now)
    stored = session.scalars(select(OutboxJobRow.id).order_by(OutboxJobRow.id)).all()
    session.execute(text("UPDATE outbox_jobs SET payload = :junk WHERE id = :id"), {"junk": b"junk", "id": stored[0]})
    session.commit()
    Worker().run_until_idle()
    assert [
        job_outcome for (job_outcome,) in session.execute(select(OutboxJobRow.outcome).order_by(OutboxJobRow.id))
    ] == [
        "failed: unreadable",
        "sent",
    ]


def test_t24_an_informational_job_asks_eligibility_when_it_is_sent_not_when_it_was_queued(
    session: Session, now: datetime, kept: Kept
) -> None:
    content = {"title": "Nytt", "opening": "Hej.", "sections": []}
    people = [make_recipient(session, f"{name}@example.se") for name in ("anna", "bo")]
    for person in people:
        act(session, person, "product_news")
        enqueue_mail(
            session,
            "newsletter",
            recipient_id=person.id,
            parameters={"purpose": "product_news", "content": content},
            now=now,
        )
    act(session, people[1], "product_news", Act.WITHDRAWN)
    Worker().run_until_idle()
    assert [job.outcome for job in jobs(session)] == ["sent", "dropped: withdrawn"]
    assert kept.recipients == [["anna@example.se"]]
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in kept.messages[0]


def test_a_stopped_worker_gives_back_what_it_has_not_begun(session: Session, now: datetime, app: Flask) -> None:
    anna = make_recipient(session)
    for _ in range(3):
        enqueue(session, anna.id, now)
    stop = threading.Event()
    stop.set()
    MailLane(stop, lambda: datetime.now(UTC)).run_batch()
    assert [(job.attempts, job.claimed_until, job.done_at) for job in jobs(session)] == [(0, None, None)] * 3


def test_a_job_is_not_begun_when_its_claim_is_about_to_run_out(session: Session, now: datetime, kept: Kept) -> None:
    enqueue(session, make_recipient(session).id, now)
    times = iter([now, now, now + LEASE, now + LEASE, now + LEASE])
    MailLane(threading.Event(), lambda: next(times)).run_batch()
    assert kept.messages == []
    assert jobs(session)[0].attempts == 0


def test_logs_and_outcomes_hold_no_address(session: Session, now: datetime, kept: Kept) -> None:
    enqueue(session, make_recipient(session, "hemlig@example.se", name="Hemlig Person").id, now)
    with log_lines() as logged:
        kept.replies["RCPT"] = "450 <ADDRESS> try later"
        Worker().run_until_idle()
        kept.replies["RCPT"] = "550 <ADDRESS> never"
        start_again(session, now)
        Worker().run_until_idle()
    written = logged.getvalue()
    assert {json.loads(line)["event"] for line in written.splitlines()} == {"job_retried", "job_done"}
    for job in jobs(session):
        written += job.outcome or ""
    assert "refused 550" in written
    assert "emlig" not in written


@pytest.mark.slow
def test_once_does_what_is_due_and_stops(app: Flask, session: Session, now: datetime, root: Path) -> None:
    before = {one.id for one in received(app)}
    enqueue(session, make_recipient(session).id, now)
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "worker", "--once"],
        cwd=root,
        env=environment(app),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "1 jobs worked on.\n"
    assert len({one.id for one in received(app)} - before) == 1


@pytest.mark.slow
def test_sigterm_finishes_the_job_in_hand_and_gives_back_the_rest(
    app: Flask, session: Session, now: datetime, root: Path
) -> None:
    anna = make_recipient(session)
    for _ in range(3):
        enqueue(session, anna.id, now)
    reached = threading.Event()
    with broken_server("DATA", hang=True, reached=reached) as port:
        worker = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "worker"],
            cwd=root,
            env=environment(app, **mailing_through(port, timeout=1)),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert reached.wait(40)
            worker.send_signal(signal.SIGTERM)
            _, logged = worker.communicate(timeout=30)
        finally:
            worker.kill()
            worker.wait()
    assert worker.returncode == 0
    events = [json.loads(line)["event"] for line in logged.splitlines()]
    assert events[-1] == "worker_stopped"
    found = jobs(session)
    assert [job.claimed_until for job in found] == [None, None, None]
    assert found[0].outcome == "will retry: timeout"
    assert [job.attempts for job in found] == [1, 0, 0]
