"""What the self-check knows from elsewhere: which backups were made, since when keys are in use, what calling us showed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.key_ages import KeyKind
from preferences.domain.own_address import AddressCode

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of


class BackupRow(Base):
    """One copy of this database, noted after it was made: so the copy itself does not know of itself."""

    __tablename__ = "backups"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("(checked_at IS NULL) = (is_sound IS NULL)", name="checked"),
        Index("ix_backups_database_id", "database_id", "made_at"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    database_id: Mapped[str] = mapped_column(String(64))
    """Of which database: what was noted of another says nothing of one that was restored from its copy."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    size: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    """SHA-256 of the file: by it `restore --check` finds the row again."""
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_sound: Mapped[bool | None] = mapped_column(Boolean)
    """What the check found; none yet: None."""


class KeySightingRow(Base):
    """When a worker first saw a key of the service; of the key itself only a keyed hash."""

    __tablename__ = "key_sightings"
    __table_args__ = (
        CheckConstraint(one_of("kind", KeyKind), name="kind"),
        CheckConstraint("length(fingerprint) = 16", name="fingerprint"),
    )

    kind: Mapped[KeyKind] = mapped_column(Vocabulary(KeyKind), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AddressCheckRow(Base):
    """One call of our own address, asked for on the page of settings and made by the worker."""

    __tablename__ = "address_checks"
    __table_args__ = (CheckConstraint(f"code IS NULL OR {one_of('code', AddressCode)}", name="code"),)

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    base_url: Mapped[str] = mapped_column(String(300))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code: Mapped[AddressCode | None] = mapped_column(Vocabulary(AddressCode))
    status: Mapped[int | None] = mapped_column(Integer)
    certificate_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leads_to: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    """Where a redirect leads; empty otherwise."""
    is_private: Mapped[bool | None] = mapped_column(Boolean)
    """Whether the name leads to an address that is not public, as seen from the worker's machine."""
