"""The set that is asked about, handed to the database as one parameter: `asked(position, key)`, to join with.

Ids go as an array (PostgreSQL) or as JSON (SQLite); keyed hashes, all of one length, as one long value to cut from.
`asked_…` hold their values. `any_…` hold none, for a statement that is made once; `ids_asked` and `addresses_asked` give the
parameters of one execution.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, String, bindparam, column, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

INDEX_BYTES = 16
"""Length of a keyed hash (models.crypto)."""

Parameters = Mapping[str, Any]


def asked_ids(session: Session, ids: Sequence[int]) -> Any:
    """These ids as rows, `position` counted from 0."""
    sqlite = is_sqlite(session)
    return any_ids(ids_asked(ids, sqlite=sqlite), sqlite=sqlite)


def asked_addresses(session: Session, address_indexes: Sequence[bytes]) -> Any:
    """These keyed hashes as rows, `position` counted from 0."""
    return any_addresses(addresses_asked(address_indexes), sqlite=is_sqlite(session))


def ids_asked(ids: Sequence[int], *, sqlite: bool) -> Parameters:
    """The parameters that say which ids."""
    return {"asked_ids": json.dumps(list(ids)) if sqlite else list(ids)}


def addresses_asked(address_indexes: Sequence[bytes]) -> Parameters:
    """The parameters that say which addresses."""
    return {"asked_addresses": b"".join(address_indexes), "asked_last": len(address_indexes) - 1}


def any_ids(values: Parameters | None = None, *, sqlite: bool) -> Any:
    """Ids as rows; which ones is said when the statement is executed."""
    if sqlite:
        listed = func.json_each(_parameter("asked_ids", String(), values)).table_valued("key", "value", name="listed")
        return select(listed.c.key.label("position"), listed.c.value.label("key")).cte("asked")
    listed = func.unnest(_parameter("asked_ids", ARRAY(BigInteger), values)).table_valued(
        column("key", BigInteger), with_ordinality="ordinal", name="listed"
    )
    rows = listed.render_derived()
    return select((rows.c.ordinal - 1).label("position"), rows.c.key).cte("asked")


def any_addresses(values: Parameters | None = None, *, sqlite: bool) -> Any:
    """Keyed hashes as rows; which ones is said when the statement is executed.

    In the order of the index, so that lookups next to each other find what they need on the same pages.
    """
    positions = _positions(_parameter("asked_last", Integer(), values), sqlite=sqlite)
    packed = _parameter("asked_addresses", LargeBinary(), values)
    key = func.substr(packed, positions.c.position * INDEX_BYTES + 1, INDEX_BYTES, type_=LargeBinary)
    return select(positions.c.position, key.label("key")).order_by(key).cte("asked")


def prefer_index_lookups(session: Session) -> None:
    """For the rest of the transaction: look each key up by index, however many there are.

    PostgreSQL would read a million recipients to hash them once the set has a few thousand keys, for every chunk again, and
    would compile the statement with its JIT, which takes longer than the lookups. SQLite always looks up.
    """
    if not is_sqlite(session):
        session.execute(text(_INDEX_LOOKUPS))


_INDEX_LOOKUPS = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('jit', 'off', true)"
)


def is_sqlite(session: Session) -> bool:
    """Whether the session speaks SQLite's dialect, not PostgreSQL's."""
    return session.get_bind().dialect.name == "sqlite"


def _parameter(name: str, kind: Any, values: Parameters | None) -> Any:
    return bindparam(name, type_=kind) if values is None else bindparam(name, values[name], kind)


def _positions(last: Any, *, sqlite: bool) -> Any:
    """The numbers from 0 to the last."""
    if not sqlite:
        numbers = func.generate_series(literal(0, Integer), last).table_valued(
            column("position", Integer), name="counted"
        )
        return numbers.render_derived()
    counted = select(literal(0, Integer).label("position")).cte("counted", recursive=True)
    return counted.union_all(select(counted.c.position + 1).where(counted.c.position < last))
