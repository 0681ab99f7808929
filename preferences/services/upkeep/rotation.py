"""Re-encrypts what older data keys wrote, so that an old key can be retired (GDPR 32; L14).

Works in batches that each commit, beside live writes: a value is replaced only while it still is what was read. Every batch
asks the database what is left, so a run that was broken off simply goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, bindparam, func, select, tuple_, type_coerce, update
from sqlalchemy.orm import Session

from preferences.models.base import Base
from preferences.models.crypto import ENCRYPTED, SealedBytes, UnreadableValue, keyring, where_in_row

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """One column of one table that holds encrypted values."""

    table: Table
    column: Column[Any]
    where: str
    """`table.column`."""

    def bound_to(self, key: Key) -> bytes:
        """What the value of the row with this primary key is bound to when encrypted."""
        return where_in_row(self.where, key if isinstance(self.column.type, SealedBytes) else ())

    @property
    def raw(self) -> ColumnElement[bytes]:
        """The stored bytes as they are."""
        return type_coerce(self.column, LargeBinary)

    @property
    def is_older(self) -> ColumnElement[bool]:
        """Whether another key than the newest wrote the value."""
        head = keyring().newest_head
        return func.substr(self.raw, 1, len(head), type_=LargeBinary) != bindparam(None, head, type_=LargeBinary)

    @property
    def key_columns(self) -> list[Column[Any]]:
        """The table's primary key."""
        return list(self.table.primary_key.columns)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch did. `last` is where the next one goes on; None: the column is through."""

    changed: int
    unreadable: int
    last: Key | None


def encrypted_columns() -> Iterator[EncryptedColumn]:
    """Every encrypted column of every table, found in the models: a new one is rotated without being listed anywhere."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, ENCRYPTED):
                yield EncryptedColumn(table, column, column.type.where)


def count_older(session: Session, column: EncryptedColumn) -> int:
    """How many values of the column an older key wrote."""
    counted = select(func.count()).select_from(column.table).where(column.column.is_not(None), column.is_older)
    return session.scalar(counted) or 0


def re_encrypt_batch(session: Session, column: EncryptedColumn, *, after: Key | None, limit: int) -> Batch:
    """Encrypt the next values with the newest key. A value that no key opens is counted and left as it is."""
    keys = column.key_columns
    found = select(*keys, column.raw.label("stored")).where(column.column.is_not(None), column.is_older)
    if after is not None:
        found = found.where(
            tuple_(*keys) > tuple_(*(bindparam(None, one, key.type) for one, key in zip(after, keys, strict=True)))
        )
    rows = session.execute(found.order_by(*keys).limit(limit)).all()
    changes, unreadable = [], 0
    for row in rows:
        where = column.bound_to(row[:-1])
        try:
            plain = keyring().decrypt(bytes(row.stored), where)
        except UnreadableValue:
            unreadable += 1
            continue
        named = {f"key_{number}": value for number, value in enumerate(row[:-1])}
        changes.append({**named, "old": row.stored, "new": keyring().encrypt(plain, where)})
    if changes:
        session.connection().execute(_replacing(column), changes)
    return Batch(len(changes), unreadable, tuple(rows[-1][:-1]) if len(rows) == limit else None)


def _replacing(column: EncryptedColumn) -> Any:
    this_row = [key == bindparam(f"key_{number}", type_=key.type) for number, key in enumerate(column.key_columns)]
    return (
        update(column.table)
        .where(*this_row, column.raw == bindparam("old", type_=LargeBinary))
        .values({column.column: bindparam("new", type_=LargeBinary)})
    )
