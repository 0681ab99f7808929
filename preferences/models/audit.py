"""The audit of what staff saw and did. It only grows: triggers refuse UPDATE and DELETE on both databases (house rule 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.audit import AuditAction, AuditObject

from .base import Base, SerialId, UtcDateTime, Vocabulary
from .crypto import EncryptedText
from .ledger import JsonColumn


class AuditRow(Base):
    """One thing that somebody saw or did. Ids and codes only, so that erasure need not touch it.

    Its vocabularies grow with the pages and are held by the code: a CHECK would mean rebuilding the table for each word.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_staff", "staff_id", "id"),
        Index("ix_audit_entries_object", "object_kind", "object_id", "id"),
        Index("ix_audit_entries_action", "action", "id"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    staff_id: Mapped[int | None] = mapped_column(BigInteger)
    """Who; None: a command on the machine itself."""
    action: Mapped[AuditAction] = mapped_column(Vocabulary(AuditAction))
    object_kind: Mapped[AuditObject] = mapped_column(Vocabulary(AuditObject))
    object_id: Mapped[int | None] = mapped_column(BigInteger)
    data: Mapped[Mapping[str, Any] | None] = mapped_column(JsonColumn)
    """Further ids, counts and codes."""


class AuditReasonRow(Base):
    """Why somebody did it, in their words. Apart and encrypted, because people write names into such fields."""

    __tablename__ = "audit_reasons"

    audit_id: Mapped[int] = mapped_column(ForeignKey("audit_entries.id"), primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(EncryptedText("audit_reasons.reason"))
