"""How many opt-outs the ledger holds, a stretch at a time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.models.ledger import LedgerEntryRow

OPT_OUTS = (Act.REFUSED, Act.WITHDRAWN, Act.OBJECTED)
"""What a person does to hear less. Not `revoked`, which is what somebody else does."""


def count_opt_outs(session: Session, *, after: int, upto: int | None = None) -> Counter[tuple[int, str]]:
    """Opt-outs by purpose id and method, in entries after one id and up to another."""
    entry = LedgerEntryRow
    counted = (
        select(entry.purpose_id, entry.method, func.count())
        .where(entry.id > after, entry.act.in_(OPT_OUTS))
        .group_by(entry.purpose_id, entry.method)
    )
    if upto is not None:
        counted = counted.where(entry.id <= upto)
    return Counter({(purpose_id, method.value): count for purpose_id, method, count in session.execute(counted)})


def last_entry_before(session: Session, moment: datetime) -> int:
    """The newest entry recorded before this moment; 0 when there is none. Read from the newest backwards."""
    entry = LedgerEntryRow
    newest = select(entry.id).where(entry.recorded_at < moment).order_by(entry.id.desc()).limit(1)
    return session.scalar(newest) or 0
