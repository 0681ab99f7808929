"""Has the worker call our own address: asked for on a page; claimed and answered by the worker, which reaches the network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from preferences.domain.own_address import AddressFound
from preferences.models.upkeep import AddressCheckRow

CLAIM = timedelta(minutes=2)
KEPT = 20


@dataclass(frozen=True, slots=True)
class AddressCheck:
    """A call to be made."""

    id: int
    base_url: str


def ask_for_address_check(session: Session, base_url: str, *, now: datetime) -> bool:
    """Ask for a call. False where one is asked for already; the newest few are kept."""
    row = AddressCheckRow
    if session.scalar(select(row.id).where(row.done_at.is_(None), row.asked_at > now - CLAIM).limit(1)) is not None:
        return False
    session.add(AddressCheckRow(asked_at=now, base_url=base_url[:300]))
    session.flush()
    newest = session.scalar(select(func.max(row.id))) or 0
    session.execute(delete(row).where(row.id <= newest - KEPT))
    return True


def claim_address_check(session: Session, *, now: datetime) -> AddressCheck | None:
    """Take the oldest call that is asked for; of many workers one gets it. A claim runs out after two minutes."""
    row = AddressCheckRow
    found = session.execute(
        select(row.id, row.base_url)
        .where(row.done_at.is_(None), or_(row.claimed_until.is_(None), row.claimed_until <= now))
        .order_by(row.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if found is None:
        return None
    session.execute(update(row).where(row.id == found.id).values(claimed_until=now + CLAIM))
    return AddressCheck(found.id, found.base_url)


def record_address_check(session: Session, check: AddressCheck, found: AddressFound, *, now: datetime) -> None:
    """Note what came of it."""
    session.execute(
        update(AddressCheckRow)
        .where(AddressCheckRow.id == check.id)
        .values(
            done_at=now,
            claimed_until=None,
            code=found.code,
            status=found.status,
            certificate_ends_at=found.certificate_ends_at,
            leads_to=found.leads_to[:300],
            is_private=found.is_private,
        )
    )
