"""What retention removed: one row a rule and run, so that it can be shown that the periods are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, SerialId, UtcDateTime


class RetentionRunRow(Base):
    """One rule, applied once."""

    __tablename__ = "retention_runs"
    __table_args__ = (
        CheckConstraint("removed >= 0", name="removed"),
        Index("ix_retention_runs_rule", "rule", "id"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    rule: Mapped[str] = mapped_column(String(32))
    """A domain.retention.Kind; a text, so that a rule that is no longer there can still be read."""
    source: Mapped[str] = mapped_column(String(32))
    """`worker` or `command`."""
    ran_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed: Mapped[int] = mapped_column(Integer)
