"""Staff stop an address themselves, and end a stop that says nothing of the person's will: their own, or that of a bounce.

What the person said, a complaint and an erasure are never ended here (T20, T22).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import Conflict, InvalidValue
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import BlindIndex
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.staff.audit import record_audit

from .suppression import lift_suppression, suppress

ENDED_BY_STAFF = frozenset({SuppressionReason.MANUAL, SuppressionReason.HARD_BOUNCE})


def stop_address(session: Session, recipient: RecipientView, *, reason: str, staff_id: StaffId, now: datetime) -> bool:
    """Stop every mail to the address; False where staff had stopped it already. Raises InvalidValue, Conflict."""
    index = _index(recipient, reason)
    source, what = f"staff:{staff_id}", SuppressionReason.MANUAL
    is_new = suppress(session, address_index=index, reason=what, source=source, now=now, recipient_id=recipient.id)
    if is_new:
        _record(session, recipient, AuditAction.SUPPRESSION_SET, what, reason, staff_id, now)
    return is_new


def end_stop(
    session: Session,
    recipient: RecipientView,
    what: SuppressionReason,
    *,
    reason: str,
    staff_id: StaffId,
    now: datetime,
) -> bool:
    """End a stop of ENDED_BY_STAFF; False where there is none. Raises InvalidValue, Conflict."""
    index = _index(recipient, reason)
    if what not in ENDED_BY_STAFF:
        raise Conflict("Only the person's own mailbox can lift this stop.")
    is_ended = lift_suppression(session, address_index=index, reason=what, now=now, recipient_id=recipient.id)
    if is_ended:
        _record(session, recipient, AuditAction.SUPPRESSION_LIFTED, what, reason, staff_id, now)
    return is_ended


def _index(recipient: RecipientView, reason: str) -> BlindIndex:
    if not reason.strip():
        raise InvalidValue("The reason is needed; it stands in the audit.", pointer="/reason")
    if recipient.address_index is None:
        raise Conflict("This person is erased: there is no address any longer.")
    return recipient.address_index


def _record(
    session: Session,
    recipient: RecipientView,
    action: AuditAction,
    what: SuppressionReason,
    reason: str,
    staff_id: StaffId,
    now: datetime,
) -> None:
    target = AuditTarget(AuditObject.RECIPIENT, recipient.id)
    record_audit(session, staff_id, action, target, data={"reason": what.value}, reason=reason.strip(), now=now)
