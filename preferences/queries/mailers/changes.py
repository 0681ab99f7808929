"""The change feed: every change once, in an order in which nothing can turn up before a place that was passed (ADR 0008).

PostgreSQL commits ids out of order. Changes are therefore ordered by the transaction that wrote them, and read only below the
oldest transaction that is still running: what lies there is final. SQLite has one writer, so every change is final at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, String, literal_column, select, true, tuple_, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from preferences.domain.events import EventType
from preferences.domain.feed import START, FeedPosition
from preferences.models.bulk import is_sqlite
from preferences.models.ledger import LedgerEntryRow
from preferences.models.outbox import ChangeEventRow


class Change(NamedTuple):
    """One change as it is told. The last eight belong to the ledger entry, where it tells of one."""

    feed_order: int
    id: int
    type: str
    recorded_at: datetime
    recipient_id: int | None
    data: Mapping[str, Any] | None
    entry_id: int | None
    purpose_id: int | None
    training_id: int | None
    act: str | None
    basis: str | None
    method: str | None
    occurred_at: datetime | None
    paused_until: datetime | None

    @property
    def position(self) -> FeedPosition:
        """Its place in the feed."""
        return FeedPosition(self.feed_order, self.id)


_COLUMNS = (
    ChangeEventRow.feed_order,
    ChangeEventRow.id,
    type_coerce(ChangeEventRow.type, String),
    ChangeEventRow.recorded_at,
    ChangeEventRow.recipient_id,
    ChangeEventRow.data,
    ChangeEventRow.entry_id,
    LedgerEntryRow.purpose_id,
    LedgerEntryRow.training_id,
    type_coerce(LedgerEntryRow.act, String),
    type_coerce(LedgerEntryRow.basis, String),
    type_coerce(LedgerEntryRow.method, String),
    LedgerEntryRow.occurred_at,
    LedgerEntryRow.paused_until,
)
"""Words are taken as the text they are stored as: ten thousand rows are read at a time."""


def newest_position(session: Session) -> FeedPosition:
    """The last place that is final: every change up to there can be seen, and none will ever be added before it."""
    newest = select(ChangeEventRow.feed_order, ChangeEventRow.id).where(is_final(session))
    row = session.execute(newest.order_by(*[column.desc() for column in in_order(session)]).limit(1)).first()
    return START if row is None else FeedPosition(*row)


def changes_between(
    session: Session,
    after: FeedPosition,
    until: FeedPosition,
    *,
    limit: int,
    types: Collection[EventType] = (),
) -> list[Change]:
    """The changes after one place and up to another that is final, at most `limit` of them; of these types, or of all."""
    statement = (
        select(*_COLUMNS)
        .outerjoin(LedgerEntryRow, LedgerEntryRow.id == ChangeEventRow.entry_id)
        .where(lies_after(session, after), ~lies_after(session, until))
        .order_by(*in_order(session))
        .limit(limit)
    )
    if types:
        statement = statement.where(ChangeEventRow.type.in_(types))
    return [Change(*row) for row in session.execute(statement)]


def in_order(session: Session) -> tuple[InstrumentedAttribute[int], ...]:
    """What the feed is ordered by. SQLite has one writer: ids are enough there, and need no index of their own."""
    return (ChangeEventRow.id,) if is_sqlite(session) else (ChangeEventRow.feed_order, ChangeEventRow.id)


def lies_after(session: Session, position: FeedPosition) -> ColumnElement[bool]:
    """Whether a change comes after this place."""
    if is_sqlite(session):
        return ChangeEventRow.id > position.id
    return tuple_(ChangeEventRow.feed_order, ChangeEventRow.id) > tuple_(position.order, position.id)


def is_final(session: Session) -> ColumnElement[bool]:
    """Whether a change's place is final: no transaction that might still write before it is running."""
    if is_sqlite(session):
        return true()
    return ChangeEventRow.feed_order < literal_column(f"({_HORIZON})", BigInteger)


_HORIZON = """
    SELECT feed_shift() + CASE
        WHEN pg_is_in_recovery() THEN pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        ELSE coalesce(min(running::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
    END
    FROM pg_snapshot_xip(pg_current_snapshot()) AS running
    WHERE NOT EXISTS (
        SELECT FROM pg_stat_activity WHERE backend_xid = running::xid AND datname <> current_database()
    )
"""
"""The oldest running transaction, or the next one where none runs. One that is seen to belong to another database of the server
cannot write here; whatever is not seen counts as ours."""
