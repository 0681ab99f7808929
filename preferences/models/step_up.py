"""Step-up: fresh proof of the mailbox, and the short session that it opens (T11; L6)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Integer, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, SerialId, UtcDateTime


class StepUpRow(Base):
    """One request for a link and a code. Single use; its session can be ended and is no credential on token pages (T6)."""

    __tablename__ = "step_ups"
    __table_args__ = (
        CheckConstraint("length(code_digest) = 32", name="code_digest"),
        CheckConstraint("(opened_at IS NULL) = (session_digest IS NULL)", name="opened_has_session"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    recipient_id: Mapped[int] = mapped_column(BigInteger, index=True)
    code_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """HMAC of the short code with a key of its own; the code itself is only in the mail."""
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """Wrong codes so far; after the fifth the request is dead."""
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """Until then link and code open a session (30 minutes)."""
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    session_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the session's random secret, which only the cookie holds."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person signed out, or the request was replaced; sessions end by themselves 30 minutes after opening."""
    link_purpose_id: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """What the link that the person came from was about (purposes.id), for «why did I get this»; 0: nothing in particular."""
    link_message_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """The message that link stood in (messages.id); 0: none."""
    link_issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When that link was made."""
