"""The declarative base, its naming convention, and the column types that everything stored shares."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

E = TypeVar("E", bound=StrEnum)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table's base. Constraint names follow one convention, so that migrations can name what they change."""

    metadata = MetaData(naming_convention=NAMING)


SerialId = BigInteger().with_variant(Integer, "sqlite")
"""A growing 64-bit id; on SQLite the rowid itself."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC with microseconds. A naive one is a programming error and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Vocabulary(TypeDecorator[E], Generic[E]):
    """A closed vocabulary stored as its text; an unknown text from the database is an error, never passed through."""

    impl = String(32)
    cache_ok = True

    def __init__(self, values: type[E]) -> None:
        super().__init__()
        self.values = values

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else self.values(value).value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> E | None:
        return None if value is None else self.values(value)


def one_of(column: str, values: type[StrEnum]) -> str:
    """The text of a CHECK constraint that holds a column to a vocabulary."""
    allowed = ", ".join(f"'{value.value}'" for value in values)
    return f"{column} IN ({allowed})"
