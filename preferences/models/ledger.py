"""The ledger (append-only), the choices folded from it, and what was asked for but not yet confirmed.

Entries hold no personal data, only the recipient's random id: that is why erasure can leave them untouched (rule 7). Database
triggers refuse UPDATE and DELETE; see the first migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.choice import EVERY_TRAINING as EVERY_TRAINING
from preferences.domain.purpose import LawfulBasis

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedJson

JsonColumn = JSON().with_variant(JSONB(), "postgresql")


class LedgerEntryRow(Base):
    """One act, as it was done and as it was recorded. Written once."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint(one_of("act", Act), name="act"),
        CheckConstraint(one_of("method", Method), name="method"),
        CheckConstraint(one_of("actor", Actor), name="actor"),
        CheckConstraint("basis IS NULL OR " + one_of("basis", LawfulBasis), name="basis"),
        CheckConstraint("(act = 'paused') = (paused_until IS NOT NULL)", name="paused_until"),
        CheckConstraint("training_id >= 0", name="training_id"),
        Index("ix_ledger_entries_recipient_id_purpose_id", "recipient_id", "purpose_id"),
        Index(
            "ix_ledger_entries_reference",
            "reference",
            sqlite_where=text("reference IS NOT NULL"),
            postgresql_where=text("reference IS NOT NULL"),
        ),
        # Empty on SQLite, which would take it to look up a person's entries: it does not know how often each kind is.
        Index("ix_ledger_entries_kind", "method", "act", "purpose_id", sqlite_where=text("recipient_id < 0")),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    recipient_id: Mapped[int] = mapped_column(BigInteger)
    """The recipient's random id; no foreign key, so that proof does not depend on any other row."""
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purposes.id"))
    training_id: Mapped[int] = mapped_column(BigInteger, default=EVERY_TRAINING, server_default="0")
    act: Mapped[Act] = mapped_column(Vocabulary(Act))
    basis: Mapped[LawfulBasis | None] = mapped_column(Vocabulary(LawfulBasis))
    """The basis that the act gives or ends."""
    method: Mapped[Method] = mapped_column(Vocabulary(Method))
    actor: Mapped[Actor] = mapped_column(Vocabulary(Actor))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    """The mailer's or staff member's id; None for the recipient."""
    notice_version_id: Mapped[int | None] = mapped_column(ForeignKey("notice_versions.id"))
    """The version of the text shown; None where nothing of ours was shown (one-click, mailto)."""
    locale: Mapped[str | None] = mapped_column(String(16))
    """The language it was shown in."""
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """The person's own time; decides which act is newest (T28)."""
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reference: Mapped[int | None] = mapped_column(BigInteger)
    """The message the link was sent in (messages.id), if any."""
    evidence_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """SHA-256 of the salted evidence in `evidence`; stays when the evidence itself is erased."""


class EvidenceRow(Base):
    """What backs an entry made elsewhere (source, wording, sale reference …): may be personal data, so apart and encrypted."""

    __tablename__ = "evidence"

    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entries.id"), primary_key=True, autoincrement=False)
    recipient_id: Mapped[int] = mapped_column(BigInteger, index=True)
    content: Mapped[Mapping[str, Any]] = mapped_column(EncryptedJson("evidence.content"))


class ChoiceRow(Base):
    """The current state for a purpose (and training): domain.choice.Choice, kept up to date with every entry."""

    __tablename__ = "choices"
    __table_args__ = (
        CheckConstraint("(act IS NULL) = (since IS NULL)", name="act_has_since"),
        CheckConstraint("(act IS NULL) = (entry_id IS NULL)", name="act_has_entry"),
        CheckConstraint("(paused_at IS NULL) = (pause_entry_id IS NULL)", name="pause_has_entry"),
    )

    recipient_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purposes.id"), primary_key=True, autoincrement=False)
    training_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, default=EVERY_TRAINING)
    act: Mapped[Act | None] = mapped_column(Vocabulary(Act))
    basis: Mapped[LawfulBasis | None] = mapped_column(Vocabulary(LawfulBasis))
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    entry_id: Mapped[int | None] = mapped_column(BigInteger)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pause_entry_id: Mapped[int | None] = mapped_column(BigInteger)


class ConfirmationRow(Base):
    """What a person asked to turn on from a page a stranger could have opened; counts once the mailbox confirms (T11)."""

    __tablename__ = "confirmations"

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    recipient_id: Mapped[int] = mapped_column(BigInteger, index=True)
    asked: Mapped[list[dict[str, Any]]] = mapped_column(JsonColumn)
    """One object per act: purpose_id, training_id, act, basis, notice_version_id."""
    locale: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Set when the person stops the same thing before confirming: an old mail must not turn it on again (T13)."""
