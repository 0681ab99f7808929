"""What came of the last call of our own address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.own_address import AddressCode, AddressFound
from preferences.models.upkeep import AddressCheckRow


@dataclass(frozen=True, slots=True)
class LastAddressCheck:
    """`found` is None while the worker has not answered."""

    asked_at: datetime
    base_url: str
    done_at: datetime | None
    found: AddressFound | None


def any_address_check_waits(session: Session) -> bool:
    """Whether one is asked for."""
    return session.scalar(select(AddressCheckRow.id).where(AddressCheckRow.done_at.is_(None)).limit(1)) is not None


def last_address_check(session: Session) -> LastAddressCheck | None:
    """The newest."""
    row = session.scalars(select(AddressCheckRow).order_by(AddressCheckRow.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    found = AddressFound(
        row.code or AddressCode.UNREACHABLE, row.status, row.certificate_ends_at, row.leads_to, row.is_private
    )
    return LastAddressCheck(row.asked_at, row.base_url, row.done_at, found if row.done_at else None)
