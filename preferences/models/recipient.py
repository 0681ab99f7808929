"""Recipients: the person behind an address. Personal data lies here, encrypted, and nowhere else in the core."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.eligibility import RecipientStatus

from .base import Base, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedJson, EncryptedText


class RecipientRow(Base):
    """One person we may write to. An erased one keeps its id, status and times, and nothing else (GDPR 17; L10)."""

    __tablename__ = "recipients"
    __table_args__ = (
        CheckConstraint(one_of("status", RecipientStatus), name="status"),
        CheckConstraint("id > 0", name="id_positive"),
        CheckConstraint("(status = 'erased') = (address_index IS NULL)", name="erased_has_no_address"),
        Index("uq_recipients_address_index", "address_index", unique=True),
        Index("uq_recipients_external_index", "external_index", unique=True),
        Index("ix_recipients_domain_index_id", "domain_index", "id"),
        Index(
            "ix_recipients_status_id",
            "status",
            "id",
            sqlite_where=text("status <> 'active'"),
            postgresql_where=text("status <> 'active'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Random, 63 bits, never reused. In tokens, in the API (as 13 characters of base32) and in the ledger."""
    address: Mapped[str | None] = mapped_column(EncryptedText("recipients.address"))
    """As the person typed it; this is what mail is sent to (T23)."""
    address_index: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    """Keyed hash of the normal form; what addresses are matched by."""
    domain_index: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    """Keyed hash of the normal form's domain."""
    external_id: Mapped[str | None] = mapped_column(EncryptedText("recipients.external_id"))
    """The id the company's own system knows the person by."""
    external_index: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    name: Mapped[str | None] = mapped_column(EncryptedText("recipients.name"))
    profile: Mapped[Mapping[str, Any] | None] = mapped_column(EncryptedJson("recipients.profile"))
    """The fields of domain.profile.PROFILE_FIELDS that are known; never a password."""
    locale: Mapped[str | None] = mapped_column(String(16))
    """The language of pages and mail; None: follow Accept-Language, then the default."""
    status: Mapped[RecipientStatus] = mapped_column(
        Vocabulary(RecipientStatus), default=RecipientStatus.ACTIVE, server_default="active"
    )
    link_epoch: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    """Raised to make earlier preferences links stale; unsubscribe links go on working (T12, T13)."""
    source: Mapped[str] = mapped_column(String(100))
    """Where the data came from, for «why do you have my address»: `api:<mailer>`, `import:<id>`, `subscribe:<form>` …"""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
