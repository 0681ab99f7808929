"""Training events at which photos are taken; the scope of a photo objection."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, String, text
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.photo import CancellationFor

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of


class TrainingRow(Base):
    """One training or event."""

    __tablename__ = "trainings"
    __table_args__ = (
        CheckConstraint(one_of("cancellation_for", CancellationFor), name="cancellation_for"),
        CheckConstraint("(cancelled_at IS NULL) = (cancellation_for IS NULL)", name="cancelled"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    place: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    held_on: Mapped[date] = mapped_column(Date)
    languages: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    """Codes with commas between, the first one first; empty: not said, and the notice goes in each person's language."""
    moved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the day or place was last changed: whoever was told before it was told something else."""
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it is cancelled; None: it takes place."""
    resumed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a cancellation was last taken back."""
    cancellation_for: Mapped[CancellationFor | None] = mapped_column(Vocabulary(CancellationFor))
    """Who is mailed that it is cancelled, as staff chose; None: it takes place."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
