"""Puts on its way again what an endpoint has heard, given up on, or never been told; and a test message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.webhooks import EndpointState, message_id
from preferences.models.endpoint import DeliveryRow, EndpointTypeRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.upsert import insert_into
from preferences.queries.mailers.endpoints import EndpointView

MOST_EVENTS = 10_000
"""How many events one replay queues; the rest is asked for again, after the last."""
_LATE = timedelta(hours=1)
"""How much earlier than its neighbours an event may have been recorded: a transaction's time is that of its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which events: one by its id, or those after an id (`through` another), or from a time on (before another)."""

    event: int | None = None
    after: int | None = None
    through: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many events were queued, the last of them, and whether there are more after it."""

    queued: int
    last_event: int | None
    more: bool


def replay(session: Session, endpoint: EndpointView, asked: Range, *, now: datetime) -> Replayed:
    """Send events of the endpoint's types again, under the ids they had; those it never heard of too.

    Raises InvalidValue for a range that says nothing, Conflict for a disabled endpoint, NotFound for an unknown event.
    """
    _require_enabled(endpoint)
    wanted = select(EndpointTypeRow.type).where(EndpointTypeRow.endpoint_id == endpoint.id)
    found = (
        select(ChangeEventRow.id, ChangeEventRow.recipient_id)
        .where(*_within(session, asked))
        .order_by(ChangeEventRow.id)
        .limit(MOST_EVENTS + 1)
    )
    if asked.event is None:
        found = found.where(ChangeEventRow.type.in_(wanted))
    rows = session.execute(found).all()
    if asked.event is not None and not rows:
        raise NotFound("There is no event with this id.", pointer="/event")
    more = len(rows) > MOST_EVENTS
    rows = rows[:MOST_EVENTS]
    _queue(session, endpoint.id, [(row.id, row.recipient_id) for row in rows], now)
    return Replayed(len(rows), rows[-1].id if rows else None, more)


def send_test(session: Session, endpoint: EndpointView, *, now: datetime) -> str:
    """Queue a message of the type `endpoint.test`. Returns its id. Raises Conflict for a disabled endpoint."""
    _require_enabled(endpoint)
    row = DeliveryRow(endpoint_id=endpoint.id, event_id=None, created_at=now, next_at=now)
    session.add(row)
    session.flush()
    return message_id(None, row.id)


def _require_enabled(endpoint: EndpointView) -> None:
    if endpoint.state is not EndpointState.ENABLED:
        raise Conflict("The endpoint is disabled. Enable it first; what waits for it is sent then.")


def _within(session: Session, asked: Range) -> list[ColumnElement[bool]]:
    if asked.event is not None:
        if any(one is not None for one in (asked.after, asked.through, asked.since, asked.until)):
            raise InvalidValue("Name one event or a range, not both.", pointer="/event")
        return [ChangeEventRow.id == asked.event]
    if asked.after is None and asked.since is None:
        raise InvalidValue("Say where to begin: `event`, `after` (an id) or `since` (a time).", pointer="/after")
    within: list[ColumnElement[bool]] = []
    if asked.after is not None:
        within.append(ChangeEventRow.id > asked.after)
    if asked.through is not None:
        within.append(ChangeEventRow.id <= asked.through)
    if asked.since is not None:
        within += [ChangeEventRow.id >= _first_since(session, asked.since - _LATE)]
        within += [ChangeEventRow.recorded_at >= asked.since]
    if asked.until is not None:
        within += [ChangeEventRow.id < _first_since(session, asked.until + _LATE)]
        within += [ChangeEventRow.recorded_at < asked.until]
    return within


def _first_since(session: Session, moment: datetime) -> int:
    """The id at which events recorded since begin: found by halving, because times have no index and ids grow with them."""
    low, high = 1, (session.scalar(select(func.max(ChangeEventRow.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = session.execute(
            select(ChangeEventRow.id, ChangeEventRow.recorded_at)
            .where(ChangeEventRow.id >= middle)
            .order_by(ChangeEventRow.id)
            .limit(1)
        ).first()
        if row is None or row.recorded_at >= moment:
            high = middle
        else:
            low = row.id + 1
    return low


def _queue(session: Session, endpoint_id: int, events: list[tuple[int, int | None]], now: datetime) -> None:
    """New deliveries, and those there are from their beginning; what a worker holds at this moment is on its way already."""
    if not events:
        return
    fresh: dict[str, Any] = {"next_at": now, "attempts": 0, "done_at": None, "outcome": None}
    statement = insert_into(session, DeliveryRow.__table__)
    statement = statement.on_conflict_do_update(
        index_elements=["endpoint_id", "event_id"], set_=fresh, where=DeliveryRow.claimed_until.is_(None)
    )
    rows = [
        {
            "endpoint_id": endpoint_id,
            "event_id": event_id,
            "recipient_id": recipient_id,
            "created_at": now,
            "next_at": now,
        }
        for event_id, recipient_id in events
    ]
    session.execute(statement, rows)
