"""Whether a worker is alive, how deep the outbox is, and that workers end in bounded time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.cli.worker import wait_until_alone
from preferences.models.transaction import transaction
from preferences.models.worker_state import WorkerRow
from preferences.queries.upkeep.worker_state import outbox_depth, workers
from preferences.services.outbox.jobs import claim_jobs
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.upkeep.heartbeats import WorkerIdentity, beat, forget_workers, leave
from preferences.worker import Worker
from preferences.worker.alone import SomebodyElseWorks, work_alone
from tests.factories import make_recipient
from tests.support.logs import log_lines

ANNA = WorkerIdentity("a" * 32, "machine:1", datetime(2026, 1, 1, tzinfo=UTC))


def beating(now: datetime, worker: WorkerIdentity = ANNA, **lanes: datetime) -> None:
    with transaction() as session:
        beat(session, worker, lanes, now=now)


def status(app: Flask, *options: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["worker", "--status", *options])
    return done.exit_code, done.output


@contextmanager
def working(app: Flask, lane: Any = None, **run: Any) -> Iterator[Worker]:
    """A worker in a thread, stopped at the end."""
    worker = Worker()
    if lane is not None:
        worker.lanes = [lane]

    def work() -> None:
        with app.app_context():
            worker.run(**run)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop.set()
        thread.join(10)
        assert not thread.is_alive()


def seen(session: Session) -> list[str]:
    session.rollback()
    found = [worker.name for worker in workers(session)]
    session.rollback()
    return found


def wait_until(condition: Any) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_worker_is_seen_while_it_works_and_not_afterwards(app: Flask, session: Session) -> None:
    with working(app) as worker:
        wait_until(lambda: seen(session) == [worker.heartbeat.worker.name])
        assert status(app)[0] == 0
    assert seen(session) == []
    assert status(app) == (1, "No worker is at work.\n0 jobs wait, 0 of them due.\n")


def test_signs_of_life_replace_each_other_and_a_crashed_worker_is_forgotten_after_a_day(
    app: Flask, session: Session, now: datetime
) -> None:
    other = WorkerIdentity("b" * 32, "machine:2", now)
    for seconds in (0, 15, 30):
        beating(now + timedelta(seconds=seconds))
    beating(now, other)
    assert seen(session) == ["machine:1", "machine:2"]
    assert workers(session)[0].seen_at == now + timedelta(seconds=30)
    assert workers(session)[0].started_at == ANNA.started_at
    assert forget_workers(session, now=now + timedelta(days=1, seconds=1)) == 1
    session.commit()
    assert seen(session) == ["machine:1"]
    leave(session, ANNA)
    session.commit()
    assert seen(session) == []


def test_a_silent_worker_and_a_hanging_lane_are_failures(app: Flask, session: Session) -> None:
    now = datetime.now(UTC)
    beating(now, mail=now - timedelta(minutes=20), chores=now)
    code, printed = status(app)
    assert code == 1
    assert "machine:1  alive" in printed
    assert "lane mail hangs" in printed
    beating(now, mail=now)
    assert status(app)[0] == 0
    session.execute(update(WorkerRow).values(seen_at=now - timedelta(minutes=2)))
    session.commit()
    code, printed = status(app)
    assert code == 1
    assert "machine:1  silent, seen 12" in printed


def test_depth_counts_what_waits_what_is_due_and_how_long(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    now = datetime.now(UTC)
    for minutes in (-90, -5, 60):
        at = now + timedelta(minutes=minutes)
        enqueue_mail(session, "fresh_link", recipient_id=anna.id, parameters={"locale": "sv"}, now=at)
    session.commit()
    depth = outbox_depth(session, now=now)
    assert (depth.waiting, depth.due, depth.oldest_age(now)) == (3, 2, timedelta(minutes=90))
    session.rollback()
    claim_jobs(session, limit=1, now=now)
    session.commit()
    assert outbox_depth(session, now=now).waiting == 3, "claimed is not done"
    session.rollback()
    beating(datetime.now(UTC), mail=datetime.now(UTC))
    code, printed = status(app, "--json")
    found = json.loads(printed)
    assert code == 0
    assert found["outbox"]["due"] == 2
    assert 5400 <= found["outbox"]["oldest_due_seconds"] < 5460
    assert (found["workers"][0]["name"], found["workers"][0]["alive"]) == ("machine:1", True)


def test_json_without_status_is_refused(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["worker", "--json"])
    assert done.exit_code == 2
    assert "--json belongs to --status" in done.output


class Stuck:
    """A lane that does not hear that it shall stop."""

    name = "stuck"
    idle_seconds = 0.01
    is_periodic = False

    def __init__(self) -> None:
        self.reached, self.free = threading.Event(), threading.Event()

    def run_batch(self) -> int:
        self.reached.set()
        self.free.wait(20)
        return 0


def test_a_lane_that_hangs_does_not_keep_the_worker_from_stopping(app: Flask, session: Session) -> None:
    lane = Stuck()
    started = time.monotonic()
    with log_lines() as logged, working(app, lane, stops_within_seconds=0.2):
        assert lane.reached.wait(5)
        wait_until(lambda: len(seen(session)) == 1)
    lane.free.set()
    assert time.monotonic() - started < 8
    assert '"lanes": ["stuck"]' in logged.getvalue()
    assert seen(session) == []


def test_on_sqlite_one_works_and_a_second_is_told(app: Flask) -> None:
    lock = work_alone()
    if app.extensions["sqlalchemy"].engine.dialect.name != "sqlite":
        assert lock is None
        return
    assert lock is not None
    try:
        with pytest.raises(SomebodyElseWorks) as told:
            work_alone()
        assert told.value.process.isdigit()
        done = app.test_cli_runner().invoke(args=["worker"])
        assert done.exit_code == 1
        assert done.output.startswith(
            f"Error: Another worker (process {told.value.process}) is at work on this database;"
        )
        assert len(done.output.splitlines()) == 1
        assert app.test_cli_runner().invoke(args=["worker", "--once"]).output == "0 jobs worked on.\n"
    finally:
        lock.close()
    again = work_alone()
    assert again is not None
    again.close()


def test_one_that_is_supervised_waits_until_the_other_has_ended(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    """The worker of a service that stops may still be at its last message when the next service starts."""
    other = work_alone()
    if other is None:
        return
    asked: list[None] = []

    def still_wanted() -> bool:
        asked.append(None)
        if len(asked) == 2:
            other.close()
        return True

    lock = wait_until_alone(threading.Event(), still_wanted)
    assert lock is not None
    lock.close()
    assert capsys.readouterr().err.count("waiting until it ends") == 1
    stop, held = threading.Event(), work_alone()
    stop.set()
    assert wait_until_alone(stop, lambda: True) is None
    assert held is not None
    held.close()
