"""What staff recorded for one person, as the audit has it: a form sent twice records once, and a mistake is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Method
from preferences.domain.audit import AuditAction, AuditObject, StaffId
from preferences.domain.capability import UNDO_LASTS, RecipientId
from preferences.models.audit import AuditRow
from preferences.models.ledger import LedgerEntryRow

MOST = 20
"""Far more than anybody records for one person in the time that matters here."""


@dataclass(frozen=True, slots=True)
class ActOnBehalf:
    """One time that staff recorded something, or took it back."""

    staff_id: StaffId | None
    data: Mapping[str, Any]
    recorded_at: datetime


def acts_on_behalf(session: Session, recipient_id: RecipientId) -> list[ActOnBehalf]:
    """The newest MOST, newest first."""
    rows = session.execute(
        select(AuditRow.staff_id, AuditRow.data, AuditRow.recorded_at)
        .where(
            AuditRow.object_kind == AuditObject.RECIPIENT,
            AuditRow.object_id == recipient_id,
            AuditRow.action == AuditAction.ACTED_ON_BEHALF,
        )
        .order_by(AuditRow.id.desc())
        .limit(MOST)
    )
    return [ActOnBehalf(row[0], row[1] or {}, row[2]) for row in rows]


def undoable_act(session: Session, recipient_id: RecipientId, staff_id: StaffId, *, now: datetime) -> int | None:
    """The entry that this member of staff recorded last for the person, while it can be taken back; None: there is none."""
    newest = next((one for one in acts_on_behalf(session, recipient_id) if one.staff_id == staff_id), None)
    if newest is None or now - newest.recorded_at > UNDO_LASTS:
        return None
    found: int | None = newest.data.get("entry")
    return found


def can_be_taken_back(session: Session, entry_id: int | None, *, now: datetime) -> bool:
    """Whether the entry is one that staff recorded so lately that they may still take it back."""
    recorded = LedgerEntryRow.recorded_at > now - UNDO_LASTS
    by_staff = LedgerEntryRow.method == Method.STAFF
    return entry_id is not None and bool(
        session.scalar(select(LedgerEntryRow.id).where(LedgerEntryRow.id == entry_id, by_staff, recorded))
    )
