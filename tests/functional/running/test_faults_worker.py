"""The worker's partners fail, it is killed, its clock jumps: every mail still goes out, and none is invented."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
import time_machine
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Conversation
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.models.outbox import OutboxJobRow
from preferences.services.ledger.verify import verify_ledger
from preferences.services.outbox.jobs import LEASE
from preferences.services.outbox.outbox import enqueue_mail
from preferences.worker import Worker, work_alone
from preferences.worker.mail_lane import BATCH
from tests.factories import act, link, make_recipient, make_recipients, purpose
from tests.support.client import StrictClient
from tests.support.mailing import jobs, sending_to
from tests.support.processes import mailing_through, worker_process
from tests.support.smtp import Kept, smtp_server
from tests.support.visits import entries

MAILS = BATCH + 4


@dataclass
class Failing(Kept):
    """A mail server to which something happens while it holds its message number `at`, before it has answered."""

    at: int = 0
    happens: Callable[[SMTP], None] = lambda server: None

    async def handle_DATA(self, server: SMTP, session: Conversation, envelope: Envelope) -> str:  # noqa: N802
        accepted = await super().handle_DATA(server, session, envelope)
        if len(self.messages) == self.at:
            self.happens(server)
        return accepted


def enqueue(session: Session, count: int, now: datetime) -> set[str]:
    """Mail for so many people. Returns their addresses."""
    for recipient_id in make_recipients(session, count):
        enqueue_mail(session, "fresh_link", recipient_id=recipient_id, parameters={"locale": "sv"}, now=now)
    session.commit()
    return {f"person.{number}@example.se" for number in range(count)}


def reached(kept: Kept) -> list[str]:
    return [address for addresses in kept.recipients for address in addresses]


def identities(kept: Kept) -> set[str]:
    return {str(message_from_bytes(raw, policy=policy.default)["Message-ID"]) for raw in kept.messages}


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_batch_is_followed_by_another_and_nothing_is_lost(
    app: Flask, session: Session, now: datetime
) -> None:
    people = enqueue(session, MAILS, now)
    killed = threading.Event()
    with smtp_server(kept := Failing(at=4)) as (port, _):
        with worker_process(app, **mailing_through(port)) as worker:

            def kill(_server: SMTP) -> None:
                os.kill(worker.pid, signal.SIGKILL)
                killed.set()

            kept.happens = kill
            assert killed.wait(30)
            assert worker.wait(10) == -signal.SIGKILL
        found = jobs(session)
        assert len([job for job in found if job.done_at is not None]) == 3
        assert len([job for job in found if job.claimed_until is not None]) == BATCH - 3, "the batch is still claimed"
        lock = work_alone()
        if lock is not None:
            lock.close()
        with sending_to(app, port):
            Worker().run_until_idle()
            assert len(set(reached(kept))) == 4 + MAILS - BATCH, "what was claimed waits until the claims run out"
            Worker(clock=lambda: datetime.now(UTC) + LEASE).run_until_idle()
    assert {job.outcome for job in jobs(session)} == {"sent"}
    assert set(reached(kept)) == people
    assert len(identities(kept)) == MAILS, "a repeat is the same message"
    assert len(kept.messages) == MAILS + 1, "only the mail in hand went twice: its acceptance was never heard of"


def test_a_mail_server_that_dies_midway_gets_the_rest_when_it_is_back(
    app: Flask, session: Session, now: datetime
) -> None:
    people = enqueue(session, 6, now)
    with smtp_server(dying := Failing(at=3, happens=hang_up)) as (port, _):
        dying.replies["MAIL"] = "250 OK"
        with sending_to(app, port):
            Worker().run_until_idle()
            (unheard,) = [job for job in jobs(session) if job.done_at is None]
            assert unheard.outcome == "will retry: the server hung up"
    session.execute(update(OutboxJobRow).where(OutboxJobRow.done_at.is_(None)).values(run_at=now))
    session.commit()
    with sending_to(app, port):
        Worker().run_until_idle()
        assert (
            jobs(session)[unheard.id - jobs(session)[0].id].outcome == "will retry: connecting: ConnectionRefusedError"
        )
    session.execute(update(OutboxJobRow).where(OutboxJobRow.done_at.is_(None)).values(run_at=now))
    session.commit()
    with smtp_server() as (port, back), sending_to(app, port):
        Worker().run_until_idle()
    assert {job.outcome for job in jobs(session)} == {"sent"}
    assert set(reached(dying)) | set(reached(back)) == people
    assert len(identities(dying) | identities(back)) == 6


def test_two_workers_whose_clocks_are_ten_minutes_apart_send_everything_once(
    app: Flask, session: Session, now: datetime
) -> None:
    people = enqueue(session, MAILS, now - timedelta(minutes=6))
    with smtp_server() as (port, kept), sending_to(app, port):
        apart = [Worker(clock=clock(minutes)) for minutes in (-4.5, 4.5)]
        threads = [threading.Thread(target=work_in, args=(app, worker)) for worker in apart]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(reached(kept)) == sorted(people)


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_that_jumps_in_the_middle_of_the_work_loses_and_doubles_nothing(
    app: Flask, session: Session, now: datetime, minutes: int
) -> None:
    people = enqueue(session, MAILS, now - timedelta(minutes=6))
    jump = [0.0]
    with smtp_server(kept := Failing(at=5, happens=lambda _server: jump.append(minutes))) as (port, _):
        worker = Worker(clock=lambda: datetime.now(UTC) + timedelta(minutes=jump[-1]))
        with sending_to(app, port):
            worker.run_until_idle()
            Worker(clock=clock(5)).run_until_idle()
    assert sorted(reached(kept)) == sorted(people)
    assert [(job.outcome, job.attempts) for job in jobs(session)] == [("sent", 1)] * MAILS


@pytest.mark.parametrize("minutes", [-5, 5])
def test_an_opt_out_on_a_machine_whose_clock_is_wrong_still_stops(
    client: StrictClient, session: Session, now: datetime, minutes: int
) -> None:
    """A consent that another machine recorded a moment ago must not outlive the stop that comes after it."""
    anna, marketing = make_recipient(session), purpose(session, "marketing")
    act(session, anna, "marketing", Act.GIVEN)
    token = link(anna, marketing)
    with time_machine.travel(now + timedelta(minutes=minutes), tick=True):
        for _ in range(2):
            assert client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert [entry.act for entry in entries(session)] == [Act.GIVEN, Act.WITHDRAWN]
    assert verify_ledger(session).is_sound
    session.rollback()


def hang_up(server: SMTP) -> None:
    """The server dies: the line is dropped without a word."""
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


def clock(minutes: float) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(minutes=minutes)


def work_in(app: Flask, worker: Any) -> None:
    with app.app_context():
        worker.run_until_idle()
