"""Accounts of an identity provider, and who on the staff they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.models.crypto import BlindIndex
from preferences.models.single_sign_on import StaffIdentityRow


@dataclass(frozen=True, slots=True)
class IdentityView:
    """One account, without anything that names it at the provider."""

    id: int
    staff_id: StaffId
    issuer: str
    linked_at: datetime
    used_at: datetime


def identity_by_index(session: Session, index: BlindIndex) -> IdentityView | None:
    """The account with this keyed hash of issuer and subject."""
    row = session.scalar(select(StaffIdentityRow).where(StaffIdentityRow.identity_index == index))
    return None if row is None else _view(row)


def identities_of(session: Session, staff_id: StaffId) -> list[IdentityView]:
    """The accounts that somebody signs in with: one an issuer, so one, unless the provider was changed."""
    rows = session.scalars(
        select(StaffIdentityRow).where(StaffIdentityRow.staff_id == staff_id).order_by(StaffIdentityRow.id)
    )
    return [_view(row) for row in rows]


def _view(row: StaffIdentityRow) -> IdentityView:
    return IdentityView(row.id, StaffId(row.staff_id), row.issuer, row.linked_at, row.used_at)
