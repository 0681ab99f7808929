"""The audit, newest first, a page at a time; a person's trail holds what was done with their requests and takedowns, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, lt
from typing import Any

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, StaffId
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.photo import TakedownRow
from preferences.models.rights import RightsRequestRow
from preferences.models.staff import StaffRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What to show; everything that is left out shows all."""

    staff_id: StaffId | None = None
    action: AuditAction | None = None
    object_kind: AuditObject | None = None
    object_id: int | None = None
    """With the kind of a recipient: their requests and takedowns as well, which show the same person."""
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


def every_audit_entry(session: Session, wanted: AuditFilter, *, at_once: int = 1000) -> Iterator[AuditEntry]:
    """All of them, newest first, read a piece at a time: what it takes in memory does not depend on how many there are."""
    before: int | None = None
    while found := audit_entries(session, wanted, before=before, limit=at_once):
        yield from found
        before = found[-1].id


def audit_entries(session: Session, wanted: AuditFilter, *, before: int | None, limit: int) -> list[AuditEntry]:
    """At most `limit` entries with an id below `before`, newest first."""
    is_trail = wanted.object_kind is AuditObject.RECIPIENT and wanted.object_id is not None
    asked = (
        (AuditRow.staff_id, eq, wanted.staff_id),
        (AuditRow.action, eq, wanted.action),
        (AuditRow.object_kind, eq, None if is_trail else wanted.object_kind),
        (AuditRow.object_id, eq, None if is_trail else wanted.object_id),
        (AuditRow.recorded_at, ge, wanted.since),
        (AuditRow.recorded_at, lt, wanted.until),
        (AuditRow.id, lt, before),
    )
    conditions = [compare(column, value) for column, compare, value in asked if value is not None]
    if is_trail and wanted.object_id is not None:
        conditions.append(AuditRow.id.in_(_about_person(wanted.object_id)))
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


def _about_person(recipient_id: int) -> Select[Any]:
    """The entries about a person: each of three kinds of object by its own index, instead of one long walk over all."""

    def about(kind: AuditObject, owned: type[RightsRequestRow | TakedownRow] | None = None) -> Select[Any]:
        ids = [recipient_id] if owned is None else select(owned.id).where(owned.recipient_id == recipient_id)
        return select(AuditRow.id).where(AuditRow.object_kind == kind, AuditRow.object_id.in_(ids))

    every = union_all(
        about(AuditObject.RECIPIENT),
        about(AuditObject.REQUEST, RightsRequestRow),
        about(AuditObject.TAKEDOWN, TakedownRow),
    ).subquery()
    return select(every.c.id)
