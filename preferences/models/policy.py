"""The company's privacy policy: versions that are never changed, and who was told of a major one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from preferences.domain.policy import Weight

from .base import Base, UtcDateTime, Vocabulary, one_of


class PolicyVersionRow(Base):
    """What `/policy` said from `published_at` on. Append-only, like the notices (L2, L21)."""

    __tablename__ = "policy_versions"
    __table_args__ = (
        CheckConstraint(one_of("weight", Weight), name="weight"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """1, 2, 3 …"""
    weight: Mapped[Weight] = mapped_column(Vocabulary(Weight))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)

    texts: Mapped[list[PolicyTextRow]] = relationship(lazy="selectin")


class PolicyTextRow(Base):
    """One version in one language."""

    __tablename__ = "policy_texts"

    number: Mapped[int] = mapped_column(ForeignKey("policy_versions.number"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    changes: Mapped[str] = mapped_column(Text)
    """What is new, in a few sentences; the mail says this."""
    body: Mapped[str] = mapped_column(Text)


class PolicyAnnouncementRow(Base):
    """The mailing about one version, to everyone reachable: how far it has come."""

    __tablename__ = "policy_announcements"

    number: Mapped[int] = mapped_column(ForeignKey("policy_versions.number"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """The id of the last recipient that was reached; they are taken in the order of their ids."""
    total: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """How many active recipients there were when it began."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PolicyNoticeRow(Base):
    """That one person was written to about one version, and what came of it: the record of delivery (L21)."""

    __tablename__ = "policy_notices"
    __table_args__ = (Index("ix_policy_notices_open", "number", "outcome"),)

    number: Mapped[int] = mapped_column(ForeignKey("policy_announcements.number"), primary_key=True)
    recipient_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    job_id: Mapped[int] = mapped_column(BigInteger)
    """The outbox job, as long as the outbox remembers it."""
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(200))
    """As the job's: `sent`, `dropped: <why>`, `failed: <why>`; none while it waits."""
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
