"""What the ledger's entries come to by day, so that a year of numbers need not be counted anew for every look at it.

Worked out from the ledger alone, by purpose, act, method and message, never by person. It can be thrown away at any time.
See ADR 0021.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.acts import Act, Method

from .base import Base, UtcDateTime, Vocabulary


class CountedRow(Base):
    """How far the ledger has been counted by day. One row at most: another time zone has other days, and starts over."""

    __tablename__ = "numbers_counted"

    zone: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The time zone whose days are counted."""
    entry_id: Mapped[int] = mapped_column(BigInteger)
    """Every entry up to this id is in the tables below, and no other."""
    seen_entry_id: Mapped[int] = mapped_column(BigInteger)
    """The newest entry there was at `seen_at`: once no transaction is as old as that, no id up to it can still appear."""
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """By the database's clock."""


class DailyActsRow(Base):
    """How many acts of one kind were recorded on one day."""

    __tablename__ = "daily_acts"
    __table_args__ = (CheckConstraint("number > 0", name="number"),)

    day_began_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purposes.id"), primary_key=True, autoincrement=False)
    act: Mapped[Act] = mapped_column(Vocabulary(Act), primary_key=True)
    method: Mapped[Method] = mapped_column(Vocabulary(Method), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)


class DailyOptOutsRow(Base):
    """How many opted out by the links of one message on one day."""

    __tablename__ = "daily_opt_outs"
    __table_args__ = (CheckConstraint("number > 0", name="number"),)

    day_began_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purposes.id"), primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer)
