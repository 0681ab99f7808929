"""References to messages that mailers send: a number for tokens, the mailer's own words for people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, SerialId, UtcDateTime


class MessageRow(Base):
    """One campaign or message. Links work without it: it only answers «why did I get this» and ties reasons (T12)."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("mailer_id", "reference"),)

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    mailer_id: Mapped[int] = mapped_column(BigInteger)
    """The mailer, or 0 for the service's own mail."""
    reference: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
