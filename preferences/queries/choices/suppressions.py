"""Active suppressions, streamed; with addresses for those recipients that the asker itself brought in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.crypto import BlindIndex
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, repr=False)
class SuppressionView:
    """One active suppression. `address` only where the recipient came from the source that asks."""

    address_index: BlindIndex
    reason: SuppressionReason
    scope: SuppressionScope
    purpose_id: int
    """0 unless the scope is one purpose."""
    since: datetime
    address: str | None


def active_suppressions_for(session: Session, source: str) -> Iterator[SuppressionView]:
    """Every active suppression, oldest first, a thousand at a time."""
    own = and_(RecipientRow.address_index == SuppressionRow.address_index, RecipientRow.source == source)
    rows = session.execute(
        select(
            SuppressionRow.address_index,
            SuppressionRow.reason,
            SuppressionRow.scope,
            SuppressionRow.purpose_id,
            SuppressionRow.created_at,
            RecipientRow.address,
        )
        .outerjoin(RecipientRow, own)
        .where(SuppressionRow.lifted_at.is_(None))
        .order_by(SuppressionRow.id),
        execution_options={"yield_per": ROWS_AT_ONCE},
    )
    for row in rows:
        yield SuppressionView(BlindIndex(row[0]), *row[1:])
