"""Sign-up forms and what waits for double opt-in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, SerialId, UtcDateTime
from .crypto import EncryptedText
from .ledger import JsonColumn


class SignUpFormRow(Base):
    """A hosted form: which purposes and topics it offers, and its heading in every language."""

    __tablename__ = "sign_up_forms"

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """In the path `/subscribe/<key>`: lower-case letters, digits, `-`."""
    headings: Mapped[Mapping[str, Any]] = mapped_column(JsonColumn)
    """Locale to heading."""
    purpose_keys: Mapped[list[str]] = mapped_column(JsonColumn)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignUpRow(Base):
    """One sign-up that nobody has confirmed yet. Nothing else about the person is stored until they do; cleared afterwards."""

    __tablename__ = "sign_ups"

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    form_key: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(EncryptedText("sign_ups.address"))
    address_index: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    name: Mapped[str | None] = mapped_column(EncryptedText("sign_ups.name"))
    asked: Mapped[list[dict[str, Any]]] = mapped_column(JsonColumn)
    """One object per purpose: purpose_id, notice_version_id."""
    locale: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
