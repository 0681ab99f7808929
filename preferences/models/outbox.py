"""The outbox: what has to be told to others, written in the transaction of the change itself.

`change_events` is what mailers hear (kept, in order); `outbox_jobs` is work for the worker, such as a mail of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.events import EventType

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedJson
from .ledger import JsonColumn


class JobKind(StrEnum):
    """What a job makes the worker do."""

    MAIL = "mail"


class ChangeEventRow(Base):
    """One recorded change, thin: ids, never addresses."""

    __tablename__ = "change_events"
    __table_args__ = (
        CheckConstraint(one_of("type", EventType), name="type"),
        Index("ix_change_events_feed", "feed_order", "id", sqlite_where=text("feed_order > 0")),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    feed_order: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    """On PostgreSQL the number of the transaction that wrote it, filled by the database: ids may be committed out of order.
    0 on SQLite, whose one writer keeps ids in order (its index stays empty). See ADR 0008."""
    type: Mapped[EventType] = mapped_column(Vocabulary(EventType))
    recipient_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    entry_id: Mapped[int | None] = mapped_column(BigInteger)
    """The ledger entry it tells of, where there is one; purpose, act and times are read from there."""
    data: Mapped[Mapping[str, Any] | None] = mapped_column(JsonColumn)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OutboxJobRow(Base):
    """One piece of work. At least once: claimed for a while, done or retried; the unique key makes a repeat harmless."""

    __tablename__ = "outbox_jobs"
    __table_args__ = (
        CheckConstraint(one_of("kind", JobKind), name="kind"),
        Index("ix_outbox_jobs_due", "done_at", "run_at"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    kind: Mapped[JobKind] = mapped_column(Vocabulary(JobKind))
    recipient_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    payload: Mapped[Mapping[str, Any]] = mapped_column(EncryptedJson("outbox_jobs.payload"))
    """Template name and parameters; the address is read when the mail is made, so an erased person is never mailed."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """A worker holds it until then; a crashed worker's claim simply runs out."""
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(200))
    """`sent`, `dropped: <why>`, or the last failure; never an address."""
