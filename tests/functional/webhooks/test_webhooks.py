"""Every change reaches every endpoint that wants it: signed, in order for each person, again until it is taken (M13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from preferences.domain.acts import Act
from preferences.domain.events import EventType
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.webhooks import WAITS, AttemptCode, DeliveryOutcome, PayloadKind
from preferences.models.endpoint import DeliveryRow, EndpointRow
from preferences.models.outbox import ChangeEventRow
from preferences.services.outbox.outbox import tell_change
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_recipient
from tests.support.mailing import settings_changed
from tests.support.receiver import Receiver, receiving
from tests.support.webhooks import Clock, attempts, deliveries, endpoint_row, make_endpoint, work


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    with receiving() as found, settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_opt_out_is_told_signed_and_without_an_address(session: Session, receiver: Receiver, clock: Clock) -> None:
    _, secret = make_endpoint(session, receiver.url)
    anna = make_recipient(session)
    entry = act(session, anna, "marketing", Act.WITHDRAWN)
    assert work(Clock()) == 1
    [message] = receiver.messages
    assert Webhook(secret).verify(message.raw, message.headers) == message.body
    assert message.headers["content-type"] == "application/json"
    event = session.scalars(select(ChangeEventRow)).one()
    assert message.id == f"evt_{event.id}"
    assert message.body["type"] == "choice.changed"
    data = message.body["data"]
    assert (data["id"], data["entry"], data["recipient"]) == (event.id, entry, format_recipient_id(anna.id))
    assert (data["purpose"], data["act"], data["training"]) == ("marketing", "withdrawn", None)
    assert b"anna@example.se" not in message.raw
    assert len(message.raw) < 20_000
    [delivery] = deliveries(session)
    assert (delivery.outcome, delivery.attempts, delivery.claimed_until) == (DeliveryOutcome.DELIVERED, 1, None)
    [attempt] = attempts(session)
    assert (attempt.code, attempt.status, attempt.number) == (AttemptCode.DELIVERED, 204, 1)


def test_only_chosen_types_are_told(session: Session, receiver: Receiver) -> None:
    make_endpoint(session, receiver.url, types=[EventType.RECIPIENT_ERASED])
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    tell_change(session, EventType.RECIPIENT_ERASED, recipient_id=anna.id, now=Clock().now)
    session.commit()
    work(Clock())
    assert [one.body["type"] for one in receiver.messages] == ["recipient.erased"]


def test_addresses_are_told_where_the_endpoint_says_so_and_never_of_the_erased(
    session: Session, receiver: Receiver
) -> None:
    make_endpoint(session, receiver.url, payload=PayloadKind.ADDRESSES)
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    act(session, anna, "marketing", Act.WITHDRAWN)
    act(session, bo, "marketing", Act.WITHDRAWN)
    erase_recipient(session, bo.id, source="test", now=Clock().now)
    session.commit()
    work(Clock())
    told = {one.body["data"]["recipient"]: one.body["data"]["email"] for one in receiver.messages}
    assert told == {format_recipient_id(anna.id): "anna@example.se", format_recipient_id(bo.id): None}
    assert not any(b"bo@example.se" in one.raw for one in receiver.messages)


def test_failures_are_tried_again_by_the_schedule_under_the_same_id(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    make_endpoint(session, receiver.url)
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    receiver.answer = (500, {}, "går inte".encode())
    clock.move(seconds=1)
    for number in range(1, len(WAITS) + 1):
        assert work(clock) == 1
        assert work(clock) == 0
        [delivery] = deliveries(session)
        assert delivery.attempts == number
        if number < len(WAITS):
            wait = delivery.next_at - clock.now
            assert WAITS[number] <= wait <= WAITS[number] * 1.2
            clock.now = delivery.next_at
            session.execute(update(EndpointRow).values(held_until=None))
            session.commit()
    assert delivery.outcome is DeliveryOutcome.GIVEN_UP
    assert {one.id for one in receiver.messages} == {receiver.messages[0].id}
    tried = attempts(session)
    assert [one.number for one in tried] == list(range(1, 11))
    assert {(one.code, one.status, one.excerpt) for one in tried} == {(AttemptCode.FAILED, 500, "går inte")}


def test_an_endpoint_that_recovers_gets_everything(session: Session, receiver: Receiver, clock: Clock) -> None:
    view, _ = make_endpoint(session, receiver.url)
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    receiver.answers = [(500, {}, b""), (500, {}, b"")]
    clock.move(seconds=1)
    work(clock)
    clock.move(seconds=7)
    work(clock)
    clock.move(minutes=7)
    work(clock)
    assert [one.outcome for one in deliveries(session)] == [DeliveryOutcome.DELIVERED]
    row = endpoint_row(session, view.id)
    assert (row.failures, row.failing_since) == (0, None)


def test_events_of_one_person_wait_for_each_other_and_others_do_not(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    make_endpoint(session, receiver.url)
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    for _ in range(2):
        act(session, anna, "marketing", Act.WITHDRAWN)
    act(session, anna, "surveys", Act.WITHDRAWN)
    events = [one.event_id for one in deliveries(session)]
    receiver.answers = [(500, {}, b"")]
    clock.move(seconds=1)
    work(clock)
    act(session, bo, "marketing", Act.WITHDRAWN)
    clock.move(seconds=1)
    work(clock)
    later = [one.event_id for one in deliveries(session)][-1]
    assert receiver.events == [events[0], later]
    clock.move(seconds=6)
    work(clock)
    assert receiver.events == [events[0], later, *events]


def test_a_crashed_workers_claims_are_taken_over(session: Session, receiver: Receiver, clock: Clock) -> None:
    make_endpoint(session, receiver.url)
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    clock.move(seconds=1)
    session.execute(update(DeliveryRow).values(claimed_until=clock.now + timedelta(minutes=2), attempts=1))
    session.commit()
    assert work(clock) == 0
    clock.move(minutes=2, seconds=1)
    assert work(clock) == 1
    [delivery] = deliveries(session)
    assert (delivery.outcome, delivery.attempts) == (DeliveryOutcome.DELIVERED, 2)


def test_a_batch_that_is_taken_in_is_told_whole(session: Session, receiver: Receiver) -> None:
    make_endpoint(session, receiver.url)
    people = [make_recipient(session, f"p{number}@example.se") for number in range(30)]
    for one in people:
        act(session, one, "marketing", Act.WITHDRAWN)
    work(Clock())
    assert sorted(receiver.events) == [one.event_id for one in deliveries(session)]
    assert receiver.connections <= 8
    assert json.loads(receiver.messages[0].raw)["timestamp"].endswith("Z")
