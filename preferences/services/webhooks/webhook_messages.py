"""Makes the messages of claimed deliveries, from what is true at that moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.webhooks import TEST_TYPE
from preferences.models.endpoint import EndpointRow
from preferences.queries.mailers.endpoints import active_secrets
from preferences.queries.mailers.webhook_events import event_messages

from .deliveries import Delivery


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """Where an endpoint is, and what signs for it."""

    url: str
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        """Nothing of it."""
        return "<Target>"


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What one delivery tells. `data` may hold an address."""

    delivery: Delivery
    type: str
    timestamp: datetime
    data: Mapping[str, Any]

    def __repr__(self) -> str:
        """The delivery only."""
        return f"<Told {self.delivery.id}>"


def tell(
    session: Session, endpoint_id: int, deliveries: Sequence[Delivery], *, now: datetime
) -> tuple[Target, list[Told]] | None:
    """The target and the messages; a delivery whose event is gone has none. None: the endpoint is gone.

    Raises UnreadableValue when a data key is gone.
    """
    row = session.execute(
        select(EndpointRow.url, EndpointRow.payload).where(EndpointRow.id == endpoint_id)
    ).one_or_none()
    if row is None:
        return None
    target = Target(row.url, tuple(one.secret for one in active_secrets(session, endpoint_id, now)))
    ids = [one.event_id for one in deliveries if one.event_id is not None]
    found = event_messages(session, ids, row.payload) if ids else {}
    told = []
    for one in deliveries:
        if one.event_id is None:
            told.append(Told(one, TEST_TYPE, one.created_at, {"endpoint": endpoint_id}))
        elif one.event_id in found:
            message = found[one.event_id]
            told.append(Told(one, message.type.value, message.recorded_at, message.data))
    return target, told
