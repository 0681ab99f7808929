"""Statements compiled once and run on the driver's own cursor: for the few that every one-click runs.

SQLAlchemy still writes the SQL, converts values both ways, and owns connection and transaction. What is left out is the
execution context it makes for every call, which costs more than the statement itself (see docs/one-click.md for figures).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import RawCursor
from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import TypeEngine

Convert = Callable[[Any], Any]
_NUMBERED = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str | bytes
    order: tuple[str, ...]
    """Names in the order of the placeholders."""
    fixed: Mapping[str, Any]
    """Values that stand in the statement itself, converted."""
    binds: tuple[tuple[str, Convert | None], ...]
    results: tuple[tuple[int, Convert], ...]
    """Which columns are converted, and how."""


class Prepared:
    """A Core statement of binds and literals. Driver errors come out as SQLAlchemy's, and a lost connection leaves the pool."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def fetch_one(self, connection: Connection, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The one row that the statement returns, converted; None where it returns none."""
        cursor, compiled = self._execute(connection, parameters)
        row = cursor.fetchone()
        cursor.close()
        return None if row is None else _converted(row, compiled)

    def fetch_all(self, connection: Connection, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row that the statement returns, converted."""
        cursor, compiled = self._execute(connection, parameters)
        rows = cursor.fetchall()
        cursor.close()
        return [_converted(row, compiled) for row in rows]

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """Run a statement that returns nothing. Returns how many rows it wrote."""
        cursor, _ = self._execute(connection, parameters)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def _execute(self, connection: Connection, parameters: Mapping[str, Any]) -> tuple[Any, _Compiled]:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._statement, dialect)
        values = dict(compiled.fixed)
        for name, convert in compiled.binds:
            value = parameters[name]
            values[name] = value if value is None or convert is None else convert(value)
        return on_cursor(connection, compiled.sql, [values[name] for name in compiled.order]), compiled


def _converted(row: Any, compiled: _Compiled) -> tuple[Any, ...]:
    values = list(row)
    for place, convert in compiled.results:
        if values[place] is not None:
            values[place] = convert(values[place])
    return tuple(values)


def on_cursor(connection: Connection, sql: str | bytes, sent: Sequence[Any] = ()) -> Any:
    """Run SQL on a cursor of the driver, with errors as SQLAlchemy's. The caller closes the cursor.

    Placeholders are `?` on SQLite and `$1` on PostgreSQL: what the database itself reads, so that no driver rewrites them.
    """
    driver = connection.connection.driver_connection
    cursor: Any = RawCursor(driver) if isinstance(driver, psycopg.Connection) else connection.connection.cursor()
    try:
        cursor.execute(sql, sent)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(connection, cursor, sql, error) from error
    return cursor


def _compile(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    is_postgresql = dialect.name == "postgresql"
    compiled: Any = statement.compile(dialect=_NUMBERED if is_postgresql else dialect)
    fixed: dict[str, Any] = {}
    binds: list[tuple[str, Convert | None]] = []
    for name, bind in compiled.binds.items():
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if bind.required:
            binds.append((name, convert))
        else:
            fixed[name] = convert(bind.effective_value) if convert else bind.effective_value
    converts = [kind.dialect_impl(dialect).result_processor(dialect, None) for kind in _returned_types(statement)]
    results = [(place, convert) for place, convert in enumerate(converts) if convert is not None]
    sql = str(compiled).encode() if is_postgresql else str(compiled)
    return _Compiled(sql, tuple(compiled.positiontup), fixed, tuple(binds), tuple(results))


def _returned_types(statement: Any) -> list[TypeEngine[Any]]:
    """The types of a select's columns (of a union's first part), or of those after RETURNING."""
    if statement.is_select:
        return [column.type for column in statement.selected_columns]
    return [column["type"] for column in statement.returning_column_descriptions]


def _translated(connection: Connection, cursor: Any, sql: str | bytes, error: Exception) -> BaseException:
    """The driver's error as SQLAlchemy's own, without the values. A connection that is gone is not given to anybody again."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
        connection.engine.dispose()
    return DBAPIError.instance(
        sql if isinstance(sql, str) else sql.decode(),
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
