"""Changes of address: one by id, a person's newest, and how many were asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from preferences.domain.address_change import SOURCE, AddressChange
from preferences.domain.capability import RecipientId
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.recipient import RecipientRow
from preferences.models.rights import AddressChangeRow
from preferences.models.suppression import SuppressionRow

_NAMES = tuple(AddressChange.__dataclass_fields__)
_COLUMNS = tuple(getattr(AddressChangeRow, name) for name in _NAMES)


def address_change(session: Session, change_id: int, recipient_id: RecipientId) -> AddressChange | None:
    """This person's change with this id, whatever became of it."""
    row = session.execute(
        select(*_COLUMNS).where(AddressChangeRow.id == change_id, AddressChangeRow.recipient_id == recipient_id)
    ).one_or_none()
    return None if row is None else AddressChange(**dict(zip(_NAMES, row, strict=True)))


def newest_address_change(session: Session, recipient_id: RecipientId) -> AddressChange | None:
    """The change that this person asked for last."""
    row = session.execute(
        select(*_COLUMNS)
        .where(AddressChangeRow.recipient_id == recipient_id)
        .order_by(AddressChangeRow.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else AddressChange(**dict(zip(_NAMES, row, strict=True)))


def count_changes_of(session: Session, recipient_id: RecipientId, since: datetime) -> int:
    """How many changes this person asked for after `since`."""
    return _count(session, AddressChangeRow.recipient_id == recipient_id, since)


def count_changes_to(session: Session, new_index: bytes, since: datetime) -> int:
    """How many changes to this address anybody asked for after `since`."""
    return _count(session, AddressChangeRow.new_index == new_index, since)


def is_taken(session: Session, new_index: bytes) -> bool:
    """Whether the address is a recipient's already."""
    return session.scalar(select(RecipientRow.id).where(RecipientRow.address_index == new_index)) is not None


def is_out_of_reach(session: Session, new_index: bytes) -> bool:
    """Whether nothing at all may be sent to the address: it bounced, was erased, or staff said so.

    A stop that an earlier change left on an old address is none: whoever moves back proves that mailbox anew.
    """
    return (
        session.scalar(
            select(SuppressionRow.id)
            .where(
                SuppressionRow.address_index == new_index,
                SuppressionRow.scope == SuppressionScope.ALL,
                SuppressionRow.lifted_at.is_(None),
                (SuppressionRow.reason != SuppressionReason.MANUAL) | (SuppressionRow.source != SOURCE),
            )
            .limit(1)
        )
        is not None
    )


def _count(session: Session, condition: ColumnElement[bool], since: datetime) -> int:
    return session.scalar(select(func.count()).where(condition, AddressChangeRow.asked_at > since)) or 0
