"""INSERT … ON CONFLICT on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_into(session: Session, table: FromClause) -> Any:
    """An insert of the session's own dialect, with `on_conflict_do_update` and `excluded`."""
    assert isinstance(table, Table)  # noqa: S101 - narrows the declarative type
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
