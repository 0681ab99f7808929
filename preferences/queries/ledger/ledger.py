"""Ledger entries: of one person, of one save, and everything in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import RecipientId
from preferences.domain.choice import FoldEntry
from preferences.domain.purpose import LawfulBasis
from preferences.models.ledger import LedgerEntryRow

_COLUMNS = (
    LedgerEntryRow.id,
    LedgerEntryRow.recipient_id,
    LedgerEntryRow.purpose_id,
    LedgerEntryRow.training_id,
    LedgerEntryRow.act,
    LedgerEntryRow.basis,
    LedgerEntryRow.method,
    LedgerEntryRow.notice_version_id,
    LedgerEntryRow.locale,
    LedgerEntryRow.occurred_at,
    LedgerEntryRow.recorded_at,
    LedgerEntryRow.paused_until,
)


@dataclass(frozen=True, slots=True)
class EntryView:
    """One ledger entry."""

    id: int
    recipient_id: RecipientId
    purpose_id: int
    training_id: int
    act: Act
    basis: LawfulBasis | None
    method: Method
    notice_version_id: int | None
    locale: str | None
    occurred_at: datetime
    recorded_at: datetime
    paused_until: datetime | None

    @property
    def key(self) -> tuple[int, int, int]:
        """The choice it belongs to: recipient, purpose, training."""
        return (self.recipient_id, self.purpose_id, self.training_id)

    def for_fold(self) -> FoldEntry:
        """The part the fold needs."""
        return FoldEntry(self.id, self.act, self.basis, self.occurred_at, self.paused_until)


def entries_of(session: Session, recipient_id: RecipientId) -> list[EntryView]:
    """Everything a person did or had done, oldest first."""
    rows = session.execute(
        select(*_COLUMNS).where(LedgerEntryRow.recipient_id == recipient_id).order_by(LedgerEntryRow.id)
    )
    return [EntryView(*tuple(row)) for row in rows]


def entries_between(session: Session, recipient_id: RecipientId, first: int, last: int) -> list[EntryView]:
    """One person's entries with ids from first to last: what one save wrote."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(LedgerEntryRow.recipient_id == recipient_id, LedgerEntryRow.id.between(first, last))
        .order_by(LedgerEntryRow.id)
    )
    return [EntryView(*tuple(row)) for row in rows]


def entries_by_choice(session: Session) -> Iterator[EntryView]:
    """The whole ledger, streamed, the entries of one choice side by side."""
    rows = session.execute(
        select(*_COLUMNS).order_by(
            LedgerEntryRow.recipient_id, LedgerEntryRow.purpose_id, LedgerEntryRow.training_id, LedgerEntryRow.id
        ),
        execution_options={"yield_per": 5000},
    )
    for row in rows:
        yield EntryView(*tuple(row))
