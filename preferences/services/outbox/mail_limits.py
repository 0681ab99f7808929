"""How much of our own mail somebody else may cause one person to get (T27): the pages that cause it can be opened by anyone.

Counted from the outbox, so the limit holds for every process and every edge, and survives a restart.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.models.outbox import JobKind, OutboxJobRow

LIMITS = ((timedelta(hours=1), 4), (timedelta(days=1), 12))
"""At most so many mails of our own to one person in so much time."""


def may_mail(session: Session, recipient_id: int | None, *, now: datetime) -> bool:
    """Whether one more mail of our own may be asked for now. `None` costs the same query and is never limited."""
    longest = max(span for span, _ in LIMITS)
    moments = list(
        session.scalars(
            select(OutboxJobRow.created_at)
            .where(
                OutboxJobRow.recipient_id == (recipient_id or 0),
                OutboxJobRow.kind == JobKind.MAIL,
                OutboxJobRow.created_at > now - longest,
            )
            .order_by(OutboxJobRow.created_at.desc())
            .limit(max(most for _, most in LIMITS))
        )
    )
    return _allows(moments, now)


def those_to_mail(session: Session, people: Collection[RecipientId], *, now: datetime) -> list[RecipientId]:
    """Those of these people, at most some hundreds, who may get one more mail of our own now; in the order given."""
    longest = max(span for span, _ in LIMITS)
    rows = session.execute(
        select(OutboxJobRow.recipient_id, OutboxJobRow.created_at).where(
            OutboxJobRow.recipient_id.in_(people),
            OutboxJobRow.kind == JobKind.MAIL,
            OutboxJobRow.created_at > now - longest,
        )
    )
    mailed: dict[int, list[datetime]] = {}
    for recipient_id, moment in rows:
        mailed.setdefault(recipient_id or 0, []).append(moment)
    return [one for one in people if _allows(mailed.get(one, []), now)]


def _allows(moments: Collection[datetime], now: datetime) -> bool:
    return all(sum(moment > now - span for moment in moments) < most for span, most in LIMITS)
