"""A one-click is wholly done or wholly not, whenever the power goes: a real server is killed under load, again and again."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability, RecipientId, Token
from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.services.ledger.verify import verify_ledger
from tests.conftest import settings_environment
from tests.factories import make_recipients, purpose
from tests.support.server import Server, serving

ROUNDS = 3
CLIENTS = 8
RECIPIENTS = 900
ANSWERS_BEFORE_THE_KILL = 60
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.slow
def test_what_was_answered_is_stored_and_nothing_is_half_done(app: Flask, session: Session) -> None:
    mint = app.extensions["preferences.signer"].minter(
        Capability.UNSUBSCRIBE, purpose(session, "marketing").id, issued_at=datetime.now(UTC)
    )
    recipients = {mint(recipient_id, 1): recipient_id for recipient_id in make_recipients(session, RECIPIENTS)}
    waiting, answered = iter(recipients), set[RecipientId]()
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    environ = settings_environment(app.config["SQLALCHEMY_DATABASE_URI"], INSTANCE_PATH=app.instance_path)
    for _ in range(ROUNDS):
        with serving(environ, workers=1 if is_sqlite else 2, threads=1 if is_sqlite else 4) as server:
            done = press_until_killed(server, waiting)
            assert len(done) >= ANSWERS_BEFORE_THE_KILL, "the server was not under load"
            answered |= {recipients[token] for token in done}
    wait_for_the_database_to_let_go(session)
    told = set(session.scalars(select(ChangeEventRow.entry_id)))
    entries = {entry.id: RecipientId(entry.recipient_id) for entry in session.scalars(select(LedgerEntryRow))}
    chosen = {row.entry_id: RecipientId(row.recipient_id) for row in session.scalars(select(ChoiceRow))}
    assert answered <= set(entries.values()), "200 means stored"
    assert len(set(entries.values())) == len(entries), "one entry each"
    assert told == set(entries), "an event for every entry, and for nothing else"
    assert chosen == entries, "a choice for every entry, and for nothing else"
    assert verify_ledger(session).is_sound
    assert len(entries) - len(answered) <= ROUNDS * CLIENTS, "no more than was under way at a kill"


def press_until_killed(server: Server, waiting: Iterator[Token]) -> list[Token]:
    """Press from several clients at once, kill in the middle, and return the tokens that were answered 200."""
    done: list[Token] = []
    turn = threading.Lock()

    def press() -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
            while True:
                with turn:
                    token = next(waiting)
                connection.request("POST", f"/u/{token}", b"List-Unsubscribe=One-Click", FORM)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    done.append(token)

    clients = [threading.Thread(target=press) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    until = time.monotonic() + 10
    while len(done) < ANSWERS_BEFORE_THE_KILL and time.monotonic() < until:
        time.sleep(0.002)
    server.kill()
    for client in clients:
        client.join()
    return done


def wait_for_the_database_to_let_go(session: Session) -> None:
    """PostgreSQL needs a moment to notice that its clients are dead; what they had not committed is then gone."""
    if session.get_bind().dialect.name == "sqlite":
        return
    others = "datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
    until = time.monotonic() + 5
    while session.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}")) and time.monotonic() < until:
        session.rollback()
        time.sleep(0.05)
    session.rollback()
