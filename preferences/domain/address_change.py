"""A change of address on its way: both mailboxes say yes, or nothing happens (T11, T26)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LASTS = timedelta(days=7)
"""How long the two mailboxes have to answer."""

MOST_A_DAY = 3
"""So many changes one person may ask for in 24 hours, and so many mails about one go to any one address (T27)."""

KEPT_FOR = timedelta(days=30)
"""How long one that came to nothing is kept; without the address."""

SOURCE = "address_change"
"""What suppressions say that a change of address made."""


class Side(StrEnum):
    """Which of the two mailboxes answers."""

    OLD = "old"
    NEW = "new"


class ChangeState(StrEnum):
    """What has become of a change."""

    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AddressChange:
    """One change as stored. `new_address` is None once it is over; never logged."""

    id: int
    recipient_id: int
    new_address: str | None
    new_index: bytes
    locale: str
    asked_at: datetime
    expires_at: datetime
    old_confirmed_at: datetime | None
    new_confirmed_at: datetime | None
    done_at: datetime | None
    cancelled_at: datetime | None

    def state(self, now: datetime) -> ChangeState:
        """Whether an answer still counts, and if not, why."""
        if self.done_at is not None:
            return ChangeState.DONE
        if self.cancelled_at is not None:
            return ChangeState.CANCELLED
        return ChangeState.EXPIRED if self.expires_at <= now else ChangeState.WAITING

    def confirmed_at(self, side: Side) -> datetime | None:
        """When this mailbox said yes."""
        return self.old_confirmed_at if side is Side.OLD else self.new_confirmed_at
