"""Transactions: every edge opens one, services run inside it. Committed whole or not at all.

SQLite starts a writing transaction with BEGIN IMMEDIATE: the driver's deferred default loses updates and deadlocks under load.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from .prepared import on_cursor

READ_ONLY = {"preferences_read_only": True}
AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT"}
NO_BEGIN = {"preferences_no_begin": True}
SQLITE_BUSY_MILLISECONDS = 10_000


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back when the block raises."""
    with Session(_engine(), expire_on_commit=False, autoflush=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads: takes no write lock on SQLite, and is always rolled back."""
    with Session(_engine(), expire_on_commit=False, autoflush=False) as session:
        session.connection(execution_options=READ_ONLY)
        try:
            yield session
        finally:
            session.rollback()


@contextmanager
def glancing() -> Iterator[Session]:
    """As reading(), for one or two statements that each see their own moment: the database is spared BEGIN and ROLLBACK."""
    engine = _engine()
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        session.connection(execution_options=NO_BEGIN if engine.dialect.name == "sqlite" else AUTOCOMMIT)
        try:
            yield session
        finally:
            session.rollback()


@contextmanager
def snapshot() -> Iterator[Session]:
    """As reading(), but everything is seen as it was at one moment, whatever others commit meanwhile.

    On SQLite every reading transaction is like that; PostgreSQL is asked for REPEATABLE READ.
    """
    engine = _engine()
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        session.connection(execution_options=READ_ONLY)
        try:
            yield session
        finally:
            session.rollback()


def _engine() -> Engine:
    engine: Engine = current_app.extensions["sqlalchemy"].engine
    return engine


def prepare_engine(engine: Engine) -> None:
    """Give an engine the settings its database needs for durable, serialised writes (see stack.md's measurements)."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)


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


def _on_sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("preferences_no_begin", False):
        read_only = options.get("preferences_read_only", False)
        on_cursor(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE").close()
