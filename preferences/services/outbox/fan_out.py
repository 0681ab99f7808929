"""Writes what each endpoint has to hear, in the transaction of the change event itself: nothing can be skipped afterwards.

One insert … select: without endpoints it finds nothing in an empty table. An endpoint that was disabled hears of what it missed
by a replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, bindparam, insert, literal_column, select
from sqlalchemy.orm import Session

from preferences.domain.events import EventType
from preferences.domain.webhooks import EndpointState
from preferences.models.bulk import among_ids
from preferences.models.endpoint import DeliveryRow, EndpointRow, EndpointTypeRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.prepared import Prepared


def _table(model: Any) -> Table:
    found = model.__table__
    assert isinstance(found, Table)  # noqa: S101 - narrows the declarative type
    return found


_deliveries, _types, _endpoints, _events = map(_table, (DeliveryRow, EndpointTypeRow, EndpointRow, ChangeEventRow))
_COLUMNS = ("endpoint_id", "event_id", "recipient_id", "created_at", "next_at")
_ENABLED = _endpoints.c.state == literal_column(f"'{EndpointState.ENABLED}'")


def fan_out_of(event_id: Any, event_type: Any, recipient_id: Any, recorded_at: Any) -> Insert:
    """The statement that puts one event on its way to every endpoint that wants it."""
    wanted = _types.join(_endpoints, (_endpoints.c.id == _types.c.endpoint_id) & _ENABLED)
    rows = select(_types.c.endpoint_id, event_id, recipient_id, recorded_at, recorded_at).select_from(wanted)
    rows = rows.where(_types.c.type == event_type)
    return insert(_deliveries).from_select(list(_COLUMNS), rows, include_defaults=False)


def fan_out(
    session: Session, event_id: int, event: EventType, *, recipient_id: int | None, recorded_at: datetime
) -> None:
    """Put one event on its way."""
    values = {"event_id": event_id, "type": event, "recipient_id": recipient_id, "recorded_at": recorded_at}
    fan_out_one().run(session.connection(), values)


@cache
def fan_out_one() -> Prepared:
    """`fan_out` as a statement with the parameters event_id, type, recipient_id and recorded_at."""
    binds = {
        "event_id": bindparam("event_id", type_=_deliveries.c.event_id.type),
        "event_type": bindparam("type", type_=_types.c.type.type),
        "recipient_id": bindparam("recipient_id", type_=_deliveries.c.recipient_id.type),
        "recorded_at": bindparam("recorded_at", type_=_deliveries.c.created_at.type),
    }
    return Prepared(fan_out_of(**binds))


def has_listeners(session: Session) -> bool:
    """Whether any endpoint is told of changes: without one, a bulk write need not know the ids of its events."""
    return session.scalar(select(_endpoints.c.id).where(_ENABLED).limit(1)) is not None


def fan_out_many(session: Session, event_ids: Sequence[int]) -> None:
    """Put many events on their way that this transaction has written."""
    wanted = _events.join(_types, _types.c.type == _events.c.type).join(
        _endpoints, (_endpoints.c.id == _types.c.endpoint_id) & _ENABLED
    )
    recorded_at = _events.c.recorded_at
    columns = (_types.c.endpoint_id, _events.c.id, _events.c.recipient_id, recorded_at, recorded_at)
    rows = select(*columns).select_from(wanted).where(among_ids(session, ChangeEventRow.id, event_ids))
    rows = rows.order_by(_events.c.id)
    session.execute(insert(_deliveries).from_select(list(_COLUMNS), rows, include_defaults=False))
