"""What was done with one request, from the audit: whoever looked at it is not in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject
from preferences.models.audit import AuditRow
from preferences.models.staff import StaffRow


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One thing done, by whom; None: by a command."""

    at: datetime
    action: AuditAction
    data: Mapping[str, Any]
    staff_name: str | None


def request_history(session: Session, request_id: int, *, limit: int = 200) -> Sequence[RequestEvent]:
    """Oldest first."""
    rows = session.execute(
        select(AuditRow.recorded_at, AuditRow.action, AuditRow.data, StaffRow.name)
        .outerjoin(StaffRow, StaffRow.id == AuditRow.staff_id)
        .where(
            AuditRow.object_kind == AuditObject.REQUEST,
            AuditRow.object_id == request_id,
            AuditRow.action != AuditAction.REQUEST_SEEN,
        )
        .order_by(AuditRow.id)
        .limit(limit)
    )
    return [RequestEvent(at, action, data or {}, name) for at, action, data, name in rows]
