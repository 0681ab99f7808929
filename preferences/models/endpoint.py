"""Endpoints: where mailers hear of changes by webhook, what each has still to hear, and what was tried."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.events import EventType
from preferences.domain.webhooks import (
    AttemptCode,
    DeliveryOutcome,
    DisabledReason,
    EndpointState,
    PayloadKind,
    SignatureScheme,
)

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedText


class EndpointRow(Base):
    """One URL of a mailer that is called for every change of the types it chose."""

    __tablename__ = "endpoints"
    __table_args__ = (
        CheckConstraint(one_of("state", EndpointState), name="state"),
        CheckConstraint(one_of("disabled_reason", DisabledReason), name="disabled_reason"),
        CheckConstraint(one_of("payload", PayloadKind), name="payload"),
        CheckConstraint(one_of("scheme", SignatureScheme), name="scheme"),
        CheckConstraint("(state = 'disabled') = (disabled_at IS NOT NULL)", name="disabled"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    mailer_id: Mapped[int] = mapped_column(ForeignKey("mailers.id"), index=True)
    url: Mapped[str] = mapped_column(EncryptedText("endpoints.url"))
    """May hold a secret of the mailer's own."""
    description: Mapped[str] = mapped_column(String(200))
    payload: Mapped[PayloadKind] = mapped_column(Vocabulary(PayloadKind))
    scheme: Mapped[SignatureScheme] = mapped_column(Vocabulary(SignatureScheme))
    state: Mapped[EndpointState] = mapped_column(Vocabulary(EndpointState))
    disabled_reason: Mapped[DisabledReason | None] = mapped_column(Vocabulary(DisabledReason))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The first failure since something last got through."""
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """How many failures in a row."""
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Nothing is sent before: it asked for less (429, Retry-After), or fails again and again."""


class EndpointTypeRow(Base):
    """One type of change events that an endpoint wants to hear of."""

    __tablename__ = "endpoint_types"
    __table_args__ = (CheckConstraint(one_of("type", EventType), name="type"),)

    type: Mapped[EventType] = mapped_column(Vocabulary(EventType), primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id"), primary_key=True)


class EndpointSecretRow(Base):
    """One signing secret: a `whsec_…`, or the Ed25519 private key `whsk_…`. Two are in use while they rotate."""

    __tablename__ = "endpoint_secrets"

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id"), index=True)
    secret: Mapped[str] = mapped_column(EncryptedText("endpoint_secrets.secret"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Set once a newer one has taken over."""


class DeliveryRow(Base):
    """One change event on its way to one endpoint, written in the transaction of the event. A replay starts it anew.

    At least once, and in the order of events for each recipient: one waits while an earlier one of the same person is not done.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint(one_of("outcome", DeliveryOutcome), name="outcome"),
        CheckConstraint("(outcome IS NULL) = (done_at IS NULL)", name="done"),
        Index("uq_webhook_deliveries_event", "endpoint_id", "event_id", unique=True),
        Index("ix_webhook_deliveries_order", "recipient_id", "endpoint_id", "event_id"),
        Index(
            "ix_webhook_deliveries_due",
            "endpoint_id",
            "next_at",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_webhook_deliveries_done_at",
            "done_at",
            sqlite_where=text("done_at IS NOT NULL"),
            postgresql_where=text("done_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    """No foreign key: an opt-out must be stored although its endpoint is being removed at this moment."""
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    """None: a test message."""
    recipient_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """A worker holds it until then; a crashed worker's claim simply runs out."""
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[DeliveryOutcome | None] = mapped_column(Vocabulary(DeliveryOutcome))


class AttemptRow(Base):
    """One call of an endpoint and what it answered; kept for 30 days."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        CheckConstraint(one_of("code", AttemptCode), name="code"),
        Index("ix_webhook_attempts_endpoint_id", "endpoint_id", "id"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    delivery_id: Mapped[int] = mapped_column(BigInteger, index=True)
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(SmallInteger)
    """1 for the first attempt since the event, or since it was replayed."""
    attempted_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    code: Mapped[AttemptCode] = mapped_column(Vocabulary(AttemptCode))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    latency_ms: Mapped[int] = mapped_column(Integer)
    excerpt: Mapped[str | None] = mapped_column(EncryptedText("webhook_attempts.excerpt"))
    """The beginning of the answer: an endpoint may repeat an address in it, so it is encrypted and goes with the person."""
