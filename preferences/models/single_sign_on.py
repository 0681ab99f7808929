"""Accounts of an identity provider that staff sign in with, and the rounds to it that were finished."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, SerialId, UtcDateTime


class StaffIdentityRow(Base):
    """One account of the provider, and who on the staff signs in with it. Nobody has two of one provider."""

    __tablename__ = "staff_identities"
    __table_args__ = (
        UniqueConstraint("staff_id", "issuer"),
        CheckConstraint("length(identity_index) = 16", name="identity_index"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    issuer: Mapped[str] = mapped_column(String(1000))
    """As the settings and the provider's tokens write it, to the letter."""
    identity_index: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    """Keyed hash of issuer and subject. The subject itself is not kept: some providers put an address there."""
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FinishedRoundRow(Base):
    """A round to the identity provider that came back: its answer is looked at once, however often it is sent."""

    __tablename__ = "finished_rounds"
    __table_args__ = (CheckConstraint("length(digest) = 32", name="digest"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of the round's random state."""
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
