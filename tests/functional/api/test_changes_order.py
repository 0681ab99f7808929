"""No change is ever skipped by a cursor that has moved past it, however late and out of order transactions commit."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import psycopg
import pytest
from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from preferences.domain.events import EventType
from preferences.domain.scopes import Scope
from preferences.models.outbox import ChangeEventRow
from preferences.models.transaction import transaction
from preferences.services.outbox.feed_order import LEAP, keep_feed_order
from preferences.services.outbox.outbox import tell_change
from tests.factories import make_key
from tests.functional.api.support import Api
from tests.support import databases
from tests.support.client import StrictClient

WRITERS, TURNS = 3, 12


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.CHANGES_READ), session)


@pytest.fixture
def postgresql(app: Flask) -> Flask:
    """Only there can two transactions write at once."""
    if app.extensions["sqlalchemy"].engine.dialect.name != "postgresql":
        pytest.skip("one writer")
    return app


def tell(session: Session, number: int, now: datetime) -> None:
    data = {"number": number}
    tell_change(session, EventType.RECIPIENT_SUPPRESSED, recipient_id=None, now=now, data=data)


def read_all(api: Api, cursor: str | None, limit: int = 1000) -> tuple[list[int], str]:
    found: list[int] = []
    while True:
        answer = api.get(f"/changes?limit={limit}" + (f"&after={cursor}" if cursor else "")).json
        found += [change["data"]["number"] for change in answer["changes"]]
        cursor = answer["cursor"]
        if not answer["more"]:
            return found, str(cursor)


def test_a_change_that_commits_late_is_read_after_all(postgresql: Flask, api: Api, now: datetime) -> None:
    with ExitStack() as stack:
        slow = stack.enter_context(transaction())
        tell(slow, 1, now)
        with transaction() as quick:
            tell(quick, 2, now)
        found, cursor = read_all(api, None)
        assert found == [], "the quick one waits for the slow one, which comes before it"
    assert read_all(api, cursor)[0] == [1, 2]


def test_what_is_rolled_back_holds_nothing_up(postgresql: Flask, api: Api, now: datetime) -> None:
    def fail() -> None:
        with transaction() as session:
            tell(session, 1, now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with transaction() as session:
        tell(session, 2, now)
    assert read_all(api, None)[0] == [2]


def test_a_savepoint_belongs_to_the_transaction_around_it(postgresql: Flask, api: Api, now: datetime) -> None:
    with transaction() as slow:
        tell(slow, 1, now)
        with transaction() as quick:
            tell(quick, 2, now)
        with slow.begin_nested():
            tell(slow, 3, now)
        found, cursor = read_all(api, None)
        assert found == []
    assert read_all(api, cursor)[0] == [1, 3, 2]


def test_writers_and_a_reader_at_the_same_time_lose_and_double_nothing(app: Flask, api: Api, now: datetime) -> None:
    """The reader holds a change of its own back while it reads what others commit meanwhile, and never looks back."""

    def write(writer: int) -> None:
        choose = random.Random(writer)
        with app.app_context():
            for turn in range(TURNS):
                with transaction() as session:
                    for part in range(choose.choice((1, 1, 2, 5))):
                        tell(session, number := writer * 10_000 + turn * 100 + part, now)
                        written.append(number)

    written: list[int] = []
    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, WRITERS + 1)]
    for thread in threads:
        thread.start()
    found: list[int] = []
    cursor: str | None = None
    held_back = 0
    while held_back < 3 or any(thread.is_alive() for thread in threads):
        with transaction() as slow:
            tell(slow, held_back, now)
            written.append(held_back)
            held_back += 1
            more, cursor = read_all(api, cursor, limit=7)
            found += more
    found += read_all(api, cursor)[0]
    assert len(set(found)) == len(found)
    assert sorted(found) == sorted(written)
    for writer in range(WRITERS + 1):
        own = [number for number in found if number // 10_000 == writer]
        assert own == sorted(own), "each writer's own order is kept"


def test_a_transaction_in_another_database_holds_nothing_up(postgresql: Flask, api: Api, now: datetime) -> None:
    elsewhere = databases.server_url()
    with psycopg.connect(elsewhere) as other:
        assert other.execute("SELECT pg_current_xact_id()").fetchone()
        with transaction() as session:
            tell(session, 1, now)
        assert read_all(api, None)[0] == [1]


@pytest.fixture
def restored(postgresql: Flask, session: Session, now: datetime) -> Iterator[None]:
    """A dump from a server that had counted its transactions further than this one."""
    session.execute(
        insert(ChangeEventRow),
        {
            "type": EventType.RECIPIENT_SUPPRESSED,
            "recorded_at": now,
            "feed_order": 2**33,
            "data": {"number": 1},
        },
    )
    session.commit()
    yield
    session.rollback()
    session.execute(
        text("CREATE OR REPLACE FUNCTION feed_shift() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint'")
    )
    session.commit()


@pytest.mark.usefixtures("restored")
def test_a_restored_feed_goes_on_behind_what_it_holds(api: Api, session: Session, now: datetime) -> None:
    assert keep_feed_order(session) == 2**33 + LEAP
    session.commit()
    assert keep_feed_order(session) is None
    found, cursor = read_all(api, None)
    assert found == [1]
    with transaction() as other:
        tell(other, 2, now)
    assert read_all(api, cursor)[0] == [2]


def test_a_feed_in_order_is_left_alone(app: Flask, session: Session, now: datetime) -> None:
    assert keep_feed_order(session) is None
    with transaction() as other:
        tell(other, 1, now)
    assert keep_feed_order(session) is None
