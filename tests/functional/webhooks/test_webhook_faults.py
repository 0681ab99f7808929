"""Endpoints that hang, drip, redirect, answer 10 MB, or go meanwhile: each is bounded, and delays nobody else (M13)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.webhooks import AttemptCode, DeliveryOutcome
from preferences.integrations import http
from preferences.services.webhooks.endpoints import remove_endpoint
from tests.factories import act, make_recipient
from tests.support.certificates import self_signed
from tests.support.mailing import settings_changed
from tests.support.receiver import Message, Receiver, receiving
from tests.support.webhooks import Clock, attempts, deliveries, make_endpoint, work


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    with receiving() as found, settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of tenths of seconds."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.4)


def tell_one(session: Session, clock: Clock, address: str = "anna@example.se") -> None:
    act(session, make_recipient(session, address), "marketing", Act.WITHDRAWN)
    clock.now = datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.usefixtures("hurried")
def test_an_endpoint_that_hangs_times_out(session: Session, receiver: Receiver, clock: Clock) -> None:
    done = threading.Event()
    receiver.before = lambda _message, _file: done.wait(5)
    make_endpoint(session, receiver.url)
    tell_one(session, clock)
    work(clock)
    done.set()
    assert [(one.code, one.status) for one in attempts(session)] == [(AttemptCode.TIMED_OUT, None)]
    assert deliveries(session)[0].outcome is None


@pytest.mark.usefixtures("hurried")
def test_an_endpoint_that_drips_its_headers_is_cut_off(session: Session, receiver: Receiver, clock: Clock) -> None:
    def drip(_message: Message, file: Any) -> None:
        file.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100):
            file.write(b"y")
            file.flush()
            time.sleep(0.05)

    receiver.before = drip
    make_endpoint(session, receiver.url)
    tell_one(session, clock)
    began = time.monotonic()
    work(clock)
    assert time.monotonic() - began < 3
    assert [(one.code, one.status) for one in attempts(session)] == [(AttemptCode.TIMED_OUT, None)]


def test_an_answer_of_ten_megabytes_is_read_no_further_than_its_beginning(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    receiver.answer = (200, {}, b"x" * 10_000_000)
    make_endpoint(session, receiver.url)
    tell_one(session, clock)
    work(clock)
    [attempt] = attempts(session)
    assert (attempt.code, len(attempt.excerpt or "")) == (AttemptCode.DELIVERED, 500)


def test_a_redirect_is_a_failure_and_not_followed(session: Session, receiver: Receiver, clock: Clock) -> None:
    receiver.answer = (307, {"Location": f"http://127.0.0.1:{receiver.port}/private"}, b"")
    make_endpoint(session, receiver.url)
    tell_one(session, clock)
    work(clock)
    assert [one.path for one in receiver.messages] == ["/hook"]
    assert [(one.code, one.status) for one in attempts(session)] == [(AttemptCode.REDIRECTED, 307)]


def test_an_endpoint_with_a_bad_certificate_is_told_nothing(
    app: Flask, session: Session, tmp_path: Path, clock: Clock
) -> None:
    with receiving(self_signed(tmp_path)) as found, settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        make_endpoint(session, found.url)
        tell_one(session, clock)
        work(clock)
        assert found.messages == []
    assert [one.code for one in attempts(session)] == [AttemptCode.CERTIFICATE]


def test_an_endpoint_that_is_not_there_is_unreachable(app: Flask, session: Session, clock: Clock) -> None:
    with receiving() as closed:
        url = closed.url
    make_endpoint(session, url)
    tell_one(session, clock)
    with settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        work(clock)
    assert [one.code for one in attempts(session)] == [AttemptCode.UNREACHABLE]


def test_a_host_that_is_no_longer_named_is_not_called(session: Session, clock: Clock) -> None:
    with receiving() as found:
        make_endpoint(session, found.url)
        tell_one(session, clock)
        work(clock)
        assert found.messages == []
    assert [one.code for one in attempts(session)] == [AttemptCode.PRIVATE_ADDRESS]


def test_an_endpoint_that_hangs_delays_no_other(session: Session, receiver: Receiver, clock: Clock) -> None:
    others_are_done = threading.Event()
    with receiving() as other:
        seen: list[bool] = []

        def wait(_message: Message, _file: Any) -> None:
            seen.append(others_are_done.wait(8))

        def count(_message: Message, _file: Any) -> None:
            if len(other.messages) == 20:
                others_are_done.set()

        receiver.before, other.before = wait, count
        make_endpoint(session, receiver.url)
        make_endpoint(session, other.url)
        for number in range(20):
            tell_one(session, clock, f"p{number}@example.se")
        work(clock)
        assert len(other.messages) == 20
    assert seen
    assert all(seen)


def test_workers_side_by_side_tell_everything_once_and_in_order(
    app: Flask, session: Session, receiver: Receiver, clock: Clock
) -> None:
    make_endpoint(session, receiver.url)
    people = [make_recipient(session, f"p{number}@example.se") for number in range(10)]
    for _ in range(3):
        for one in people:
            act(session, one, "marketing", Act.WITHDRAWN)
    clock.move(seconds=30)

    def run() -> None:
        with app.app_context():
            while any(one.done_at is None for one in deliveries_of(app)):
                work(clock)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receiver.events) == sorted(set(receiver.events))
    assert len(receiver.events) == 30
    by_person: dict[str, list[int]] = {}
    for message in receiver.messages:
        by_person.setdefault(message.body["data"]["recipient"], []).append(message.body["data"]["id"])
    assert all(events == sorted(events) for events in by_person.values())


def deliveries_of(app: Flask) -> list[Any]:
    with Session(app.extensions["sqlalchemy"].engine) as session:
        return deliveries(session)


def test_a_worker_that_is_stopped_finishes_what_it_began_and_gives_back_the_rest(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    stop = threading.Event()
    receiver.before = lambda _message, _file: stop.set()
    make_endpoint(session, receiver.url)
    for number in range(30):
        tell_one(session, clock, f"p{number}@example.se")
    work(clock, stop)
    found = deliveries(session)
    done = [one for one in found if one.outcome is DeliveryOutcome.DELIVERED]
    assert len(done) == len(receiver.messages)
    assert 1 <= len(done) < 30
    assert all(one.claimed_until is None for one in found)
    assert {one.attempts for one in found if one.done_at is None} == {0}
    receiver.before = None
    work(clock)
    assert len(receiver.messages) == 30


def test_an_endpoint_removed_while_it_is_called_leaves_nothing(
    session: Session, receiver: Receiver, clock: Clock, app: Flask
) -> None:
    view, _ = make_endpoint(session, receiver.url)

    def remove(_message: Message, _file: Any) -> None:
        with app.app_context(), Session(app.extensions["sqlalchemy"].engine) as other:
            remove_endpoint(other, view.id)
            other.commit()

    receiver.before = remove
    tell_one(session, clock)
    work(clock)
    assert (attempts(session), deliveries(session)) == ([], [])
    act(session, make_recipient(session, "bo@example.se"), "marketing", Act.WITHDRAWN)
    assert deliveries(session) == []
