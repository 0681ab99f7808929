"""Suppressions: stops that belong to an address, not to a person's choices (T20), kept as a keyed hash (T22)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .purpose import About, Purpose, PurposeId


class SuppressionReason(StrEnum):
    """Why nothing goes to the address. A bounce is not an objection, and a complaint is neither (T20)."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    GLOBAL_STOP = "global_stop"
    ERASED = "erased"
    MANUAL = "manual"


class SuppressionScope(StrEnum):
    """How far it reaches: every message, every informational message, or one purpose."""

    ALL = "all"
    INFORMATIONAL = "informational"
    PURPOSE = "purpose"


DEFAULT_SCOPES = {
    SuppressionReason.HARD_BOUNCE: SuppressionScope.ALL,
    SuppressionReason.COMPLAINT: SuppressionScope.INFORMATIONAL,
    SuppressionReason.GLOBAL_STOP: SuppressionScope.INFORMATIONAL,
    SuppressionReason.ERASED: SuppressionScope.ALL,
    SuppressionReason.MANUAL: SuppressionScope.ALL,
}

PRECEDENCE = (
    SuppressionReason.ERASED,
    SuppressionReason.GLOBAL_STOP,
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.COMPLAINT,
    SuppressionReason.MANUAL,
)
"""Which reason is told when several apply: what the person said comes before what a machine noticed."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One active suppression of the address in question."""

    reason: SuppressionReason
    scope: SuppressionScope
    purpose_id: PurposeId | None = None

    def covers(self, purpose: Purpose, topic: Purpose | None) -> bool:
        """Whether it stands in the way of this purpose.

        Publication sends nothing, so only an erasure stands in its way; everything else stops mail.
        """
        if purpose.about is About.PUBLICATION:
            return self.reason is SuppressionReason.ERASED
        if self.scope is SuppressionScope.PURPOSE:
            return self.purpose_id in {purpose.id, topic.id if topic else purpose.id}
        return True
