"""Nothing is claimed done that is not committed: what cannot be stored is answered 503, so that the client tries again (M7)."""

from __future__ import annotations

import sqlite3

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from preferences.domain.capability import Token
from preferences.services.ledger.verify import verify_ledger
from tests.factories import link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.visits import entries

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
FORM = {"confirm": "1", "stop": "everything"}


@pytest.fixture
def token(session: Session) -> Token:
    """The link of a recipient of marketing mail."""
    return link(make_recipient(session), purpose(session, "marketing"))


def fill_disk(session: Session, table: str) -> None:
    """From now on nothing can be added to this table: a disk that fills up in the middle of the work."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(
            text(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END")
        )
    else:
        raising = "BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END"
        session.execute(text(f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ {raising} $$"))
        session.execute(text(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION full_disk()"))
    session.commit()


def free_disk(session: Session, table: str) -> None:
    """There is room again."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("DROP TRIGGER full_disk"))
    else:
        session.execute(text(f"DROP TRIGGER full_disk ON {table}"))
        session.execute(text("DROP FUNCTION full_disk()"))
    session.commit()


@pytest.mark.parametrize("table", ["choices", "ledger_entries", "change_events"])
@pytest.mark.parametrize("body", [ONE_CLICK, FORM], ids=["one-click", "form"])
def test_a_write_that_fails_anywhere_is_503_and_leaves_nothing(
    client: StrictClient, session: Session, token: Token, table: str, body: dict[str, str]
) -> None:
    fill_disk(session, table)
    try:
        answer = client.post(f"/u/{token}", data=body)
    finally:
        free_disk(session, table)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert entries(session) == []
    for left in ("choices", "change_events", "suppressions"):
        assert session.execute(text(f"SELECT count(*) FROM {left}")).scalar_one() == 0
    session.rollback()
    assert client.post(f"/u/{token}", data=ONE_CLICK).status_code == 200
    assert (len(entries(session)), verify_ledger(session).is_sound) == (1, True)


def test_a_database_that_is_gone_is_503_and_comes_back(
    app: Flask, client: StrictClient, session: Session, token: Token
) -> None:
    """PostgreSQL ends every connection of the pool, as a restart does: at most one request fails, and none is claimed done."""
    engine = app.extensions["sqlalchemy"].engine
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no server to lose")
    client.get(f"/u/{token}")
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    session.commit()
    statuses = [client.post(f"/u/{token}", data=ONE_CLICK).status_code for _ in range(3)]
    assert statuses[1:] == [200, 200]
    assert statuses[0] in {200, 503}
    assert len(entries(session)) == 1


def test_a_file_that_somebody_else_holds_is_503(
    app: Flask, client: StrictClient, session: Session, token: Token
) -> None:
    engine = app.extensions["sqlalchemy"].engine
    if engine.dialect.name != "sqlite":
        pytest.skip("a lock on the whole database is SQLite's")
    engine.dispose()

    @event.listens_for(engine, "connect")
    def _impatient(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    other = sqlite3.connect(engine.url.database or "", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        held = client.post(f"/u/{token}", data=ONE_CLICK)
        other.execute("ROLLBACK")
        freed = client.post(f"/u/{token}", data=ONE_CLICK)
    finally:
        other.close()
        event.remove(engine, "connect", _impatient)
        engine.dispose()
    assert (held.status_code, freed.status_code) == (503, 200)
    assert len(entries(session)) == 1
