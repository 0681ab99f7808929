"""Blocks a person's data at their own request, and ends the block (GDPR 18; L9): at once, and mailers are told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.rights import NotTaken, RightsKind
from preferences.models.recipient import RecipientRow
from preferences.services.outbox.outbox import tell_change

from .rights import lock_recipient, mail_receipt, may_ask, record_done

ENDED = "ended"
"""In the details of a request that ended a block."""


def restrict(session: Session, recipient_id: RecipientId, *, locale: str, now: datetime) -> str | None:
    """Block: nothing is sent, published or edited until the person ends it. None when it is blocked already, or erased.

    Never limited; only the receipt by mail is left out for someone who blocks and unblocks all day.
    """
    if lock_recipient(session, recipient_id) is not RecipientStatus.ACTIVE:
        return None
    mailed = may_ask(session, recipient_id, now=now)
    reference = _set(session, recipient_id, RecipientStatus.RESTRICTED, locale=locale, now=now)
    if mailed:
        mail_receipt(session, recipient_id, reference, locale=locale, now=now)
    return reference


def end_restriction(
    session: Session, recipient_id: RecipientId, *, locale: str, now: datetime
) -> str | NotTaken | None:
    """End the block: the choices and stops of before count again, none is lifted. None when there is no block."""
    if lock_recipient(session, recipient_id) is not RecipientStatus.RESTRICTED:
        return None
    if not may_ask(session, recipient_id, now=now):
        return NotTaken.TOO_MANY_TODAY
    reference = _set(session, recipient_id, RecipientStatus.ACTIVE, locale=locale, now=now)
    mail_receipt(session, recipient_id, reference, locale=locale, now=now)
    return reference


def block(session: Session, recipient_id: RecipientId, *, now: datetime) -> bool:
    """Block as somebody asked in a request that staff answer: nothing else is recorded. False: blocked already, or erased."""
    if lock_recipient(session, recipient_id) is not RecipientStatus.ACTIVE:
        return False
    _change(session, recipient_id, RecipientStatus.RESTRICTED, now)
    return True


def _set(session: Session, recipient_id: RecipientId, status: RecipientStatus, *, locale: str, now: datetime) -> str:
    _change(session, recipient_id, status, now)
    details = {ENDED: True} if status is RecipientStatus.ACTIVE else None
    return record_done(session, recipient_id, RightsKind.RESTRICT, details=details, locale=locale, now=now)


def _change(session: Session, recipient_id: RecipientId, status: RecipientStatus, now: datetime) -> None:
    session.execute(update(RecipientRow).where(RecipientRow.id == recipient_id).values(status=status, updated_at=now))
    tell_change(
        session, EventType.RECIPIENT_RESTRICTED, recipient_id=recipient_id, now=now, data={"status": status.value}
    )
