"""Many rows at once: COPY on PostgreSQL, one INSERT run many times on SQLite. Rows carry what the columns store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import FromClause, Table, text
from sqlalchemy.orm import Session

from .base import UtcDateTime


class TakenMeanwhile(Exception):
    """A unique key was filled by another transaction after we looked: go back to the savepoint and look again."""


def is_sqlite(session: Session) -> bool:
    """Whether the session's database is SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def stored_moment(session: Session) -> Callable[[datetime | None], Any]:
    """How an aware datetime is handed to `bulk_insert` on this database."""
    process = UtcDateTime().bind_processor(session.get_bind().dialect)
    return process or (lambda moment: moment)


def bulk_insert(session: Session, table: FromClause, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of stored values: encrypted columns as bytes, vocabularies as their text, moments by `stored_moment`.

    Raises TakenMeanwhile on a unique key (on PostgreSQL; a writing SQLite transaction has no rivals).
    """
    assert isinstance(table, Table)  # noqa: S101 - narrows the declarative type
    if not rows:
        return
    names = ", ".join(columns)
    connection = session.connection()
    if is_sqlite(session):
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))  # noqa: S608
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.errors.UniqueViolation as error:
        raise TakenMeanwhile from error


def bulk_update(session: Session, table: FromClause, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Update rows by id with stored values: each row is the columns' values, then the id."""
    assert isinstance(table, Table)  # noqa: S101
    if not rows:
        return
    mark = "?" if is_sqlite(session) else "%s"
    assignments = ", ".join(f"{column} = {mark}" for column in columns)
    statement = f"UPDATE {table.name} SET {assignments} WHERE id = {mark}"  # noqa: S608 - names come from our models
    session.connection().exec_driver_sql(statement, list(rows))


def fresh_ids(session: Session, table: FromClause, count: int) -> Sequence[int]:
    """Ids for `count` rows about to be inserted into an append-only table with a serial id, growing."""
    assert isinstance(table, Table)  # noqa: S101
    if count == 0:
        return ()
    if is_sqlite(session):
        newest = int(session.execute(text(f"SELECT coalesce(max(id), 0) FROM {table.name}")).scalar_one())  # noqa: S608
        return range(newest + 1, newest + 1 + count)
    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
    statement = text(f"SELECT nextval({sequence}) FROM generate_series(1, :count)")  # noqa: S608
    return sorted(session.scalars(statement, {"count": count}))
