"""Periods of time as the database can count by them: stretches of a period, and the ids that belong to it.

Big tables are not indexed by time, because every opt-out would pay for it. Their ids grow with time, so where a period begins
is found by halving.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, Integer, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from preferences.models.ledger import LedgerEntryRow
from preferences.models.outbox import ChangeEventRow

SETTLES_WITHIN = timedelta(minutes=10)
"""Transactions may commit in another order than that of their ids; none takes so long."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period cut into stretches: `bounds` are their beginnings and the end of the last, in order, at least two."""

    bounds: tuple[datetime, ...]
    zone: str = ""
    """The time zone in which every bound is the beginning of a day; none where they are any moments."""

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return self.bounds[0]

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return self.bounds[-1]

    def number_of(self, moment: datetime) -> int:
        """Which stretch a moment of the period lies in, from 0."""
        return bisect_right(self.bounds, moment) - 1


def stretch_of(session: Session, period: Period, column: InstrumentedAttribute[datetime]) -> ColumnElement[int]:
    """The number of the stretch that a row of the period lies in. PostgreSQL looks it up in a list; SQLite compares its way."""
    bounds = period.bounds[1:-1]
    if session.get_bind().dialect.name == "postgresql":
        return func.width_bucket(column, literal(list(bounds), ARRAY(DateTime(timezone=True))), type_=Integer)
    return _tree(column, bounds, 0)


def _tree(column: InstrumentedAttribute[datetime], bounds: Sequence[datetime], before: int) -> ColumnElement[int]:
    if not bounds:
        return literal(before)
    middle = len(bounds) // 2
    left, right = _tree(column, bounds[:middle], before), _tree(column, bounds[middle + 1 :], before + middle + 1)
    return case((column < bounds[middle], left), else_=right)


def entries_of(
    session: Session, since: datetime | None, until: datetime | None, after: int = 0
) -> list[ColumnElement[bool]]:
    """What holds the ledger's entries to those recorded in this time, read through the primary key; those after one id.

    Where the period reaches back behind that id, few are left, and each is looked at, however late it was committed.
    """
    entry = LedgerEntryRow
    if after and (since is None or first_id(session, entry, since - SETTLES_WITHIN) <= after):
        times = [since is None or entry.recorded_at >= since, until is None or entry.recorded_at < until]
        return [entry.id > after, *(one for one in times if one is not True)]
    return [*_within(session, entry, since, until), *([entry.id > after] if after else [])]


def ids_within(session: Session, since: datetime | None, until: datetime | None) -> int:
    """How many ids of the ledger lie between these moments, give or take what overlaps."""
    entry = LedgerEntryRow
    last = session.scalar(select(func.max(entry.id))) or 0 if until is None else first_id(session, entry, until)
    return max(0, last - (0 if since is None else first_id(session, entry, since)))


def events_of(session: Session, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """The same for change events."""
    return _within(session, ChangeEventRow, since, until)


def first_id(session: Session, rows: type[LedgerEntryRow | ChangeEventRow], moment: datetime) -> int:
    """An id before which nothing was recorded at or after this moment, give or take transactions that overlap.

    One statement: each step halves what is left, and reads one row by its key.
    """
    whole: Any = select(
        literal(0, BigInteger).label("low"), cast(func.coalesce(func.max(rows.id), 0) + 1, BigInteger).label("high")
    )
    halves = whole.cte("halves", recursive=True)
    middle = (halves.c.low + halves.c.high) // 2
    row = aliased(rows)
    there = select(row.recorded_at).where(row.id >= middle).order_by(row.id).limit(1).correlate(halves)
    is_before = there.scalar_subquery() < moment
    step = select(
        case((is_before, middle + 1), else_=halves.c.low), case((is_before, halves.c.high), else_=middle)
    ).where(halves.c.low < halves.c.high)
    return int(session.scalar(select(func.max(halves.union_all(step).c.low))) or 0)


def ids_between(
    session: Session, column: Any, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """What holds a column with ids of entries to those that can have been recorded in this time: a few more at both ends."""
    return _ids(session, LedgerEntryRow, column, since, until)


def _ids(
    session: Session,
    rows: type[LedgerEntryRow | ChangeEventRow],
    column: Any,
    since: datetime | None,
    until: datetime | None,
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(column >= first_id(session, rows, since - SETTLES_WITHIN))
    if until is not None:
        found.append(column < first_id(session, rows, until + SETTLES_WITHIN))
    return found


def _within(
    session: Session, rows: type[LedgerEntryRow | ChangeEventRow], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    found = _ids(session, rows, rows.id, since, until)
    if since is not None:
        found.append(rows.recorded_at >= since)
    if until is not None:
        found.append(rows.recorded_at < until)
    return found
