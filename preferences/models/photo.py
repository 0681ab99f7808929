"""Who takes part in a training, and takedowns of what was published."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.photo import TakedownState, TakedownWhat

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedText


class ParticipantRow(Base):
    """A recipient takes part in a training."""

    __tablename__ = "participants"

    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.id"), primary_key=True, autoincrement=False)
    recipient_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, index=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    notified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the notice before the training was put into the outbox; a person is told once a training."""
    cancellation_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the mail that it is cancelled was put into the outbox; None again once they are told that it takes place."""


class TakedownRow(Base):
    """The request to remove something already published, followed to its end."""

    __tablename__ = "takedowns"
    __table_args__ = (
        CheckConstraint(one_of("what", TakedownWhat), name="what"),
        CheckConstraint(one_of("state", TakedownState), name="state"),
        CheckConstraint("(state IN ('done', 'refused')) = (closed_at IS NOT NULL)", name="closed"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    """What person and staff call it, such as `T-7K3F9Q2M`."""
    recipient_id: Mapped[int] = mapped_column(BigInteger, index=True)
    training_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """The training it shows, where the person knows; 0: not said."""
    url: Mapped[str | None] = mapped_column(EncryptedText("takedowns.url"))
    """Where it is published; cleared by erasure once the work is done."""
    what: Mapped[TakedownWhat] = mapped_column(Vocabulary(TakedownWhat))
    note: Mapped[str | None] = mapped_column(EncryptedText("takedowns.note"))
    state: Mapped[TakedownState] = mapped_column(
        Vocabulary(TakedownState), default=TakedownState.RECEIVED, server_default="received"
    )
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str | None] = mapped_column(EncryptedText("takedowns.answer"))
    """What was removed, or why not."""
    assigned_to: Mapped[int | None] = mapped_column(BigInteger)
    """Who on the staff sees to it (staff.id); staff are disabled, never deleted."""
    due_on: Mapped[date | None] = mapped_column(Date)
    """By when, as we plan it ourselves."""
    proof: Mapped[str | None] = mapped_column(EncryptedText("takedowns.proof"))
    """How we know that it is gone; goes with the address."""
