"""Suppress an address, or lift what was suppressed. Works on keyed hashes, so it needs no recipient (T22)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.events import EventType
from preferences.domain.purpose import PurposeId
from preferences.domain.suppression import DEFAULT_SCOPES, SuppressionReason, SuppressionScope
from preferences.models.suppression import SuppressionRow
from preferences.models.upsert import insert_into
from preferences.services.outbox.outbox import tell_change

_TOLD_ELSEWHERE = frozenset({SuppressionReason.GLOBAL_STOP, SuppressionReason.ERASED})
"""Reasons with events of their own: `recipient.stopped`, `recipient.resumed`, `recipient.erased`."""


def suppress(
    session: Session,
    *,
    address_index: bytes,
    reason: SuppressionReason,
    source: str,
    now: datetime,
    recipient_id: RecipientId | None = None,
    purpose_id: PurposeId | None = None,
) -> bool:
    """Stop mail to the address. Repeating it changes nothing and returns False; a lifted one applies again."""
    scope = SuppressionScope.PURPOSE if purpose_id else DEFAULT_SCOPES[reason]
    statement = insert_into(session, SuppressionRow.__table__).values(
        address_index=address_index,
        reason=reason,
        scope=scope,
        purpose_id=purpose_id or 0,
        source=source[:100],
        created_at=now,
    )
    result = session.execute(
        statement.on_conflict_do_update(
            index_elements=["address_index", "reason", "purpose_id"],
            set_={"lifted_at": None, "created_at": now, "source": source[:100]},
            where=SuppressionRow.lifted_at.is_not(None),
        ).returning(SuppressionRow.id)
    )
    applied = result.scalar_one_or_none() is not None
    if applied and reason not in _TOLD_ELSEWHERE:
        tell_change(
            session,
            EventType.RECIPIENT_SUPPRESSED,
            recipient_id=recipient_id,
            now=now,
            data={"reason": reason, "scope": scope},
        )
    return applied


def lift_suppression(
    session: Session,
    *,
    address_index: bytes,
    reason: SuppressionReason,
    now: datetime,
    recipient_id: RecipientId | None = None,
) -> bool:
    """Lift every active suppression of this address with this reason, and tell mailers. False when there was none."""
    result = session.execute(
        update(SuppressionRow)
        .where(
            SuppressionRow.address_index == address_index,
            SuppressionRow.reason == reason,
            SuppressionRow.lifted_at.is_(None),
        )
        .values(lifted_at=now)
    )
    is_lifted = bool(result.rowcount)  # type: ignore[attr-defined]
    if is_lifted and reason not in _TOLD_ELSEWHERE:
        data = {"reason": reason, "scope": DEFAULT_SCOPES[reason], "ended": True}
        tell_change(session, EventType.RECIPIENT_SUPPRESSED, recipient_id=recipient_id, now=now, data=data)
    return is_lifted
