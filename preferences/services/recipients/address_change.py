"""A change of address: asked for in own data, and done when both mailboxes have said yes (T11, T26, L6).

Whether the new address is somebody's already, or may not be written to, is never told to the one who asks (T27): answer and
work are the same. What is possible is said in the mail to the new address, and only there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from preferences.domain.address import Address
from preferences.domain.address_change import KEPT_FOR, LASTS, MOST_A_DAY, AddressChange, ChangeState, Side
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.models.crypto import keyring
from preferences.models.rights import AddressChangeRow
from preferences.queries.recipients.address_changes import address_change, count_changes_of
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.rights.rights import lock_recipient

from .address_move import Moved, move_address
from .step_up import end_step_ups

TO_OLD, TO_NEW = "address_old", "address_new"
_A_DAY = timedelta(days=1)


class AskOutcome(StrEnum):
    """What became of asking. None of it says anything about the new address, but that it is the present one."""

    ASKED = "asked"
    SAME = "same"
    LIMITED = "limited"
    BLOCKED = "blocked"
    """The person's data is blocked, so nothing is changed (GDPR 18)."""


def ask_address_change(
    session: Session, recipient_id: RecipientId, new: Address, *, locale: str, now: datetime
) -> AskOutcome:
    """Store the wish and write to both mailboxes. An earlier one that still waits is replaced."""
    status = lock_recipient(session, recipient_id)
    recipient = recipient_by_id(session, recipient_id)
    if recipient is None or status is not RecipientStatus.ACTIVE:
        return AskOutcome.BLOCKED
    new_index = keyring().address_index(new.normal)
    if new_index == recipient.address_index:
        return AskOutcome.SAME
    if count_changes_of(session, recipient_id, now - _A_DAY) >= MOST_A_DAY:
        return AskOutcome.LIMITED
    cancel_waiting_changes(session, recipient_id, now=now)
    change_id = session.execute(
        insert(AddressChangeRow).returning(AddressChangeRow.id),
        {
            "recipient_id": recipient_id,
            "new_address": new.original,
            "new_index": new_index,
            "locale": locale,
            "asked_at": now,
            "expires_at": now + LASTS,
        },
    ).scalar_one()
    parameters = {"change_id": change_id, "locale": locale}
    enqueue_mail(session, TO_OLD, recipient_id=recipient_id, parameters=parameters, now=now)
    to_new = {**parameters, "recipient_id": recipient_id}
    enqueue_mail(session, TO_NEW, recipient_id=None, parameters=to_new, now=now)
    return AskOutcome.ASKED


def confirm_address_change(
    session: Session, change_id: int, recipient_id: RecipientId, side: Side, *, now: datetime
) -> AddressChange | None:
    """One mailbox says yes; the second yes moves the address. Repeats change nothing. Returns the change as it is now."""
    status = lock_recipient(session, recipient_id)
    change = _locked(session, change_id, recipient_id)
    if change is None or change.state(now) is not ChangeState.WAITING or status is not RecipientStatus.ACTIVE:
        return change
    if change.confirmed_at(side) is None:
        said = {"old_confirmed_at": now} if side is Side.OLD else {"new_confirmed_at": now}
        _update(session, change_id, **said)
    other = change.confirmed_at(Side.NEW if side is Side.OLD else Side.OLD)
    if other is not None:
        moved = move_address(session, change, now=now)
        _update(session, change_id, new_address=None, **_end(moved, now))
    return address_change(session, change_id, recipient_id)


def refuse_address_change(
    session: Session, change_id: int, recipient_id: RecipientId, side: Side, *, now: datetime
) -> AddressChange | None:
    """One mailbox says: that was not me. Nothing is changed; from the old one every open session of own data ends too."""
    lock_recipient(session, recipient_id)
    change = _locked(session, change_id, recipient_id)
    if change is not None and change.state(now) is ChangeState.WAITING:
        _update(session, change_id, new_address=None, cancelled_at=now)
        if side is Side.OLD:
            end_step_ups(session, recipient_id, now=now)
    return address_change(session, change_id, recipient_id)


def cancel_waiting_changes(session: Session, recipient_id: RecipientId, *, now: datetime) -> None:
    """Take back what was asked for and is not done."""
    session.execute(
        update(AddressChangeRow)
        .where(
            AddressChangeRow.recipient_id == recipient_id,
            AddressChangeRow.done_at.is_(None),
            AddressChangeRow.cancelled_at.is_(None),
        )
        .values(cancelled_at=now, new_address=None)
    )


def forget_address_changes(session: Session, *, now: datetime) -> int:
    """Forget the address of changes that ran out, and delete what came to nothing 30 days ago. Returns how many rows."""
    over = AddressChangeRow.done_at.is_(None)
    session.execute(
        update(AddressChangeRow)
        .where(over, AddressChangeRow.expires_at <= now, AddressChangeRow.new_address.is_not(None))
        .values(new_address=None)
    )
    old = now - KEPT_FOR
    result = session.execute(
        delete(AddressChangeRow).where(
            over, or_(AddressChangeRow.cancelled_at < old, AddressChangeRow.expires_at < old)
        )
    )
    return cast(CursorResult[Any], result).rowcount


def _end(moved: Moved, now: datetime) -> dict[str, datetime]:
    return {"done_at": now} if moved is Moved.DONE else {"cancelled_at": now}


def _locked(session: Session, change_id: int, recipient_id: RecipientId) -> AddressChange | None:
    session.execute(select(AddressChangeRow.id).where(AddressChangeRow.id == change_id).with_for_update())
    return address_change(session, change_id, recipient_id)


def _update(session: Session, change_id: int, **values: Any) -> None:
    session.execute(update(AddressChangeRow).where(AddressChangeRow.id == change_id).values(**values))
