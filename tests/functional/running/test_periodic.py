"""Periodic work: once in its period, however many workers there are, whatever becomes of them and of their clocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.models.outbox import OutboxJobRow
from preferences.models.transaction import transaction
from preferences.models.worker_state import PeriodicRunRow
from preferences.queries.upkeep.worker_state import periodic_runs
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.upkeep.periodic import LEASE, PeriodicClaim, claim_periodic, finish_periodic
from preferences.worker.chore_lane import ChoreLane
from preferences.worker.chores import CHORES, Chore
from tests.factories import make_recipient
from tests.support.logs import log_lines
from tests.support.mailing import jobs

HOUR = timedelta(hours=1)


def claim(now: datetime, name: str = "tidy", every: timedelta = HOUR) -> PeriodicClaim | None:
    with transaction() as session:
        return claim_periodic(session, name, every=every, now=now)


def finish(claimed: PeriodicClaim, now: datetime) -> None:
    with transaction() as session:
        finish_periodic(session, claimed, now=now)


def lane(clock: Callable[[], datetime], **chores: Chore) -> ChoreLane:
    return ChoreLane(threading.Event(), clock, chores or CHORES)


def test_of_many_workers_that_ask_at_once_one_gets_the_work(app: Flask, now: datetime) -> None:
    got: list[PeriodicClaim | None] = []
    barrier = threading.Barrier(6)

    def ask() -> None:
        with app.app_context():
            for round_ in range(5):
                barrier.wait()
                got.append(claim(now, f"tidy {round_}"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.name for one in got if one is not None) == [f"tidy {round_}" for round_ in range(5)]


def test_it_is_due_again_when_the_period_has_passed_and_not_before(app: Flask, now: datetime) -> None:
    first = claim(now)
    assert first is not None
    finish(first, now)
    assert claim(now + HOUR - timedelta(seconds=1)) is None
    assert claim(now + HOUR) is not None


def test_the_claim_of_a_crashed_worker_runs_out(app: Flask, now: datetime) -> None:
    assert claim(now) is not None
    assert claim(now + LEASE - timedelta(seconds=1)) is None
    again = claim(now + LEASE)
    assert again is not None
    assert again.claimed_until > now + LEASE


def test_one_that_comes_back_late_does_not_end_the_claim_of_its_successor(
    app: Flask, session: Session, now: datetime
) -> None:
    first = claim(now)
    second = claim(now + LEASE)
    assert first is not None
    assert second is not None
    finish(first, now + LEASE)
    assert periodic_runs(session) == {"tidy": None}
    session.rollback()
    finish(second, now + LEASE)
    assert periodic_runs(session) == {"tidy": now + LEASE}


@pytest.mark.parametrize("minutes", [-5, 5])
def test_clocks_that_differ_by_five_minutes_do_no_harm(app: Flask, now: datetime, minutes: int) -> None:
    """Done at most once more or a little later; never twice at the same time, never left undone."""
    first = claim(now)
    other = now + timedelta(minutes=minutes)
    assert claim(other) is None
    assert first is not None
    finish(first, now)
    assert claim(other) is None
    assert claim(other + HOUR + timedelta(minutes=5)) is not None


@pytest.mark.parametrize("column", ["last_ran_at", "claimed_until"])
def test_a_time_from_a_clock_that_was_years_ahead_holds_nobody_up(
    app: Flask, session: Session, now: datetime, column: str
) -> None:
    first = claim(now)
    assert first is not None
    finish(first, now - 2 * HOUR)
    session.execute(update(PeriodicRunRow).values({column: now + timedelta(days=4000)}))
    session.commit()
    assert claim(now) is not None


def test_two_lanes_do_each_chore_once(app: Flask, now: datetime) -> None:
    runs: list[str] = []

    def work(name: str) -> Chore:
        return Chore(HOUR, lambda _session, *, now: runs.append(name) or 3)  # type: ignore[func-returns-value]

    chores = {"one": work("one"), "two": work("two")}
    first, second = lane(lambda: now, **chores), lane(lambda: now, **chores)
    assert (first.run_batch(), second.run_batch(), first.run_batch()) == (2, 0, 0)
    assert sorted(runs) == ["one", "two"]


def test_each_chore_has_its_own_period(app: Flask, now: datetime) -> None:
    runs: list[str] = []
    chores = {
        "often": Chore(timedelta(minutes=1), lambda _s, *, now: runs.append("often") or 0),  # type: ignore[func-returns-value]
        "seldom": Chore(HOUR, lambda _s, *, now: runs.append("seldom") or 0),  # type: ignore[func-returns-value]
    }
    for minutes in (0, 1, 2, 60):
        lane(lambda minutes=minutes: now + timedelta(minutes=minutes), **chores).run_batch()  # type: ignore[misc]
    assert (runs.count("often"), runs.count("seldom")) == (4, 2)


def test_a_chore_that_fails_is_rolled_back_holds_up_no_other_and_is_tried_again(
    app: Flask, session: Session, now: datetime
) -> None:
    anna = make_recipient(session)
    fails = [True]

    def work(session: Session, *, now: datetime) -> int:
        enqueue_mail(session, "fresh_link", recipient_id=anna.id, parameters={"locale": "sv"}, now=now)
        session.flush()
        if fails.pop() if fails else False:
            raise ValueError("anna@example.se")
        return 1

    chores = {"bad": Chore(HOUR, work), "good": Chore(HOUR, lambda _s, *, now: 0)}
    with log_lines() as logged:
        assert lane(lambda: now, **chores).run_batch() == 1
    assert jobs(session) == []
    assert '"chore": "bad", "kind": "ValueError"' in logged.getvalue()
    assert "anna@" not in logged.getvalue()
    assert lane(lambda: now + timedelta(minutes=1), **chores).run_batch() == 0, "not at once: it has failed"
    assert lane(lambda: now + LEASE, **chores).run_batch() == 1
    assert len(jobs(session)) == 1


def test_cleaning_runs_at_the_start_and_then_once_an_hour(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    left = []
    for seconds in (0, 3599, 3600):
        enqueue_mail(session, "fresh_link", recipient_id=anna.id, parameters={"locale": "sv"}, now=now)
        session.flush()
        session.execute(update(OutboxJobRow).values(done_at=now - timedelta(days=40)))
        session.commit()
        lane(lambda seconds=seconds: now + timedelta(seconds=seconds)).run_batch()  # type: ignore[misc]
        left.append(len(jobs(session)))
    assert left == [0, 1, 0]


def test_a_stopping_worker_begins_no_further_chore(app: Flask, now: datetime) -> None:
    stop = threading.Event()
    stop.set()
    ChoreLane(stop, lambda: now, {"one": Chore(HOUR, lambda _s, *, now: 1 / 0)}).run_batch()  # type: ignore[arg-type]
    assert claim(now, "one") is not None
