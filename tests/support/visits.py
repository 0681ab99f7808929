"""What tests of the recipient's pages ask again and again: the link, the ledger, the mail that was asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.models.ledger import ConfirmationRow, LedgerEntryRow
from preferences.models.outbox import OutboxJobRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import link


def preferences_url(recipient: RecipientView, *, issued_at: datetime | None = None, epoch: int | None = None) -> str:
    """The path of somebody's preference centre."""
    return f"/p/{link(recipient, capability=Capability.PREFERENCES, issued_at=issued_at, epoch=epoch)}"


def entries(session: Session) -> list[LedgerEntryRow]:
    """The whole ledger; the session lets go of the database again."""
    found = list(session.scalars(select(LedgerEntryRow).order_by(LedgerEntryRow.id)))
    session.expunge_all()
    session.rollback()
    return found


def mails(session: Session) -> list[OutboxJobRow]:
    """The mail of our own that the worker will send."""
    waiting = select(OutboxJobRow).where(OutboxJobRow.done_at.is_(None)).order_by(OutboxJobRow.id)
    found = list(session.scalars(waiting))
    session.expunge_all()
    session.rollback()
    return found


def count_jobs(session: Session) -> int:
    """All rows of the outbox, done or not."""
    found = session.scalar(select(func.count()).select_from(OutboxJobRow)) or 0
    session.rollback()
    return found


def confirmations(session: Session) -> list[ConfirmationRow]:
    """Everything that was asked of a mailbox."""
    found = list(session.scalars(select(ConfirmationRow).order_by(ConfirmationRow.id)))
    session.expunge_all()
    session.rollback()
    return found
