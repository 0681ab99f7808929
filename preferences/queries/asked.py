"""The set that is asked about, handed to the database as one parameter: `asked(position, key)`, to join with.

Ids go as an array (PostgreSQL) or as JSON (SQLite); keyed hashes, all of one length, as one long value to cut from.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, bindparam, column, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

INDEX_BYTES = 16
"""Length of a keyed hash (models.crypto)."""


def asked_ids(session: Session, ids: Sequence[int]) -> Any:
    """The ids as rows, `position` counted from 0."""
    if _is_sqlite(session):
        rows = func.json_each(json.dumps(list(ids))).table_valued("key", "value", name="listed")
        return select(rows.c.key.label("position"), rows.c.value.label("key")).cte("asked")
    values = bindparam("asked_ids", list(ids), ARRAY(BigInteger))
    numbered = func.unnest(values).table_valued(column("key", BigInteger), with_ordinality="ordinal", name="listed")
    rows = numbered.render_derived()
    return select((rows.c.ordinal - 1).label("position"), rows.c.key).cte("asked")


def asked_addresses(session: Session, address_indexes: Sequence[bytes]) -> Any:
    """The keyed hashes as rows, `position` counted from 0."""
    positions = _positions(session, len(address_indexes))
    packed = bindparam("asked_addresses", b"".join(address_indexes), LargeBinary)
    key = func.substr(packed, positions.c.position * INDEX_BYTES + 1, INDEX_BYTES, type_=LargeBinary)
    return select(positions.c.position, key.label("key")).cte("asked")


def prefer_index_lookups(session: Session) -> None:
    """For the rest of the transaction: look each key up by index, however many there are.

    PostgreSQL would read a million recipients to hash them once the set has a few thousand keys, for every chunk again, and
    would compile the statement with its JIT, which takes longer than the lookups. SQLite always looks up.
    """
    if not _is_sqlite(session):
        session.execute(text(_INDEX_LOOKUPS))


_INDEX_LOOKUPS = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('jit', 'off', true)"
)


def _positions(session: Session, count: int) -> Any:
    """The numbers from 0 up to `count`, without it."""
    if not _is_sqlite(session):
        last = literal(count - 1, Integer)
        return func.generate_series(0, last).table_valued(column("position", Integer), name="counted").render_derived()
    counted = select(literal(0, Integer).label("position")).cte("counted", recursive=True)
    return counted.union_all(select(counted.c.position + 1).where(counted.c.position + 1 < literal(count, Integer)))


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
