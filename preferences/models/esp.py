"""Hooks that ESPs call, and what they reported: kept as it came until it is worked through, and for a while after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.esp_events import EspEventType, Severity

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedJson

_REPORTED = "type IN ('bounced', 'complained')"
"""What is counted in the numbers: a few of a hundred events."""


class EspHookRow(Base):
    """Where one provider may report for one mailer, and how its requests are told from anybody else's."""

    __tablename__ = "esp_hooks"
    __table_args__ = (
        UniqueConstraint("mailer_id", "provider"),
        CheckConstraint("(former_secrets IS NULL) = (former_until IS NULL)", name="former"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    mailer_id: Mapped[int] = mapped_column(ForeignKey("mailers.id"))
    provider: Mapped[str] = mapped_column(String(32))
    """A name of integrations.esp.PROVIDERS."""
    secrets: Mapped[Mapping[str, Any]] = mapped_column(EncryptedJson("esp_hooks.secrets"))
    """`scheme` and its secrets by name."""
    former_secrets: Mapped[Mapping[str, Any] | None] = mapped_column(EncryptedJson("esp_hooks.former_secrets"))
    """What was valid before the last rotation, and still is until `former_until`."""
    former_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    purpose_id: Mapped[int | None] = mapped_column(ForeignKey("purposes.id"))
    """What mail through this hook is about, where an event does not say."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EspEventRow(Base):
    """One reported event. The payload is personal data and goes after a while; the row, and the memory of its id, later."""

    __tablename__ = "esp_events"
    __table_args__ = (
        UniqueConstraint("mailer_id", "provider", "event_key"),
        CheckConstraint("length(event_key) = 16", name="event_key"),
        CheckConstraint(one_of("type", EspEventType), name="type"),
        CheckConstraint("severity IS NULL OR " + one_of("severity", Severity), name="severity"),
        Index("ix_esp_events_due", "done_at", "claimed_until"),
        Index("ix_esp_events_hook", "mailer_id", "provider", "received_at", "id"),
        Index(
            "ix_esp_events_payload",
            "done_at",
            sqlite_where=text("payload IS NOT NULL AND done_at IS NOT NULL"),
            postgresql_where=text("payload IS NOT NULL AND done_at IS NOT NULL"),
        ),
        Index(
            "ix_esp_events_reported",
            "received_at",
            "type",
            sqlite_where=text(_REPORTED),
            postgresql_where=text(_REPORTED),
        ),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    mailer_id: Mapped[int] = mapped_column(BigInteger)
    provider: Mapped[str] = mapped_column(String(32))
    event_key: Mapped[bytes] = mapped_column(LargeBinary(16))
    """The first half of the SHA-256 of the provider's id of the event: a repeat is stored once (T28)."""
    type: Mapped[EspEventType] = mapped_column(Vocabulary(EspEventType))
    native: Mapped[str] = mapped_column(String(64))
    """The provider's own word for the type."""
    severity: Mapped[Severity | None] = mapped_column(Vocabulary(Severity))
    address_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    """Keyed hash of the recipient: soft bounces are counted by it, and an erasure finds the payload by it."""
    payload: Mapped[Mapping[str, Any] | None] = mapped_column(EncryptedJson("esp_events.payload"))
    """The event as the provider sent it."""
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """A worker holds it until then, or it waits until then before it is tried again."""
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(100))
    """What came of it; never an address."""
