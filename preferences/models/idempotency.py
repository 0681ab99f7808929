"""Answers kept for `Idempotency-Key`: a repeated unsafe call gets the first one's answer, never a second effect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, UtcDateTime
from .crypto import EncryptedJson


class IdempotencyRow(Base):
    """One answered call of one mailer. Kept for a day."""

    __tablename__ = "idempotency_keys"

    mailer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of method, path and body: the same key with another request is an error."""
    status: Mapped[int]
    answer: Mapped[Mapping[str, Any]] = mapped_column(EncryptedJson("idempotency_keys.answer"))
    """Encrypted: answers hold links and addresses."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
