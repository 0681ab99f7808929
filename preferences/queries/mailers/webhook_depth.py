"""How much each mailer has still to hear by webhook, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.webhooks import EndpointState
from preferences.models.endpoint import DeliveryRow, EndpointRow
from preferences.models.mailer import MailerRow


@dataclass(frozen=True, slots=True)
class WebhookDepth:
    """The endpoints of one mailer in one state, and what waits for them. `oldest_at`: when the oldest change of it happened."""

    mailer: str
    state: EndpointState
    endpoints: int
    waiting: int
    oldest_at: datetime | None


def webhook_depths(session: Session) -> Iterator[WebhookDepth]:
    """Every mailer that has endpoints, by key."""
    waiting = (
        select(
            DeliveryRow.endpoint_id,
            func.count().label("waiting"),
            func.min(DeliveryRow.created_at, type_=DeliveryRow.created_at.type).label("oldest_at"),
        )
        .where(DeliveryRow.done_at.is_(None))
        .group_by(DeliveryRow.endpoint_id)
        .subquery()
    )
    rows = session.execute(
        select(
            MailerRow.key,
            EndpointRow.state,
            func.count(),
            func.coalesce(func.sum(waiting.c.waiting), 0),
            func.min(waiting.c.oldest_at, type_=DeliveryRow.created_at.type),
        )
        .join(EndpointRow, EndpointRow.mailer_id == MailerRow.id)
        .outerjoin(waiting, waiting.c.endpoint_id == EndpointRow.id)
        .group_by(MailerRow.key, EndpointRow.state)
        .order_by(MailerRow.key, EndpointRow.state)
    )
    for key, state, endpoints, count, oldest_at in rows:
        yield WebhookDepth(key, state, endpoints, int(count), oldest_at)
