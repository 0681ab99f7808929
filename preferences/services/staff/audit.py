"""Records what staff saw and did, in the transaction of the thing itself: what is not recorded did not happen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select
from sqlalchemy.orm import Session

from preferences.domain.audit import MOST_REASON, NOTHING, AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.audit_facts import check_facts
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.rights import RightsRequestRow


def record_audit(
    session: Session,
    staff_id: StaffId | None,
    action: AuditAction,
    target: AuditTarget = NOTHING,
    *,
    data: Mapping[str, Any] | None = None,
    reason: str = "",
    now: datetime,
) -> int:
    """Append one entry and return its id. `data` holds ids, counts and codes only; `reason` is kept apart, encrypted.

    `staff_id` None: a command on the machine itself. Raises ValueError for a fact that AuditFact does not name.
    """
    check_facts(data or ())
    audit_id: int = session.execute(
        insert(AuditRow).returning(AuditRow.id),
        {
            "recorded_at": now,
            "staff_id": staff_id,
            "action": action,
            "object_kind": target.kind,
            "object_id": target.id,
            "data": dict(data) if data else None,
        },
    ).scalar_one()
    if reason.strip():
        session.add(AuditReasonRow(audit_id=audit_id, reason=reason.strip()[:MOST_REASON]))
        session.flush()
    return audit_id


def forget_reasons_about(session: Session, recipient_id: int) -> None:
    """Delete what staff wrote about an erased person; that they saw or did something, and when, stays."""
    requests = select(RightsRequestRow.id).where(RightsRequestRow.recipient_id == recipient_id)
    about = select(AuditRow.id).where(
        or_(
            and_(AuditRow.object_kind == AuditObject.RECIPIENT, AuditRow.object_id == recipient_id),
            and_(AuditRow.object_kind == AuditObject.REQUEST, AuditRow.object_id.in_(requests)),
        )
    )
    session.execute(delete(AuditReasonRow).where(AuditReasonRow.audit_id.in_(about)))
