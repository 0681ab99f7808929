"""A worker is killed while it tells mailers: they hear every change, in order for each person, and nothing else."""

from __future__ import annotations

import os
import signal
import threading
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.models.outbox import ChangeEventRow
from preferences.services.webhooks.deliveries import LEASE
from tests.factories import act, make_recipient
from tests.support.mailing import settings_changed
from tests.support.processes import worker_process
from tests.support.receiver import Receiver, receiving
from tests.support.webhooks import deliveries, make_endpoint, work

PEOPLE, ACTS = 8, (Act.GIVEN, Act.WITHDRAWN, Act.GIVEN, Act.OBJECTED)


def first_heard(receiver: Receiver) -> dict[str, list[int]]:
    """The events of each person in the order in which they were first heard."""
    heard: dict[str, list[int]] = defaultdict(list)
    for message in receiver.messages:
        data = message.body["data"]
        if data["id"] not in heard[data["recipient"]]:
            heard[data["recipient"]].append(data["id"])
    return heard


@pytest.mark.slow
def test_a_worker_killed_between_calls_leaves_nothing_untold_and_nothing_out_of_order(
    app: Flask, session: Session
) -> None:
    killed = threading.Event()
    with receiving() as receiver, settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        make_endpoint(session, receiver.url)
        people = [make_recipient(session, f"person.{number}@example.se") for number in range(PEOPLE)]
        for one in ACTS:
            for person in people:
                act(session, person, "marketing", one)
        with worker_process(app, WEBHOOK_PRIVATE_HOSTS="127.0.0.1") as worker:

            def kill(*_: object) -> None:
                if len(receiver.messages) >= PEOPLE + 2 and not killed.is_set():
                    killed.set()
                    os.kill(worker.pid, signal.SIGKILL)

            receiver.before = kill
            assert killed.wait(30)
            assert worker.wait(10) == -signal.SIGKILL
        receiver.before = None
        assert any(one.claimed_until is not None for one in deliveries(session)), "it died with work in hand"
        work(lambda: datetime.now(UTC) + LEASE)
        changes = set(session.scalars(select(ChangeEventRow.id)))
    heard = first_heard(receiver)
    assert set(receiver.events) == changes
    assert len(changes) == PEOPLE * len(ACTS)
    assert all(one.done_at is not None for one in deliveries(session))
    assert [sorted(events) for events in heard.values()] == list(heard.values()), "in order for each person"
    assert {message.id for message in receiver.messages} == {f"evt_{one}" for one in changes}, "a repeat keeps its id"
