"""What mailers are told: the closed vocabulary of change events (contract.md)."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """Types of change events; stable names, part of the public contract."""

    CHOICE_CHANGED = "choice.changed"
    RECIPIENT_STOPPED = "recipient.stopped"
    RECIPIENT_RESUMED = "recipient.resumed"
    RECIPIENT_SUPPRESSED = "recipient.suppressed"
    RECIPIENT_ERASED = "recipient.erased"
    RECIPIENT_RESTRICTED = "recipient.restricted"
    RECIPIENT_ADDRESS_CHANGED = "recipient.address_changed"
    RECIPIENT_CORRECTED = "recipient.corrected"
    PHOTO_OBJECTION_CHANGED = "photo.objection_changed"
    TAKEDOWN_REQUESTED = "takedown.requested"
    POLICY_PUBLISHED = "policy.published"
