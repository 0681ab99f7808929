"""Rights requests and changes of address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.rights import IdentityState, RequestChannel, RightsKind, RightsState

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import EncryptedJson, EncryptedText


class RightsRequestRow(Base):
    """One request of a data subject, with its due date (GDPR 12(3); L5)."""

    __tablename__ = "rights_requests"
    __table_args__ = (
        CheckConstraint(one_of("kind", RightsKind), name="kind"),
        CheckConstraint(one_of("state", RightsState), name="state"),
        CheckConstraint("(state IN ('fulfilled', 'refused', 'withdrawn')) = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("state <> 'extended' OR extension_reason IS NOT NULL", name="extension_has_reason"),
        CheckConstraint(one_of("channel", RequestChannel), name="channel"),
        CheckConstraint(one_of("identity", IdentityState), name="identity"),
        CheckConstraint("recipient_id IS NOT NULL OR entered_by IS NOT NULL", name="somebody"),
        Index("ix_rights_requests_due", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    """What person and staff call it, such as `R-7K3F9Q2M`."""
    recipient_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """None: somebody who is not known here, entered by staff."""
    kind: Mapped[RightsKind] = mapped_column(Vocabulary(RightsKind))
    state: Mapped[RightsState] = mapped_column(Vocabulary(RightsState), default=RightsState.OPEN, server_default="open")
    details: Mapped[Mapping[str, Any] | None] = mapped_column(EncryptedJson("rights_requests.details"))
    """What the person wrote or wants changed; cleared by erasure."""
    locale: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_on: Mapped[date] = mapped_column(Date)
    extension_reason: Mapped[str | None] = mapped_column(EncryptedText("rights_requests.extension_reason"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str | None] = mapped_column(EncryptedText("rights_requests.answer"))
    """What was answered in writing."""
    channel: Mapped[RequestChannel] = mapped_column(
        Vocabulary(RequestChannel), default=RequestChannel.PAGE, server_default="page"
    )
    entered_by: Mapped[int | None] = mapped_column(BigInteger)
    """Who of the staff entered it; None: the person themself."""
    identity: Mapped[IdentityState] = mapped_column(
        Vocabulary(IdentityState), default=IdentityState.MAILBOX, server_default="mailbox"
    )
    identity_proof: Mapped[str | None] = mapped_column(EncryptedText("rights_requests.identity_proof"))
    """How staff know who asks; cleared by erasure."""
    contact: Mapped[Mapping[str, Any] | None] = mapped_column(EncryptedJson("rights_requests.contact"))
    """Name, address and postal address of somebody who is not known here; cleared with the texts."""


class AddressChangeRow(Base):
    """A change of address on its way: both mailboxes confirm, the strictest state goes along (T26)."""

    __tablename__ = "address_changes"

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    recipient_id: Mapped[int] = mapped_column(BigInteger, index=True)
    new_address: Mapped[str | None] = mapped_column(EncryptedText("address_changes.new_address"))
    """As typed; cleared once done, cancelled or expired."""
    new_index: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    locale: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    old_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    new_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
