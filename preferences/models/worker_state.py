"""What workers know of each other: which periodic work ran when, and who is alive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, UtcDateTime
from .ledger import JsonColumn


class PeriodicRunRow(Base):
    """One piece of periodic work, however many workers there are. Made by the first worker that wants to do it."""

    __tablename__ = "periodic_runs"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_ran_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last done to the end."""
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """A worker is at it until then; the claim of one that crashed simply runs out."""


class WorkerRow(Base):
    """A worker that runs, or did until it crashed; one that stops in order takes its row away."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Random: process ids come again."""
    name: Mapped[str] = mapped_column(String(120))
    """Machine and process, for people."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    lanes: Mapped[Mapping[str, str]] = mapped_column(JsonColumn)
    """When each of its lanes last came round, as ISO 8601: one that hangs stands still here while the worker is alive."""
