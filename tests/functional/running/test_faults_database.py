"""The database goes away or fills up in the middle: what was answered 200 is stored, the rest was answered 503."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from datetime import UTC, datetime
from http.client import HTTPConnection

import psycopg
import pytest
from flask import Flask
from sqlalchemy import URL, Engine, event, func, select, text
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability, RecipientId, Token
from preferences.models.endpoint import DeliveryRow
from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow, OutboxJobRow
from preferences.services.ledger.verify import verify_ledger
from preferences.services.outbox.outbox import enqueue_mail
from preferences.worker import Worker
from tests.conftest import settings_environment
from tests.factories import make_recipient, make_recipients, purpose
from tests.support.client import StrictClient
from tests.support.logs import log_lines
from tests.support.mailing import jobs, sending_to, settings_changed
from tests.support.processes import mailing_through, worker_process
from tests.support.receiver import receiving
from tests.support.server import Server, serving
from tests.support.smtp import smtp_server
from tests.support.webhooks import make_endpoint

CUTS = 2
PEOPLE = 1200
MAILS = 20
CLIENTS = 4
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def stored(session: Session) -> tuple[set[RecipientId], int, int]:
    """Who has an entry in the ledger, and how many choices and events there are."""
    session.rollback()
    people = {RecipientId(one) for one in session.scalars(select(LedgerEntryRow.recipient_id))}
    counts = [session.scalar(select(func.count()).select_from(table)) or 0 for table in (ChoiceRow, ChangeEventRow)]
    session.rollback()
    return people, counts[0], counts[1]


@pytest.mark.slow
def test_postgresql_goes_away_again_and_again_and_server_and_worker_go_on_by_themselves(
    app: Flask, session: Session, now: datetime
) -> None:
    """Connections cut in the middle, then nobody let in for a while, as in a restart. Clients try again after 503 (M7)."""
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite has no connections to cut")
    people = make_recipients(session, PEOPLE)
    for recipient_id in people[:MAILS]:
        enqueue_mail(session, "fresh_link", recipient_id=recipient_id, parameters={"locale": "sv"}, now=now)
    session.commit()
    mint = app.extensions["preferences.signer"].minter(
        Capability.UNSUBSCRIBE, purpose(session, "marketing").id, issued_at=datetime.now(UTC)
    )
    recipients = {mint(recipient_id, 1): recipient_id for recipient_id in people}
    environ = settings_environment(app.config["SQLALCHEMY_DATABASE_URI"], INSTANCE_PATH=app.instance_path)
    with (
        settings_changed(app, webhook_private_hosts=("127.0.0.1",)),
        receiving() as receiver,
        smtp_server() as (port, kept),
        worker_process(app, WEBHOOK_PRIVATE_HOSTS="127.0.0.1", **mailing_through(port)) as worker,
        serving(environ, workers=2, threads=4) as server,
    ):
        make_endpoint(session, receiver.url)
        app.extensions["sqlalchemy"].engine.dispose()
        done, refused = press_through(server, recipients, session.get_bind().url)  # type: ignore[union-attr]
        wait_until(lambda: nothing_waits(session))
        assert worker.poll() is None, "the worker did not die of it"
        assert server.process.poll() is None
        changes = set(session.scalars(select(ChangeEventRow.id)))
    found, choices, events = stored(session)
    assert {recipients[token] for token in done} <= found, "200 means stored"
    assert len(found) - len(done) <= CLIENTS, "nothing is invented; a client may have left before its answer"
    assert refused > 0, "it was away"
    assert len(found) == choices == events
    assert verify_ledger(session).is_sound
    session.rollback()
    assert set(receiver.events) == changes, "mailers heard every change, and nothing else"
    assert {job.outcome for job in jobs(session)} == {"sent"}
    reached = {address for addresses in kept.recipients for address in addresses}
    assert reached == {f"person.{number}@example.se" for number in range(MAILS)}


def press_through(server: Server, tokens: Iterable[Token], url: URL) -> tuple[list[Token], int]:
    """Press from several clients while PostgreSQL goes away. Returns which got 200, and how often one was answered 503."""
    waiting, turn, over = iter(tokens), threading.Lock(), threading.Event()
    done: list[Token] = []
    refused: list[int] = []

    def press() -> None:
        with contextlib.closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
            while not over.is_set():
                with turn:
                    token = next(waiting)
                while not over.is_set():
                    connection.request("POST", f"/u/{token}", b"List-Unsubscribe=One-Click", FORM)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        done.append(token)
                        break
                    refused.append(answer.status)
                    over.wait(0.02)

    clients = [threading.Thread(target=press) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    name, admin = url.database, url.set(drivername="postgresql", database="postgres")
    cut = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
    try:
        with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as postgres:
            for _ in range(CUTS):
                wait_for_more(done, 40)
                assert (postgres.execute(cut).fetchone() or (0,))[0] >= 2
            wait_for_more(done, 40)
            postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            postgres.execute(cut)
            wait_for_more(refused, 20)
            postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        wait_for_more(done, 40)
    finally:
        over.set()
        for client in clients:
            client.join()
    assert set(refused) == {503}
    return done, len(refused)


def nothing_waits(session: Session) -> bool:
    """Whether everything is delivered. What a worker held when it lost its connection is claimed still: let those run out."""
    for table, minutes in (("outbox_jobs", 10), ("webhook_deliveries", 2)):
        held = f"claimed_until < now() + interval '{minutes} minutes' - interval '2 seconds'"
        session.execute(text(f"UPDATE {table} SET claimed_until = NULL WHERE done_at IS NULL AND {held}"))
    left = [
        session.scalar(select(func.count()).where(row.done_at.is_(None)).select_from(row))
        for row in (OutboxJobRow, DeliveryRow)
    ]
    session.commit()
    return left == [0, 0]


def wait_for_more(happened: Sized, count: int) -> None:
    """Until it has happened so many times more."""
    wanted = len(happened) + count
    wait_until(lambda: len(happened) >= wanted)


def wait_until(condition: object) -> None:
    until = time.monotonic() + 20
    assert callable(condition)
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


@contextlib.contextmanager
def full_disk(engine: Engine, pages: int) -> Iterator[None]:
    """SQLite finds room for only so many pages more than there are."""
    engine.dispose()

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        (now,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={now + pages}")

    event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()


@pytest.fixture
def on_sqlite(app: Flask) -> Engine:
    engine: Engine = app.extensions["sqlalchemy"].engine
    if engine.dialect.name != "sqlite":
        pytest.skip("what a full disk does to PostgreSQL is its server's business; see test_one_click_storage.py")
    return engine


def test_a_disk_that_fills_up_is_503_changes_nothing_and_recovers(
    on_sqlite: Engine, client: StrictClient, session: Session
) -> None:
    people = make_recipients(session, 120)
    marketing = purpose(session, "marketing")
    mint = client.application.extensions["preferences.signer"].minter(
        Capability.UNSUBSCRIBE, marketing.id, issued_at=datetime.now(UTC)
    )
    tokens = {recipient_id: mint(recipient_id, 1) for recipient_id in people}
    with full_disk(on_sqlite, pages=3):
        statuses = {one: press(client, token) for one, token in tokens.items()}
        done = {one for one, status in statuses.items() if status == 200}
        failed = {one for one, status in statuses.items() if status == 503}
        assert len(done) > 5, "at first there was room"
        assert len(failed) > 10, "then there was none"
        assert done | failed == set(people)
        found, choices, events = stored(session)
        assert found == done, "stored and answered 200 are the same"
        assert len(found) == choices == events
        assert client.get(f"/u/{tokens[min(failed)]}").status_code == 200, "pages are still shown"
        assert client.get("/readyz").status_code == 200
    assert verify_ledger(session).is_sound
    session.rollback()
    assert {press(client, tokens[one]) for one in failed} == {200}, "there is room again"
    assert stored(session)[0] == set(people)


def press(client: StrictClient, token: Token) -> int:
    return client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"}).status_code


def test_mail_waits_while_the_disk_is_full(on_sqlite: Engine, app: Flask, session: Session, now: datetime) -> None:
    """What cannot be recorded as claimed is not sent: otherwise it would go out again and again."""
    enqueue_mail(session, "fresh_link", recipient_id=make_recipient(session).id, parameters={"locale": "sv"}, now=now)
    session.commit()
    with smtp_server() as (port, kept), sending_to(app, port):
        worker = Worker()
        with log_lines() as logged, read_only(on_sqlite):
            thread = threading.Thread(target=run_in, args=(app, worker))
            thread.start()
            wait_until(lambda: '"lane": "mail"' in logged.getvalue())
            worker.stop.set()
            thread.join(10)
        assert kept.messages == []
        assert "database_unavailable" in logged.getvalue()
        assert Worker().run_until_idle() == 1
    assert len(kept.messages) == 1


@contextlib.contextmanager
def read_only(engine: Engine) -> Iterator[None]:
    """Every write fails as on a disk without a free block, whatever room is left inside the file."""
    engine.dispose()

    def refuse(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    event.listen(engine, "connect", refuse)
    try:
        yield
    finally:
        event.remove(engine, "connect", refuse)
        engine.dispose()


def run_in(app: Flask, worker: Worker) -> None:
    with app.app_context():
        worker.run(stops_within_seconds=5)
