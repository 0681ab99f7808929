"""Many rows at once: COPY on PostgreSQL, one INSERT run many times on SQLite. Rows carry what the columns store."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import psycopg
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    bindparam,
    cast,
    func,
    select,
    text,
)
from sqlalchemy import column as sql_column
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, BYTEA
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

Column = InstrumentedAttribute[Any]

_POSTGRESQL: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (SmallInteger, "int2"),
    (BigInteger, "int8"),
    (Integer, "int4"),
    (LargeBinary, "bytea"),
    (DateTime, "timestamptz"),
    (String, "text"),
)


class TakenMeanwhile(Exception):
    """A unique key was filled by another transaction after we looked: go back to the savepoint and look again."""


def is_sqlite(session: Session) -> bool:
    """Whether the session's database is SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def others_version(session: Session) -> int:
    """A number that changes when another connection has written to a SQLite database; 0 elsewhere, where nobody waits."""
    return int(session.execute(text("PRAGMA data_version")).scalar_one()) if is_sqlite(session) else 0


def stored_moment(session: Session) -> Callable[[datetime | None], Any]:
    """How an aware datetime is handed to `bulk_insert` on this database."""
    if not is_sqlite(session):
        return lambda moment: moment
    return lambda moment: moment and moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def bulk_insert(
    session: Session,
    table: FromClause,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    rows_a_statement: int = 1,
) -> None:
    """Insert rows of stored values: encrypted columns as bytes, vocabularies as their text, moments by `stored_moment`.

    SQLite builds the lists in CHECK constraints anew for every statement, so tables with many gain from several rows in one.
    Raises TakenMeanwhile on a unique key (on PostgreSQL; a writing SQLite transaction has no rivals).
    """
    assert isinstance(table, Table)  # noqa: S101 - narrows the declarative type
    if not rows:
        return
    names = ", ".join(columns)
    connection = session.connection()
    if is_sqlite(session):
        marks = "(" + ", ".join("?" * len(columns)) + ")"
        head = f"INSERT INTO {table.name} ({names}) VALUES "  # noqa: S608 - names come from our models
        whole = len(rows) - len(rows) % rows_a_statement
        if rows_a_statement > 1 and whole:
            statement = head + ", ".join([marks] * rows_a_statement)
            starts = range(0, whole, rows_a_statement)
            groups = [tuple(chain.from_iterable(rows[start : start + rows_a_statement])) for start in starts]
            connection.exec_driver_sql(statement, groups)
        if whole < len(rows) or rows_a_statement == 1:
            connection.exec_driver_sql(head + marks, list(rows[whole if rows_a_statement > 1 else 0 :]))
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101
    try:
        statement = f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)"
        with driver.cursor() as cursor:
            cursor.adapters.register_dumper(bytes, BytesBinaryDumper)  # compiled, unlike DB-API's Binary
            with cursor.copy(statement) as copy:
                copy.set_types([_postgresql_type(table.c[name].type) for name in columns])
                write = copy.write_row
                for row in rows:
                    write(row)
    except psycopg.errors.UniqueViolation as error:
        raise TakenMeanwhile from error


def insert_new(
    session: Session,
    table: FromClause,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    unique: Sequence[str],
) -> int:
    """Insert those rows of stored values whose unique key is free, in one statement. Returns how many there were."""
    assert isinstance(table, Table)  # noqa: S101
    if not rows:
        return 0
    into = f"INSERT INTO {table.name} ({', '.join(columns)})"
    end = f"ON CONFLICT ({', '.join(unique)}) DO NOTHING"
    if is_sqlite(session):
        marks = ", ".join("?" * len(columns))
        return session.connection().exec_driver_sql(f"{into} VALUES ({marks}) {end}", list(rows)).rowcount
    arrays = ", ".join(f"%b::{_postgresql_type(table.c[name].type)}[]" for name in columns)
    statement = f"{into} SELECT * FROM unnest({arrays}) {end}"  # noqa: S608 - names come from our models
    values = tuple([row[number] for row in rows] for number in range(len(columns)))
    return session.connection().exec_driver_sql(statement, values).rowcount


def _postgresql_type(kind: TypeEngine[Any]) -> str:
    """How PostgreSQL calls a column's type: a binary COPY has to say it."""
    base = kind.impl if isinstance(kind, TypeDecorator) else kind
    for known, name in _POSTGRESQL:
        if isinstance(base, known):
            return name
    raise TypeError(f"no binary COPY for {base!r}")


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


def among_indexes(session: Session, column: Column, indexes: Collection[bytes]) -> ColumnElement[bool]:
    """Whether a column is one of these 16-byte keyed hashes: one parameter and one statement, however many there are."""
    if not is_sqlite(session):
        cut = text("SELECT substring(:joined FROM 1 + 16 * i FOR 16) AS piece FROM generate_series(0, :count - 1) AS i")
        typed = cut.bindparams(bindparam("joined", b"".join(indexes), BYTEA), bindparam("count", len(indexes), Integer))
        return column == func.any(func.array(typed.columns(sql_column("piece")).scalar_subquery()))
    cut = text(
        "SELECT substr(:joined, 1 + 16 * i, 16) AS piece FROM ("
        "WITH RECURSIVE counted(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counted WHERE i + 1 < :count) "
        "SELECT i FROM counted)"
    )
    return column.in_(cut.bindparams(joined=b"".join(indexes), count=len(indexes)).columns(sql_column("piece")))


def among_ids(session: Session, column: Column, ids: Collection[int]) -> ColumnElement[bool]:
    """Whether a column is one of these ids, in the same way."""
    if not is_sqlite(session):
        listed = func.string_to_array(bindparam(None, ",".join(map(str, ids))), ",")
        return column == func.any(cast(listed, ARRAY(BIGINT)))
    rows = func.json_each(bindparam(None, json.dumps(list(ids)))).table_valued("value")
    return column.in_(select(rows.c.value))
