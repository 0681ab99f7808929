"""What has been kept long enough goes, what has not stays, and that it went is recorded."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.retention import Kind, RunSource
from preferences.domain.retention_rules import RULES
from preferences.domain.rights import RightsKind, RightsState
from preferences.domain.staff import FailureKind
from preferences.models.idempotency import IdempotencyRow
from preferences.models.ledger import ChoiceRow, EvidenceRow
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.recipient import RecipientRow
from preferences.models.retention import RetentionRunRow
from preferences.models.rights import RightsRequestRow
from preferences.models.staff import SignInFailureRow
from preferences.models.training import TrainingRow
from preferences.models.transaction import transaction
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.retention import PEOPLE, count_due, first_of, next_portion, retention_standing, run_retention
from preferences.worker import retention_lane
from preferences.worker.retention_lane import RetentionLane
from tests.factories import act, make_recipient, make_recipients
from tests.support.full_person import make_full_person
from tests.support.seals import seal, verified

MONTHS = {
    "retain_unused_recipients_months": 24,
    "retain_evidence_months": 36,
    "retain_requests_months": 24,
    "retain_takedowns_months": 24,
    "retain_participants_months": 24,
}


def _later(years: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=365.25 * years)


def _run(session: Session, kind: Kind, now: datetime) -> int:
    """Count, remove, and find that what was counted is what went."""
    due = count_due(session, RULES[kind], MONTHS, now=now)
    removed = next_portion(session, first_of(RULES[kind]), MONTHS, source=RunSource.COMMAND, now=now).removed
    session.commit()
    assert removed == due
    assert count_due(session, RULES[kind], MONTHS, now=now) == 0
    return removed


def _count(session: Session, table: Any) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


PERIODS = {
    Kind.RIGHTS_REQUESTS: (1.9, 2.1, 1),
    Kind.TAKEDOWNS: (1.9, 2.1, 1),
    Kind.PARTICIPANTS: (1.9, 2.2, 1),
    Kind.SIGN_UPS: (0.0, 0.05, 1),
    Kind.STEP_UPS: (0.07, 0.09, 1),
}


@pytest.mark.parametrize("kind", PERIODS)
def test_what_is_over_goes_and_not_a_day_sooner(session: Session, kind: Kind) -> None:
    make_full_person(session)
    before, after, count = PERIODS[kind]
    assert _run(session, kind, _later(before)) == 0
    assert _run(session, kind, _later(after)) == count


def test_texts_of_requests_and_takedowns_go_and_the_cases_stay(session: Session) -> None:
    make_full_person(session)
    _run(session, Kind.RIGHTS_REQUESTS, _later(3))
    _run(session, Kind.TAKEDOWNS, _later(3))
    closed = session.scalars(select(RightsRequestRow).where(RightsRequestRow.closed_at.is_not(None))).one()
    assert (closed.reference, closed.answer, closed.details) == ("R-AAAA0002", None, None)
    still_open = session.scalars(select(RightsRequestRow).where(RightsRequestRow.closed_at.is_(None))).one()
    assert still_open.details is not None, "a request that nobody has answered keeps its text"
    takedown = session.scalars(select(TakedownRow)).one()
    assert (takedown.reference, takedown.url, takedown.note, takedown.answer) == ("T-AAAA0001", None, None, None)
    assert takedown.proof is None


def test_evidence_goes_once_its_act_was_replaced_long_ago_and_the_seal_holds(session: Session) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    for one in (anna, bo):
        act(session, one, "marketing", evidence={"source": "fair"}, occurred_at=datetime.now(UTC) - timedelta(days=9))
    act(session, anna, "marketing", Act.WITHDRAWN, method=Method.ONE_CLICK)
    seal(session)
    assert _run(session, Kind.EVIDENCE, _later(2.9)) == 0
    assert _run(session, Kind.EVIDENCE, _later(3.1)) == 1
    assert session.scalars(select(EvidenceRow.recipient_id)).all() == [bo.id], "what still holds keeps its evidence"
    assert verified(session).is_sound


def _old(session: Session, *recipient_ids: int) -> None:
    session.execute(
        update(RecipientRow)
        .where(RecipientRow.id.in_(recipient_ids))
        .values(updated_at=datetime.now(UTC) - timedelta(days=900))
    )
    session.commit()


def test_only_people_of_whom_nothing_is_heard_are_erased(session: Session, now: datetime) -> None:
    names = ("unused", "consented", "acted", "asking", "trained", "fresh", "stopped_long_ago")
    people = {name: make_recipient(session, f"{name}@example.se") for name in names}
    _old(session, *(people[name].id for name in names if name != "fresh"))
    long_ago = datetime.now(UTC) - timedelta(days=800)
    act(session, people["consented"], "marketing", occurred_at=long_ago, evidence={"source": "fair"})
    act(session, people["acted"], "marketing", Act.WITHDRAWN)
    session.execute(
        insert(RightsRequestRow).values(
            reference="R-BBBB0001",
            recipient_id=people["asking"].id,
            kind=RightsKind.ACCESS,
            state=RightsState.OPEN,
            locale="sv",
            received_at=long_ago,
            due_on=long_ago.date(),
        )
    )
    training = TrainingRow(title="A", place="", held_on=date(2026, 1, 1), created_at=now)
    session.add(training)
    session.flush()
    session.add(ParticipantRow(training_id=training.id, recipient_id=people["trained"].id, added_at=now))
    session.commit()
    assert _run(session, Kind.UNUSED_RECIPIENTS, now) == 2
    erased = session.scalars(select(RecipientRow.id).where(RecipientRow.status == RecipientStatus.ERASED)).all()
    assert set(erased) == {people["unused"].id, people["stopped_long_ago"].id}


def test_nobody_is_erased_unless_the_company_chose_a_period(app: Flask, session: Session, now: datetime) -> None:
    _old(session, make_recipient(session).id)
    months = app.extensions["preferences.settings"].retention_months
    assert months["retain_unused_recipients_months"] == 0
    run_retention(session, months, source=RunSource.WORKER, now=now)
    assert session.scalars(select(RecipientRow.status)).one() is RecipientStatus.ACTIVE


def test_removal_comes_in_portions_that_pass_over_what_stays_once(session: Session, now: datetime) -> None:
    people = sorted(make_recipients(session, 6))
    _old(session, *people)
    kept = recipient_by_id(session, people[2])
    assert kept is not None
    act(session, kept, "marketing", evidence={"source": "fair"}, occurred_at=_later(-2.1))
    run, gone = first_of(RULES[Kind.UNUSED_RECIPIENTS]), []
    while not run.is_done:
        run = next_portion(session, run, MONTHS, source=RunSource.WORKER, now=now, limit=2)
        gone.append(run.removed)
    session.commit()
    assert gone == [2, 4, 5]
    assert run.after == people[5]
    assert session.execute(select(RetentionRunRow.rule, RetentionRunRow.removed)).all() == [("unused_recipients", 5)]
    assert PEOPLE < 1000, "a whole person goes in each: nobody waits that long for the writer"


def test_every_rule_runs_on_an_empty_and_on_a_full_database(session: Session) -> None:
    assert run_retention(session, MONTHS, source=RunSource.WORKER, now=datetime.now(UTC)) == 0
    make_full_person(session)
    session.execute(
        insert(IdempotencyRow).values(
            mailer_id=1, key="k", request_digest=b"d" * 32, status=200, answer={"x": 1}, created_at=datetime.now(UTC)
        )
    )
    session.commit()
    assert run_retention(session, MONTHS, source=RunSource.WORKER, now=_later(20)) > 5
    session.commit()
    assert all(one.due == 0 for one in retention_standing(session, MONTHS, now=_later(20)))


def _lane(clock: list[datetime], portion: int) -> RetentionLane:
    def tick() -> datetime:
        clock[0] += timedelta(minutes=1)
        return clock[0]

    return RetentionLane(threading.Event(), tick, portion)


def _until_idle(lane: RetentionLane) -> int:
    turns = 0
    while True:
        assert lane.run_batch() == 0
        turns += 1
        if lane.idle_seconds > 1:
            return turns


def test_the_worker_goes_on_until_nothing_is_left_and_records_it(app: Flask, session: Session) -> None:
    make_full_person(session)
    session.commit()
    with transaction() as fresh:
        fresh.execute(
            insert(SignInFailureRow), [{"kind": FailureKind.CODE, "subject": b"k" * 16, "failed_at": _later(0)}] * 7
        )
    clock = [_later(3)]
    kept = {kind.value for kind, rule in RULES.items() if not rule.is_kept}
    with app.app_context():
        assert _until_idle(_lane(clock, 2)) > len(kept) + 3, "no rule stops at its first portion"
        assert _until_idle(_lane(clock, 2)) == 1, "once a day, however many workers there are"
        recorded = session.execute(select(RetentionRunRow.rule, RetentionRunRow.source, RetentionRunRow.removed)).all()
        left = [one.due for one in retention_standing(session, MONTHS, now=clock[0])]
        session.rollback()
        assert sorted(rule for rule, _, _ in recorded) == sorted(kept), (
            "one line a rule and night, however many portions"
        )
        assert {rule: count for rule, _, count in recorded}["sign_in_failures"] == 7
        assert {source for _, source, _ in recorded} == {"worker"}
        assert not any(left)
        clock[0] += timedelta(days=1)
        assert _until_idle(_lane(clock, 1000)) == len(kept) + 1


def test_a_night_that_is_over_leaves_the_rest_to_the_next(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_lane, "AT_MOST", timedelta(minutes=3))
    clock = [_later(3)]
    with app.app_context():
        assert _until_idle(_lane(clock, 2)) == 4
        assert _until_idle(_lane(clock, 2)) == 1
        session.rollback()
        clock[0] += timedelta(days=1)
        first, second = _lane(clock, 2), _lane(clock, 2)
        first.run_batch()
        second.run_batch()
        assert (first.idle_seconds < 1, second.idle_seconds > 1) == (True, True), "one has claimed the day"
        clock[0] += timedelta(hours=1)
        second.run_batch()
        first.run_batch()
        assert (first.idle_seconds > 1, second.idle_seconds < 1) == (True, True), "who was away too long has lost it"


def test_commands_show_try_and_run(app: Flask, session: Session) -> None:
    make_full_person(session)
    session.execute(
        text("UPDATE step_ups SET asked_at = :then"), {"then": datetime(2020, 1, 1, tzinfo=UTC).isoformat(" ")}
    )
    session.commit()
    run = app.test_cli_runner().invoke
    shown = {one["kind"]: one for one in json.loads(run(args=["retention", "show", "--json"]).stdout)}
    assert list(shown) == list(Kind)
    assert (shown["step_ups"]["due"], shown["step_ups"]["how_long"], shown["step_ups"]["last_ran_at"]) == (
        1,
        "30 days",
        None,
    )
    assert shown["evidence"]["setting"] == "PREFERENCES_RETAIN_EVIDENCE_MONTHS"
    assert "step_ups: 30 days, 1 due\n" in run(args=["retention", "show"]).stdout
    tried = json.loads(run(args=["retention", "run", "--dry-run", "--json"]).stdout)
    assert (tried["dry_run"], tried["removed"]["step_ups"]) == (True, 1)
    assert _count(session, RetentionRunRow) == 0
    session.commit()
    assert "step_ups: 1\n" in run(args=["retention", "run"]).stdout
    again = json.loads(run(args=["retention", "show", "--json"]).stdout)
    assert {one["kind"]: one["last_removed"] for one in again}["step_ups"] == 1
    assert _count(session, ChoiceRow) > 0
