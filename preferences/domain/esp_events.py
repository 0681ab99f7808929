"""What ESPs report, in one normal vocabulary (contract.md). Each provider's file translates into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EspEventType(StrEnum):
    """What happened to a message, or what its recipient did at the ESP."""

    QUEUED = "queued"
    SENT = "sent"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    """The ESP itself would not send it."""
    FAILED = "failed"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    AUTORESPONDED = "autoresponded"
    INBOUND = "inbound"
    UNKNOWN = "unknown"


class RejectReason(StrEnum):
    """Why a message did not arrive."""

    INVALID = "invalid"
    BOUNCED = "bounced"
    TIMED_OUT = "timed_out"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUBSCRIBED = "unsubscribed"
    OTHER = "other"


class Severity(StrEnum):
    """Of a bounce: `hard` when there is no such mailbox, `soft` when another try may arrive (RFC 3463; M12)."""

    HARD = "hard"
    SOFT = "soft"


NEVER_STORED = frozenset({EspEventType.OPENED, EspEventType.CLICKED, EspEventType.INBOUND})
"""Dropped unread: this service does not track, and mail to the company is not its to keep."""

WITH_EFFECT = frozenset({EspEventType.BOUNCED, EspEventType.COMPLAINED, EspEventType.UNSUBSCRIBED})
"""Everything else is kept and counted. `subscribed` above all: no ESP lifts what the person stopped here."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EspEvent:
    """One event about one recipient. What the provider does not say is empty or None; `recipient` may be no address at all."""

    type: EspEventType
    native: str
    """The provider's own word for the type: what unknown types are counted by."""
    event_id: str = ""
    """The same each time the provider sends the event again; empty: the content itself identifies it."""
    recipient: str = ""
    occurred_at: datetime | None = None
    severity: Severity | None = None
    reason: RejectReason | None = None
    link: str = ""
    """Our unsubscribe link of the message, or its token, where the provider hands it back: whom and what the mail was about."""
    message: str = ""
    """The mailer's own reference of the message."""
    confirm_url: str = ""
    """Where the worker confirms that we want these events, for providers that ask first."""

    def __repr__(self) -> str:
        """Never the recipient."""
        return f"<EspEvent {self.type} {self.native}>"


def severity_of(is_final: object, status: str) -> Severity:
    """Hard only when the provider calls it final and no status code contradicts: `failed` with 5.x.x, as in RFC 3464 (M12)."""
    return Severity.HARD if is_final and status[:1] not in {"2", "4"} else Severity.SOFT
