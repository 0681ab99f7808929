"""Counts the ledger by day, so that numbers over a year are quick (ADR 0021). Worked out from the ledger alone.

An entry is counted in the transaction that moves the mark past it: once, however often this is run and whoever crashes. What
lies behind the mark is counted by the pages themselves, so nothing is ever missing from them, whether this has run or not.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.days import day_around
from preferences.models.bulk import is_sqlite
from preferences.models.daily_numbers import CountedRow, DailyActsRow, DailyOptOutsRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.upsert import insert_into
from preferences.queries.ledger.seal import newest_entry_id
from preferences.queries.numbers.opt_out_counts import OPT_OUTS

from .settling import clock_of, somebody_still_writes, takes_turn

PORTION = 5_000
"""Entries a transaction: on SQLite an opt-out waits for it."""
_LOCK = 0xDA71


def counting_is_due(session: Session, zone: str) -> bool:
    """Whether there is anything behind the mark, or none for this time zone."""
    row = session.execute(select(CountedRow)).scalar_one_or_none()
    return row is None or row.zone != zone or row.entry_id != newest_entry_id(session)


def count_next(session: Session, zone: str, *, now: datetime, limit: int = PORTION) -> int:
    """Count the next entries by the days of this time zone. Returns how many; fewer than `limit`: nothing more for now."""
    if not takes_turn(session, _LOCK):
        return 0
    newest = newest_entry_id(session)
    row = session.execute(select(CountedRow)).scalar_one_or_none()
    if row is None or row.zone != zone or row.entry_id > newest:
        _start_over(session, zone, now)
        return 0
    settled = newest if is_sqlite(session) else row.seen_entry_id
    if row.entry_id >= newest or somebody_still_writes(session, row.seen_at):
        return 0
    entry = LedgerEntryRow
    entries = session.execute(
        select(entry.id, entry.recorded_at, entry.purpose_id, entry.act, entry.method, entry.reference)
        .where(entry.id > row.entry_id, entry.id <= settled)
        .order_by(entry.id)
        .limit(limit)
    ).all()
    _add(session, entries, zone)
    reached: dict[str, Any] = {"entry_id": entries[-1].id if len(entries) == limit else settled}
    if len(entries) < limit:
        reached |= {"seen_entry_id": newest, "seen_at": clock_of(session, now)}
    session.execute(update(CountedRow).values(reached))
    return len(entries)


def _start_over(session: Session, zone: str, now: datetime) -> None:
    """The days of this zone, from the first entry on."""
    for rows in (DailyActsRow, DailyOptOutsRow, CountedRow):
        session.execute(delete(rows))
    newest = newest_entry_id(session)
    session.execute(
        insert(CountedRow).values(zone=zone, entry_id=0, seen_entry_id=newest, seen_at=clock_of(session, now))
    )


def _add(session: Session, entries: Any, zone: str) -> None:
    acts, opt_outs = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    for one in entries:
        day = day_around(one.recorded_at, zone)
        acts[day, one.purpose_id, one.act, one.method] += 1
        if one.act in OPT_OUTS and (one.reference or 0) > 0:
            opt_outs[day, one.purpose_id, one.reference] += 1
    _upsert(session, DailyActsRow, ("day_began_at", "purpose_id", "act", "method"), acts)
    _upsert(session, DailyOptOutsRow, ("day_began_at", "purpose_id", "message_id"), opt_outs)


def _upsert(session: Session, rows: Any, key: tuple[str, ...], counted: Counter[tuple[Any, ...]]) -> None:
    if not counted:
        return
    statement = insert_into(session, rows.__table__)
    statement = statement.on_conflict_do_update(
        index_elements=list(key), set_={"number": rows.number + statement.excluded.number}
    )
    session.execute(statement, [dict(zip(key, one, strict=True)) | {"number": count} for one, count in counted.items()])
