"""Transactions: every edge opens one, services run inside it. Committed whole or not at all.

On both databases the driver is in autocommit and BEGIN is said here, so that a transaction is exactly what its edge needs.
SQLite starts a writing one with BEGIN IMMEDIATE: the driver's deferred default loses updates and deadlocks under load.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from .prepared import on_cursor
from .rehearsal import on_stage

SQLITE_BUSY_MILLISECONDS = 10_000
_OPTION = "preferences_transaction"


class Kind(StrEnum):
    """What a transaction is for."""

    WRITING = "writing"
    READING = "reading"
    SNAPSHOT = "snapshot"
    NONE = "none"
    """Every statement stands for itself."""


_BEGIN = {
    "sqlite": {Kind.WRITING: "BEGIN IMMEDIATE", Kind.READING: "BEGIN", Kind.SNAPSHOT: "BEGIN"},
    "postgresql": {
        Kind.WRITING: "BEGIN",
        Kind.READING: "BEGIN READ ONLY",
        Kind.SNAPSHOT: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    },
}


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back when the block raises."""
    with _session(_place()) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


class _Held(Session):
    """A session on a connection that its edge has begun and will end: for statements it is no more than that connection."""

    def __init__(self, held: Connection) -> None:
        super().__init__(held, expire_on_commit=False, autoflush=False)
        self._held = held

    def connection(self, *_: Any, **__: Any) -> Connection:
        """The connection held."""
        return self._held


@contextmanager
def deciding() -> Iterator[Session]:
    """For a service that reads, decides, and writes in one statement at most, guarded by what it read: the hot path.

    On PostgreSQL the statement is a transaction by itself, which spares two round trips of four. On SQLite it is BEGIN
    IMMEDIATE to COMMIT, as in transaction(). What a service adds as objects is not stored: it speaks in statements.
    """
    engine = _place()
    if isinstance(engine, Connection):
        with engine.begin_nested(), _Held(engine) as session:
            yield session
        return
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            connection.execution_options(**{_OPTION: Kind.NONE})
        with connection.begin(), _Held(connection) as session:
            yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads: takes no write lock on SQLite, may not write on PostgreSQL, and is always rolled back."""
    with _looking(Kind.READING, _place()) as session:
        yield session


@contextmanager
def reading_beside(session: Session) -> Iterator[Session]:
    """One more session like reading(), on a connection of its own, for a thread beside the one that uses the given session."""
    engine = session.get_bind()
    assert isinstance(engine, Engine)  # noqa: S101 - sessions here are bound to engines
    with _looking(Kind.READING, engine) as beside:
        yield beside


@contextmanager
def glancing() -> Iterator[Session]:
    """As reading(), for one or two statements that each see their own moment: the database is spared BEGIN and ROLLBACK."""
    with _session(_place()) as session:
        session.connection(execution_options={_OPTION: Kind.NONE})
        yield session


@contextmanager
def snapshot() -> Iterator[Session]:
    """As reading(), but everything is seen as it was at one moment, whatever others commit meanwhile.

    On SQLite every reading transaction is like that; PostgreSQL is asked for REPEATABLE READ.
    """
    with _looking(Kind.SNAPSHOT, _place()) as session:
        yield session


@contextmanager
def _looking(kind: Kind, place: Engine | Connection) -> Iterator[Session]:
    with _session(place) as session:
        session.connection(execution_options={_OPTION: kind})
        try:
            yield session
        finally:
            session.rollback()


def _session(place: Engine | Connection) -> Session:
    """On the connection of a rehearsal a session ends its own savepoint, never what is around it."""
    return Session(place, expire_on_commit=False, autoflush=False, join_transaction_mode="create_savepoint")


def _place() -> Engine | Connection:
    """Where work happens: the application's engine, or the connection of the rehearsal that is going on."""
    stage = on_stage()
    if stage is not None:
        return stage
    engine: Engine = current_app.extensions["sqlalchemy"].engine
    return engine


def prepare_engine(engine: Engine) -> None:
    """Give an engine the settings its database needs for durable, serialised writes (see stack.md's measurements)."""
    is_sqlite = engine.dialect.name == "sqlite"
    event.listen(engine, "connect", _on_sqlite_connect if is_sqlite else _on_postgresql_connect)
    event.listen(engine, "begin", _on_begin)


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA cache_size=-65536")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _on_postgresql_connect(connection: Any, _record: Any) -> None:
    """Compiling a statement takes longer than running any of ours compiled saves."""
    connection.autocommit = True
    connection.execute("SET jit = off")


def _on_begin(connection: Connection) -> None:
    kind = connection.get_execution_options().get(_OPTION, Kind.WRITING)
    if kind is not Kind.NONE:
        on_cursor(connection, _BEGIN[connection.dialect.name][kind]).close()
