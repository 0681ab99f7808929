"""Staff, what they sign in with, and their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, exists
from sqlalchemy.orm import Mapped, column_property, mapped_column

from preferences.domain.roles import Role
from preferences.domain.staff import FailureKind, SessionStage

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedJson, EncryptedText
from .single_sign_on import StaffIdentityRow


class StaffRow(Base):
    """Somebody who signs in to the admin pages. Never deleted: the audit names them by id."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint(one_of("role", Role), name="role"),
        CheckConstraint("length(address_index) = 16", name="address_index"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    address: Mapped[str] = mapped_column(EncryptedText("staff.address"))
    address_index: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    name: Mapped[str] = mapped_column(EncryptedText("staff.name"))
    role: Mapped[Role] = mapped_column(Vocabulary(Role))
    locale: Mapped[str] = mapped_column(String(16))
    """The language they chose for the admin pages."""
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """argon2id, with its parameters; None until the invitation was accepted."""
    totp_secret: Mapped[str | None] = mapped_column(EncryptedText("staff.totp_secret"))
    """base32; None until an authenticator app was enrolled."""
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    """The 30-second step of the last code that was used: no code works twice."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    has_identity: Mapped[bool] = column_property(
        exists().where(StaffIdentityRow.staff_id == id).correlate_except(StaffIdentityRow)  # noqa: A003
    )
    """Whether an account of an identity provider belongs to them; no column."""


class RecoveryCodeRow(Base):
    """One code for the day the telephone is gone. Works once; 80 random bits need no slow hash."""

    __tablename__ = "staff_recovery_codes"
    __table_args__ = (CheckConstraint("length(digest) = 32", name="digest"),)

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffInvitationRow(Base):
    """A link that lets somebody choose a password, once."""

    __tablename__ = "staff_invitations"
    __table_args__ = (CheckConstraint("length(digest) = 32", name="digest"),)

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the 256 random bits in the link."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffSessionRow(Base):
    """One browser that is signing in or signed in."""

    __tablename__ = "staff_sessions"
    __table_args__ = (
        CheckConstraint(one_of("stage", SessionStage), name="stage"),
        CheckConstraint("length(digest) = 32", name="digest"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the random secret that only the cookie holds."""
    stage: Mapped[SessionStage] = mapped_column(Vocabulary(SessionStage))
    browser: Mapped[str] = mapped_column(String(60))
    """Such as `Firefox, Linux`, for its owner to recognise it by."""
    kept: Mapped[Mapping[str, Any] | None] = mapped_column(EncryptedJson("staff_sessions.kept"))
    """What this session alone must show or finish: a secret being enrolled, recovery codes until they are noted."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When something was last asked in it, to the minute."""
    fresh_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When its owner last proved who they are."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInFailureRow(Base):
    """A failed attempt to sign in, counted by account and by client. Neither can be read back from it."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        CheckConstraint(one_of("kind", FailureKind), name="kind"),
        Index("ix_sign_in_failures_counted", "subject", "failed_at"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    kind: Mapped[FailureKind] = mapped_column(Vocabulary(FailureKind))
    subject: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Keyed hash of what is counted."""
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime)
