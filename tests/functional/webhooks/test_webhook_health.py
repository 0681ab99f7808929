"""An endpoint that is gone, busy or dead: held, asked less and less, disabled in the end with a mail to staff (M13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.webhooks import DISABLE_AFTER, AttemptCode, DeliveryOutcome, DisabledReason
from preferences.services.webhooks.endpoints import enable_endpoint
from preferences.worker import Worker
from tests.factories import act, make_recipient
from tests.support.mailing import received, settings_changed
from tests.support.receiver import Receiver, receiving
from tests.support.webhooks import Clock, attempts, deliveries, endpoint_row, make_endpoint, work


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    with receiving() as found, settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tell_one(session: Session, clock: Clock, address: str = "anna@example.se") -> None:
    act(session, make_recipient(session, address), "marketing", Act.WITHDRAWN)
    clock.now = datetime.now(UTC) + timedelta(seconds=1)


def test_410_disables_at_once_with_a_mail_to_staff(
    app: Flask, session: Session, receiver: Receiver, clock: Clock
) -> None:
    receiver.answer = (410, {}, b"")
    view, _ = make_endpoint(session, receiver.url)
    tell_one(session, clock)
    work(clock)
    row = endpoint_row(session, view.id)
    assert (row.state, row.disabled_reason) == ("disabled", DisabledReason.GONE)
    act(session, make_recipient(session, "bo@example.se"), "marketing", Act.WITHDRAWN)
    clock.move(days=2)
    assert work(clock) == 0
    assert len(receiver.messages) == 1
    Worker(clock=clock).run_until_idle()
    mail = next(one for one in reversed(received(app)) if "410" in one.part("plain"))
    assert mail.parsed["To"] == "privacy@example.com"
    text = mail.part("plain")
    assert "410" in text
    assert "127.0.0.1" in text
    assert "/hook" not in text


def test_after_five_days_of_failures_it_is_disabled_and_enabled_it_gets_what_waits(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    view, _ = make_endpoint(session, receiver.url)
    tell_one(session, clock)
    receiver.answer = (500, {}, b"")
    work(clock)
    clock.now += DISABLE_AFTER
    work(clock)
    assert endpoint_row(session, view.id).disabled_reason is DisabledReason.FAILING
    receiver.answer = (204, {}, b"")
    enable_endpoint(session, view.id, now=clock.now)
    session.commit()
    work(clock)
    assert [one.outcome for one in deliveries(session)] == [DeliveryOutcome.DELIVERED]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_whole_endpoint(session: Session, receiver: Receiver, clock: Clock, status: int) -> None:
    view, _ = make_endpoint(session, receiver.url)
    tell_one(session, clock)
    receiver.answers = [(status, {"Retry-After": "120"}, b"")]
    work(clock)
    tell_one(session, clock, "bo@example.se")
    held = endpoint_row(session, view.id).held_until
    assert held is not None
    assert timedelta(seconds=110) < held - clock.now <= timedelta(seconds=120)
    assert work(clock) == 0
    clock.now = held
    work(clock)
    clock.move(seconds=10)
    work(clock)
    assert {one.outcome for one in deliveries(session)} == {DeliveryOutcome.DELIVERED}


@pytest.mark.parametrize("status", [429, 502, 504])
def test_a_busy_endpoint_is_slowed_down_without_being_asked(
    session: Session, receiver: Receiver, clock: Clock, status: int
) -> None:
    view, _ = make_endpoint(session, receiver.url)
    tell_one(session, clock)
    receiver.answer = (status, {"Retry-After": "soon"}, b"")
    work(clock)
    held = endpoint_row(session, view.id).held_until
    assert held == clock.now + timedelta(seconds=5)
    assert [one.code for one in attempts(session)] == [AttemptCode.BUSY]


def test_a_dead_endpoint_is_asked_less_and_less_and_loses_no_try_of_the_others(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    view, _ = make_endpoint(session, receiver.url)
    receiver.answer = (500, {}, b"")
    for number in range(40):
        tell_one(session, clock, f"p{number}@example.se")
    for _ in range(10):
        work(clock)
        clock.move(minutes=5)
    assert len(receiver.messages) < 40
    assert endpoint_row(session, view.id).failures >= 10
