"""Moves a recipient to another address, once both mailboxes agreed. The strictest state goes along (T26).

Choices belong to the person and come along by themselves. Of the stops of the old address the person's own stop, complaints and
stops by staff are carried over; a bounce is not, it says something about the old mailbox only (T20). Stops of the new address
stay. The old address is suppressed, so that no list that still holds it reaches it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.address import Address, parse_address
from preferences.domain.address_change import SOURCE, AddressChange
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.ledger import ConfirmationRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.choices import active_suppressions
from preferences.queries.recipients.address_changes import is_out_of_reach, is_taken
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.outbox import tell_change

from .step_up import end_step_ups

CARRIED = (SuppressionReason.GLOBAL_STOP, SuppressionReason.COMPLAINT, SuppressionReason.MANUAL)
LARGEST_EPOCH = 32_767


class Moved(StrEnum):
    """What became of the move."""

    DONE = "done"
    TAKEN = "taken"
    """The new address has become somebody's, or nothing may be sent to it any more."""


def move_address(session: Session, change: AddressChange, *, now: datetime) -> Moved:
    """Give the recipient the new address. The caller holds the recipient's lock and has checked that it is active."""
    row = session.execute(
        select(RecipientRow.address_index, RecipientRow.link_epoch, RecipientRow.status).where(
            RecipientRow.id == change.recipient_id
        )
    ).one()
    if change.new_address is None or row.address_index is None or row.status is not RecipientStatus.ACTIVE:
        return Moved.TAKEN
    if is_taken(session, change.new_index) or is_out_of_reach(session, change.new_index):
        return Moved.TAKEN
    recipient_id = RecipientId(change.recipient_id)
    if not _write(session, recipient_id, parse_address(change.new_address), row.link_epoch, now):
        return Moved.TAKEN
    _lift_own_stop(session, change.new_index, now)
    _carry_stops(session, recipient_id, row.address_index, change.new_index, now)
    suppress(session, address_index=row.address_index, reason=SuppressionReason.MANUAL, source=SOURCE, now=now)
    _cancel_confirmations(session, recipient_id, now)
    end_step_ups(session, recipient_id, now=now)
    tell_change(session, EventType.RECIPIENT_ADDRESS_CHANGED, recipient_id=recipient_id, now=now)
    return Moved.DONE


def _write(session: Session, recipient_id: RecipientId, new: Address, epoch: int, now: datetime) -> bool:
    """False when somebody else got the address between looking and writing."""
    keys = keyring()
    try:
        with session.begin_nested():
            session.execute(
                update(RecipientRow)
                .where(RecipientRow.id == recipient_id)
                .values(
                    address=new.original,
                    address_index=keys.address_index(new.normal),
                    domain_index=keys.domain_index(new.domain),
                    link_epoch=epoch % LARGEST_EPOCH + 1,
                    updated_at=now,
                )
            )
    except IntegrityError:
        return False
    return True


def _lift_own_stop(session: Session, new_index: bytes, now: datetime) -> None:
    """The stop that an earlier change left there: the person moves back, and the mailbox has just said yes."""
    session.execute(
        update(SuppressionRow)
        .where(
            SuppressionRow.address_index == new_index,
            SuppressionRow.reason == SuppressionReason.MANUAL,
            SuppressionRow.source == SOURCE,
            SuppressionRow.purpose_id == 0,
            SuppressionRow.lifted_at.is_(None),
        )
        .values(lifted_at=now)
    )


def _carry_stops(session: Session, recipient_id: RecipientId, old: bytes, new: bytes, now: datetime) -> None:
    for found in active_suppressions(session, old):
        if found.reason in CARRIED:
            suppress(
                session,
                address_index=new,
                reason=found.reason,
                source=SOURCE,
                now=now,
                recipient_id=recipient_id,
                purpose_id=found.purpose_id,
            )


def _cancel_confirmations(session: Session, recipient_id: RecipientId, now: datetime) -> None:
    """What the old mailbox was asked to confirm can no longer be confirmed there."""
    session.execute(
        update(ConfirmationRow)
        .where(
            ConfirmationRow.recipient_id == recipient_id,
            ConfirmationRow.confirmed_at.is_(None),
            ConfirmationRow.cancelled_at.is_(None),
        )
        .values(cancelled_at=now)
    )
