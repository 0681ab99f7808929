"""The form with which staff record what somebody said, and what the ledger holds afterwards."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.models.ledger import LedgerEntryRow
from tests.factories import purpose


def said(session: Session, key: str = "marketing", **more: str) -> dict[str, str]:
    """A no by letter about a purpose; `more` takes the place of what stands here."""
    number = purpose(session, key).id
    session.rollback()
    return {"said": "no", "purpose": str(number), "told": "letter", "reason": "Brev", "form": "0123456789abcdef"} | more


def entries(session: Session) -> list[LedgerEntryRow]:
    """All of them, in order, apart from the session."""
    session.rollback()
    found = list(session.scalars(select(LedgerEntryRow).order_by(LedgerEntryRow.id)))
    session.expunge_all()
    session.rollback()
    return found
