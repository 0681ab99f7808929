"""Finds a recipient by whatever a caller has: the id, or the address."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.errors import InvalidAddress, NotFound
from preferences.domain.recipient_id import read_recipient_id
from preferences.queries.recipients.recipients import RecipientView, recipient_by_address, recipient_by_id


class UnknownRecipient(NotFound):
    """Nobody has this id or address."""

    code: ClassVar[str] = "unknown_recipient"
    title: ClassVar[str] = "Unknown recipient"


def find_recipient(session: Session, identifier: str, *, pointer: str | None = None) -> RecipientView:
    """The recipient, erased ones too (by id). Raises UnknownRecipient, or InvalidAddress for what is neither id nor address."""
    if "@" in identifier:
        try:
            found = recipient_by_address(session, parse_address(identifier))
        except InvalidAddress as error:
            raise InvalidAddress(error.detail, reason=error.reason, pointer=pointer) from None
    else:
        recipient_id = read_recipient_id(identifier)
        if recipient_id is None:
            detail = "This is neither a recipient's id nor an email address."
            raise InvalidAddress(detail, reason="syntax", pointer=pointer)
        found = recipient_by_id(session, recipient_id)
    if found is None:
        raise UnknownRecipient("There is no recipient with this id or address.", pointer=pointer)
    return found
