"""Passkeys of staff, and the challenges that were answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, SerialId, UtcDateTime
from .crypto import EncryptedText


class PasskeyRow(Base):
    """One passkey of somebody on the staff: the public half, which opens nothing."""

    __tablename__ = "staff_passkeys"
    __table_args__ = (
        CheckConstraint("length(credential_id) BETWEEN 1 AND 1023", name="credential_id"),
        CheckConstraint("sign_count >= 0", name="sign_count"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    """What the authenticator calls it."""
    public_key: Mapped[bytes] = mapped_column(LargeBinary())
    """COSE_Key (RFC 9052)."""
    sign_count: Mapped[int] = mapped_column(BigInteger)
    """Of the last use. A smaller or the same number is a copy; synced passkeys always say 0, which tells nothing."""
    name: Mapped[str] = mapped_column(EncryptedText("staff_passkeys.name"))
    """What its owner calls it."""
    transports: Mapped[str] = mapped_column(String(100))
    """How the browser reaches it, such as `internal hybrid`; a hint for the next time."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AnsweredChallengeRow(Base):
    """A challenge that was answered, rightly or not: it is not taken again. Kept until it would be too old anyway."""

    __tablename__ = "staff_answered_challenges"
    __table_args__ = (CheckConstraint("length(digest) = 32", name="digest"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
