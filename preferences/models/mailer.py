"""Mailers: the API clients that send mail, and their keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, SerialId, UtcDateTime


class MailerRow(Base):
    """An ESP, a newsletter tool, the shop's own code: whatever asks before sending."""

    __tablename__ = "mailers"

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Short name in paths and sources: lower-case letters, digits, `-`."""
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiKeyRow(Base):
    """One bearer key. Shown once; only its hash is stored (256 random bits need no slow hash)."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("length(secret_hash) = 32", name="secret_hash"),)

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    mailer_id: Mapped[int] = mapped_column(ForeignKey("mailers.id"), index=True)
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    """The public first part of the key, by which it is found and named."""
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[str] = mapped_column(String(500))
    """Space-separated values of domain.scopes.Scope."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    mailer: Mapped[MailerRow] = relationship()


class AcknowledgementRow(Base):
    """A mailer has applied every change up to here. Rows only come to it; the furthest is where the mailer stands.

    Earlier ones stay as the proof of when the mailer had been told (GDPR 19).
    """

    __tablename__ = "acknowledgements"

    mailer_id: Mapped[int] = mapped_column(ForeignKey("mailers.id"), primary_key=True, autoincrement=False)
    feed_order: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    acknowledged_at: Mapped[datetime] = mapped_column(UtcDateTime)
