"""Suppressions by keyed hash: they outlive recipients, erasure and topics (T20, T22, T25)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.suppression import SuppressionReason, SuppressionScope

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of


class SuppressionRow(Base):
    """One address-level stop. Lifted, never deleted: a row says that it once applied."""

    __tablename__ = "suppressions"
    __table_args__ = (
        UniqueConstraint("address_index", "reason", "purpose_id"),
        CheckConstraint(one_of("reason", SuppressionReason), name="reason"),
        CheckConstraint(one_of("scope", SuppressionScope), name="scope"),
        CheckConstraint("(scope = 'purpose') = (purpose_id > 0)", name="purpose_scope"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    address_index: Mapped[bytes] = mapped_column(LargeBinary(16))
    """The same keyed hash as recipients.address_index, and all that is left of an erased person."""
    reason: Mapped[SuppressionReason] = mapped_column(Vocabulary(SuppressionReason))
    scope: Mapped[SuppressionScope] = mapped_column(Vocabulary(SuppressionScope))
    purpose_id: Mapped[int] = mapped_column(default=0, server_default="0")
    """The purpose when the scope is one purpose, else 0 (so that uniqueness holds on every database)."""
    source: Mapped[str] = mapped_column(String(100))
    """Which edge recorded it: `page`, `one_click`, `api:<mailer>`, `esp:<provider>`, `staff:<id>`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
