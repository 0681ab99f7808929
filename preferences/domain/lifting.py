"""What only the person's own mailbox can lift: no API call, import or staff member turns on what a person turned off (T21)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from .acts import GRANTS, Act
from .eligibility import STOP_REASONS, Level, Reason, RecipientStatus
from .suppression import Suppression, SuppressionReason

INCREASES = GRANTS | {Act.RESUMED}
"""Acts after which more may be done to the person than before."""

_PERSONAL = (SuppressionReason.ERASED, SuppressionReason.GLOBAL_STOP, SuppressionReason.COMPLAINT)
"""Suppressions that are the person's own doing. A bounce or a staff suppression goes on refusing whatever is chosen."""


def what_would_be_lifted(
    levels: Sequence[Level], *, status: RecipientStatus | None, suppressions: Iterable[Suppression], at: datetime
) -> Reason | None:
    """What an increase for the last of these levels would lift; None: nothing stands in its way.

    Every level counts: a grant for a topic that is newer than the purpose's opt-out would overrule it. The act's own time does
    not matter, because whoever reports an act also reports its time.
    """
    if status is not None and status is not RecipientStatus.ACTIVE:
        return Reason(status.value)
    purpose = levels[0].purpose
    topic = next((level.purpose for level in levels if level.purpose.id != purpose.id), None)
    found = {
        one.reason
        for one in suppressions
        if one.reason is not SuppressionReason.COMPLAINT or one.covers(purpose, topic)
    }
    for reason in _PERSONAL:
        if reason in found:
            return Reason(f"suppressed_{reason.value}")
    for level in levels:
        if level.choice.act in STOP_REASONS:
            return STOP_REASONS[level.choice.act]
    return Reason.PAUSED if any(level.choice.is_paused(at) for level in levels) else None
