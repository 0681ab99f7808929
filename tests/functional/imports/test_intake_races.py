"""What happens to a person while an intake is under way counts: the intake waits, looks again, and holds the row."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.intake import IncomingEvidence, IncomingRecipient, Outcome, RowResult
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.queries.choices.choices import choice_of
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.intake.intake import apply_intake
from preferences.services.ledger.verify import verify_ledger
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import make_recipient, purpose
from tests.support.at_once import wait_for_lock


@pytest.fixture
def postgresql(app: Flask) -> Flask:
    """Only there can two transactions write at once; on SQLite the second waits from its beginning."""
    if app.extensions["sqlalchemy"].engine.dialect.name != "postgresql":
        pytest.skip("one writer")
    return app


def while_uncommitted(
    app: Flask, first: Callable[[Session], object], row: IncomingRecipient, now: datetime
) -> RowResult:
    """Let `first` write, begin the intake of `row` beside it, and commit `first` once the intake waits for it."""
    results: list[RowResult] = []

    def intake() -> None:
        with app.app_context(), transaction() as other:
            results.extend(
                apply_intake(other, [row], source="t", method=Method.API, actor=Actor.MAILER, actor_id=1, now=now)
            )

    with transaction() as mine:
        first(mine)
        mine.flush()
        thread = threading.Thread(target=intake)
        thread.start()
        wait_for_lock(app)
    thread.join(20)
    [result] = results
    return result


@pytest.mark.parametrize("newer", [timedelta(0), timedelta(days=3)])
def test_a_stop_made_meanwhile_holds_the_grant_whatever_the_times_say(
    postgresql: Flask, session: Session, now: datetime, newer: timedelta
) -> None:
    anna = make_recipient(session)
    stop = NewAct(
        recipient_id=anna.id,
        purpose=purpose(session, "marketing"),
        act=Act.WITHDRAWN,
        method=Method.ONE_CLICK,
        occurred_at=now - newer,
    )
    session.rollback()
    evidence = IncomingEvidence(purpose="marketing", act=Act.GIVEN, occurred_at=now - timedelta(days=1), source="web")
    row = IncomingRecipient(line=1, address=parse_address("anna@example.se"), evidence=evidence)
    result = while_uncommitted(postgresql, lambda mine: record_act(mine, stop, now=now), row, now)
    assert (result.outcome, result.reason) == (Outcome.HELD, "withdrawn")
    assert choice_of(session, anna.id, stop.purpose.id).act is Act.WITHDRAWN
    assert verify_ledger(session).is_sound


def test_an_erasure_made_meanwhile_holds_the_row(postgresql: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    session.rollback()
    row = IncomingRecipient(line=1, address=parse_address("anna@example.se"), name="Anna")
    result = while_uncommitted(
        postgresql, lambda mine: erase_recipient(mine, anna.id, source="page", now=now), row, now
    )
    assert (result.outcome, result.reason) == (Outcome.HELD, "suppressed_erased")
    [left] = session.scalars(select(RecipientRow)).all()
    assert (left.name, left.address_index) == (None, None)


def test_an_address_added_meanwhile_is_the_same_recipient(postgresql: Flask, session: Session, now: datetime) -> None:
    row = IncomingRecipient(line=1, address=parse_address("anna@example.se"), name="Anna")

    def add(mine: Session) -> None:
        apply_intake(mine, [row], source="page", method=Method.API, actor=Actor.SYSTEM, actor_id=None, now=now)

    result = while_uncommitted(postgresql, add, row, now)
    assert result.outcome is Outcome.UNCHANGED
    assert len(session.scalars(select(RecipientRow)).all()) == 1
