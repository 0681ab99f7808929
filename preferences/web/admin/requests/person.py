"""Finds the one person whom staff name exactly: by address, external id, or our id. Nothing is ever matched in part."""

from __future__ import annotations

from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import InvalidValue
from preferences.domain.recipient_id import read_recipient_id
from preferences.queries.recipients.recipients import (
    RecipientView,
    recipient_by_address,
    recipient_by_external_id,
    recipient_by_id,
)


def exactly(session: Session, text: str) -> RecipientView | None:
    """The person, unless they are erased; None for every other text."""
    found = _found(session, text.strip()) if text.strip() else None
    return None if found is None or found.status is RecipientStatus.ERASED else found


def _found(session: Session, text: str) -> RecipientView | None:
    number = read_recipient_id(text)
    by_id = None if number is None else recipient_by_id(session, RecipientId(number))
    if by_id is not None:
        return by_id
    try:
        return recipient_by_address(session, parse_address(text))
    except InvalidValue:
        return recipient_by_external_id(session, text)
