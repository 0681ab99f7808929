"""The audit, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, lt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, StaffId
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.staff import StaffRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What to show; everything that is left out shows all."""

    staff_id: StaffId | None = None
    action: AuditAction | None = None
    object_kind: AuditObject | None = None
    object_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry with the name of who did it; None: a command."""

    id: int
    recorded_at: datetime
    staff_id: StaffId | None
    action: AuditAction
    object_kind: AuditObject
    object_id: int | None
    data: Mapping[str, Any]
    reason: str | None
    staff_name: str | None


def audit_entries(session: Session, wanted: AuditFilter, *, before: int | None, limit: int) -> list[AuditEntry]:
    """At most `limit` entries with an id below `before`, newest first."""
    asked = (
        (AuditRow.staff_id, eq, wanted.staff_id),
        (AuditRow.action, eq, wanted.action),
        (AuditRow.object_kind, eq, wanted.object_kind),
        (AuditRow.object_id, eq, wanted.object_id),
        (AuditRow.recorded_at, ge, wanted.since),
        (AuditRow.recorded_at, lt, wanted.until),
        (AuditRow.id, lt, before),
    )
    conditions = [compare(column, value) for column, compare, value in asked if value is not None]
    rows = session.execute(
        select(AuditRow, AuditReasonRow.reason, StaffRow.name)
        .outerjoin(AuditReasonRow, AuditReasonRow.audit_id == AuditRow.id)
        .outerjoin(StaffRow, StaffRow.id == AuditRow.staff_id)
        .where(*conditions)
        .order_by(AuditRow.id.desc())
        .limit(limit)
    )
    return [
        AuditEntry(
            id=row.id,
            recorded_at=row.recorded_at,
            staff_id=None if row.staff_id is None else StaffId(row.staff_id),
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            data=row.data or {},
            reason=reason,
            staff_name=name,
        )
        for row, reason, name in rows
    ]
