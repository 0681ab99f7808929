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


@dataclass(frozen=True, slots=True)
class ProbeState:
    """What became of a mail to one of the staff. `outcome`: `sent`, or why not, as a code."""

    attempts: int
    is_over: bool
    outcome: str

    @property
    def is_sent(self) -> bool:
        """Whether the mail server took it."""
        return self.outcome == "sent"


def probe_state(session: Session, asked_at: datetime) -> ProbeState | None:
    """The mail to nobody's recipient that was asked for in this moment; None once it is forgotten."""
    row = OutboxJobRow
    found = session.execute(
        select(row.attempts, row.done_at, row.outcome)
        .where(row.recipient_id.is_(None), row.kind == JobKind.MAIL, row.created_at == asked_at)
        .order_by(row.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else ProbeState(found.attempts, found.done_at is not None, found.outcome or "")
