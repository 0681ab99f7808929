"""Passkeys of staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.models.passkey import PasskeyRow


@dataclass(frozen=True, slots=True, repr=False)
class PasskeyView:
    """One passkey, as its owner sees it and as a browser finds it."""

    id: int
    name: str
    credential_id: bytes
    transports: str
    made_at: datetime
    used_at: datetime | None


def passkeys_of(session: Session, staff_id: StaffId) -> list[PasskeyView]:
    """Somebody's passkeys, the oldest first."""
    rows = session.scalars(select(PasskeyRow).where(PasskeyRow.staff_id == staff_id).order_by(PasskeyRow.id))
    return [_view(row) for row in rows]


def passkey_of(session: Session, staff_id: StaffId, passkey_id: int) -> PasskeyView | None:
    """One of theirs; None for anybody else's."""
    row = session.scalar(select(PasskeyRow).where(PasskeyRow.staff_id == staff_id, PasskeyRow.id == passkey_id))
    return None if row is None else _view(row)


def passkey_owner(session: Session, credential_id: bytes) -> StaffId | None:
    """Whose passkey this is."""
    found = session.scalar(select(PasskeyRow.staff_id).where(PasskeyRow.credential_id == credential_id))
    return None if found is None else StaffId(found)


def _view(row: PasskeyRow) -> PasskeyView:
    return PasskeyView(row.id, row.name, row.credential_id, row.transports, row.made_at, row.used_at)
