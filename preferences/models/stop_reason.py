"""Reasons given after an opt-out, tied to campaign and purpose."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.reasons import StopReason

from .base import Base, UtcDateTime, Vocabulary, one_of


class StopReasonRow(Base):
    """One reason for one ledger entry; a second tap changes it."""

    __tablename__ = "stop_reasons"
    __table_args__ = (CheckConstraint(one_of("reason", StopReason), name="reason"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entries.id"), primary_key=True, autoincrement=False)
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purposes.id"))
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    """The message whose link was used (messages.id), if any."""
    reason: Mapped[StopReason] = mapped_column(Vocabulary(StopReason))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
