"""Whether our own mail goes out: when one was last sent, and what is failing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.outbox import JobKind, OutboxJobRow

MOST = 1_000


@dataclass(frozen=True, slots=True)
class MailState:
    """`failing`: mails that were tried and have still to go, counted up to MOST."""

    last_sent_at: datetime | None
    failing: int


def mail_state(session: Session) -> MailState:
    """How the mail of the outbox fares."""
    row = OutboxJobRow
    sent = select(func.max(row.done_at)).where(row.kind == JobKind.MAIL, row.outcome == "sent")
    tried = select(row.id).where(row.kind == JobKind.MAIL, row.done_at.is_(None), row.attempts > 0).limit(MOST)
    failing = select(func.count()).select_from(tried.subquery())
    return MailState(session.scalar(sent), session.scalar(failing) or 0)
