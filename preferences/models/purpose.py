"""Purposes, topics, and the notice versions that say in every language what they mean."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Integer, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from preferences.domain.purpose import About, LawfulBasis

from .base import Base, UtcDateTime, Vocabulary, one_of


class PurposeRow(Base):
    """A purpose, or a topic when it has a parent. Archived, never deleted: its choices must go on stopping things (T25)."""

    __tablename__ = "purposes"
    __table_args__ = (
        CheckConstraint(one_of("about", About), name="about"),
        CheckConstraint("id BETWEEN 1 AND 65535", name="id_fits_a_token"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    """Sixteen bits: it travels inside every token."""
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """What the API calls it: lower-case letters, digits, `_`; unique among purposes and topics together."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("purposes.id"))
    about: Mapped[About] = mapped_column(Vocabulary(About))
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """The order on pages, smallest first, among those with the same parent."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    versions: Mapped[list[NoticeVersionRow]] = relationship(
        order_by="NoticeVersionRow.number", back_populates="purpose"
    )


class NoticeVersionRow(Base):
    """What was said about a purpose from `published_at` on. Never changed; a new text or a new basis is a new version (L3)."""

    __tablename__ = "notice_versions"
    __table_args__ = (
        UniqueConstraint("purpose_id", "number"),
        CheckConstraint(one_of("lawful_basis", LawfulBasis), name="lawful_basis"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purposes.id"))
    number: Mapped[int] = mapped_column(Integer)
    """1, 2, 3 … within the purpose."""
    lawful_basis: Mapped[LawfulBasis] = mapped_column(Vocabulary(LawfulBasis))
    customer_exception: Mapped[bool] = mapped_column(default=False)
    """Whether complete `soft_opt_in` evidence stands in for consent (ePrivacy 13(2), MFL 19 §; L15)."""
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)

    purpose: Mapped[PurposeRow] = relationship(back_populates="versions")
    texts: Mapped[list[NoticeTextRow]] = relationship(lazy="selectin")


class NoticeTextRow(Base):
    """One version in one language: the exact wording (L1, L2, L7)."""

    __tablename__ = "notice_texts"

    notice_version_id: Mapped[int] = mapped_column(ForeignKey("notice_versions.id"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    what: Mapped[str] = mapped_column(Text)
    """What happens if the answer is yes, or until the person objects."""
    why: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(Text)
    how_long: Mapped[str] = mapped_column(Text)
